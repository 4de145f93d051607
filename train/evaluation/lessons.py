"""Measurements for what the reports say of their nets' failures: `lessons.json`."""

from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np

from kpdemo.explain.mistakes import scaled_by_photo
from kpdemo.faces.crop import Crop
from kpdemo.keypoints import markups
from kpdemo.keypoints.metrics import eye_distance, point_errors, summary
from kpdemo.models import checkpoint, crop_rules, model_folder
from kpdemo.models.checkpoint import Model
from kpdemo.models.predict import predict
from kpdemo.zoo import WEIGHTS_DIR
from train.data.sources import LabelledFace, load
from train.evaluation.evaluate import BATCH, readable, rounded
from train.evaluation.face_attributes import shape_distances

RESULT = WEIGHTS_DIR / "lessons.json"
NOSE_NETS = ("nosenet-fajardo", "nosenet-kernels", "nosenet-moore")
IMM_NETS = ("facenet-moore", "facialpointsnet")
SHAPE_NETS = ("simplenet-report", "resnet18-transfer")
# The small ResNet-18 stands in for the larger ones, which take minutes on two cores.
PHOTO_NET = "resnet18-transfer"
HEATMAP_NETS = ("unet-report", "unet-report-sigma-1")
# Discs on an input of 80×60 pixels: radius, and offsets of their centres from the middle.
RADIUS = 4
OFFSETS = ((-14, -10), (14, -10), (-14, 10), (14, 10))
BLACK, GREY = 0, 128
# As far from the mean shape as this share of the training labels: still a face.
FACE_LIKE = 0.999
LENS = 0.26, 0.2  # half-axes of a lens, in units of the eye distance
EDGES = 0.1  # the share of a picture's pixels that count as its edges


@dataclass(frozen=True, eq=False)
class Inputs:
    """What a model is given of labelled faces.

    `crops` `(F, H, W[, 3])` uint8 of its input size and where they lie on the photos, whose
    `sizes` `(F, 2)` are width and height; the labels `(F, K, 2)` and the distances `(F,)` of the
    outer eye corners, both in pixels of the crops.
    """

    crops: np.ndarray
    places: list[Crop]
    sizes: np.ndarray
    labels: np.ndarray
    eyes: np.ndarray


def measure(weights: Path = WEIGHTS_DIR, destination: Path = RESULT) -> dict:
    """Measure what the reports say of failures; writes `lessons.json`, part by part.

    Raises CheckpointError for a model that is unavailable, DataError without the faces.
    """
    result: dict = {"command": "python -m train lessons", "spots": {}, "variety": {}, "shapes": {}}
    imm, _ = readable(load("imm-validation"))
    for name in NOSE_NETS:
        model = checkpoint.load(weights / name)
        result["spots"][name] = spots(model, inputs(model, imm))
    for name in IMM_NETS:
        model = checkpoint.load(weights / name)
        result["variety"][name] = variety(model, inputs(model, imm))
    model_folder.write_json(destination, result)
    common, _ = readable(load("300w-common"))
    training = np.stack([face.keypoints for face in load("300w")])
    for name in SHAPE_NETS:
        model = checkpoint.load(weights / name)
        given = inputs(model, common)
        result["shapes"][name] = shapes(model, given, training)
        if name == PHOTO_NET:
            result["sunglasses"] = {name: sunglasses(model, given)}
            result["scaled"] = {name: scaled(model, given)}
        model_folder.write_json(destination, result)
    result["edges"] = {}
    for name in HEATMAP_NETS:
        model = checkpoint.load(weights / name)
        result["edges"][name] = edges(model, inputs(model, common))
        model_folder.write_json(destination, result)
    return result


def inputs(model: Model, faces: list[LabelledFace]) -> Inputs:
    """A model's crops by the labels."""
    size, framing = model.config.input, model.config.framing
    crops, places, sizes, labels, eyes = [], [], [], [], []
    for face in faces:
        pixels = face.pixels(size.channels)
        height, width = pixels.shape[:2]
        crop = crop_rules.from_keypoints(framing, face.keypoints, face.markup, width, height)
        points = markups.convert(face.keypoints, face.markup, model.config.markup)
        crops.append(crop.cut(pixels, size.height, size.width))
        places.append(crop)
        sizes.append((width, height))
        labels.append(_whole(crops[-1]).to_photo(crop.to_crop(points)))
        eyes.append(eye_distance(face.keypoints, face.markup) * size.width / crop.width)
    return Inputs(np.stack(crops), places, np.array(sizes), np.stack(labels), np.array(eyes))


