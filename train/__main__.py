"""Command line for data sets, training, evaluation and publishing."""

import argparse
import math
import sys
from pathlib import Path

from kpdemo.models import model_folder
from kpdemo.models.config import ConfigError
from kpdemo.models.model_folder import CheckpointError
from train.data.sources import DataError, root


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; returns the exit status. Every error is one sentence on stderr."""
    options = parser().parse_args(arguments)
    # Imported here and in the commands, so that --help and `data` do not wait for torch.
    from kpdemo.faces.mediapipe_task import BaselineUnavailable
    from kpdemo.system.files import OutputError
    from train.publish.space_check import SpaceError
    from train.trainer import TrainingError

    try:
        COMMANDS[options.command](options)
    except (
        BaselineUnavailable,
        CheckpointError,
        ConfigError,
        DataError,
        OutputError,
        SpaceError,
        TrainingError,
    ) as error:
        print(error, file=sys.stderr)
        return 1
    except OSError as error:
        name, reason = error.filename or "A file", error.strerror or error
        print(f"{name} could not be read or written ({reason}).", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("Stopped; run the same command again to resume.", file=sys.stderr)
        return 130
    return 0


def parser() -> argparse.ArgumentParser:
    result = argparse.ArgumentParser(prog="python -m train", description=__doc__)
    commands = result.add_subparsers(dest="command", required=True)

    command = commands.add_parser("data", help="list data sets, and download them")
    command.add_argument("--download", nargs="+", metavar="NAME", default=[])

    command = commands.add_parser("fit", help="train a recipe, or resume an interrupted run")
    command.add_argument("recipe", help="a name in train/recipes, or a YAML file")
    command.add_argument("--output", type=Path, help="model folder to write (runs/RECIPE)")
    training_options(command)

    command = commands.add_parser(
        "sweep",
        help="train a recipe with different values of a setting; resumes an interrupted sweep",
    )
    command.add_argument("sweeps", nargs="+", metavar="NAME", help="names in train/sweeps")
    training_options(command)

    command = commands.add_parser("evaluate", help="evaluate models on their test faces")
    command.add_argument(
        "models", nargs="+", help="model folders, names of those in weights/, or mediapipe"
    )

    command = commands.add_parser("calibrate", help="fit the calibration of trained models")
    command.add_argument("runs", nargs="+", type=Path, metavar="RUN", help="folders under runs/")

    command = commands.add_parser("ship", help="copy evaluated runs to weights/, for the app")
    command.add_argument("runs", nargs="+", type=Path, metavar="RUN", help="folders under runs/")
    command.add_argument("--without-weights", action="store_true", help="only curves and metrics")

    commands.add_parser("baseline", help="fit the map from MediaPipe's mesh to iBUG's 68 points")

    commands.add_parser("framing", help="fit the map from detected faces to the nets' crops")

    commands.add_parser("robustness", help="evaluate the default models on corrupted photos")

    commands.add_parser("benchmark", help="measure whether data loading slows training down")

    commands.add_parser("completeness", help="count the labels of Kaggle's rows")

    commands.add_parser("report", help="update weights/results.json, model cards and README tables")

    command = commands.add_parser("push", help="push models to the Hugging Face Hub, and pin them")
    command.add_argument("models", nargs="+", metavar="MODEL", help="names of those in weights/")
    command.add_argument("--namespace", required=True, metavar="NAME", help="account on the Hub")
    command.add_argument("--private", action="store_true", help="make a new repository private")
    command.add_argument("--revision", metavar="BRANCH", default="main", help="created if missing")

    command = commands.add_parser("space", help="the app as a Hugging Face Space")
    action = command.add_mutually_exclusive_group(required=True)
    action.add_argument("--check", action="store_true", help="check whether it would start")
    action.add_argument("--push", metavar="NAME/SPACE", help="create or update the Space")
    command.add_argument("--private", action="store_true", help="make a new Space private")

    command = commands.add_parser("submit", help="write a Kaggle submission")
    command.add_argument("model", help="a 15-point model folder, or the name of one in weights/")
    command.add_argument("output", type=Path, help="the CSV to write")
    return result


def training_options(command: argparse.ArgumentParser) -> None:
    command.add_argument("--workers", type=int, default=1, help="data-loading processes")
    command.add_argument(
        "--precision", choices=("no", "bf16"), help="default: bf16 where supported natively"
    )


def data(options: argparse.Namespace) -> None:
    from train.data.status import download, report

    for name in options.download:
        print(download(name, root()))
    print(report(root()))


def fit(options: argparse.Namespace) -> None:
    from train import recipe, trainer

    settings = recipe.load(options.recipe)
    folder = options.output or Path("runs") / settings.name
    trainer.fit(settings, folder, options.workers, options.precision)


def sweep(options: argparse.Namespace) -> None:
    from train import sweep

    for name in options.sweeps:
        sweep.load(name)
    for name in options.sweeps:
        for history in sweep.run(name, Path("runs"), options.workers, options.precision):
            nme = min((epoch["validation_nme"] for epoch in history["epochs"]), default=math.nan)
            print(f"{name}, {history['sweep']['run']}: validation NME {nme:.2f} %")


def evaluate(options: argparse.Namespace) -> None:
    from kpdemo.records.leaderboard import FIFTEEN
    from kpdemo.zoo import BASELINE
    from train.evaluation.evaluate import evaluate
    from train.fitting import mesh_to_ibug

    for name in options.models:
        metrics = mesh_to_ibug.evaluate() if name == BASELINE else evaluate(folder_of(name))
        for source, ways in metrics.items():
            for way, measured in ways.items():
                if way in ("damaged", FIFTEEN):
                    continue
                figures = [f"{k} {v}" for k, v in measured.items() if isinstance(v, float)]
                print(f"{name} on {source}, {way}: {', '.join(figures)}")


def calibrate(options: argparse.Namespace) -> None:
    from train.fitting.calibration import calibrate

    for run in options.runs:
        result = calibrate(run)
        print(
            f"{run}: validation NME {result['validation_nme_before']:.3f} % before, "
            f"{result['validation_nme']:.3f} % after, ridge {result['ridge']}"
        )


def ship(options: argparse.Namespace) -> None:
    from train.publish.release import ship

    for run in options.runs:
        folder, weights = ship(run, not options.without_weights)
        print(f"{folder}: {'with' if weights else 'without'} weights")


def baseline(options: argparse.Namespace) -> None:
    from train.fitting import mesh_to_ibug

    print(mesh_to_ibug.fit())


def framing(options: argparse.Namespace) -> None:
    from train.fitting.crop_rules import measure

    for reference, result in measure().items():
        print(f"{reference}: {result['faces']} faces, {result['left_unexplained_percent']}")


def robustness(options: argparse.Namespace) -> None:
    from train.evaluation.corruptions import measure

    measure()


def benchmark(options: argparse.Namespace) -> None:
    from train.benchmark import measure

    for name, rates in measure()["recipes"].items():
        print(f"{name}: {100 * rates['share']:.0f} % of the throughput from memory")


def completeness(options: argparse.Namespace) -> None:
    from train.evaluation.label_counts import write

    result = write()
    for name, counts in {"kaggle": result["kaggle"], **result["recipes"]}.items():
        complete = counts["rows_by_points_known"].get("15", 0)
        print(f"{name}: {complete:,} of {counts['rows']:,} faces have all 15 labels")


def report(options: argparse.Namespace) -> None:
    from train.publish.tables import write

    write()


def push(options: argparse.Namespace) -> None:
    from train.publish.push import push

    for folder in [folder_of(name) for name in options.models]:
        repo, pin, new = push(folder, options.namespace, options.private, options.revision)
        status = "pushed" if new else "unchanged"
        print(f"{repo}: {status}, commit {pin.revision}, SHA-256 of the weights {pin.sha256}")


def space(options: argparse.Namespace) -> None:
    from train.publish import space, space_check

    if options.push:
        commit, new = space.push(options.push, options.private)
        print(f"{options.push}: {'pushed' if new else 'unchanged'}, commit {commit}")
    else:
        print(space_check.check())


def submit(options: argparse.Namespace) -> None:
    from train.publish.kaggle_submission import submit

    print(f"{submit(folder_of(options.model), options.output)} rows in {options.output}")


def folder_of(name: str) -> Path:
    """A folder by its path, or one of `weights/` by its name; CheckpointError if neither is."""
    from kpdemo.zoo import WEIGHTS_DIR

    for folder in (Path(name), WEIGHTS_DIR / name):
        if (folder / model_folder.CONFIG).exists():
            return folder
    raise CheckpointError(f"{name} is neither a model folder nor the name of one in weights/.")


COMMANDS = {
    "data": data,
    "fit": fit,
    "sweep": sweep,
    "evaluate": evaluate,
    "calibrate": calibrate,
    "ship": ship,
    "baseline": baseline,
    "framing": framing,
    "robustness": robustness,
    "benchmark": benchmark,
    "completeness": completeness,
    "report": report,
    "push": push,
    "space": space,
    "submit": submit,
}

if __name__ == "__main__":
    sys.exit(main())
