"""Evaluate a trained model on test faces: `metrics.json`, and the model card made from it."""

from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path

import numpy as np
from tqdm import tqdm

from kpdemo.engine.engine import Engine
from kpdemo.evaluation.matching import match_by_overlap
from kpdemo.evaluation.measures import bounds, finite_mean, measures, rounded, rounded_points
from kpdemo.faces.crop import Crop
from kpdemo.keypoints import markups
from kpdemo.keypoints.metrics import (
    eye_distance,
    face_errors,
    point_errors,
    rmse,
    spread,
    summary,
)
from kpdemo.models import checkpoint, crop_rules, model_folder
from kpdemo.models.checkpoint import Model
from kpdemo.models.config import Framing
from kpdemo.models.model_folder import CheckpointError
from kpdemo.models.predict import predict
from kpdemo.records.reliability import KEY
from kpdemo.records.standings import FIFTEEN
from kpdemo.structures import ComparedFace
from train.data.sources import DataError, LabelledFace, kaggle, load
from train.evaluation import face_attributes
from train.evaluation.face_attributes import Facts
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
            in_app = predict_in_app(engine, model.name, faces)
        predicted, crops = predict_by_labels(model, faces)
        widths = None
        if framed.reference == "kaggle":
            widths = np.array([crop.width / framed.scale for crop in crops])
        metrics[source] = {
            "ground_truth_box": passes
            | measures(predicted, truth, eyes, markup, groups)
            | rmse_96(predicted, truth, markup, widths)
            | {"by": by_facts(predicted, truth, eyes, facts)}
            | variety(predicted, truth, eyes, crops)
            | extremes(faces, facts, predicted, truth, eyes),
            "compare": passes
            | measures(in_app, truth, eyes, markup, groups)
            | rmse_96(in_app, truth, markup, widths)
            | {"by": by_facts(in_app, truth, eyes, facts)},
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


def predict_by_labels(
    model: Model, faces: list[LabelledFace], crop_of: Callable[[LabelledFace], Crop] | None = None
) -> tuple[np.ndarray, list[Crop]]:
    """Predictions `(F, K, 2)` in photo coordinates on crops from the labels, and those crops.

    `crop_of`, if given, makes the crops instead.
    """
    size = model.config.input
    predictions, all_crops = [], []
    for start in tqdm(range(0, len(faces), BATCH), desc=model.name, disable=None):
        inputs, crops = [], []
        for face in faces[start : start + BATCH]:
            pixels = face.pixels(size.channels)
            height, width = pixels.shape[:2]
            if crop_of:
                crop = crop_of(face)
            else:
                crop = crop_rules.from_keypoints(
                    model.config.framing, face.keypoints, face.markup, width, height
                )
            crops.append(crop)
            inputs.append(crop.cut(pixels, size.height, size.width))
        keypoints = predict(model, np.stack(inputs)).keypoints
        predictions += [
            crop.to_photo(points) for crop, points in zip(crops, keypoints, strict=True)
        ]
        all_crops += crops
    return np.stack(predictions), all_crops


def predict_in_app(engine: Engine, name: str, faces: list[LabelledFace]) -> np.ndarray:
    """The app's keypoints for each face: `(F, K, 2)`, NaN where it does not detect the face.

    Raises CheckpointError as `compare_face` does.
    """
    count = len(markups.get(engine.store.model(name).config.markup))
    predictions = np.full((len(faces), count, 2), np.nan, np.float32)
    for row, face in enumerate(tqdm(faces, desc=f"{name} through compare", disable=None)):
        match = compare_face(engine, [name], face.pixels(3), face.keypoints)
        if match is not None:
            predictions[row] = match.predictions[name].keypoints
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
    return match_by_overlap(compared.faces, keypoints)


def rmse_96(
    predicted: np.ndarray, truth: np.ndarray, markup: str, widths: np.ndarray | None
) -> dict:
    """Kaggle's RMSE of points `(F, K, 2)`, in pixels of its 96×96 crops: of all and of each one.

    `widths` `(F,)` are those of the crops in pixels of the photos; nothing where they are None.
    """
    if widths is None:
        return {}
    unit = (kaggle.SIDE / widths)[:, None, None]
    return {
        "rmse_96": rounded(rmse(predicted * unit, truth * unit)),
        "rmse_96_by_keypoint": {
            name: rounded(rmse(predicted[:, k] * unit[:, 0], truth[:, k] * unit[:, 0]))
            for k, name in enumerate(markups.get(markup).names)
        },
    }


def fifteen_points(predicted: np.ndarray, faces: list[LabelledFace], eyes: np.ndarray) -> dict:
    """All metrics of 68 points `(F, 68, 2)` converted to Kaggle's 15, to compare both markups."""
    truth = np.stack([markups.convert(f.keypoints, f.markup, FIFTEEN) for f in faces])
    points = np.stack([markups.convert(each, "ibug-68", FIFTEEN) for each in predicted])
    kaggle_crop = Framing("kaggle")
    widths = np.array(
        [crop_rules.from_keypoints(kaggle_crop, f.keypoints, f.markup, 0, 0).width for f in faces]
    )
    metrics = measures(points, truth, eyes, FIFTEEN, [face.group for face in faces])
    metrics |= rmse_96(points, truth, FIFTEEN, widths)
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
            result[fact][name] = {
                "faces": len(part),
                "nme": finite_mean(part),
                "interval": bounds(part),
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
            "truth": rounded_points(truth[row]),
            "keypoints": rounded_points(predicted[row]),
        }

    return {
        "best": [entry(row) for row in order[:EXTREMES]],
        "worst": [entry(row) for row in order[::-1][:EXTREMES]],
    }
