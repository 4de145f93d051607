"""`python -m kpdemo evaluate`: labelled faces in; a table, JSON and an HTML page out."""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from kpdemo.cli import own_models
from kpdemo.cli.compare import print_bad, print_unavailable
from kpdemo.engine import export
from kpdemo.engine.engine import engine
from kpdemo.evaluation import labels as label_files
from kpdemo.evaluation import page, table
from kpdemo.evaluation.evaluate import evaluate, to_dict
from kpdemo.system import files

DESCRIPTION = """Errors of the models and MediaPipe on labelled faces of your own.

FOLDER holds pictures and their labels: a .pts file beside each (68 points, as in 300-W), or COCO
keypoints (.json, as LABELS or in FOLDER), or a CSV of this program that was corrected by hand
(LABELS). A face counts as found if its box overlaps the box of the labels by a third."""


def run(parser: argparse.ArgumentParser, arguments: Sequence[str]) -> int:
    """Evaluate models on what the arguments name; returns the exit status."""
    _add_options(parser)
    options = parser.parse_args(arguments)
    models = [name for word in options.models for name in word.split(",") if name] or None
    outputs = [out for out in (options.json, options.html) if out]
    labels = label_files.read(options.folder, options.labels)
    labels.check_outputs(outputs)
    own_models.check_outputs(outputs, models)
    own_models.add(models)
    report = evaluate(engine(), labels, models, options.reference)
    if options.json:
        files.write(options.json, export.to_json(to_dict(report)).encode())
    if options.html:
        files.write(options.html, page.html(report).encode())
    # Standard output must hold nothing else.
    print(
        table.describe(report),
        file=sys.stderr if any(map(files.is_stdout, outputs)) else sys.stdout,
    )
    status = print_unavailable(report.unavailable, models)
    print_bad(report.bad)
    return 1 if report.bad else status


def _add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument("folder", type=Path, metavar="FOLDER")
    parser.add_argument("--labels", type=Path, metavar="LABELS", help="a .json or .csv with labels")
    parser.add_argument(
        "--models",
        nargs="+",
        default=[],
        metavar="NAME",
        help="which models, as NAME,NAME or NAME NAME (default: the four and mediapipe); a model "
        "of your own is a folder, an .onnx file or a repository of the Hugging Face Hub "
        "(USER/kpdemo-NAME)",
    )
    parser.add_argument(
        "--reference",
        metavar="NAME",
        help="the model that differences are to (default: mediapipe-ridge, its fitted map, else "
        "the first one)",
    )
    parser.add_argument("--json", type=Path, metavar="OUT.json", help="write all figures")
    parser.add_argument(
        "--html",
        type=Path,
        metavar="OUT.html",
        help="write a page with charts that needs no network",
    )
