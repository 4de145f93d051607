"""The whole photo as one portrait, where no face detector can run."""

import numpy as np

from kpdemo.faces.crop import Crop
from kpdemo.structures import Face

# Where BlazeFace has its six points on a frontal face, from -1 to 1 across its box.
_LAYOUT = [[-0.4, -0.45], [0.4, -0.45], [0, 0.05], [0, 0.5], [-0.85, -0.25], [0.85, -0.25]]


class WholePhoto:
    """A face detector that always finds one face, in a box of two thirds of the shorter side."""

    def find(self, pixels: np.ndarray) -> list[Face]:
        """One upright face in the middle of `(H, W, 3)` pixels, with a score of 0."""
        height, width = pixels.shape[:2]
        side = 2 / 3 * min(height, width)
        box = Crop((width - 1) / 2, (height - 1) / 2, side, side)
        (x0, y0), (x1, y1) = box.to_photo([[-1, -1], [1, 1]])
        corners = float(x0), float(y0), float(x1), float(y1)
        return [Face(corners, 0.0, box.to_photo(_LAYOUT), 0.0)]

    def close(self) -> None:
        """Nothing: it holds nothing."""
