"""Measure a trained model on test faces: `metrics.json`, and the model card made from it."""

from pathlib import Path

import numpy as np
from tqdm import tqdm

from kpdemo import checkpoint, framing
from kpdemo import markup as markups
from kpdemo.checkpoint import Model
from kpdemo.compare import Engine
from kpdemo.metrics import eye_distance, point_errors, rmse, summary
from kpdemo.predict import predict
from train import card
from train.datasets import DataError, LabelledFace, load
from train.framing import covering

BATCH = 32
KAGGLE_SIDE = 96  # Kaggle counts errors in pixels of its 96×96 pictures


def evaluate(folder: Path) -> dict:
    """Measure the model in `folder` on its recipe's test sources; writes metrics and model card.

    "ground_truth_box" cuts faces by their labels, as papers do; "compare" goes the way of the
    app: find the face, predict the crop, and a face that was not found is a failure.
    """
    model = checkpoint.load(folder)
    engine = Engine([folder])
    metrics = {}
    for source in checkpoint.read_history(folder)["recipe"]["data"]["test"]:
        faces, damaged = readable(load(source))
        truth = np.stack(
            [markups.convert(f.keypoints, f.markup, model.config.markup) for f in faces]
        )
        eyes = np.array([eye_distance(face.keypoints, face.markup) for face in faces])
        predicted, crop_widths = by_labels(model, faces)
        found = through_compare(engine, model.name, faces)
        widths = crop_widths if model.config.framing.reference == "kaggle" else None
        metrics[source] = {
            "ground_truth_box": measures(predicted, truth, eyes, model.config.markup, widths),
            "compare": measures(found, truth, eyes, model.config.markup, widths),
            "damaged": damaged,
        }
    checkpoint.write_json(folder / checkpoint.METRICS, metrics)
    card.write(folder)
    return metrics


def readable(faces: list[LabelledFace]) -> tuple[list[LabelledFace], list[str]]:
    """The faces whose pictures can be decoded, and a sentence for each of the others."""
    good, damaged = [], []
    for face in faces:
        try:
            face.pixels(1)
            good.append(face)
        except DataError as error:
            damaged.append(str(error))
    return good, damaged


def by_labels(model: Model, faces: list[LabelledFace]) -> tuple[np.ndarray, np.ndarray]:
    """Answers `(F, K, 2)` in photo coordinates on crops from the labels, and the crops' widths."""
    size = model.config.input
    answers, widths = [], []
    for start in tqdm(range(0, len(faces), BATCH), desc=model.name, disable=None):
        cuts, crops = [], []
        for face in faces[start : start + BATCH]:
            pixels = face.pixels(size.channels)
            height, width = pixels.shape[:2]
            crop = framing.from_keypoints(
                model.config.framing, face.keypoints, face.markup, width, height
            )
            crops.append(crop)
            cuts.append(crop.cut(pixels, size.height, size.width))
        found = predict(model, np.stack(cuts)).keypoints
        answers += [crop.to_photo(points) for crop, points in zip(crops, found, strict=True)]
        widths += [crop.width / model.config.framing.scale for crop in crops]
    return np.stack(answers), np.array(widths)


def through_compare(engine: Engine, name: str, faces: list[LabelledFace]) -> np.ndarray:
    """What the app would answer for each face: `(F, K, 2)`, NaN where it finds no such face."""
    count = len(markups.get(engine.models[name].config.markup))
    answers = np.full((len(faces), count, 2), np.nan, np.float32)
    for row, face in enumerate(tqdm(faces, desc=f"{name} through compare", disable=None)):
        compared = engine.compare(face.pixels(3), [name]).faces
        match = covering(compared, face.keypoints)
        if match is not None and name in match.answers:
            answers[row] = match.answers[name].keypoints
    return answers


def measures(
    predicted: np.ndarray,
    truth: np.ndarray,
    eyes: np.ndarray,
    markup: str,
    crop_widths: np.ndarray | None = None,
) -> dict:
    """The summary of all points and of each group: `(F, K, 2)` twice, eye distances `(F,)`.

    With the widths `(F,)` of Kaggle's crop also Kaggle's RMSE, in pixels of its 96×96 pictures.
    """
    known = markups.get(markup)
    errors = point_errors(predicted, truth, eyes)
    result: dict = {
        name: value if isinstance(value, int) else rounded(value)
        for name, value in summary(errors).items()
    }
    found = np.where(np.isfinite(errors), errors, np.nan)
    result["groups"] = {
        group: mean_known(found[:, list(points)]) for group, points in known.groups.items()
    }
    if markup == "ibug-68":
        result["nme_inner_51"] = mean_known(found[:, 17:])
    if crop_widths is not None:
        unit = (KAGGLE_SIDE / crop_widths)[:, None, None]
        result["rmse_96"] = rounded(rmse(predicted * unit, truth * unit))
        result["rmse_96_by_keypoint"] = {
            name: rounded(rmse(predicted[:, k] * unit[:, 0], truth[:, k] * unit[:, 0]))
            for k, name in enumerate(known.names)
        }
    return result


def mean_known(values: np.ndarray) -> float | None:
    """The mean of what is not NaN; None if nothing is."""
    known = values[np.isfinite(values)]
    return rounded(known.mean()) if known.size else None


def rounded(value: float) -> float | None:
    """Four decimals; None for what JSON cannot say."""
    return round(float(value), 4) if np.isfinite(value) else None
