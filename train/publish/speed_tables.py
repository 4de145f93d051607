"""The documents' tables and sentences on speed."""

from kpdemo import zoo
from kpdemo.zoo import BASELINE
from train.publish.markdown import figure, no_data, table


def speed(collected: dict) -> str:
    """Latency of a comparison by part, and the throughput of training."""
    benchmark = collected["benchmark"]
    if benchmark is None:
        return "No data yet: `python -m kpdemo.benchmark weights/benchmark.json` makes this table."
    rows = {row["name"]: row for row in collected["models"]}
    rows[BASELINE] = rows[f"{BASELINE}-index"]  # the maps' time is negligible
    lines = [
        [
            f"{name}, alone",
            figure(value, "", 1),
            figure(rows.get(name, {}).get("times_mediapipe")),
        ]
        for name, value in benchmark["forward_milliseconds"].items()
    ]
    lines += [
        ["face detection", figure(benchmark["detect_milliseconds"], "", 1), ""],
        ["the whole comparison", figure(benchmark["compare_milliseconds"], "", 1), ""],
    ]
    part = f"part ({benchmark['photo']}, {benchmark['device']}, {benchmark['precision']})"
    ratio = benchmark["compare_to_forward_ratio"]
    return "\n\n".join(
        [
            table((part, "ms", "times MediaPipe"), lines),
            f"The whole takes {ratio:.2f} times as long as the nets and MediaPipe alone, added up.",
            start_and_folder(benchmark),
            page(collected["page_benchmark"]),
            visitors(collected["visitors_benchmark"]),
            archive(collected["archive_benchmark"]),
            training(collected["training_benchmark"]),
        ]
    )


def start_and_folder(benchmark: dict) -> str:
    """Start-up time, memory, and the throughput of a folder."""
    return (
        f"`python app.py` serves the page after {benchmark['seconds_to_first_page']:.1f} s, and "
        f"after {benchmark['seconds_with_a_silent_hub']:.1f} s where the Hub does not answer.\n"
        "After ten photos of 11 MP with 36 faces each it uses "
        f"{benchmark['peak_memory_mib_after_ten_photos']:,} MiB of memory.\n\n"
        "A folder is processed at "
        f"{benchmark['folder_photos_per_second']:.1f} photos per second, "
        f"{benchmark['folder_to_endpoint_ratio']:.2f} times the rate of the page's `/compare`\n"
        f"endpoint, and {benchmark['folder_to_compare_ratio']:.2f} times that of `kpdemo.compare`, "
        "called photo by photo: the nets compute the same, a folder\nsaves waiting."
    )


def page(times: dict | None) -> str:
    """Loading times of the page, in a paragraph."""
    command = "python -m kpdemo.benchmark page weights/page_benchmark.json"
    if not times:
        return f"No data yet: `{command}` makes the figures of the page."
    switches = "; ".join(
        f"{max(milliseconds.values()):.0f} ms with {faces} face{'s' * (faces != '1')}"
        for faces, milliseconds in times["switch_milliseconds"].items()
    )
    rates = ", ".join(
        f"{name} {rate:.0f}" for name, rate in times["camera_frames_per_second"].items()
    )
    seconds = {name: f"{value:.2f} s" for name, value in times.items() if name.endswith("_seconds")}
    return (
        f"The page in {times['browser'].split('.')[0]} on the same {times['cores']} cores\n"
        f"(`{command}`): first paint after\n{seconds['first_paint_seconds']}, ready after "
        f"{seconds['examples_there_seconds']}; the first example after the start takes\n"
        f"{seconds['first_example_compared_seconds']} to compare, another one "
        f"{seconds['next_example_compared_seconds']}; the slowest switch takes {switches}.\n"
        f"Camera frames per second, beside MediaPipe: {rates}."
    )


