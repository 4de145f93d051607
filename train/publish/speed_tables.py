"""The documents' tables and sentences on speed."""

from kpdemo.zoo import BASELINE
from train.publish.markdown import figure, nothing_yet, table


def speed(collected: dict) -> str:
    """Latency of a comparison by part, and the throughput of training."""
    found = collected["benchmark"]
    if found is None:
        return "No data yet: `python -m kpdemo.benchmark weights/benchmark.json` makes this table."
    rows = {row["name"]: row for row in collected["models"]}
    rows[BASELINE] = rows[f"{BASELINE}-index"]  # the maps take no time worth naming
    lines = [
        [
            f"{name}, alone",
            figure(value, "", 1),
            figure(rows.get(name, {}).get("times_mediapipe")),
        ]
        for name, value in found["forward_milliseconds"].items()
    ]
    lines += [
        ["finding the face", figure(found["detect_milliseconds"], "", 1), ""],
        ["the whole comparison", figure(found["compare_milliseconds"], "", 1), ""],
    ]
    part = f"part ({found['photo']}, {found['threads']} threads, {found['precision']})"
    ratio = found["compare_to_forward_ratio"]
    return "\n\n".join(
        [
            table((part, "ms", "times MediaPipe"), lines),
            f"The whole takes {ratio:.2f} times the sum of the nets and MediaPipe alone.",
            start_and_folder(found),
            page(collected["page_benchmark"]),
            training(collected["training_benchmark"]),
        ]
    )


def start_and_folder(found: dict) -> str:
    """Start-up time, memory, and the throughput of a folder."""
    return (
        f"`python app.py` answers after {found['seconds_to_first_page']:.1f} s; where it "
        f"asks a Hub that says nothing, after {found['seconds_with_a_silent_hub']:.1f} s.\n"
        "Ten photos of 11 MP with 36 faces each leave it at "
        f"{found['peak_memory_mib_after_ten_photos']:,} MiB.\n\n"
        f"A folder goes through at {found['folder_photos_per_second']:.1f} photos a second, "
        f"{found['folder_to_endpoint_ratio']:.2f} times the rate of one call of the page's\n"
        f"`/compare` a photo, and {found['folder_to_compare_ratio']:.2f} times that of one call of "
        "`kpdemo.compare`: the nets compute the same either way,\nwhat a folder saves is waiting."
    )


def page(found: dict | None) -> str:
    """Loading times of the page, in a paragraph."""
    command = "python -m kpdemo.benchmark page weights/page_benchmark.json"
    if not found:
        return f"No data yet: `{command}` makes the figures of the page."
    switches = "; ".join(
        f"{max(times.values()):.0f} ms with {faces} face{'s' * (faces != '1')}"
        for faces, times in found["switch_milliseconds"].items()
    )
    rates = ", ".join(
        f"{name} {rate:.0f}" for name, rate in found["camera_frames_per_second"].items()
    )
    seconds = {name: f"{value:.2f} s" for name, value in found.items() if name.endswith("_seconds")}
    return (
        f"The page in {found['browser'].split('.')[0]} on the same {found['cores']} cores\n"
        f"(`{command}`): first paint after\n{seconds['first_paint_seconds']}, ready after "
        f"{seconds['examples_there_seconds']}; the first example after the start is compared in\n"
        f"{seconds['first_example_compared_seconds']}, another in "
        f"{seconds['next_example_compared_seconds']}; the slowest switch takes {switches}.\n"
        f"Frames a second of a camera, with MediaPipe: {rates}."
    )


def training(found: dict | None) -> str:
    """Training throughput relative to data in memory, in a sentence."""
    if not found:
        return nothing_yet("benchmark", what="the figures of training")
    shares = ", ".join(
        f"{name} {100 * rates['share']:.0f} %" for name, rates in found["recipes"].items()
    )
    return (
        "Training with pictures from the loader, against the same steps on a batch that is in "
        f"memory already\n(`python -m train benchmark`): {shares} of the rate."
    )
