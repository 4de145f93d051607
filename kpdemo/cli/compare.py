"""`python -m kpdemo compare`: photos in; a report, JSON, tables, a picture out."""

import argparse
import glob
import os
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TextIO

from kpdemo.cli import own_models
from kpdemo.engine import export, external, folder, photos
from kpdemo.engine.engine import engine
from kpdemo.engine.folder import Summary
from kpdemo.engine.photos import Photos
from kpdemo.engine.store import model_folders
from kpdemo.faces.settings import MAX_FACES
from kpdemo.media import images
from kpdemo.media.images import ImageError
from kpdemo.media.sheet import side_by_side
from kpdemo.structures import Comparison, Prediction
from kpdemo.system import files
from kpdemo.zoo import BASELINE

DESCRIPTION = "Where different neural networks put the facial keypoints of a photo."
EPILOG = f"""limits: files of {images.MAX_BYTES // 1_000_000} MB and \
{images.MAX_PIXELS // 1_000_000} megapixels; of a photo, the {MAX_FACES} largest faces

other commands (each has its own --help):
  python -m kpdemo archive SOURCE OUT
  python -m kpdemo evaluate FOLDER
  python -m kpdemo export MODEL --onnx OUT.onnx
  python -m kpdemo pull [MODEL …] [--namespace NAME]
  python -m kpdemo browser [--from FOLDER]
  python -m kpdemo serve"""


def run(parser: argparse.ArgumentParser, arguments: Sequence[str]) -> int:
    """Compare models on what the arguments name; returns the exit status."""
    _add_options(parser)
    options, words, models = _parse(parser, list(arguments))
    outputs = [out for out in (options.json, options.csv, options.png, options.jsonl) if out]
    # Standard output must hold nothing else.
    report = sys.stderr if any(map(files.is_stdout, outputs)) else sys.stdout
    own_models.check_outputs(outputs, models)
    if options.bom and not options.csv:
        parser.error("--bom is for a table: name it with --csv OUT.csv")
    if len(words) == 1 and _is_one_photo(words[0]):
        if options.jsonl:
            parser.error("--jsonl is for a folder; for one photo use --json OUT.json")
        files.check_outputs(outputs, map(Path, words))
        own_models.add(models)
        return _compare_one(Path(words[0]), options, models, report)
    has_folder = any(Path(word).is_dir() for word in words)
    if (outputs or has_folder) and (len(outputs) != 1 or options.json or options.png):
        parser.error(
            "for a folder or several photos, name one output: --csv OUT.csv or --jsonl OUT.jsonl"
        )
    is_folder = len(words) == 1 and has_folder
    selection = photos.in_folder(Path(words[0])) if is_folder else photos.select(words)
    selection.check_outputs(outputs)
    if not selection.paths:
        print(*(f"{name}: {why}" for name, why in selection.bad.items()), sep="\n", file=sys.stderr)
        return 1
    own_models.add(models)
    if not outputs:
        return _compare_each(selection, models, report)
    kind = "csv" if options.csv else "jsonl"
    return _compare_many(selection, outputs[0], kind, models, options.bom, report)


def _add_options(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "photos",
        nargs="*",
        metavar="PHOTO",
        help="a photo, a folder of photos, or a quoted pattern such as '*.jpg'; several may be "
        "given, those that begin with a dash after --",
    )
    outputs = parser.add_argument_group("outputs", "a file, or - for standard output")
    outputs.add_argument("--json", type=Path, metavar="OUT.json", help="write the whole result")
    outputs.add_argument(
        "--csv",
        type=Path,
        metavar="OUT.csv",
        help="write one row a point; of a folder or several photos, the same command resumes it",
    )
    outputs.add_argument("--png", type=Path, metavar="OUT.png", help="draw the models side by side")
    outputs.add_argument(
        "--jsonl",
        type=Path,
        metavar="OUT.jsonl",
        help="of a folder or several photos: one line of JSON a photo, resumed as --csv",
    )
    outputs.add_argument(
        "--bom",
        action="store_true",
        help="begin a new CSV with a byte-order mark, by which spreadsheets know it as UTF-8",
    )
    parser.add_argument(
        "--models",
        nargs="+",
        action="append",
        default=[],
        metavar="NAME",
        help="which models, as NAME,NAME or NAME NAME (default: the four and mediapipe); a photo "
        "called like a model is written ./NAME. A model of your own is a folder, an .onnx file, or "
        "a repository of the Hugging Face Hub as USER/kpdemo-NAME or USER/kpdemo-NAME@REVISION",
    )


def _parse(
    parser: argparse.ArgumentParser, arguments: list[str]
) -> tuple[argparse.Namespace, list[str], list[str] | None]:
    """The options, the words that name photos, and the models, None for the default ones."""
    end = arguments.index("--") if "--" in arguments else len(arguments)
    options, unknown = parser.parse_known_intermixed_args(arguments[:end])
    if unknown:
        parser.error(f"{unknown[0]} is no option; a photo of that name goes after --")
    words: list[str] = options.photos or []
    models: list[str] = []
    for first, *rest in options.models:
        # The first word names models; those after it may be photos.
        count = next((n for n, word in enumerate(rest) if not _names_models(word)), len(rest))
        models += [name for word in (first, *rest[:count]) for name in word.split(",") if name]
        words += rest[count:]
    words += arguments[end + 1 :]
    if not words:
        parser.error("name a photo, or a folder of photos")
    if options.models and not models:
        parser.error("--models needs the name of a model")
    return options, words, models or None


