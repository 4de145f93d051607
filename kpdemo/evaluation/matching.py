"""Which detected face a labelled one is."""

from collections.abc import Sequence
from typing import Protocol, TypeVar

import numpy as np

from kpdemo.structures import Box


class Boxed(Protocol):
    """Whatever has a box in photo coordinates: x0, y0, x1, y1."""

    @property
    def box(self) -> Box: ...


BoxedT = TypeVar("BoxedT", bound=Boxed)


def match_by_overlap(faces: Sequence[BoxedT], keypoints: np.ndarray) -> BoxedT | None:
    """The face whose box overlaps the box of the labelled keypoints most, if by a third."""
    low, high = np.nanmin(keypoints, 0), np.nanmax(keypoints, 0)

    def overlap(face: BoxedT) -> float:
        box = np.array(face.box)
        sides = np.minimum(high, box[2:]) - np.maximum(low, box[:2])
        common = float(np.prod(sides.clip(0)))
        return common / (float(np.prod(high - low) + np.prod(box[2:] - box[:2])) - common)

    best = max(faces, key=overlap, default=None)
    return best if best is not None and overlap(best) > 1 / 3 else None


def match_by_containment(faces: Sequence[BoxedT], keypoints: np.ndarray) -> BoxedT | None:
    """The face whose box holds most of the known keypoints, if most of them; else None.

    For labels of a few points only, whose own box is much smaller than the face's.
    """
    known = keypoints[np.isfinite(keypoints).all(1)]
    if not len(known):
        return None

    def share(face: BoxedT) -> float:
        low, high = np.reshape(face.box, (2, 2))
        return float(((known >= low) & (known <= high)).all(1).mean())

    best = max(faces, key=share, default=None)
    return best if best is not None and share(best) > 0.5 else None
