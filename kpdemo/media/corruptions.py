"""Corruptions of a picture: covered, turned, darkened, blurred, resized, compressed.

All take and return pixels `(H, W, 3)` uint8 RGB and leave the given ones as they are. Those that
move pixels also return the affine `(2, 3)` matrix from points of the old picture to points of the
new one, in pixels with centres on integers.
"""

from io import BytesIO

import cv2
import numpy as np
from PIL import Image

GREY = 128


def turn(pixels: np.ndarray, degrees: float) -> tuple[np.ndarray, np.ndarray]:
    """Rotated clockwise about the centre; the canvas grows to hold the whole picture."""
    height, width = pixels.shape[:2]
    angle = np.deg2rad(degrees)
    cos, sin = np.cos(angle), np.sin(angle)
    rotation = np.array([[cos, -sin], [sin, cos]])
    size = np.ceil(np.abs(rotation) @ (width, height)).astype(int)
    # Centre maps to centre; pixel centres are integers.
    shift = (size - 1) / 2 - rotation @ ((width - 1) / 2, (height - 1) / 2)
    matrix = np.column_stack([rotation, shift])
    return cv2.warpAffine(pixels, matrix, size.tolist()), matrix


def move(points: np.ndarray, matrix: np.ndarray) -> np.ndarray:
    """Points `(K, 2)` of the old picture -> points of the new one."""
    return points @ matrix[:, :2].T + matrix[:, 2]


def resize(pixels: np.ndarray, scale: float) -> tuple[np.ndarray, np.ndarray]:
    """Both sides multiplied by `scale`, at most 1, to whole pixels and at least one."""
    size = np.array(pixels.shape[1::-1])
    small = np.maximum(np.round(size * scale), 1).astype(int)
    ratio = small / size
    matrix = np.column_stack([np.diag(ratio), 0.5 * ratio - 0.5])
    return cv2.resize(pixels, small.tolist(), interpolation=cv2.INTER_AREA), matrix


def darken(pixels: np.ndarray, factor: float) -> np.ndarray:
    """Every value multiplied by `factor`, from 0 to 1."""
    return np.rint(pixels * factor).astype(np.uint8)


def blur(pixels: np.ndarray, sigma: float) -> np.ndarray:
    """Convolved with a Gaussian of `sigma` pixels, more than 0."""
    return cv2.GaussianBlur(pixels, (0, 0), sigma)


def cover(pixels: np.ndarray, corners: np.ndarray) -> np.ndarray:
    """A mid-grey rectangle between two corners `(2, 2)`: upper left, and lower right outside."""
    (x0, y0), (x1, y1) = np.round(corners).astype(int).clip(0)
    covered = pixels.copy()
    covered[y0:y1, x0:x1] = GREY
    return covered


def compress(pixels: np.ndarray, quality: int) -> np.ndarray:
    """Saved as JPEG of that quality, 1 to 100, and read again."""
    file = BytesIO()
    Image.fromarray(pixels).save(file, "JPEG", quality=quality)
    return np.asarray(Image.open(file))
