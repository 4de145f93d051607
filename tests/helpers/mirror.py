"""Keypoints as they lie in the mirrored picture."""

import numpy as np

from kpdemo.keypoints import markups


def mirrored(points: np.ndarray, name: str, width: float) -> np.ndarray:
    """Keypoints `(..., K, 2)` of the mirrored picture of `width` pixels, in the markup's order."""
    flipped = np.array(points, np.float32)[..., list(markups.get(name).mirror), :]
    flipped[..., 0] = width - 1 - flipped[..., 0]
    return flipped