def predict_pixels(model: Model, crops: np.ndarray) -> np.ndarray:
    """A model's keypoints `(F, K, 2)` on crops, in their pixels."""
    parts = np.array_split(crops, -(-len(crops) // BATCH))
    keypoints = np.concatenate([predict(model, part).keypoints for part in parts])
    return _whole(crops[0]).to_photo(keypoints)


def spots(model: Model, given: Inputs) -> dict:
    """How far a disc near the middle of a picture pulls the nose tip that a net predicts.

    It is painted at each of `OFFSETS` in turn, black or, as a control, mid-grey: "moved" is the
    mean way of the prediction, "towards" that of its component towards the disc, and "nme" the
    error with it, in percent of the eye distance.
    """
    before = predict_pixels(model, given.crops)
    middle = np.array(given.crops.shape[2:0:-1]) / 2 - 0.5
    result: dict = {"faces": len(before), "nme": _figures(given, before)["nme"]}
    for name, value in (("black", BLACK), ("grey", GREY)):
        moves, pulls, errors = [], [], []
        for offset in OFFSETS:
            crops = np.stack([_disc(crop, middle + offset, value) for crop in given.crops])
            after = predict_pixels(model, crops)
            move, way = (after - before)[:, 0], middle + offset - before[:, 0]
            pull = (move * way).sum(1) / np.linalg.norm(way, axis=1)
            moves.append(100 * np.linalg.norm(move, axis=1) / given.eyes)
            pulls.append(100 * pull / given.eyes)
            errors.append(_figures(given, after)["nme"])
        measured = {"moved": moves, "towards": pulls, "nme": errors}
        result[name] = {key: rounded(float(np.mean(rows))) for key, rows in measured.items()}
    return result


def variety(model: Model, given: Inputs) -> dict:
    """How much predicted shapes vary: 1 as much as the labels, 0 the same shape for everyone.

    The ratio of the mean Procrustes distances from the mean shape: where the face is, how large
    and how tilted does not count.
    """
    predicted = shape_distances(predict_pixels(model, given.crops)).mean()
    ratio = predicted / np.nanmean(shape_distances(given.labels))
    return {"faces": len(given.crops), "variety": rounded(float(ratio))}


def shapes(model: Model, given: Inputs, training: np.ndarray) -> dict:
    """The share of predicted shapes that are no faces, in percent, and that of the labels.

    No face is what is farther from the mean shape than `FACE_LIKE` of the `training` labels
    `(N, K, 2)`, by Procrustes distance.
    """
    everything = np.concatenate([training, given.labels, predict_pixels(model, given.crops)])
    ends = [len(training), len(training) + len(given.crops)]
    known, labels, predicted = np.split(shape_distances(everything), ends)
    limit = np.nanquantile(known, FACE_LIKE)
    return {
        "faces": len(given.crops),
        "no_faces": rounded(100 * float(np.mean(predicted > limit))),
        "labels": rounded(100 * float(np.mean(labels > limit))),
    }


def sunglasses(model: Model, given: Inputs) -> dict:
    """NME and failure rate as they are, and with a black lens over each eye."""
    markup = model.config.markup
    crops = np.stack(
        [
            _lenses(crop, labels, eyes, markup)
            for crop, labels, eyes in zip(given.crops, given.labels, given.eyes, strict=True)
        ]
    )
    return {
        "faces": len(crops),
        "without": _figures(given, predict_pixels(model, given.crops)),
        "with": _figures(given, predict_pixels(model, crops)),
    }


def scaled(model: Model, given: Inputs) -> dict:
    """Mean absolute error of the coordinates in pixels of the photos, and how much it grows when
    the predictions are scaled by the photo's size instead of the face's box."""
    right, wrong = [], []
    predicted, whole = predict_pixels(model, given.crops), _whole(given.crops[0])
    for each, truth, crop, (width, height) in zip(
        predicted, given.labels, given.places, given.sizes.tolist(), strict=True
    ):
        points, labels = (crop.to_photo(whole.to_crop(p)) for p in (each, truth))
        right.append(np.nanmean(np.abs(points - labels)))
        moved = scaled_by_photo(points, crop, width, height)
        wrong.append(np.nanmean(np.abs(moved - labels)))
    by_box, by_photo = float(np.mean(right)), float(np.mean(wrong))
    return {
        "faces": len(predicted),
        "mae": rounded(by_box),
        "mae_scaled_by_photo": rounded(by_photo),
        "factor": rounded(by_photo / by_box),
    }


def edges(model: Model, given: Inputs) -> dict:
    """How much of a net's heatmaps lies on edges, in percent: `EDGES` of the pixels, so that a map
    that follows no edges has about as large a share there.

    Maps must be as large as the picture. Edges are where its gradient is steepest, and their
    neighbours. What a map has everywhere, its median, does not count.
    """
    shares = []
    for crop in given.crops:
        maps = predict(model, crop[None], heatmaps=True).heatmaps
        assert maps is not None
        steepness = np.hypot(
            *(cv2.Sobel(crop.astype(np.float32), -1, *d) for d in ((1, 0), (0, 1)))
        )
        steepness = cv2.dilate(steepness, np.ones((3, 3)))
        edge = steepness > np.quantile(steepness, 1 - EDGES)
        above = np.clip(maps[0] - np.median(maps[0], (1, 2), keepdims=True), 0, None)
        shares.append((above * edge).sum((1, 2)) / above.sum((1, 2)).clip(1e-9))
    return {"faces": len(shares), "on_edges": rounded(100 * float(np.mean(shares)))}


def _whole(crop: np.ndarray) -> Crop:
    """Maps a crop's own pixels, `to_photo` from its coordinates and `to_crop` back."""
    height, width = crop.shape[:2]
    return Crop.whole(width, height)


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
