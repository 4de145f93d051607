"""`python -m train report`: `weights/results.json`, and the documents' tables made from it."""

import json
import re
from collections.abc import Iterable
from pathlib import Path

from kpdemo.models import model_folder
from kpdemo.models.model_folder import CheckpointError
from kpdemo.records.seeds import Sample
from kpdemo.zoo import BASELINE, DEFAULT_MODELS, WEIGHTS_DIR
from train.claims import checked
from train.publish import model_card
from train.publish import results as measured
from train.publish.model_card import SOURCE_TITLES
from train.publish.results import MAPS, SYSTEMS
from train.recipe import described

_ROOT = Path(__file__).parents[2]
README = _ROOT / "README.md"
DOCUMENTS = (README, _ROOT / "weights" / "README.md", _ROOT / "train" / "README.md")


def write(documents: Iterable[Path] = DOCUMENTS, weights: Path = WEIGHTS_DIR) -> None:
    """Update the descriptions in histories and cards, `weights/results.json`, and the tables in
    all documents."""
    for path in sorted(weights.glob(f"*/{model_folder.HISTORY}")):
        describe(path.parent)
    collected = measured.collect(weights)
    measured.write(collected, weights)
    for document in documents:
        text = document.read_text(encoding="utf-8")
        document.write_text(filled(text, collected), encoding="utf-8")


def describe(folder: Path) -> None:
    """Update the recipe's descriptions in a history and its card; damaged files are skipped."""
    try:
        history = model_folder.read_history(folder)
        recipe = described(history["recipe"])
    except (CheckpointError, LookupError, TypeError, ValueError):
        return
    if recipe != history["recipe"]:
        model_folder.write_json(folder / model_folder.HISTORY, history | {"recipe": recipe})
    if (folder / model_folder.CARD).exists():
        model_card.write(folder)


def filled(text: str, collected: dict) -> str:
    """A document's text with its tables filled from `results.collect`."""
    for name, table in TABLES.items():
        pattern = rf"(<!-- {name} -->\n).*?(<!-- end {name} -->)"
        body = table(collected).replace("\\", r"\\")
        text = re.sub(pattern, rf"\1\n{body}\n\n\2", text, flags=re.S)
    return text


def headline(collected: dict) -> str:
    """The results in short: the app's way, the four nets and MediaPipe."""
    lines = [
        [
            row["title"] if row["name"].startswith(BASELINE) else row["name"],
            millions(row["parameters"]),
            figure(row["nme_compare"], " %") + bounds(row["nme_compare_interval"]),
            figure(row["fr8"], " %", 1),
            figure(row["lost"], " %", 1),
        ]
        for row in compared(collected)
    ]
    heads = ("model", "parameters", "NME [95 % interval]", "above 8 %", "faces lost")
    return markdown(heads, lines) if lines else nothing_yet("evaluate NAME")


def compared(collected: dict) -> list[dict]:
    """The rows of the four nets and of MediaPipe that were measured the way of the app."""
    rows = by_name(collected)
    names = (*DEFAULT_MODELS, *(f"{BASELINE}-{way}" for way in MAPS))
    return [rows[name] for name in names if name in rows and rows[name]["nme_compare"] is not None]


def results(collected: dict) -> str:
    """Errors of the four nets and of MediaPipe on the same test faces."""
    lines = [
        [
            row["title"] if row["name"].startswith(BASELINE) else row["name"],
            millions(row["parameters"]),
            figure(row["nme"], " %") + bounds(row["nme_interval"]),
            figure(row["nme_compare"], " %") + bounds(row["nme_compare_interval"]),
            paired(row["less_mediapipe"]),
            figure(row["nme_inner_51"], " %"),
            figure(row["lost"], " %", 1),
            figure(row["fr8"], " %", 1),
            figure(row["auc8"], "", 1),
            figure(row["rmse_96"], " px"),
        ]
        for row in compared(collected)
    ]
    if not lines:
        return nothing_yet(f"evaluate {' '.join(DEFAULT_MODELS)} {BASELINE}")
    heads = (
        "model",
        "parameters",
        "NME, label box",
        "NME, as the app",
        "less MediaPipe's map",
        "inner 51",
        "faces lost",
        "FR@8",
        "AUC@8",
        "RMSE",
    )
    legend = (
        "FR@8 is the share of faces with an error above 8 %, lost faces included; AUC@8 the area "
        "under the\ncurve of cumulative errors up to there, 100 at best; both as the app. The "
        "inner 51 points and the RMSE\nare in the label box, MediaPipe's inner points as the app. "
        "In brackets: 95 % bootstrap intervals over the\nphotos; the column beside MediaPipe's map "
        "is the mean difference on the same faces. The app's nets are measured\nwith the flip test "
        "and their calibration."
    )
    return "\n\n".join([markdown(heads, lines), legend, *fifteen(collected)])


