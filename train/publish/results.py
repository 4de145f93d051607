"""Collect all measurements into `weights/results.json`, for the app and the README."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any

import numpy as np

from kpdemo.keypoints.metrics import interval
from kpdemo.models import model_folder
from kpdemo.models.config import ConfigError
from kpdemo.records import browser_benchmark, figures
from kpdemo.records.figures import SOURCE
from kpdemo.records.json_files import JsonFiles
from kpdemo.records.standings import FIFTEEN
from kpdemo.zoo import BASELINE, DEFAULT_MODELS, WEIGHTS_DIR
from train import recipe as recipes
from train.claims import resolve
from train.publish import experiments, model_card
from train.publish.figures import minutes, nested, rounded

NAME = "results.json"
# The class projects' systems, by markup. `simplenet-report` and `unet-report` are so called
# because `simplenet` and `unet` are the app's own models.
SYSTEMS = (
    "nosenet-fajardo",
    "nosenet-kernels",
    "nosenet-moore",
    "facenet-fajardo",
    "facialpointsnet",
    "facenet-moore",
    "resnet18-fajardo",
    "resnet18-l1",
    "resnet18-moore",
    "simplenet-report",
    "resnet18-transfer",
    "unet-report",
    "kaggle-cnn",
    "kaggle-resnet",
)
MAPS = {
    "index": "MediaPipe, 68 points picked from its mesh",
    "offsets": "MediaPipe, the same with mean offsets",
    "ridge": "MediaPipe, fitted linear map",
}


def collect(weights: Path = WEIGHTS_DIR) -> dict:
    """The measurements in `weights`, with None for those that are missing.

    "models" has a row for every model folder (the default models first, then the fourteen
    systems, then the rest) and for each of MediaPipe's maps. `nme`, `groups`, RMSE and spread are
    measured on ground-truth crops, `nme_compare`, `lost`, `fr8` and `auc8` on detected faces.
    MediaPipe has only the latter, for its groups and inner points, too. "fifteen" has the same
    rows for 68 points converted to Kaggle's 15. "problems" lists damaged files, which are skipped.
    """
    files = JsonFiles(weights)
    benchmark = files.read("benchmark.json")
    speeds = benchmark.pop("models", {})
    models = [model_row(files, name, speeds.get(name, {})) for name in model_names(weights)]
    models += baseline_rows(files, speeds.get(BASELINE, {}))
    compare_to_mediapipe(files, models)
    return {
        "models": models,
        "fifteen": fifteen_rows(files, models),
        "benchmark": benchmark or None,
        "robustness": files.read("robustness.json") or None,
        "sweeps": experiments.sweeps(files),
        "trials": experiments.trials(files),
        "training_benchmark": files.read("training_benchmark.json") or None,
        "page_benchmark": files.read("page_benchmark.json") or None,
        "browser_benchmark": files.read(browser_benchmark.NAME) or None,
        "visitors_benchmark": files.read("visitors_benchmark.json") or None,
        "archive_benchmark": files.read("archive_benchmark.json") or None,
        "problems": sorted(set(files.damaged)),
    }


def write(results: dict, weights: Path = WEIGHTS_DIR) -> None:
    """Write what `collect` returned to `weights/results.json`."""
    model_folder.write_json(weights / NAME, results)


def model_names(weights: Path) -> list[str]:
    """Folders with files of training or evaluation."""
    first = [*DEFAULT_MODELS, *SYSTEMS]
    names = {
        path.parent.name
        for file in (model_folder.CONFIG, model_folder.HISTORY, model_folder.METRICS)
        for path in weights.glob(f"*/{file}")
    } - {BASELINE}
    return sorted(names, key=lambda n: (first.index(n) if n in first else len(first), n))


def model_row(files: JsonFiles, name: str, speed: dict) -> dict:
    """The row of one model folder."""
    history = files.read(name, model_folder.HISTORY)
    metrics = files.read(name, model_folder.METRICS)
    source = figures.source(metrics)
    shipped = all(
        (files.root / name / file).exists() for file in (model_folder.CONFIG, model_folder.WEIGHTS)
    )
    box, app = (nested(metrics, source, way) or {} for way in ("ground_truth_box", "compare"))
    return row(files.root, name, history, box, app, speed) | {
        "shipped": shipped,
        "source": source,
        "trained_on": trained_on(files, name, history.get("recipe") or {}),
    }


def baseline_rows(files: JsonFiles, speed: dict) -> list[dict]:
    """MediaPipe, one row for each map to iBUG's points."""
    metrics = files.read(BASELINE, model_folder.METRICS)
    source = SOURCE if SOURCE in metrics else None
    rows = []
    for way, title in MAPS.items():
        app = nested(metrics, source, way) or {}
        columns = {"title": title, "net": BASELINE, "markup": "ibug-68", "source": source}
        columns |= {name: app.get(name) for name in ("faces", "groups", "nme_inner_51")}
        rows.append(row(files.root, f"{BASELINE}-{way}", {}, {}, app, speed) | columns)
    return rows


