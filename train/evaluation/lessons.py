"""Measurements for what the reports say of their nets' failures: `lessons.json`."""

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from kpdemo.explain.mistakes import scaled_by_photo
from kpdemo.keypoints import markup as markups
from kpdemo.keypoints.metrics import eye_distance, point_errors, summary
from kpdemo.models import crop_rules, model_folder
from kpdemo.models import model as checkpoint
from kpdemo.models.model import Model
from kpdemo.models.predict import predict
from kpdemo.zoo import WEIGHTS_DIR
from train.data.sources import LabelledFace, load
from train.evaluation.evaluate import BATCH, by_labels, readable, rounded
from train.evaluation.face_attributes import shape_distances

RESULT = WEIGHTS_DIR / "lessons.json"
NOSE_NETS = ("nosenet-fajardo", "nosenet-kernels", "nosenet-moore")
SHAPE_NETS = ("simplenet-report", "resnet18-transfer")
SUNGLASSES_NETS = ("resnet18-transfer",)
SCALED_NETS = ("resnet18-transfer",)
# Discs on an input of 80×60 pixels: radius, and offsets of their centres from the middle.
RADIUS = 4
OFFSETS = ((-14, -10), (14, -10), (-14, 10), (14, 10))
BLACK, GREY = 0, 128
# As far from the mean shape as this share of the training labels: still a face.
FACE_LIKE = 0.999
LENS = 0.26, 0.2  # half-axes of a lens, in units of the eye distance


@dataclass(frozen=True, eq=False)
class Inputs:
    """Crops `(F, H, W[, 3])` uint8 of a net's input size, labels `(F, K, 2)` and the distances
    `(F,)` of the outer eye corners, both in pixels of the crops."""

    crops: np.ndarray
    labels: np.ndarray
    eyes: np.ndarray


def measure(weights: Path = WEIGHTS_DIR, destination: Path = RESULT) -> dict:
    """Measure dark spots, odd shapes, sunglasses and a wrong scale; writes `lessons.json`.

    Raises CheckpointError for a model that is unavailable, DataError without the faces.
    """
    imm, _ = readable(load("imm-validation"))
    common, _ = readable(load("300w-common"))
    training = np.stack([face.keypoints for face in load("300w")])
    models = {
        name: checkpoint.load(weights / name)
        for name in dict.fromkeys((*NOSE_NETS, *SHAPE_NETS, *SUNGLASSES_NETS, *SCALED_NETS))
    }
    result = {
        "command": "python -m train lessons",
        "spots": {name: spots(models[name], imm) for name in NOSE_NETS},
        "shapes": {name: shapes(models[name], common, training) for name in SHAPE_NETS},
        "sunglasses": {name: sunglasses(models[name], common) for name in SUNGLASSES_NETS},
        "scaled": {name: scaled(models[name], common) for name in SCALED_NETS},
    }
    model_folder.write_json(destination, result)
    return result


def spots(model: Model, faces: list[LabelledFace]) -> dict:
    """How far a disc near the middle of a picture pulls the nose tip that a net predicts.

    It is painted at each of `OFFSETS` in turn, black or, as a control, mid-grey: "moved" is the
    mean way of the prediction, "towards" that of its component towards the disc, and "nme" the
    error with it, in percent of the eye distance.
    """
    given = inputs(model, faces)
    before = answers(model, given.crops)
    middle = np.array(given.crops.shape[2:0:-1]) / 2 - 0.5
    result: dict = {"faces": len(faces), "nme": _figures(given, before)["nme"]}
    for name, value in (("black", BLACK), ("grey", GREY)):
        moves, pulls, errors = [], [], []
        for offset in OFFSETS:
            crops = np.stack([_disc(crop, middle + offset, value) for crop in given.crops])
            after = answers(model, crops)
            move, way = (after - before)[:, 0], middle + offset - before[:, 0]
            pull = (move * way).sum(1) / np.linalg.norm(way, axis=1)
            moves.append(100 * np.linalg.norm(move, axis=1) / given.eyes)
            pulls.append(100 * pull / given.eyes)
            errors.append(_figures(given, after)["nme"])
        measured = {"moved": moves, "towards": pulls, "nme": errors}
        result[name] = {key: rounded(float(np.mean(rows))) for key, rows in measured.items()}
    return result


