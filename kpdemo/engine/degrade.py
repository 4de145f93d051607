"""A degraded photo, to compare the models on again."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields

import numpy as np

from kpdemo.media import corruptions
from kpdemo.media.images import MIN_SIDE, Photo
from kpdemo.structures import ComparedFace

# Sides that a face can be covered from -> the covered part of its box, x0, y0, x1, y1 in shares of
# it, for a covered share.
SIDES: dict[str, Callable[[float], tuple[float, float, float, float]]] = {
    "below": lambda share: (0, 1 - share, 1, 1),
    "above": lambda share: (0, 0, 1, share),
    "left": lambda share: (0, 0, share, 1),
    "right": lambda share: (1 - share, 0, 1, 1),
}
LIMITS: dict[str, tuple[float, float]] = {
    "turn": (-180, 180),
    "blur": (0, 10),
    "darkness": (0, 95),
    "cover": (0, 100),
    "size": (5, 100),
    "quality": (5, 100),
}


@dataclass(frozen=True)
class Degradation:
    """What is done to a photo, in this order; by default nothing.

    `cover` is the percentage of each face's box that is grey, from a `side` of `SIDES`; `turn` is
    in degrees, clockwise; `darkness` is the percentage of brightness that is taken away; `blur` is
    the standard deviation in percent of the largest face's width; `size` is the percentage of both
    sides that is left; `quality` is that of the JPEG, 100 for none. Limits are in `LIMITS`.
    """

    cover: float = 0
    side: str = "below"
    turn: float = 0
    darkness: float = 0
    blur: float = 0
    size: float = 100
    quality: float = 100

    @classmethod
    def within_limits(cls, values: Mapping[str, object]) -> "Degradation":
        """From values by name, clipped to `LIMITS`; invalid ones are ignored."""
        valid: dict[str, object] = {}
        for name, (low, high) in LIMITS.items():
            value = values.get(name)
            if isinstance(value, int | float) and np.isfinite(value):
                valid[name] = float(np.clip(value, low, high))
        if values.get("side") in SIDES:
            valid["side"] = values["side"]
        return cls(**valid)  # type: ignore[arg-type]

    @property
    def changes_nothing(self) -> bool:
        return all(
            getattr(self, field.name) == field.default
            for field in fields(self)
            if field.name != "side"
        )


def apply(
    pixels: np.ndarray, faces: list[ComparedFace], degradation: Degradation
) -> tuple[np.ndarray, np.ndarray]:
    """The changed picture, and the matrix `(2, 3)` from points of `pixels` to its points."""
    matrix = np.eye(3)
    if degradation.cover:
        shares = np.reshape(SIDES[degradation.side](degradation.cover / 100), (2, 2))
        for face in faces:
            low, high = np.reshape(face.box, (2, 2))
            pixels = corruptions.cover(pixels, low + shares * (high - low))
    if degradation.turn:
        pixels, turned = corruptions.turn(pixels, degradation.turn)
        matrix = np.vstack([turned, [0, 0, 1]]) @ matrix
    if degradation.darkness:
        pixels = corruptions.darken(pixels, 1 - degradation.darkness / 100)
    if degradation.blur and faces:
        width = max(face.detection.width for face in faces)
        pixels = corruptions.blur(pixels, degradation.blur / 100 * width)
    if degradation.size < 100:
        scale = min(1.0, max(degradation.size / 100, MIN_SIDE / min(pixels.shape[:2])))
        pixels, shrunk = corruptions.resize(pixels, scale)
        matrix = np.vstack([shrunk, [0, 0, 1]]) @ matrix
    if degradation.quality < 100:
        pixels = corruptions.compress(pixels, round(degradation.quality))
    return pixels, matrix[:2]


def as_photo(pixels: np.ndarray) -> Photo:
    """Pixels as an original photo, so that predictions are in their coordinates."""
    height, width = pixels.shape[:2]
    return Photo(pixels, width, height, 1.0)
