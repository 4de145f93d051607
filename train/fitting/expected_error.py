"""Expected error: how far off a net's points are, by what its own predictions tell of them.

One method for all nets: a gamma regression with a logarithmic link from the two signals of
`kpdemo.models.predict` (the flip test's disagreement, the heatmap's mass away from the prediction)
and a level a keypoint, to the error in percent of the eye distance. It is fitted on the recipe's
validation faces, which no weight was trained on, in the crops of detected faces, as the app has
them. The reliability is measured on the test faces.
"""

import dataclasses
from collections.abc import Sequence
from pathlib import Path

import numpy as np
from tqdm import tqdm

from kpdemo.faces.detector import FaceFinder
from kpdemo.keypoints import markups
from kpdemo.keypoints.metrics import eye_distance
from kpdemo.media import images
from kpdemo.models import checkpoint, model_folder
from kpdemo.models.checkpoint import Model
from kpdemo.models.config import ExpectedError
from kpdemo.models.face_crops import crop_faces
from kpdemo.models.model_folder import CheckpointError
from kpdemo.models.predict import FACES, expected_error, predict
from kpdemo.records.reliability import KEY
from kpdemo.structures import Face
from train.data.sources import LabelledFace, load, own_labels, split
from train.evaluation.evaluate import readable
from train.fitting.crop_rules import match_by_overlap
from train.publish.release import finished_history

BINS = 10
_STEPS = 50  # of the regression, which needs about ten
# Keeps the levels of single points sane where there are few faces.
_RIDGE = 1.0


class Detections:
    """The detected face of each labelled face, which models on the same faces share."""

    def __init__(self) -> None:
        self._faces: dict[str, Face | None] = {}

    def of(self, faces: Sequence[LabelledFace]) -> list[tuple[LabelledFace, Face]]:
        """Those labelled faces that are detected, each with its detected face."""
        missing = [face for face in faces if face.name not in self._faces]
        if missing:
            with FaceFinder() as finder:
                for face in tqdm(missing, desc="detect", disable=None):
                    self._faces[face.name] = match_by_overlap(
                        finder.find(face.pixels(3)), face.keypoints
                    )
        pairs = ((face, self._faces[face.name]) for face in faces)
        return [(face, detected) for face, detected in pairs if detected is not None]


def fit(folder: Path, detections: Detections) -> dict[str, float]:
    """Fit the expected error of the model in `folder`, and measure it on the test faces.

    The fit goes to its `config.json`, the reliability to `metrics.json`. Returns the number of
    validation `faces`, and the `rank_correlation` and `bins_within_15_percent` on the first test
    source. Raises CheckpointError for a run that is not finished, or without validation faces.
    """
    model = checkpoint.load(folder)
    data = finished_history(folder)["recipe"]["data"]
    sources = own_labels(data)
    held_out = [face for name in data["validate"] for face in load(name)]
    if not held_out:
        held_out = split([face for name in sources for face in load(name)], data["holdout"])[1]
    if not held_out:
        raise CheckpointError(f"{folder}: its recipe holds out no faces to fit on.")
    signals, errors = signals_and_errors(model, detections.of(readable(held_out)[0]))
    fitted = regression(signals, errors)
    config = dataclasses.replace(model.config, expected_error=fitted)
    model_folder.write_json(folder / model_folder.CONFIG, dataclasses.asdict(config))
    metrics = model_folder.read_metrics(folder)
    for source in data["test"]:
        test = detections.of(readable(load(source))[0])
        metrics[source][KEY] = reliability(*signals_and_errors(model, test), fitted)
    model_folder.write_json(folder / model_folder.METRICS, metrics)
    first = metrics[data["test"][0]][KEY]
    return {
        "faces": len(errors),
        "rank_correlation": first["rank_correlation"],
        "bins_within_15_percent": bins_within(first),
    }


def signals_and_errors(
    model: Model, faces: Sequence[tuple[LabelledFace, Face]]
) -> tuple[np.ndarray, np.ndarray]:
    """Signals `(F, K, 2)` and errors `(F, K)` of a model in the crops of detected faces.

    Errors are in percent of the eye distance, NaN where the label is missing.
    """
    config = model.config
    signals, errors = [], []
    for start in tqdm(range(0, len(faces), FACES), desc=model.name, disable=None):
        part = faces[start : start + FACES]
        crops = [
            crop_faces(config, images.from_array(face.pixels(3)), [detected])
            for face, detected in part
        ]
        prediction = predict(model, np.concatenate([crop.pixels for crop in crops]))
        signals.append(prediction.signals)
        for (face, _), crop, points in zip(part, crops, prediction.keypoints, strict=True):
            at = crop.photo.to_original(crop.crops[0].to_photo(points))
            truth = markups.convert(face.keypoints, face.markup, config.markup)
            unit = eye_distance(face.keypoints, face.markup)
            errors.append(100 * np.linalg.norm(at - truth, axis=1) / unit)
    return np.concatenate(signals), np.stack(errors)


def regression(signals: np.ndarray, errors: np.ndarray) -> ExpectedError:
    """The maximum-likelihood fit of `exp(level + signals @ slopes)` to gamma-distributed errors."""
    faces, count, _ = signals.shape
    points = np.tile(np.eye(count), (faces, 1))
    x = np.hstack([points, signals.reshape(faces * count, -1)])
    y = errors.ravel()
    x, y = x[np.isfinite(y)], y[np.isfinite(y)]
    overall = float(np.log(y.mean()))
    start = np.append(np.full(count, overall), [0.0, 0.0])
    penalty = np.diag(np.append(np.zeros(count), [_RIDGE, _RIDGE]))
    weights = start
    # With this link every observation has the same weight: each step is a least-squares fit.
    hessian = x.T @ x + penalty
    for _ in range(_STEPS):
        gradient = x.T @ (y / np.exp(x @ weights) - 1) - penalty @ weights
        step = np.linalg.solve(hessian, gradient)
        weights = weights + np.clip(step, -1, 1)
        if np.abs(step).max() < 1e-6:
            break
    levels, slopes = weights[:count], weights[count:]
    return ExpectedError(
        tuple(round(float(level), 3) for level in levels),
        (round(float(slopes[0]), 3), round(float(slopes[1]), 3)),
    )


def reliability(signals: np.ndarray, errors: np.ndarray, fitted: ExpectedError) -> dict:
    """Expected against measured error: means in ten bins of equally many points, in percent.

    The bins go by expected error, from the least. `rank_correlation` is Spearman's, over points.
    """
    known = np.isfinite(errors)
    expected = expected_error(signals, fitted)
    expected, measured = np.asarray(expected, np.float64)[known], errors[known]
    order = np.argsort(expected, kind="stable")
    bins = np.array_split(order, BINS)
    return {
        "faces": len(errors),
        "expected": [round(float(expected[part].mean()), 2) for part in bins],
        "measured": [round(float(measured[part].mean()), 2) for part in bins],
        "rank_correlation": round(float(np.corrcoef(ranks(expected), ranks(measured))[0, 1]), 3),
    }


def ranks(values: np.ndarray) -> np.ndarray:
    """The rank of each value of `(N,)`, equal values in the order given."""
    return np.argsort(np.argsort(values, kind="stable"), kind="stable").astype(float)


def bins_within(measured: dict, share: float = 0.15) -> int:
    """How many bins of a reliability have an expected error within a share of the measured one."""
    pairs = zip(measured["expected"], measured["measured"], strict=True)
    return sum(abs(expected - actual) <= share * actual for expected, actual in pairs)
