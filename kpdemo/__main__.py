"""`python -m kpdemo PHOTO`: compare models on a photo, or on a folder of them, from the shell.

`python -m kpdemo export MODEL --onnx OUT.onnx` gives a model to other programs;
`python -m kpdemo pull` fetches weights.
"""

import argparse
import os
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

from kpdemo import export, folder, hub, images, onnx_export
from kpdemo.compare import Comparison, engine, model_folders
from kpdemo.sheet import side_by_side

_EPILOG = """other commands (each has its own --help):
  python -m kpdemo export MODEL --onnx OUT.onnx
  python -m kpdemo pull [--namespace NAME]"""


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; returns the exit status."""
    arguments = sys.argv[1:] if arguments is None else arguments
    command = COMMANDS.get(arguments[0]) if arguments else None
    try:
        return command(arguments[1:]) if command else compare(arguments)
    except (ValueError, OSError) as error:
        print(error, file=sys.stderr)
        return 1


def compare(arguments: list[str]) -> int:
    """A photo, or all photos of a folder."""
    parser = argparse.ArgumentParser(
        prog="python -m kpdemo",
        description="Where different neural networks put the facial keypoints of a photo.",
        epilog=_EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "photo", type=Path, help="a photo, or a folder of photos (with --csv or --jsonl)"
    )
    parser.add_argument("--json", type=Path, metavar="OUT.json", help="write the whole result")
    parser.add_argument("--csv", type=Path, metavar="OUT.csv", help="write one row a point")
    parser.add_argument("--png", type=Path, metavar="OUT.png", help="draw the models side by side")
    parser.add_argument(
        "--jsonl", type=Path, metavar="OUT.jsonl", help="of a folder: one line of JSON a photo"
    )
    parser.add_argument(
        "--models", nargs="+", metavar="NAME", help="which models (default: the four and mediapipe)"
    )
    options = parser.parse_args(arguments)
    if options.photo.is_dir():
        if options.json or options.png or bool(options.csv) == bool(options.jsonl):
            parser.error("for a folder, name one output: --csv OUT.csv or --jsonl OUT.jsonl")
        return _compare_folder(options.photo, options.csv, options.jsonl, options.models)
    if options.jsonl:
        parser.error("--jsonl is for a folder; for one photo use --json OUT.json")
    photo = images.load(options.photo)
    comparison = engine().compare(photo, options.models)
    result = comparison.to_dict()
    if options.json:
        options.json.write_text(export.to_json(result), encoding="utf-8")
    if options.csv:
        table = export.to_csv(result, export.spelt(options.photo.name))
        options.csv.write_text(table, encoding="utf-8")
    if options.png:
        options.png.write_bytes(export.png_bytes(side_by_side(photo, comparison)))
    print(report(comparison))
    _name_unavailable(comparison.unavailable)
    return 0


def _compare_folder(
    photos: Path, table: Path | None, lines: Path | None, models: Sequence[str] | None
) -> int:
    out, kind = (table, "csv") if table else (lines, "jsonl")
    try:
        done = folder.run(engine(), photos, out, kind, models)
    except KeyboardInterrupt:
        print(f"Stopped; the same command goes on with what {out} lacks.", file=sys.stderr)
        return 130
    rate = done.photos / done.seconds
    print(
        f"{out}: {done.photos} photos with {done.faces} faces ({done.without} without), "
        f"{rate:.1f} a second; {done.before} were there before."
    )
    _name_unavailable(done.unavailable)
    if done.bad:
        print(f"{len(done.bad)} could not be used:", file=sys.stderr)
    for name, why in done.bad.items():
        print(f"  {name}: {why}", file=sys.stderr)
    return 0 if done.photos + done.before else 1


def export_net(arguments: list[str]) -> int:
    """A model as a file for ONNX Runtime and other programs."""
    parser = argparse.ArgumentParser(
        prog="python -m kpdemo export", description=onnx_export.__doc__
    )
    parser.add_argument("model", metavar="MODEL")
    parser.add_argument("--onnx", type=Path, metavar="OUT.onnx", required=True)
    options = parser.parse_args(arguments)
    print(onnx_export.export(onnx_export.find(engine(), options.model), options.onnx))
    return 0


def _name_unavailable(unavailable: dict[str, str]) -> None:
    for name, why in unavailable.items():
        print(f"{name} is unavailable: {why}", file=sys.stderr)


def pull(arguments: list[str]) -> int:
    """`python -m kpdemo pull`: fetch the pinned weights from the Hub, else the newest ones."""
    parser = argparse.ArgumentParser(prog="python -m kpdemo pull", description=pull.__doc__)
    parser.add_argument(
        "--namespace",
        metavar="NAME",
        default=os.environ.get(hub.VARIABLE),
        help=f"whose repositories (default: the environment's {hub.VARIABLE})",
    )
    namespace = parser.parse_args(arguments).namespace
    if not namespace:
        print(f"Say whose weights, with --namespace NAME or {hub.VARIABLE}=NAME.", file=sys.stderr)
        return 1
    lines = list(hub.report(namespace, [place.name for place in model_folders()]))
    for good, line in lines:
        print(line, file=sys.stdout if good else sys.stderr)
    return 0 if all(good for good, _ in lines) else 1


def report(comparison: Comparison) -> str:
    """The result in a few lines for the terminal."""
    if not comparison.faces:
        return "No face found. Try a photo in which a face is larger, upright and well lit."
    lines = []
    for number, face in enumerate(comparison.faces):
        x0, y0, x1, y1 = face.box
        lines.append(
            f"face {number}: {x1 - x0:.0f}x{y1 - y0:.0f} px at ({x0:.0f}, {y0:.0f}), "
            f"score {face.score:.2f}, roll {face.roll:.0f} degrees"
        )
        lines += [
            f"  {name:16} {len(answer.keypoints):3} points {answer.milliseconds:7.1f} ms"
            for name, answer in face.answers.items()
        ]
    lines.append(
        ", ".join(f"{stage} {value:.0f} ms" for stage, value in comparison.timings.items())
    )
    return "\n".join(lines)


# By the first word; a photo of that name is written ./export.
COMMANDS: dict[str, Callable[[list[str]], int]] = {"export": export_net, "pull": pull}

if __name__ == "__main__":
    sys.exit(main())
