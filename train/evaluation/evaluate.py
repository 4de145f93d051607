"""Evaluate a trained model on test faces: `metrics.json`, and the model card made from it."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

import numpy as np
from tqdm import tqdm

from kpdemo.engine.engine import Engine
from kpdemo.faces.crop import Crop
from kpdemo.keypoints import markup as markups
from kpdemo.keypoints.metrics import (
    eye_distance,
    face_errors,
    interval,
    point_errors,
    rmse,
    spread,
    summary,
)
from kpdemo.models import crop_rules, model_folder
from kpdemo.models import model as checkpoint
from kpdemo.models.config import Framing
from kpdemo.models.model import Model
from kpdemo.models.model_folder import CheckpointError
from kpdemo.models.predict import predict
from kpdemo.records.leaderboard import FIFTEEN
from kpdemo.records.reliability import KEY
from kpdemo.structures import ComparedFace
from train.data.sources import DataError, LabelledFace, kaggle, load
from train.evaluation import face_attributes
from train.evaluation.face_attributes import Facts
from train.fitting.crop_rules import covering
from train.publish import model_card

BATCH = 32
# A net whose predictions vary less than this share of the labels' variation predicts a mean face.
MEAN_SPREAD = 0.3
EXTREMES = 2  # best and worst faces to keep


def evaluate(folder: Path) -> dict:
    """Evaluate the model in `folder` on its recipe's test sources; writes metrics and model card.

    "ground_truth_box" crops faces by their labels, as papers do (for nets trained on whole pictures
    the crop is the picture); "compare" is the app's own pipeline: detect the face, predict the
    crop; a face that is not detected counts as a failure. 68 points are evaluated as Kaggle's 15
    too. Raises CheckpointError if MediaPipe or the model is unavailable.
    """
    model = checkpoint.load(folder)
    markup, framed = model.config.markup, model.config.framing
    passes = {"flip_test": model.config.flip_test}
    metrics = {}
    earlier = {}
    if model.config.expected_error is not None:  # `train expect` measured these very weights
        with suppress(CheckpointError):
            earlier = model_folder.read_metrics(folder)
    for source in model_folder.read_history(folder)["recipe"]["data"]["test"]:
        faces, damaged = readable(load(source))
        groups = [face.group for face in faces]
        facts = face_attributes.of_faces(faces)
        truth = np.stack([markups.convert(f.keypoints, f.markup, markup) for f in faces])
        eyes = np.array([eye_distance(face.keypoints, face.markup) for face in faces])
        with Engine([folder]) as engine:
            in_app = through_compare(engine, model.name, faces)
        predicted, crops = by_labels(model, faces)
        widths = None
        if framed.reference == "kaggle":
            widths = np.array([crop.width / framed.scale for crop in crops])
        metrics[source] = {
            "ground_truth_box": passes
            | measures(predicted, truth, eyes, markup, widths, groups)
            | {"by": by_facts(predicted, truth, eyes, facts)}
            | variety(predicted, truth, eyes, crops)
            | extremes(faces, facts, predicted, truth, eyes),
            "compare": passes | measures(in_app, truth, eyes, markup, widths, groups),
            "damaged": damaged,
        }
        if markup == "ibug-68":
            metrics[source][FIFTEEN] = {
                way: passes | fifteen_points(points, faces, eyes)
                for way, points in (("ground_truth_box", predicted), ("compare", in_app))
            }
        if KEY in earlier.get(source, {}):
            metrics[source][KEY] = earlier[source][KEY]
    model_folder.write_json(folder / model_folder.METRICS, metrics)
    model_card.write(folder)
    return metrics


def readable(faces: list[LabelledFace]) -> tuple[list[LabelledFace], list[str]]:
    """The faces that can be evaluated, and a sentence for each of the others.

    The picture must be decodable and both outer eye corners labelled: their distance is the unit.
    """
    good, damaged = [], []
    for face in faces:
        try:
            face.pixels(1)
        except DataError as error:
            damaged.append(str(error))
            continue
        if eye_distance(face.keypoints, face.markup) > 0:
            good.append(face)
        else:
            damaged.append(f"{face.name} has no label for one of the outer eye corners.")
    return good, damaged


def by_labels(
    model: Model, faces: list[LabelledFace], change: Callable[[Crop], Crop] | None = None
) -> tuple[np.ndarray, list[Crop]]:
    """Predictions `(F, K, 2)` in photo coordinates on crops from the labels, and those crops.

    `change`, if given, replaces each crop.
    """
    size = model.config.input
    predictions, all_crops = [], []
    for start in tqdm(range(0, len(faces), BATCH), desc=model.name, disable=None):
        cuts, crops = [], []
        for face in faces[start : start + BATCH]:
            pixels = face.pixels(size.channels)
            height, width = pixels.shape[:2]
            crop = crop_rules.from_keypoints(
                model.config.framing, face.keypoints, face.markup, width, height
            )
            crop = change(crop) if change else crop
            crops.append(crop)
            cuts.append(crop.cut(pixels, size.height, size.width))
        keypoints = predict(model, np.stack(cuts)).keypoints
        predictions += [
            crop.to_photo(points) for crop, points in zip(crops, keypoints, strict=True)
        ]
        all_crops += crops
    return np.stack(predictions), all_crops


def through_compare(engine: Engine, name: str, faces: list[LabelledFace]) -> np.ndarray:
    """The app's keypoints for each face: `(F, K, 2)`, NaN where it does not detect the face.

    Raises CheckpointError as `compare_face` does.
    """
    count = len(markups.get(engine.store.model(name).config.markup))
    predictions = np.full((len(faces), count, 2), np.nan, np.float32)
    for row, face in enumerate(tqdm(faces, desc=f"{name} through compare", disable=None)):
        match = compare_face(engine, [name], face.pixels(3), face.keypoints)
        if match is not None:
            predictions[row] = match.answers[name].keypoints
    return predictions


def compare_face(
    engine: Engine, names: Sequence[str], pixels: np.ndarray, keypoints: np.ndarray
) -> ComparedFace | None:
    """The labelled face with the app's predictions, None if the app does not detect it.

    Raises CheckpointError if the detector or one of the models is unavailable, which must not be
    mistaken for a face that was not detected.
    """
    compared = engine.compare(pixels, names)
    if compared.unavailable:
        raise CheckpointError(" ".join(compared.unavailable.values()))
    return covering(compared.faces, keypoints)


def measures(
    predicted: np.ndarray,
    truth: np.ndarray,
    eyes: np.ndarray,
    markup: str,
    crop_widths: np.ndarray | None = None,
    groups: Sequence[str] | None = None,
) -> dict:
    """All metrics of predictions: `(F, K, 2)` twice, eye distances `(F,)`.

    The summary of all points, of each group and each keypoint, in percent of the eye distance, and
    `errors`, the NME of every face, None for one that was not detected. `nme_interval` is a 95 %
    bootstrap interval over the `groups` of the faces (photos, persons), by default over faces. With
    the widths `(F,)` of Kaggle's crop also Kaggle's RMSE, in pixels of its 96×96 pictures.
    """
    layout = markups.get(markup)
    errors = point_errors(predicted, truth, eyes)
    result: dict = {
        name: value if isinstance(value, int) else rounded(value)
        for name, value in summary(errors).items()
    }
    finite = np.where(np.isfinite(errors), errors, np.nan)
    result["groups"] = {
        group: finite_mean(finite[:, list(points)]) for group, points in layout.groups.items()
    }
    result["nme_by_keypoint"] = [finite_mean(finite[:, k]) for k in range(len(layout))]
    faces = face_errors(errors)
    # Fine enough that no error on the limit of a failure moves to its other side.
    result["errors"] = [round(float(e), 4) if np.isfinite(e) else None for e in faces]
    bounds = interval(faces, groups)
    result["nme_interval"] = bounds and [rounded(bound) for bound in bounds]
    if markup == "ibug-68":
        result["nme_inner_51"] = finite_mean(finite[:, 17:])
    if crop_widths is not None:
        unit = (kaggle.SIDE / crop_widths)[:, None, None]
        result["rmse_96"] = rounded(rmse(predicted * unit, truth * unit))
        result["rmse_96_by_keypoint"] = {
            name: rounded(rmse(predicted[:, k] * unit[:, 0], truth[:, k] * unit[:, 0]))
            for k, name in enumerate(layout.names)
        }
    return result


def fifteen_points(predicted: np.ndarray, faces: list[LabelledFace], eyes: np.ndarray) -> dict:
    """All metrics of 68 points `(F, 68, 2)` converted to Kaggle's 15, to compare both markups."""
    truth = np.stack([markups.convert(f.keypoints, f.markup, FIFTEEN) for f in faces])
    points = np.stack([markups.convert(each, "ibug-68", FIFTEEN) for each in predicted])
    kaggle_crop = Framing("kaggle")
    widths = np.array(
        [crop_rules.from_keypoints(kaggle_crop, f.keypoints, f.markup, 0, 0).width for f in faces]
    )
    metrics = measures(points, truth, eyes, FIFTEEN, widths, [face.group for face in faces])
    del metrics["errors"]  # each model keeps those of its own markup
    return metrics