def _names_models(word: str) -> bool:
    """Whether a word after a model's name is one too: a model's name, or no path."""
    names = {BASELINE, *(place.name for place in model_folders())}
    if all(
        name in names or external.is_onnx(name) or external.is_repository(name)
        for name in word.split(",")
        if name
    ):
        return True
    is_path = os.path.lexists(word) or os.sep in word or Path(word).suffix or glob.has_magic(word)
    return not is_path


def _is_one_photo(word: str) -> bool:
    return not Path(word).is_dir() and (os.path.lexists(word) or not glob.has_magic(word))


def _compare_one(
    path: Path, options: argparse.Namespace, models: list[str] | None, report: TextIO
) -> int:
    photo = images.load(path)
    engine().warm_up(models)
    comparison = engine().compare(photo, models)
    result = comparison.to_dict()
    if options.json:
        files.write(options.json, export.to_json(result).encode())
    if options.csv:
        table = export.to_csv(result, path.name).encode()
        files.write(options.csv, export.BOM + table if options.bom else table)
    if options.png:
        files.write(options.png, export.png_bytes(side_by_side(photo, comparison)))
    print(describe(comparison), file=report)
    return print_unavailable(comparison.unavailable, models)


def _compare_each(selection: Photos, models: list[str] | None, report: TextIO) -> int:
    """A report of each photo."""
    engine().warm_up(models)
    bad = dict(selection.bad)
    unavailable: dict[str, str] = {}
    for name, path in selection.paths.items():
        try:
            comparison = engine().compare(images.load(path), models)
        except ImageError as error:
            bad[name] = str(error)
            continue
        print(name, *describe(comparison).splitlines(), sep="\n  ", file=report)
        unavailable |= comparison.unavailable
    status = print_unavailable(unavailable, models)
    print_bad(bad)
    return 1 if bad else status


def _compare_many(
    selection: Photos, out: Path, kind: str, models: list[str] | None, bom: bool, report: TextIO
) -> int:
    """All photos into one file."""
    try:
        summary = folder.compare_into(engine(), selection, out, kind, models, bom)
    except KeyboardInterrupt:
        print(f"Stopped; the same command goes on with what {out} lacks.", file=sys.stderr)
        return 130
    print(describe_run(out, summary), file=report)
    status = print_unavailable(summary.unavailable, models)
    print_bad(summary.bad)
    return 1 if summary.bad else status


def describe(comparison: Comparison) -> str:
    """The result in a few lines for the terminal."""
    lines = []
    for number, face in enumerate(comparison.faces):
        x0, y0, x1, y1 = face.box
        lines.append(
            f"face {number}: {x1 - x0:.0f}x{y1 - y0:.0f} px at ({x0:.0f}, {y0:.0f}), "
            f"score {face.score:.2f}, roll {face.roll:.0f} degrees"
        )
        lines += [
            f"  {name:16} {len(prediction.keypoints):3} points{_expected(prediction)}"
            for name, prediction in face.predictions.items()
        ]
        lines += [f"  {name:16} {why}" for name, why in face.missing.items()]
    lines += comparison.notices
    if comparison.faces:
        lines += [_timing(comparison, name) for name in comparison.devices]
        times = (f"{stage} {value:.0f} ms" for stage, value in comparison.timings.items())
        lines.append(", ".join(times))
    return "\n".join(lines)


def _expected(prediction: Prediction) -> str:
    if prediction.expected_error is None:
        return ""
    return f", expected error {prediction.expected_error.mean():4.1f} % of the eye distance"


def _timing(comparison: Comparison, name: str) -> str:
    """A model's time from the photo to all points, the part that is its own, and its device."""
    end = comparison.timings["detect"] + comparison.timings[name]
    landmarks = comparison.landmark_milliseconds(name)
    return (
        f"{name:18} end to end {end:6.1f} ms, of which landmarks {landmarks:6.1f} ms a face "
        f"({comparison.devices[name]})"
    )


def describe_run(out: Path, summary: Summary) -> str:
    """The summary of a run over many photos, for the terminal."""
    rate = summary.photos / summary.seconds
    lines = [
        f"{out}: {summary.photos} photos with {summary.faces} faces ({summary.without} without), "
        f"{rate:.1f} a second; {summary.before} were there before."
    ]
    if summary.changed:
        lines.append(f"{summary.changed} photos had changed since; their old rows are gone.")
    if summary.others:
        lines.append(
            f"{summary.others} photos in {out} are not, or no longer, among these; their rows stay."
        )
    lines += [f"{name}: no face here on {count} faces." for name, count in summary.missing.items()]
    if summary.faces_left_out:
        lines.append(
            f"{summary.faces_left_out} faces were left out: of each photo, the {MAX_FACES} largest "
            "are compared."
        )
    return "\n".join(lines)


def print_unavailable(unavailable: Mapping[str, str], models: Sequence[str] | None) -> int:
    """Print which models are unavailable; the exit status: 1 if one of them was named."""
    for name, why in unavailable.items():
        print(f"{name} is unavailable: {why}", file=sys.stderr)
    return 1 if models and unavailable.keys() & set(models) else 0


def print_bad(bad: Mapping[str, str]) -> None:
    """Print the photos that could not be used, and why."""
    if bad:
        print(f"{len(bad)} could not be used:", file=sys.stderr)
    for name, why in bad.items():
        print(f"  {name}: {why}", file=sys.stderr)
