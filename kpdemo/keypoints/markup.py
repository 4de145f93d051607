"""The type `Markup`, and what the tables in `markups` are written with."""

from collections.abc import Mapping
from dataclasses import dataclass, field

import numpy as np

Points = tuple[int, ...]


@dataclass(frozen=True)
class Markup:
    """A named, ordered set of K keypoints.

    `groups` sorts them for colours and tables, `contours` are polylines to draw (a closed one
    repeats its first point), `mirror[k]` is the point that k becomes when the picture is
    mirrored, `anatomy` maps a place's name to the points whose mean it is.
    """

    name: str
    title: str
    names: tuple[str, ...]
    groups: Mapping[str, Points]
    contours: tuple[Points, ...]
    mirror: Points
    anatomy: Mapping[str, Points] = field(repr=False)

    def __len__(self) -> int:
        return len(self.names)

    def place(self, points: np.ndarray, anatomy: str) -> np.ndarray:
        """Where a place of the anatomy lies: `(..., K, 2)` -> `(..., 2)`; KeyError if unnamed."""
        return points[..., list(self.anatomy[anatomy]), :].mean(-2)


def closed(*points: int) -> Points:
    """A closed contour."""
    return (*points, points[0])


def span(first: int, last: int) -> Points:
    """The points from first to last."""
    return tuple(range(first, last + 1))


def mirror(count: int, pairs: list[tuple[int, int]]) -> Points:
    """The mirror order of `count` points by the pairs that change places."""
    order = list(range(count))
    for a, b in pairs:
        order[a], order[b] = b, a
    return tuple(order)


def singles(names: tuple[str, ...]) -> dict[str, Points]:
    """The anatomy of a markup whose points are named by it."""
    return {name: (k,) for k, name in enumerate(names)}
