"""Calibration: a ridge regression from a trained model's predictions to the labels.

MediaPipe's mesh gets the same (`train.fitting.mesh_to_ibug`). A net trained with mirrored faces
cannot learn a left-right bias of the labels, and short training leaves errors common to all points
of a face; both are linear in the predictions, and show on the training faces.
"""

import dataclasses
from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch

from kpdemo.faces.crop import Crop
from kpdemo.keypoints import markups
from kpdemo.keypoints.metrics import eye_distance
from kpdemo.models import checkpoint, crop_rules, model_folder
from kpdemo.models.checkpoint import Model
from kpdemo.models.model_folder import CheckpointError
from kpdemo.models.predict import calibrated
from train.data.sources import LabelledFace, load, own_labels, split
from train.evaluation.evaluate import predict_by_labels
from train.fitting import ridge
from train.fitting.expected_error import Detections
from train.publish.release import finished_history


def calibrate(folder: Path, detections: Detections) -> dict[str, float | None]:
    """Fit the calibration of the model in `folder`, and keep it if it helps on validation faces.

    It is fitted on the fully labelled faces of the recipe's training data (without pseudo-labels,
    and without the sources that the recipe drops labels of), each cropped twice: by its labels, and
    as the app does it, where the face is detected. The ridge strength is chosen on the validation
    faces, cropped likewise.
    Returns the strength as `ridge` (None where no calibration helps) and the validation NME
    (percent, with the flip test) before and after, which also go to `history.json`. Raises
    CheckpointError for a run that is not finished or is calibrated already, or whose recipe leaves
    no faces to fit on or to validate on.
    """
    model = checkpoint.load(folder)
    history = finished_history(folder)
    if model.calibration is not None:
        raise CheckpointError(f"{folder} is calibrated already.")
    data = history["recipe"]["data"]
    if data["validate"]:
        raise CheckpointError(f"{folder}: its recipe holds out no training faces to validate on.")
    sources = own_labels(data)
    training, held_out = (
        complete(faces, model)
        for faces in split([face for name in sources for face in load(name)], data["holdout"])
    )
    if not (training and held_out):
        raise CheckpointError(
            f"{folder}: a calibration is fitted on faces with all labels of the recipe's own "
            "sources, and there are none to train or to validate on."
        )
    predicted, truth, _ = examples(model, training, detections)
    features = np.column_stack([predicted.reshape(len(predicted), -1), np.ones(len(predicted))])
    residuals = (truth - predicted).reshape(len(predicted), -1)
    validation, validation_truth, eyes = examples(model, held_out, detections)
    before = best = error(validation, validation_truth, eyes)
    strength, matrix = None, None
    for candidate in ridge.STRENGTHS:
        fitted = torch.from_numpy(ridge.solve(features, residuals, candidate).astype(np.float32))
        corrected = calibrated(torch.from_numpy(validation), fitted).numpy()
        after = error(corrected, validation_truth, eyes)
        if after < best:
            strength, matrix, best = candidate, fitted, after
    result = {"ridge": strength, "validation_nme": best, "validation_nme_before": before}
    # The history first: after an interruption in between, the model can be calibrated again.
    model_folder.write_json(folder / model_folder.HISTORY, history | {"calibration": result})
    # An expected error is that of the points before.
    config = dataclasses.replace(model.config, expected_error=None)
    checkpoint.save(folder, model.net, config, matrix)
    return result


def complete(faces: list[LabelledFace], model: Model) -> list[LabelledFace]:
    """The faces with a label for every keypoint of the model."""
    markup = model.config.markup
    return [
        face
        for face in faces
        if np.isfinite(markups.convert(face.keypoints, face.markup, markup)).all()
    ]


def examples(
    model: Model, faces: list[LabelledFace], detections: Detections
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """`predictions` in the crops of the labels, followed by those in the crops of detected faces.

    Labels tell where their own crop lies, and a prediction corrected in such crops alone would
    follow the crop: the app's, which lies a little elsewhere, too.
    """
    detected = {face.name: found for face, found in detections.of(faces)}
    by_label = predictions(model, faces)
    if not detected:
        return by_label
    as_the_app = predictions(
        model,
        [face for face in faces if face.name in detected],
        lambda face: crop_rules.from_face(model.config.framing, detected[face.name]),
    )
    predicted, truth, eyes = map(np.concatenate, zip(by_label, as_the_app, strict=True))
    return predicted, truth, eyes


def predictions(
    model: Model, faces: list[LabelledFace], crop_of: Callable[[LabelledFace], Crop] | None = None
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Predictions and labels `(F, K, 2)` in crop coordinates, eye distances `(F,)` in their unit.

    Crops are those of the labels, or what `crop_of` makes of a face.
    """
    predicted, crops = predict_by_labels(model, faces, crop_of)
    truth = [markups.convert(f.keypoints, f.markup, model.config.markup) for f in faces]
    eyes = np.array([eye_distance(face.keypoints, face.markup) for face in faces])
    return (
        np.stack([crop.to_crop(points) for crop, points in zip(crops, predicted, strict=True)]),
        np.stack([crop.to_crop(points) for crop, points in zip(crops, truth, strict=True)]),
        eyes / np.array([crop.width / 2 for crop in crops]),
    )


def error(predicted: np.ndarray, truth: np.ndarray, eyes: np.ndarray) -> float:
    """NME in percent; all in crop coordinates of square crops."""
    return float((100 * np.linalg.norm(predicted - truth, axis=-1).mean(1) / eyes).mean())
