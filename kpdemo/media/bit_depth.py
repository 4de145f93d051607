"""Pictures of more than 8 bits a sample, in 8 bits.

One rule for all of them, whatever the type of their samples: black is 0, and white is the largest
number of the fewest bits, of 8, 10, 12, 14 and 16, that hold the brightest sample; for fractions up
to 1 it is 1. Samples that no such depth explains (negative, above 16 bits, other fractions) use
the range that they span.
"""

import cv2
import numpy as np
from PIL import Image

_DEPTHS = (8, 10, 12, 14, 16)


def to_8_bit(values: np.ndarray) -> np.ndarray:
    """Samples of any shape and type -> uint8 by the rule; NaN counts as black."""
    if values.dtype.kind == "f":
        numbers = np.isfinite(values)
        if not numbers.all():
            values = np.where(numbers, values, values[numbers].min(initial=0))
    if not values.size:
        return values.astype(np.uint8)
    low, high = float(values.min()), float(values.max())
    black, white = _levels(values, low, high)
    scale = 255 / ((white - black) or 1)
    if values.dtype == np.uint16:
        table = np.arange(1 << 16, dtype=np.float32)
        return np.rint((table - black) * scale).clip(0, 255).astype(np.uint8)[values]
    return np.rint((values.astype(np.float64) - black) * scale).astype(np.uint8)


def read_deep_colour(data: bytes) -> Image.Image | None:
    """The first picture of a PNG or TIFF file of deep colour as RGB or RGBA; None if OpenCV, which
    keeps all bits, cannot read it."""
    try:
        samples = cv2.imdecode(np.frombuffer(data, np.uint8), cv2.IMREAD_UNCHANGED)
    except cv2.error:
        return None
    if samples is None or samples.dtype == np.uint8:
        return None
    if samples.ndim == 2:
        return Image.fromarray(to_8_bit(samples))
    rgb = to_8_bit(samples[..., 2::-1])
    if samples.shape[2] == 3:
        return Image.fromarray(rgb)
    # Transparency has a depth of its own.
    return Image.fromarray(np.dstack([rgb, to_8_bit(samples[..., 3])]))


def _levels(values: np.ndarray, low: float, high: float) -> tuple[float, float]:
    """Black and white among samples from `low` to `high`."""
    if low >= 0:
        if high <= 1:
            return 0, 1
        if values.dtype.kind != "f" or not np.mod(values, 1).any():
            for bits in _DEPTHS:
                if high < 1 << bits:
                    return 0, (1 << bits) - 1
    return low, high
