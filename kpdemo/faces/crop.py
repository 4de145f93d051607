"""Crops: a net's view of a photo, and the way back to photo coordinates.

Photo coordinates are pixels with centres on integers. Crop coordinates run from -1 to 1 between
the crop's outer edges, whatever its shape, so they do not depend on the net's resolution.
"""

from dataclasses import dataclass

import cv2
import numpy as np
from numpy.typing import ArrayLike


@dataclass(frozen=True)
class Crop:
    """A rectangle on a photo: its centre and size in photo pixels, turned by `roll` degrees.

    A positive roll is clockwise on the screen (y points down). A face with its crop's roll is
    upright in the crop's pixels.
    """

    x: float
    y: float
    width: float
    height: float
    roll: float = 0.0

    @classmethod
    def whole(cls, width: int, height: int) -> "Crop":
        """The crop that is a whole picture of that size."""
        return cls((width - 1) / 2, (height - 1) / 2, width, height)

    def scaled(self, factor: float) -> "Crop":
        """The same centre and roll with both sides times `factor`."""
        return Crop(self.x, self.y, self.width * factor, self.height * factor, self.roll)

    @property
    def matrix(self) -> np.ndarray:
        """Crop coordinates -> photo coordinates: float64 `(2, 3)`."""
        angle = np.deg2rad(self.roll)
        cos, sin = np.cos(angle), np.sin(angle)
        w, h = self.width / 2, self.height / 2
        return np.array([[cos * w, -sin * h, self.x], [sin * w, cos * h, self.y]])

    def to_photo(self, points: ArrayLike) -> np.ndarray:
        """Keypoints `(..., 2)` in crop coordinates -> photo coordinates, float32."""
        m = self.matrix
        return (np.asarray(points, np.float64) @ m[:, :2].T + m[:, 2]).astype(np.float32)

    def to_crop(self, points: ArrayLike) -> np.ndarray:
        """Keypoints `(..., 2)` in photo coordinates -> crop coordinates, float32."""
        m = self.matrix
        turned = np.asarray(points, np.float64) - m[:, 2]
        return (turned @ np.linalg.inv(m[:, :2]).T).astype(np.float32)

    def cut(self, photo: np.ndarray, height: int, width: int) -> np.ndarray:
        """The crop as `(height, width[, C])` uint8; black where it leaves the photo.

        Shrinking more than twice would alias under bilinear sampling, so the crop is then sampled
        at a multiple of its size and averaged down.
        """
        factor = int(np.clip(min(self.width / width, self.height / height), 1, 8))
        w, h = width * factor, height * factor
        m = self.matrix
        # Pixel i of the result is crop coordinate (2i + 1) / size - 1.
        to_photo = np.column_stack(
            [m[:, 0] * 2 / w, m[:, 1] * 2 / h, m @ np.array([1 / w - 1, 1 / h - 1, 1])]
        )
        flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
        pixels = cv2.warpAffine(
            photo, to_photo, (w, h), flags=flags, borderMode=cv2.BORDER_CONSTANT
        )
        if factor > 1:
            pixels = cv2.resize(pixels, (width, height), interpolation=cv2.INTER_AREA)
        return pixels
