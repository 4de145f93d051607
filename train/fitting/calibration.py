"""The last linear step: a ridge regression from a trained model's answers to the labels.

It is what MediaPipe's mesh gets, too (`train.fitting.mesh_to_ibug`). A net that learned from
mirrored faces cannot learn that labels lie to one side, and a short training leaves errors that
whole faces share; both are linear in the answers, and seen on the faces that the net was trained
on.
"""

import dataclasses
from collections.abc import Callable, Mapping
from pathlib import Path

import numpy as np
import torch

from kpdemo.faces.crop import Crop
from kpdemo.keypoints import markup as markups
from kpdemo.keypoints.metrics import eye_distance
from kpdemo.models import crop_rules, model_folder
from kpdemo.models import model as checkpoint
from kpdemo.models.model import Model
from kpdemo.models.model_folder import CheckpointError
from kpdemo.models.predict import calibrated
from train.data.sources import LabelledFace, load, split
from train.evaluation.evaluate import by_labels
from train.fitting.mesh_to_ibug import RIDGES, solve
from train.publish.release import finished


def calibrate(folder: Path) -> dict[str, float]:
    """Fit the calibration of the model in `folder`, and keep it if it helps on validation faces.

    It is fitted on the fully labelled faces of the recipe's training side (none of a source that
    the recipe drops labels of), each cut twice: as the labels say, and a little off, as the app
    cuts. The ridge is chosen on the validation faces.
    Returns the ridge and the validation NME (percent, picture and mirror image averaged) before
    and after, which also go to `history.json`. Raises CheckpointError for a run that is not
    finished or was calibrated before, or whose recipe leaves no faces to fit on or to choose by.
    """
    model = checkpoint.load(folder)
    history = finished(folder)
    if model.calibration is not None:
        raise CheckpointError(f"{folder} is calibrated already.")
    data = history["recipe"]["data"]
    if data["validate"]:
        raise CheckpointError(f"{folder}: its recipe holds no training faces out to choose by.")
    sources = [name for name in data["train"] if name not in data["missing"]]
    training, held_out = (
        complete(faces, model)
        for faces in split([face for name in sources for face in load(name)], data["holdout"])
    )
    if not (training and held_out):
        raise CheckpointError(
            f"{folder}: a calibration is fitted on faces with all labels of the recipe's own "
            "sources, and there are none to train or to validate on."
        )
    rng = np.random.default_rng(history["recipe"]["seed"])
    off = crop_rules.left_unexplained(model.config.framing)
    cuts = (None, lambda crop: beside(crop, off, rng))
    parts = [answers(model, training, change) for change in cuts]
    found, truth = (np.concatenate(both) for both in zip(*(p[:2] for p in parts), strict=True))
    seen, wanted, eyes = answers(model, held_out)
    before = error(seen, wanted, eyes)
    known = np.column_stack([found.reshape(len(found), -1), np.ones(len(found))])
    moves = (truth - found).reshape(len(found), -1)
    best = {"ridge": None, "validation_nme": before, "validation_nme_before": before}
    matrix = None
    for ridge in RIDGES:
        tried = torch.from_numpy(solve(known, moves, ridge).astype(np.float32))
        after = error(calibrated(torch.from_numpy(seen), tried).numpy(), wanted, eyes)
        if after < best["validation_nme"]:
            matrix = tried
            best |= {"ridge": ridge, "validation_nme": after}
    # The history first: breaking off between the two leaves a model that can be calibrated again.
    model_folder.write_json(folder / model_folder.HISTORY, history | {"calibration": best})
    checkpoint.save(folder, model.net, model.config, matrix)
    return best


def complete(faces: list[LabelledFace], model: Model) -> list[LabelledFace]:
    """The faces that have a label for every point of the model."""
    markup = model.config.markup
    return [
        face
        for face in faces
        if np.isfinite(markups.convert(face.keypoints, face.markup, markup)).all()
    ]


def answers(
    model: Model, faces: list[LabelledFace], change: Callable[[Crop], Crop] | None = None
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Answers and labels `(F, K, 2)` in crop coordinates, and eye distances `(F,)` in their unit.

    Crops are those of the labels, changed by `change`.
    """
    found, crops = by_labels(model, faces, change)
    truth = [markups.convert(f.keypoints, f.markup, model.config.markup) for f in faces]
    eyes = np.array([eye_distance(face.keypoints, face.markup) for face in faces])
    return (
        np.stack([crop.to_crop(points) for crop, points in zip(crops, found, strict=True)]),
        np.stack([crop.to_crop(points) for crop, points in zip(crops, truth, strict=True)]),
        eyes / np.array([crop.width / 2 for crop in crops]),
    )


def beside(crop: Crop, off: Mapping[str, float], rng: np.random.Generator) -> Crop:
    """A crop that is as far `off` as one that was predicted from a found face.

    `off` is `framing.left_unexplained`, in percent of the crop's width.
    """
    dx, dy = (rng.normal(0, off[axis] / 100) * crop.width for axis in ("x", "y"))
    moved = dataclasses.replace(crop, x=crop.x + dx, y=crop.y + dy)
    return moved.scaled(float(np.exp(rng.normal(0, off["width"] / 100))))


def error(found: np.ndarray, truth: np.ndarray, eyes: np.ndarray) -> float:
    """NME in percent; all in crop coordinates of square crops."""
    return float((100 * np.linalg.norm(found - truth, axis=-1).mean(1) / eyes).mean())
