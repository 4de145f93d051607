"""A net's crop of a photo, by labelled keypoints and by a detected face.

A reference is a crop defined on labelled keypoints, so it exists for any training face. For a
detected face the same crop is predicted from the detector's box and six points, by a linear map
that `python -m train framing` fits on the training faces and keeps in `framing.json`.
"""

from collections.abc import Callable
from functools import cache
from pathlib import Path

import numpy as np

from kpdemo.faces.crop import Crop
from kpdemo.keypoints import markups
from kpdemo.models.config import ConfigError, Framing
from kpdemo.structures import Face
from kpdemo.system import json_file
from kpdemo.system.json_file import JsonError

# Keypoints `(K, 2)`, their markup, and the picture's width and height -> a crop.
Reference = Callable[[np.ndarray, str, int, int], Crop]

MEASURED = Path(__file__).with_name("crop_rules.json")


def _keypoint_box(points: np.ndarray, markup: str, width: int, height: int) -> Crop:
    """The square around all keypoints, as wide as the box's longer side."""
    low, high = np.nanmin(points, 0), np.nanmax(points, 0)
    x, y = (low + high) / 2
    side = float((high - low).max())
    return Crop(float(x), float(y), side, side)


def _kaggle(points: np.ndarray, markup: str, width: int, height: int) -> Crop:
    """The 96×96 crop of Kaggle's pictures, from the means of its complete labels.

    There the eye centres are 36.7 px apart, the eyes' middle is 39.2 px above the mouth's, and
    the middle of the two lies at (48.1, 56.5). Kaggle's own pictures are that crop already.
    """
    if (width, height) == (96, 96):
        return Crop.whole(width, height)
    kaggle = markups.get("kaggle-15")
    points = markups.convert(points, markup, "kaggle-15")
    left, right = kaggle.place(points, "left_eye_center"), kaggle.place(points, "right_eye_center")
    corners = ("mouth_left_corner", "mouth_right_corner")
    mouth = np.mean([kaggle.place(points, corner) for corner in corners], 0)
    eyes = (left + right) / 2
    unit = (np.linalg.norm(left - right) + np.linalg.norm(mouth - eyes)) / (36.7 + 39.2)
    x, y = (eyes + mouth) / 2
    side = float(96 * unit)
    return Crop(float(x - (48.1 - 47.5) * unit), float(y - (56.5 - 47.5) * unit), side, side)


def _picture(points: np.ndarray, markup: str, width: int, height: int) -> Crop:
    """The whole picture, for nets that were trained on head and shoulders."""
    return Crop.whole(width, height)


REFERENCES: dict[str, Reference] = {
    "keypoint-box": _keypoint_box,
    "kaggle": _kaggle,
    "imm-picture": _picture,
}


def from_keypoints(
    framing: Framing, points: np.ndarray, markup: str, width: int, height: int, roll: float = 0.0
) -> Crop:
    """The crop for labelled keypoints `(K, 2)` on a picture of `width` × `height` pixels.

    With a `roll` (degrees) the crop is what the reference would be on the upright face.
    """
    reference = _reference(framing)
    if not roll:
        return reference(points, markup, width, height).scaled(framing.scale)
    # Rotated about the picture's centre, which keeps the whole picture in place.
    middle = Crop.whole(width, height)
    upright = Crop(middle.x, middle.y, 2, 2, roll)
    centre = np.array([middle.x, middle.y], np.float32)
    crop = reference(upright.to_crop(points) + centre, markup, width, height)
    ((x, y),) = upright.to_photo([np.subtract((crop.x, crop.y), (middle.x, middle.y))])
    return Crop(float(x), float(y), crop.width, crop.height, roll).scaled(framing.scale)


def from_face(framing: Framing, face: Face) -> Crop:
    """The upright crop for a detected face."""
    measured = fitted(framing)
    origin = _origin(face)
    x, y, size = features(face) @ np.array(measured["coefficients"])
    ((x, y),) = origin.to_photo([[x, y]])
    width = float(np.exp(size)) * origin.width / 2
    crop = Crop(float(x), float(y), width, width * measured["aspect"], face.roll)
    return crop.scaled(framing.scale)


def features(face: Face) -> np.ndarray:
    """The inputs of the linear map: the six points in the frame of the face's box, and 1: `(13,)`.

    The frame is upright, its origin the box's centre, its unit half the box's mean side.
    """
    return np.append(_origin(face).to_crop(face.keypoints).ravel(), 1.0)


def target(face: Face, crop: Crop) -> np.ndarray:
    """The outputs of the linear map: the crop's centre and log width in that frame: `(3,)`."""
    origin = _origin(face)
    ((x, y),) = origin.to_crop([[crop.x, crop.y]])
    return np.array([x, y, np.log(2 * crop.width / origin.width)])


def _origin(face: Face) -> Crop:
    x0, y0, x1, y1 = face.box
    side = ((x1 - x0) + (y1 - y0)) / 2
    return Crop((x0 + x1) / 2, (y0 + y1) / 2, side, side, face.roll)


def _reference(framing: Framing) -> Reference:
    if framing.reference not in REFERENCES:
        raise ConfigError(
            f"Unknown framing {framing.reference!r}; known are {', '.join(REFERENCES)}."
        )
    return REFERENCES[framing.reference]


def fitted(framing: Framing) -> dict:
    """The fitted map of `from_face`; ConfigError for a framing that is unknown or not measured."""
    _reference(framing)
    measured = _measured().get(framing.reference)
    if measured is None:
        raise ConfigError(
            f"The framing {framing.reference!r} has not been measured: "
            "run `python -m train framing`."
        )
    return measured


@cache
def _measured() -> dict[str, dict]:
    try:
        return json_file.read(MEASURED)
    except FileNotFoundError:
        return {}
    except JsonError as error:
        raise ConfigError(f"{MEASURED} {error}") from error
