"""Command line for data sets, training, evaluation and publishing."""

import argparse
import math
import sys
from pathlib import Path

from huggingface_hub import SpaceHardware

from kpdemo.faces.mediapipe_task import BaselineUnavailable
from kpdemo.models import model_folder, onnx_graph
from kpdemo.models.browser_files import BrowserUnavailable
from kpdemo.models.browser_runtimes import RuntimesError
from kpdemo.models.config import ConfigError
from kpdemo.models.model_folder import CheckpointError
from kpdemo.models.onnx import ExportError
from kpdemo.records.standings import FIFTEEN
from kpdemo.system.files import OutputError
from kpdemo.zoo import BASELINE, WEIGHTS_DIR
from train import benchmark, labelling, recipe, sweep, trainer
from train.data import status
from train.data.sources import DataError, root
from train.errors import TrainingError
from train.evaluation import corruptions, evaluate, label_counts, lessons
from train.fitting import calibration, crop_rules, expected_error, mesh_to_ibug
from train.publish import (
    kaggle_submission,
    push,
    release,
    report,
    results_data,
    space,
    space_check,
    static_space,
)
from train.publish.space_check import SpaceError


def main(arguments: list[str] | None = None) -> int:
    """Run the command line; returns the exit status. Every error is one sentence on stderr."""
    options = parser().parse_args(arguments)
    try:
        COMMANDS[options.command](options)
    except (
        BaselineUnavailable,
        BrowserUnavailable,
        CheckpointError,
        ConfigError,
        DataError,
        ExportError,
        OutputError,
        RuntimesError,
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

    command = commands.add_parser(
        "label",
        help="pseudo-labels: a model's predictions on a data set, to train other nets",
    )
    command.add_argument("model", help="a model folder, or the name of one in weights/")
    command.add_argument("source", help="a data set by the name that recipes use, such as ytf")
    command.add_argument("--output", type=Path, help="folder to write to (runs/labels/MODEL)")
    command.add_argument("--fill", action="store_true", help="keep its labels, fill their gaps")
    command.add_argument("--least", type=float, default=0.0, help="confidence of a known point")

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

    command = commands.add_parser(
        "expect", help="fit the expected error of models, and check it on their test faces"
    )
    command.add_argument("models", nargs="+", help="model folders, or names of those in weights/")

    command = commands.add_parser("ship", help="copy evaluated runs to weights/, for the app")
    command.add_argument("runs", nargs="+", type=Path, metavar="RUN", help="folders under runs/")
    command.add_argument("--without-weights", action="store_true", help="only curves and metrics")

    command = commands.add_parser(
        "graph", help="write model.onnx, which the engine in the browser loads, beside the weights"
    )
    command.add_argument("models", nargs="+", help="model folders, or names of those in weights/")

    commands.add_parser("baseline", help="fit the map from MediaPipe's mesh to iBUG's 68 points")

    commands.add_parser("framing", help="fit the map from detected faces to the nets' crops")

    commands.add_parser("robustness", help="evaluate the default models on corrupted photos")

    commands.add_parser("lessons", help="measure the failures that the reports describe")

    commands.add_parser("benchmark", help="measure whether data loading slows training down")

    commands.add_parser("completeness", help="count the labels of Kaggle's rows")

    command = commands.add_parser(
        "report", help="update weights/results.json, model cards and README tables"
    )
    command.add_argument(
        "--push", metavar="NAME", help="also put the results on the Hub, as NAME/kpdemo-results"
    )

    command = commands.add_parser("push", help="push models to the Hugging Face Hub, and pin them")
    command.add_argument("models", nargs="+", metavar="MODEL", help="names of those in weights/")
    command.add_argument("--namespace", required=True, metavar="NAME", help="account on the Hub")
    command.add_argument("--private", action="store_true", help="make a new repository private")
    command.add_argument("--revision", metavar="BRANCH", default="main", help="created if missing")
    command.add_argument("--space", metavar="NAME/SPACE", help="the page, for the cards to link")
    command.add_argument(
        "--collection", metavar="TITLE", help="also put them, and --space, into a Collection"
    )

    command = commands.add_parser("space", help="the app as a Hugging Face Space")
    command.add_argument("--check", action="store_true", help="check whether it would start")
    command.add_argument(
        "--static",
        type=Path,
        metavar="DIR",
        help="write the page that needs no server, for any static host; with --push, that is the "
        "Space",
    )
    command.add_argument("--push", metavar="NAME/SPACE", help="create or update the Space")
    command.add_argument("--private", action="store_true", help="make a new Space private")
    command.add_argument(
        "--hardware",
        choices=[hardware.value for hardware in SpaceHardware],
        metavar="NAME",
        help="what the Space runs on, such as cpu-basic, zero-a10g (ZeroGPU) or t4-small; a new "
        "Gradio Space needs a paid plan or ZeroGPU, and most hardware is paid by the hour",
    )

    command = commands.add_parser("submit", help="write a Kaggle submission")
    command.add_argument("model", help="a 15-point model folder, or the name of one in weights/")
    command.add_argument("output", type=Path, help="the CSV to write")
    return result


def training_options(command: argparse.ArgumentParser) -> None:
    command.add_argument("--workers", type=int, default=1, help="data-loading processes")
    command.add_argument(
        "--precision", choices=("no", "bf16"), help="default: bf16 where supported natively"
    )


def run_data(options: argparse.Namespace) -> None:
    for name in options.download:
        print(status.download(name, root()))
    print(status.report(root()))


def run_label(options: argparse.Namespace) -> None:
    folder = folder_of(options.model)
    output = options.output or Path("runs", "labels", folder.resolve().name)
    path, labelled, faces = labelling.label(
        folder, options.source, output, options.fill, options.least
    )
    print(f"{path}: {labelled:,} of {faces:,} faces labelled")


def run_fit(options: argparse.Namespace) -> None:
    settings = recipe.load(options.recipe)
    folder = options.output or Path("runs") / settings.name
    trainer.fit(settings, folder, options.workers, options.precision)


def run_sweep(options: argparse.Namespace) -> None:
    for name in options.sweeps:
        sweep.load(name)
    for name in options.sweeps:
        for history in sweep.run(name, Path("runs"), options.workers, options.precision):
            nme = min((epoch["validation_nme"] for epoch in history["epochs"]), default=math.nan)
            print(f"{name}, {history['sweep']['run']}: validation NME {nme:.2f} %")


def run_evaluate(options: argparse.Namespace) -> None:
    for name in options.models:
        baseline = name == BASELINE
        metrics = mesh_to_ibug.evaluate() if baseline else evaluate.evaluate(folder_of(name))
        for source, ways in metrics.items():
            for way, measured in ways.items():
                if way in ("damaged", FIFTEEN):
                    continue
                figures = [f"{k} {v}" for k, v in measured.items() if isinstance(v, float)]
                print(f"{name} on {source}, {way}: {', '.join(figures)}")


def run_calibrate(options: argparse.Namespace) -> None:
    detections = expected_error.Detections()
    for run in options.runs:
        result = calibration.calibrate(run, detections)
        print(
            f"{run}: validation NME {result['validation_nme_before']:.3f} % before, "
            f"{result['validation_nme']:.3f} % after, ridge {result['ridge']}"
        )


def run_expect(options: argparse.Namespace) -> None:
    detections = expected_error.Detections()
    for name in options.models:
        result = expected_error.fit(folder_of(name), detections)
        print(
            f"{name}: fitted on {result['faces']} validation faces; on the test faces "
            f"{result['bins_within_15_percent']} of {expected_error.BINS} bins within 15 % of the "
            f"measured error, rank correlation {result['rank_correlation']:.2f}"
        )


def run_ship(options: argparse.Namespace) -> None:
    for run in options.runs:
        folder, weights = release.ship(run, not options.without_weights)
        print(f"{folder}: {'with' if weights else 'without'} weights")


def run_graph(options: argparse.Namespace) -> None:
    for name in options.models:
        path = onnx_graph.write(folder_of(name))
        print(f"{path}: {path.stat().st_size:,} bytes")


def run_baseline(options: argparse.Namespace) -> None:
    print(mesh_to_ibug.fit())


def run_framing(options: argparse.Namespace) -> None:
    for reference, result in crop_rules.measure().items():
        print(f"{reference}: {result['faces']} faces, {result['left_unexplained_percent']}")


def run_robustness(options: argparse.Namespace) -> None:
    corruptions.measure()


def run_lessons(options: argparse.Namespace) -> None:
    lessons.measure()


def run_benchmark(options: argparse.Namespace) -> None:
    for name, rates in benchmark.measure()["recipes"].items():
        print(f"{name}: {100 * rates['share']:.0f} % of the throughput from memory")


def run_completeness(options: argparse.Namespace) -> None:
    result = label_counts.write()
    for name, counts in {"kaggle": result["kaggle"], **result["recipes"]}.items():
        complete = counts["rows_by_points_known"].get("15", 0)
        print(f"{name}: {complete:,} of {counts['rows']:,} faces have all 15 labels")


def run_report(options: argparse.Namespace) -> None:
    report.write()
    if options.push:
        repo, commit = results_data.push(options.push)
        print(f"{repo}: commit {commit}")


def run_push(options: argparse.Namespace) -> None:
    repositories = []
    for folder in [folder_of(name) for name in options.models]:
        repo, pin, new = push.push(
            folder, options.namespace, options.private, options.revision, options.space
        )
        repositories.append(repo)
        result = "pushed" if new else "unchanged"
        print(f"{repo}: {result}, commit {pin.revision}, SHA-256 of the weights {pin.sha256}")
    if options.collection:
        print(push.collect(options.collection, options.namespace, repositories, options.space))


def run_space(options: argparse.Namespace) -> None:
    if options.check:
        print(space_check.check())
    elif not options.static and not options.push:
        raise SpaceError("Say what to do: --check, --static DIR, --push NAME/SPACE.")
    if options.static:
        megabytes = static_space.write(options.static) / 1e6
        print(f"{options.static}: {megabytes:.0f} MB, for any static host")
    if options.push:
        if options.static:
            commit, new = static_space.push(options.static, options.push, options.private)
        else:
            commit, new = space.push(options.push, options.private, options.hardware)
        print(f"{options.push}: {'pushed' if new else 'unchanged'}, commit {commit}")


def run_submit(options: argparse.Namespace) -> None:
    rows = kaggle_submission.submit(folder_of(options.model), options.output)
    print(f"{rows} rows in {options.output}")


def folder_of(name: str) -> Path:
    """A folder by its path, or one of `weights/` by its name; CheckpointError if neither is."""
    for folder in (Path(name), WEIGHTS_DIR / name):
        if (folder / model_folder.CONFIG).exists():
            return folder
    raise CheckpointError(f"{name} is neither a model folder nor the name of one in weights/.")


COMMANDS = {
    "data": run_data,
    "label": run_label,
    "fit": run_fit,
    "sweep": run_sweep,
    "evaluate": run_evaluate,
    "calibrate": run_calibrate,
    "expect": run_expect,
    "ship": run_ship,
    "graph": run_graph,
    "baseline": run_baseline,
    "framing": run_framing,
    "robustness": run_robustness,
    "lessons": run_lessons,
    "benchmark": run_benchmark,
    "completeness": run_completeness,
    "report": run_report,
    "push": run_push,
    "space": run_space,
    "submit": run_submit,
}

if __name__ == "__main__":
    sys.exit(main())
