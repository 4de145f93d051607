"""The markups by name, one file each, and conversion between them.

Left and right are the subject's own, as in Kaggle's names. Every markup has an *anatomy*: names
from one vocabulary ("nose_tip", "left_eye_outer_corner", "jaw_8" …), each with the points whose
mean is that place. Two markups are compared and converted by the places that both name.
"""

from functools import cache

import numpy as np

from kpdemo.keypoints.markup import Markup, Points
from kpdemo.keypoints.markups.bioid import BIOID
from kpdemo.keypoints.markups.ibug import IBUG
from kpdemo.keypoints.markups.imm import IMM
from kpdemo.keypoints.markups.kaggle import KAGGLE
from kpdemo.keypoints.markups.mediapipe import MEDIAPIPE
from kpdemo.keypoints.markups.nose import NOSE

MARKUPS: dict[str, Markup] = {
    markup.name: markup for markup in (NOSE, KAGGLE, BIOID, IMM, IBUG, MEDIAPIPE)
}


def get(name: str) -> Markup:
    """The markup called `name`; ValueError names the known ones."""
    if name not in MARKUPS:
        raise ValueError(f"Unknown markup {name!r}; known are {', '.join(MARKUPS)}.")
    return MARKUPS[name]


def convert(points: np.ndarray, source: str, target: str) -> np.ndarray:
    """`(..., K_source, 2)` in one markup -> `(..., K_target, 2)` in another, NaN where unnamed.

    A place that is the mean of several points is missing as soon as one of them is.
    """
    points = np.asarray(points, np.float32)
    out = np.full((*points.shape[:-2], len(get(target)), 2), np.nan, np.float32)
    for targets, sources in _means(source, target):
        out[..., targets, :] = points[..., sources, :].mean(-2)
    return out


@cache
def _means(source: str, target: str) -> list[tuple[np.ndarray, np.ndarray]]:
    """The conversion as means: `(T,)` target points and the `(T, N)` source points of each."""
    a, b = get(source), get(target)
    sources: dict[int, Points] = {
        at[0]: a.anatomy[place]
        for place, at in b.anatomy.items()
        if len(at) == 1 and place in a.anatomy
    }
    if source == target:
        sources = {k: (k,) for k in range(len(b))}
    by_count: dict[int, list[int]] = {}
    for k, points in sources.items():
        by_count.setdefault(len(points), []).append(k)
    return [(np.array(ks), np.array([sources[k] for k in ks])) for ks in by_count.values()]


@cache
def shared(first: str, second: str) -> tuple[tuple[str, Points, Points], ...]:
    """The places that two markups both name: `(name, points of first, points of second)`."""
    a, b = get(first), get(second)
    return tuple((name, at, b.anatomy[name]) for name, at in a.anatomy.items() if name in b.anatomy)
