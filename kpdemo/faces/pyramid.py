"""An image pyramid, for small crops of large areas without aliasing."""

import cv2
import numpy as np

from kpdemo.faces.crop import Crop


class Pyramid:
    """Levels of a picture `(H, W, 3)` uint8, each made on first use."""

    def __init__(self, pixels: np.ndarray) -> None:
        self.levels = [pixels]

    def cut(self, crop: Crop, side: int) -> np.ndarray:
        """A square crop at `side` pixels, from the level that is shrunk less than twice."""
        number = max(0, int(np.log2(max(1.0, crop.width / side))))
        while number >= len(self.levels) and min(self.levels[-1].shape[:2]) > 1:
            height, width = self.levels[-1].shape[:2]
            half = -(-width // 2), -(-height // 2)
            self.levels.append(cv2.resize(self.levels[-1], half, interpolation=cv2.INTER_AREA))
        level = self.levels[min(number, len(self.levels) - 1)]
        across, down = np.array(level.shape[1::-1]) / self.levels[0].shape[1::-1]
        smaller = Crop(
            (crop.x + 0.5) * across - 0.5,
            (crop.y + 0.5) * down - 0.5,
            crop.width * across,
            crop.height * down,
            crop.roll,
        )
        return smaller.cut(level, side, side)