def fifteen(collected: dict) -> list[str]:
    """The same faces with 68 points converted to Kaggle's 15, beside KeypointResNet's own."""
    rows = by_name(collected)
    converted = {row["name"]: row for row in collected["fifteen"]}
    names = [*DEFAULT_MODELS, *(f"{BASELINE}-{way}" for way in MAPS)]
    by_model = {name: converted.get(name) or rows.get(name) for name in names}
    lines = [
        [
            name if name in DEFAULT_MODELS else row["title"],
            figure(row["nme"], " %") + bounds(row["nme_interval"]),
            figure(row["nme_compare"], " %") + bounds(row["nme_compare_interval"]),
            figure(row["rmse_96"], " px"),
        ]
        for name, row in by_model.items()
        if row is not None and row["markup"] == "kaggle-15" and row["nme_compare"] is not None
    ]
    if not converted:
        return []
    heads = ("on Kaggle's 15 points", "NME, label box", "NME, as the app", "RMSE")
    return [
        markdown(heads, lines),
        "Models of 68 points are read in KeypointResNet's 15. Its label box is made from the marks "
        "of eyes and mouth,\nwhich are among the points, so that column flatters it.",
    ]


def systems(collected: dict) -> str:
    """The fourteen systems: the reported errors beside those measured here."""
    rows = {row["name"]: row for row in collected["models"] if row["system"]}
    if not rows:
        return nothing_yet("fit NAME", "evaluate runs/NAME")
    lines = []
    for name in SYSTEMS:
        row = rows.get(name)
        if row is None:
            lines.append([f"`{name}`", "", "", "", "not trained yet", "", "", "", ""])
            continue
        reported = row["reported"] or {}
        lines.append(
            [
                f"`{name}`",
                row["title"],
                row["markup"],
                f"{reported['figure']} {reported['value']:g} {reported['unit']}"
                if reported
                else "",
                error_here(row),
                deviating(row),
                figure(row["spread"]) + (", answers the mean" if row["answers_mean"] else ""),
                millions(row["parameters"]),
                reported.get("comparable", ""),
            ]
        )
    heads = (
        "system",
        "what it is",
        "markup",
        "as reported",
        "here",
        "not as in the report",
        "spread",
        "parameters",
        "comparable?",
    )
    return markdown(heads, lines)


def deviating(row: dict) -> str:
    """The differences from the report in a system's settings and evaluation."""
    differences = [deviation["what"] for deviation in row["deviations"]]
    if row["flip_test"]:
        differences.append("measured with the flip test")
    return "; ".join(differences)


def claims(collected: dict) -> str:
    """The authors' findings, our checks with their figures, and the verdicts."""
    rows = by_name(collected)
    lines = [
        [
            f"`{name}`" if claim is rows[name]["claims"][0] else "",
            claim["claim"],
            checked(claim),
            f"**{claim['verdict']}**",
        ]
        for name in SYSTEMS
        if name in rows
        for claim in rows[name]["claims"]
    ]
    if not lines:
        return nothing_yet("report")
    return markdown(("system", "what its authors found", "our check", "verdict"), lines)


def robustness(collected: dict) -> str:
    """Errors of the default models and of MediaPipe on corrupted photos."""
    measurements = collected["robustness"]
    if not measurements:
        return nothing_yet("robustness")
    names = list(dict.fromkeys(name for row in measurements["conditions"].values() for name in row))
    lines = [
        [condition, *(corrupted(row.get(name) or {}) for name in names)]
        for condition, row in measurements["conditions"].items()
    ]
    source = SOURCE_TITLES.get(measurements["source"], measurements["source"])
    where = f"{measurements['faces']} faces of {source} (`{measurements['command']}`)."
    return f"{markdown(('photo', *names), lines)}\n\n{where}"


def speed(collected: dict) -> str:
    """Latency of a comparison by part, and the throughput of training."""
    found = collected["benchmark"]
    if found is None:
        return "No data yet: `python -m kpdemo.benchmark weights/benchmark.json` makes this table."
    rows = by_name(collected)
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
            markdown((part, "ms", "times MediaPipe"), lines),
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