def browser(collected: dict) -> str:
    """The engine in the browser beside Python's."""
    command = "python -m kpdemo.benchmark browser weights/browser_benchmark.json"
    measured = collected["browser_benchmark"]
    if not measured:
        return f"No data yet: `{command}` makes this table."
    pixels, sizes = measured["pixels"], measured["download_bytes"]
    rates, times = measured["camera_frames_per_second"], measured["compare_milliseconds"]
    labelled = measured.get("labelled_faces") or {"faces": 0, "nme": {}}
    lines = []
    for name in pixels["same_face"]:
        same, own = (pixels[way][name] for way in ("same_face", "own_search"))
        # Of MediaPipe's maps to iBUG's points the fitted one.
        row = labelled["nme"].get(f"{BASELINE}-ridge" if name == BASELINE else name, {})
        lines.append(
            [
                name,
                figure(sizes[name] / 1e6, " MB", 1),
                f"{same['p95']:.3f}, {same['max']:.3f}",
                f"{own['p95']:.3f}, {own['max']:.3f}",
                f"{row['difference']:+.4f}" if row else "",
                *(figure(rates[where].get(zoo.title(name)), "", 1) for where in rates),
            ]
        )
    heads = (
        "model",
        "to load",
        "px apart on the same face (95 %, most)",
        "px apart, own search",
        "NME, difference",
        *(f"frames a second, {where}" for where in rates),
    )
    return "\n\n".join(
        [
            table(heads, lines),
            f"{measured['browser'].split('.')[0]} by WebAssembly, one thread a model, beside "
            f"Python in {measured['python_precision']} on the same {measured['cores']} cores\n"
            f"(`{command} --faces FOLDER`):\ndistances on {pixels['photos']} photos of 640×480 "
            f"with {pixels['faces']} faces, {pixels['missed']} of them by only one of the two;\n"
            f"NME on {labelled['faces']} labelled faces, in percentage points; frames of the Live "
            "tab, each model beside MediaPipe,\nin the browser in one pass.\n\n"
            f"A warm comparison by all models takes {times['browser']:.0f} ms in the browser and "
            f"{times['python']:.0f} ms by Python. All there is to load is "
            f"{sizes['total'] / 1e6:.0f} MB\n({sizes['compressed'] / 1e6:.0f} MB compressed), "
            f"{sizes['runtimes'] / 1e6:.0f} MB of it the runtimes.",
        ]
    )


def visitors(measured: dict | None) -> str:
    """Many visitors at once, in a paragraph."""
    command = "python -m kpdemo.benchmark visitors weights/visitors_benchmark.json"
    if not measured:
        return f"No data yet: `{command}` makes the figures of many visitors at once."
    spent = measured["processor_milliseconds"]
    return (
        f"{measured['clients']} visitors who each send a photo at the same moment, on the same "
        f"{measured['cores']} cores as the page\n(`{command}`):\n"
        f"{measured['visitors_photos_per_second']:.1f} photos per second, "
        f"{measured['visitors_to_folder_ratio']:.2f} times the rate of a folder in the same run; "
        f"{measured['refused']} refused, {measured['wrong']} wrong answers.\nA photo takes the "
        f"processor {spent['server']:.0f} ms in the server and {spent['clients']:.0f} ms in the "
        f"client, {spent['folder']:.0f} ms in a folder. The server's memory: at most "
        f"{measured['peak_memory_mib']:,} MiB.\n"
        f"{measured['clients_with_three']} visitors who send three photos each, one after another, "
        f"wait {measured['p95_to_alone_ratio']:.1f} times as long as one alone (95th percentile; "
        f"{measured['alone_seconds']:.2f} s alone).\nOn average they cannot wait less than "
        f"{measured['least_to_alone_ratio']:.1f} times as long: that is the processor time for a "
        "photo of each, on all cores."
    )


def archive(measured: dict | None) -> str:
    """An archive that was killed, beside a folder, in a paragraph."""
    command = "python -m kpdemo.benchmark archive weights/archive_benchmark.json"
    if not measured:
        return f"No data yet: `{command}` makes the figures of an archive."
    kills = " and ".join(f"{number:,}" for number in measured["killed_after"])
    return (
        f"An archive of {measured['photos']:,} photos, {measured['damaged']} of them damaged, "
        f"killed after {kills} photos\n(`{command}`):\n"
        f"{measured['missing']} photos missing, {measured['twice']} there twice, "
        f"{measured['wrong']} with other points than by `kpdemo.compare` (at most "
        f"{measured['furthest']:.2f} px away), {measured['unnamed']} damaged ones unnamed.\n"
        f"Once Ray has started, {measured['archive_photos_per_second_once_started']:.1f} photos "
        f"per second, {measured['archive_to_folder_ratio_once_started']:.2f} times the rate of a "
        f"folder on the same {measured['cores']} cores; "
        f"{measured['archive_photos_per_second']:.1f} with\nall "
        f"{len(measured['killed_after']) + 1} starts and what the kills cost."
    )


def training(benchmark: dict | None) -> str:
    """Training throughput relative to data in memory, in a sentence."""
    if not benchmark:
        return no_data("benchmark", what="the figures of training")
    shares = ", ".join(
        f"{name} {100 * rates['share']:.0f} %" for name, rates in benchmark["recipes"].items()
    )
    return (
        "Training throughput with the data loader, relative to the same steps on one batch in "
        f"memory\n(`python -m train benchmark`): {shares}."
    )