def by_facts(
    predicted: np.ndarray, truth: np.ndarray, eyes: np.ndarray, facts: Sequence[Facts]
) -> dict[str, dict[str, dict]]:
    """NME of faces by `face_attributes.strata`: `(F, K, 2)` twice, `(F,)` and the facts of F faces.

    Each has its `nme`, 95 % `interval` and the number of detected `faces`.
    """
    errors = face_errors(point_errors(predicted, truth, eyes))
    result: dict[str, dict[str, dict]] = {}
    for fact, parts in face_attributes.strata(facts).items():
        result[fact] = {}
        for name, rows in parts.items():
            part = errors[rows][np.isfinite(errors[rows])]
            bounds = interval(part)
            result[fact][name] = {
                "faces": len(part),
                "nme": finite_mean(part),
                "interval": bounds and [rounded(bound) for bound in bounds],
            }
    return result


def variety(
    predicted: np.ndarray, truth: np.ndarray, eyes: np.ndarray, crops: list[Crop]
) -> dict[str, float | bool | None]:
    """Whether a net beats the mean-face baseline: `(F, K, 2)` twice, `(F,)` and F crops.

    `spread` is the variation of the predictions in the crops relative to that of the labels; below
    `MEAN_SPREAD` the net `answers_mean`. `mean_answer_nme` is the NME of a constant prediction,
    the mean of these very labels in crop coordinates: no net could know that mean, so the figure
    favours the baseline.
    """
    predictions, labels = (
        np.stack([crop.to_crop(face) for crop, face in zip(crops, points, strict=True)])
        for points in (predicted, truth)
    )
    mean = np.ma.masked_invalid(labels).mean(0).filled(np.nan)
    constant = np.stack([crop.to_photo(mean) for crop in crops])
    share = spread(predictions, labels)
    return {
        "spread": rounded(share),
        "answers_mean": share < MEAN_SPREAD,
        "mean_answer_nme": rounded(summary(point_errors(constant, truth, eyes))["nme"]),
    }