def sweeps(collected: dict) -> str:
    """One row for each run of every sweep: mean and standard deviation over its seeds."""
    lines = [
        [
            f"**{sweep['name']}**: {sweep['question']}" if run is sweep["runs"][0] else "",
            run["run"],
            changes(run["changes"], sweep["recipe"]),
            "diverged" if run["diverged"] else Sample.of(run["best_nmes"]).text(2),
            run["against_first"] or "",
            best_epochs(run),
        ]
        for sweep in collected["sweeps"]
        for run in sweep["runs"]
    ]
    if not lines:
        return nothing_yet("sweep NAME")
    heads = ("experiment", "run", "changed", "best validation NME", "than the first", "in epoch")
    return markdown(heads, lines)


def best_epochs(run: dict) -> str:
    """The best epochs of a run's seeds: "18 to 25 of 25"."""
    if not run["best_epochs"]:
        return ""
    first, last = run["best_epochs"]
    return f"{first}{f' to {last}' if last > first else ''} of {run['epochs']}"


def trials(collected: dict) -> str:
    """The trials for each default model, with their best validation errors."""
    rows = by_name(collected)
    lines = []
    for name in DEFAULT_MODELS:
        lines += [
            [
                trial["model"],
                trial["tried"],
                trial["validation"],
                str(trial["epochs"]),
                figure(trial["best_nme"], " %"),
            ]
            for trial in collected["trials"]
            if trial["model"] == name
        ]
        row = rows.get(name)
        if row is not None and row["best_validation_nme"] is not None:
            lines.append(
                [
                    f"**{name}**",
                    f"the recipe: {row['title']}",
                    "",
                    str(row["epochs"]),
                    figure(row["best_validation_nme"], " %"),
                ]
            )
    if not lines:
        return nothing_yet("fit NAME")
    heads = ("model", "tried", "validation faces", "epochs", "best validation NME")
    return markdown(heads, lines)


TABLES = {
    "headline": headline,
    "results": results,
    "systems": systems,
    "claims": claims,
    "robustness": robustness,
    "speed": speed,
    "sweeps": sweeps,
    "trials": trials,
}


def markdown(heads: Iterable[str], rows: Iterable[Iterable[str | None]]) -> str:
    """A Markdown table; bars and line breaks in cells are escaped."""
    heads = list(heads)
    lines = [heads, ["---"] * len(heads), *rows]
    cells = ([" ".join((cell or "").split()).replace("|", "\\|") for cell in row] for row in lines)
    return "\n".join(f"| {' | '.join(row)} |" for row in cells)


def nothing_yet(*commands: str, what: str = "this table") -> str:
    """The line in place of a table that has no data."""
    steps = ", then ".join(f"`python -m train {command}`" for command in commands)
    return f"No data yet: {steps} makes {what}."


def by_name(collected: dict) -> dict[str, dict]:
    return {row["name"]: row for row in collected["models"]}


def figure(value: float | None, unit: str = "", digits: int = 2) -> str:
    return "" if value is None else f"{value:.{digits}f}{unit}"


def millions(count: int | None) -> str:
    return "" if count is None else f"{count / 1e6:.{1 if count >= 1e5 else 3}f} M"


def bounds(interval: list[float] | None) -> str:
    """An interval in brackets; empty where there is none."""
    return "" if interval is None else " [{:.2f}, {:.2f}]".format(*interval)


def paired(difference: dict | None) -> str:
    """The mean of paired differences, with its sign, and its interval."""
    if difference is None:
        return ""
    return f"{difference['mean']:+.2f}" + bounds(difference["interval"])


def error_here(row: dict) -> str:
    """The error on ground-truth crops, in the available units."""
    if row["nme"] is None:
        return "not evaluated yet"
    pixels = figure(row["rmse_96"], " px")
    return (
        f"NME {row['nme']:.2f} %{bounds(row['nme_interval'])}"
        + (f", RMSE {pixels}" if pixels else "")
        + (f" ({row['faces']} faces)" if row["faces"] else "")
    )


def corrupted(cell: dict) -> str:
    """NME of the detected faces, and the share of lost ones."""
    lost = cell.get("lost")
    return figure(cell.get("nme"), " %") + (f", {lost:.1f} % lost" if lost else "")


def changes(settings: dict, recipe: str | None) -> str:
    """Changed settings as in a recipe; "nothing" for the recipe itself."""
    if not settings:
        return f"nothing: `{recipe}`" if recipe else "nothing"
    return ", ".join(f"`{name}: {json.dumps(value)}`" for name, value in settings.items())
