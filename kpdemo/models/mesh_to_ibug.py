"""MediaPipe's mesh in iBUG's 68 points, by a linear map fitted on labelled faces.

iBUG's points are defined otherwise than any points of the mesh, the jaw above all, so plainly
picking 68 of the 478 charges MediaPipe with a difference of definition. `python -m train
baseline` fits this map on the training side of 300-W and keeps it beside this file.
"""

from functools import cache
from pathlib import Path

import numpy as np
from safetensors.numpy import load_file

from kpdemo.faces.crop import Crop
from kpdemo.keypoints import markups
from kpdemo.keypoints.markups.mediapipe_mesh import LEFT_EYE, RIGHT_EYE

FITTED = Path(__file__).with_name("mesh_to_ibug.safetensors")


def eye_frame(mesh: np.ndarray) -> Crop:
    """The frame in which faces are alike: origin between the outer eye corners, unit their
    distance, upright. `mesh` is `(478, 2)`."""
    right, left = mesh[RIGHT_EYE[0]], mesh[LEFT_EYE[0]]
    x, y = (right + left) / 2
    side = 2 * float(np.linalg.norm(left - right))
    roll = float(np.degrees(np.arctan2(left[1] - right[1], left[0] - right[0])))
    return Crop(float(x), float(y), side, side, roll)


def features(mesh: np.ndarray) -> np.ndarray:
    """What the map reads: the mesh in its eye frame, and 1: `(957,)`."""
    return np.append(eye_frame(mesh).to_crop(mesh).ravel(), 1.0)


def by_index(mesh: np.ndarray) -> np.ndarray:
    """The 68 mesh points nearest in meaning: `(478, 2)` -> `(68, 2)`."""
    return markups.convert(mesh, "mediapipe-478", "ibug-68")


def by_offsets(mesh: np.ndarray) -> np.ndarray:
    """Those points moved by their mean offsets in the eye frame."""
    return _moved(mesh, _fitted()["offsets"])


def by_map(mesh: np.ndarray) -> np.ndarray:
    """Those points moved by what the linear map says for this mesh."""
    return _moved(mesh, (features(mesh) @ _fitted()["matrix"]).reshape(68, 2))


MAPS = {"index": by_index, "offsets": by_offsets, "ridge": by_map}


def _moved(mesh: np.ndarray, offsets: np.ndarray) -> np.ndarray:
    frame = eye_frame(mesh)
    return frame.to_photo(frame.to_crop(by_index(mesh)) + offsets)


@cache
def _fitted() -> dict[str, np.ndarray]:
    return {name: values.astype(np.float64) for name, values in load_file(FITTED).items()}