def compare_to_mediapipe(files: JsonFiles, rows: list[dict]) -> None:
    """Set `less_mediapipe` of the 68-point rows: their error on detected faces minus that of
    MediaPipe's fitted map on the same faces, as the mean difference and its 95 % interval."""

    def errors(name: str, way: str) -> np.ndarray:
        each = nested(files.read(name, model_folder.METRICS), SOURCE, way, "errors") or []
        return np.array(each, float)

    reference = errors(BASELINE, "ridge")
    for each in rows:
        if each["markup"] != "ibug-68" or each["net"] == BASELINE:
            continue
        own = errors(each["name"], "compare")
        if not len(own) or len(own) != len(reference):
            continue
        difference = own - reference
        bounds = interval(difference)
        if bounds:
            each["less_mediapipe"] = {
                "mean": rounded(float(np.nanmean(difference))),
                "interval": [rounded(bound) for bound in bounds],
            }


def fifteen_rows(files: JsonFiles, rows: list[dict]) -> list[dict]:
    """The 68-point rows again, with the metrics of their points converted to Kaggle's 15."""
    result = []
    for each in rows:
        baseline = each["net"] == BASELINE
        folder = BASELINE if baseline else each["name"]
        metrics = nested(files.read(folder, model_folder.METRICS), SOURCE, FIFTEEN) or {}
        way = each["name"].removeprefix(f"{BASELINE}-") if baseline else "compare"
        box, app = metrics.get("ground_truth_box") or {}, metrics.get(way) or {}
        if each["markup"] != "ibug-68" or not app:
            continue
        result.append(
            each
            | dict.fromkeys(("nme_inner_51", "less_mediapipe", "spread", "mean_answer_nme"))
            | dict.fromkeys(("best", "worst"))
            | figures.errors(box, app)
            | {"markup": FIFTEEN}
        )
    return result


def row(
    weights: Path, name: str, history: dict, box: dict, app: dict, speed: dict
) -> dict[str, Any]:
    """A row from the history, the metrics (on both kinds of crops) and the benchmark."""
    recipe = history.get("recipe") or {}
    epochs = history.get("epochs") or []
    return {
        "name": name,
        "title": recipe.get("title"),
        "net": recipe.get("net"),
        "markup": recipe.get("markup"),
        "default": name in DEFAULT_MODELS,
        "system": name in SYSTEMS,
        "shipped": False,
        "source": None,
        "faces": box.get("faces"),
        "trained_on": None,
        "epochs": len(epochs) or None,
        "best_epoch": history.get("best_epoch"),
        "best_validation_nme": min(
            (e["validation_nme"] for e in epochs if e.get("validation_nme") is not None),
            default=None,
        ),
        "minutes": minutes(epochs),
        "reported": recipe.get("reported"),
        "deviations": recipe.get("deviations") or [],
        "claims": [resolve(claim, weights) for claim in recipe.get("claims") or []],
        # Metrics from before this key existed are with the flip test.
        "flip_test": (box or app).get("flip_test", True) if history and (box or app) else None,
        "calibrated": bool(history.get("calibration")),
        **figures.errors(box, app),
        "less_mediapipe": None,
        "nme_inner_51": box.get("nme_inner_51"),
        "spread": box.get("spread"),
        "answers_mean": box.get("answers_mean"),
        "mean_answer_nme": box.get("mean_answer_nme"),
        "parameters": history.get("parameters") or speed.get("parameters"),
        "bytes": speed.get("bytes"),
        "multiply_adds": speed.get("multiply_adds"),
        "ms_1": speed.get("ms_1"),
        "ms_8": speed.get("ms_8"),
        "times_mediapipe": speed.get("times_mediapipe"),
        "best": extremes(box.get("best")),
        "worst": extremes(box.get("worst")),
    }


def trained_on(files: JsonFiles, name: str, recipe: dict) -> list[str] | None:
    """Titles of all data sets that the weights were trained on, in earlier runs, too."""
    sources = nested(recipe, "data", "train")
    if sources is None:
        return None
    names, start = list(sources), recipe.get("start_from")
    while start:
        try:
            earlier = recipes.load(Path(start).name)
        except ConfigError:
            files.damaged.append(
                f"{name}/{model_folder.HISTORY}: the training data of {start} is unknown"
            )
            break
        names += earlier.data.train
        start = earlier.start_from
    return model_card.titles(names)


def extremes(faces: Iterable[dict] | None) -> list[dict] | None:
    """Best or worst faces without their points."""
    if faces is None:
        return None
    return [{name: face.get(name) for name in ("face", "error", "reason")} for face in faces]
