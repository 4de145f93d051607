"""The README's tables, made from what evaluation and the benchmark wrote."""

import json
import re
from pathlib import Path

from kpdemo import checkpoint
from kpdemo.compare import BASELINE, DEFAULT_MODELS, WEIGHTS

README = Path(__file__).parents[1] / "README.md"
BENCHMARK = WEIGHTS / "benchmark.json"
SOURCE = "300w-common"
MAPS = {
    "index": "MediaPipe, 68 points picked from its mesh",
    "offsets": "MediaPipe, the same with mean offsets",
    "ridge": "MediaPipe, fitted linear map",
}


def results() -> str:
    """Errors of the four nets and of MediaPipe on the same test faces, as a Markdown table."""
    lines = [
        "| model | parameters | NME, label box | NME, as the app | inner 51 | faces lost | RMSE |",
        "|---|---|---|---|---|---|---|",
    ]
    for name in DEFAULT_MODELS:
        measured = checkpoint.read_metrics(WEIGHTS / name)[SOURCE]
        box, app = measured["ground_truth_box"], measured["compare"]
        parameters = checkpoint.read_history(WEIGHTS / name)["parameters"]
        inner = f"{box['nme_inner_51']:.2f} %" if "nme_inner_51" in box else ""
        pixels = f"{box['rmse_96']:.2f} px" if "rmse_96" in box else ""
        lines.append(
            f"| {name} | {parameters / 1e6:.1f} M | {box['nme']:.2f} % | {app['nme']:.2f} % "
            f"| {inner} | {app['lost']:.1f} % | {pixels} |"
        )
    measured = checkpoint.read_metrics(WEIGHTS / BASELINE)[SOURCE]
    for way, title in MAPS.items():
        app = measured[way]
        lines.append(
            f"| {title} | | | {app['nme']:.2f} % | {app['nme_inner_51']:.2f} % "
            f"| {app['lost']:.1f} % | |"
        )
    return "\n".join(lines)


def speed() -> str:
    """Milliseconds of one comparison by part, as a Markdown table."""
    measured = json.loads(BENCHMARK.read_text())
    lines = [f"| part ({measured['photo']}, {measured['threads']} threads) | ms |", "|---|---|"]
    forward = measured["forward_milliseconds"]
    lines += [f"| {name}, alone | {value:.1f} |" for name, value in forward.items()]
    lines += [
        f"| finding the face | {measured['detect_milliseconds']:.1f} |",
        f"| the whole comparison | {measured['compare_milliseconds']:.1f} |",
    ]
    ratio = measured["compare_to_forward_ratio"]
    lines += ["", f"The whole takes {ratio:.2f} times the sum of the nets and MediaPipe alone."]
    return "\n".join(lines)


TABLES = {"results": results, "speed": speed}


def filled(text: str) -> str:
    """The README's text with its tables as the files have them now."""
    for name, table in TABLES.items():
        pattern = rf"(<!-- {name} -->\n).*?(<!-- end {name} -->)"
        text = re.sub(pattern, lambda m, t=table: f"{m[1]}\n{t()}\n\n{m[2]}", text, flags=re.S)
    return text


def write() -> None:
    """Bring the README's tables up to date."""
    README.write_text(filled(README.read_text()))