def shapes(model: Model, faces: list[LabelledFace], training: np.ndarray) -> dict:
    """The share of predicted shapes that are no faces, in percent, and that of the labels.

    No face is what is farther from the mean shape than `FACE_LIKE` of the `training` labels
    `(N, K, 2)`, by Procrustes distance.
    """
    given = inputs(model, faces)
    everything = np.concatenate([training, given.labels, answers(model, given.crops)])
    ends = [len(training), len(training) + len(faces)]
    known, labels, predicted = np.split(shape_distances(everything), ends)
    limit = np.nanquantile(known, FACE_LIKE)
    return {
        "faces": len(faces),
        "no_faces": rounded(100 * float(np.mean(predicted > limit))),
        "labels": rounded(100 * float(np.mean(labels > limit))),
    }


def sunglasses(model: Model, faces: list[LabelledFace]) -> dict:
    """NME and failure rate as they are, and with a black lens over each eye."""
    given = inputs(model, faces)
    crops = np.stack(
        [
            _lenses(crop, labels, eyes, model.config.markup)
            for crop, labels, eyes in zip(given.crops, given.labels, given.eyes, strict=True)
        ]
    )
    return {
        "faces": len(faces),
        "without": _figures(given, answers(model, given.crops)),
        "with": _figures(given, answers(model, crops)),
    }


def scaled(model: Model, faces: list[LabelledFace]) -> dict:
    """Mean absolute error of the coordinates in pixels of the photos, and how much it grows when
    the predictions are scaled by the photo's size instead of the face's box."""
    predicted, crops = by_labels(model, faces)
    right, wrong = [], []
    for face, points, crop in zip(faces, predicted, crops, strict=True):
        height, width = face.pixels(1).shape
        labels = markups.convert(face.keypoints, face.markup, model.config.markup)
        right.append(np.nanmean(np.abs(points - labels)))
        wrong.append(np.nanmean(np.abs(scaled_by_photo(points, crop, width, height) - labels)))
    by_box, by_photo = float(np.mean(right)), float(np.mean(wrong))
    return {
        "faces": len(faces),
        "mae": rounded(by_box),
        "mae_scaled_by_photo": rounded(by_photo),
        "factor": rounded(by_photo / by_box),
    }


def inputs(model: Model, faces: list[LabelledFace]) -> Inputs:
    """A model's crops by the labels."""
    size, framing = model.config.input, model.config.framing
    crops, labels, eyes = [], [], []
    for face in faces:
        pixels = face.pixels(size.channels)
        height, width = pixels.shape[:2]
        crop = crop_rules.from_keypoints(framing, face.keypoints, face.markup, width, height)
        crops.append(crop.cut(pixels, size.height, size.width))
        points = markups.convert(face.keypoints, face.markup, model.config.markup)
        labels.append(_pixels(crop.to_crop(points), size.width, size.height))
        eyes.append(eye_distance(face.keypoints, face.markup) * size.width / crop.width)
    return Inputs(np.stack(crops), np.stack(labels), np.array(eyes))


def answers(model: Model, crops: np.ndarray) -> np.ndarray:
    """A model's keypoints `(F, K, 2)` on crops, in their pixels."""
    height, width = crops.shape[1:3]
    parts = np.array_split(crops, -(-len(crops) // BATCH))
    points = np.concatenate([predict(model, part).keypoints for part in parts])
    return _pixels(points, width, height)


def _pixels(points: np.ndarray, width: int, height: int) -> np.ndarray:
    return (points + 1) * np.array([width, height]) / 2 - 0.5


def _figures(given: Inputs, predicted: np.ndarray) -> dict[str, float | None]:
    measured = summary(point_errors(predicted, given.labels, given.eyes))
    return {name: rounded(measured[name]) for name in ("nme", "fr8")}


def _disc(crop: np.ndarray, centre: np.ndarray, value: int) -> np.ndarray:
    x, y = np.rint(centre).astype(int).tolist()
    return cv2.circle(crop.copy(), (x, y), RADIUS, (value,) * 3, cv2.FILLED)


def _lenses(crop: np.ndarray, labels: np.ndarray, eyes: float, markup: str) -> np.ndarray:
    shaded = crop.copy()
    scheme = markups.get(markup)
    left, right = (scheme.place(labels, f"{side}_eye_center") for side in ("left", "right"))
    angle = float(np.degrees(np.arctan2(*(left - right)[::-1])))
    axes = tuple(round(float(half * eyes)) for half in LENS)
    for centre in (left, right):
        x, y = np.rint(centre).astype(int).tolist()
        cv2.ellipse(shaded, (x, y), axes, angle, 0, 360, (BLACK,) * 3, cv2.FILLED)
    return shaded
