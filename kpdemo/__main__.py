"""`python -m kpdemo PHOTO`: compare models on a photo from the shell; `pull`: fetch weights."""

import argparse
import os
import sys
from pathlib import Path

from kpdemo import export, hub, images
from kpdemo.compare import Comparison, engine, model_folders
from kpdemo.sheet import side_by_side


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; returns the exit status."""
    arguments = sys.argv[1:] if arguments is None else arguments
    if arguments[:1] == ["pull"]:
        return pull(arguments[1:])
    parser = argparse.ArgumentParser(
        prog="python -m kpdemo",
        description="Where different neural networks put the facial keypoints of a photo.",
    )
    parser.add_argument("photo", type=Path)
    parser.add_argument("--json", type=Path, metavar="OUT.json", help="write the whole result")
    parser.add_argument("--csv", type=Path, metavar="OUT.csv", help="write one row a point")
    parser.add_argument("--png", type=Path, metavar="OUT.png", help="draw the models side by side")
    parser.add_argument(
        "--models", nargs="+", metavar="NAME", help="which models (default: the four and mediapipe)"
    )
    options = parser.parse_args(arguments)
    try:
        comparison = engine().compare(options.photo, options.models)
        result = comparison.to_dict()
        if options.json:
            options.json.write_text(export.to_json(result), encoding="utf-8")
        if options.csv:
            options.csv.write_text(export.to_csv(result, options.photo.name), encoding="utf-8")
        if options.png:
            sheet = side_by_side(images.load(options.photo), comparison)
            options.png.write_bytes(export.png_bytes(sheet))
    except (ValueError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    print(report(comparison))
    for name, why in comparison.unavailable.items():
        print(f"{name} is unavailable: {why}", file=sys.stderr)
    return 0


def pull(arguments: list[str]) -> int:
    """`python -m kpdemo pull`: fetch the newest weights from the Hub, a line a model."""
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
    lines = list(hub.report(namespace, [folder.name for folder in model_folders()]))
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


if __name__ == "__main__":
    sys.exit(main())