def extremes(
    faces: list[LabelledFace],
    facts: list[Facts],
    predicted: np.ndarray,
    truth: np.ndarray,
    eyes: np.ndarray,
) -> dict[str, list[dict]]:
    """The faces with the least and the greatest error, each list beginning with its extreme.

    Each with its error in percent of the eye distance, what is unusual about it, its facts, and
    label and prediction as points in photo coordinates (None for a missing label). Faces that were
    not detected are left out.
    """
    errors = face_errors(point_errors(predicted, truth, eyes))
    order = [row for row in np.argsort(errors) if np.isfinite(errors[row])]

    def entry(row: int) -> dict:
        return {
            "face": faces[row].name,
            "error": rounded(errors[row]),
            "reason": face_attributes.reason(facts[row], facts),
            "facts": facts[row],
            "truth": plain(truth[row]),
            "keypoints": plain(predicted[row]),
        }

    return {
        "best": [entry(row) for row in order[:EXTREMES]],
        "worst": [entry(row) for row in order[::-1][:EXTREMES]],
    }


def plain(points: np.ndarray) -> list[list[float] | None]:
    """Points `(K, 2)` rounded to one decimal, None for NaN."""
    return [
        np.round(point.astype(float), 1).tolist() if np.isfinite(point).all() else None
        for point in points
    ]


def finite_mean(values: np.ndarray) -> float | None:
    """The mean of the finite values; None if there are none."""
    finite = values[np.isfinite(values)]
    return rounded(finite.mean()) if finite.size else None


def rounded(value: float) -> float | None:
    """Four decimals; None for what JSON cannot hold (NaN, infinity)."""
    return round(float(value), 4) if np.isfinite(value) else None
