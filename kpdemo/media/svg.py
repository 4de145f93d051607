"""Keypoints as SVG: contours and dots; points that are NaN are skipped."""

from collections.abc import Iterable, Sequence

import numpy as np


def contours(points: np.ndarray, polylines: Iterable[Sequence[int]]) -> str:
    """The path data of polylines through points `(K, 2)`, interrupted at unknown ones."""
    finite = np.isfinite(points).all(1)
    path = ""
    for polyline in polylines:
        pen = "M"
        for k in polyline:
            if finite[k]:
                path += f"{pen}{points[k, 0]:.1f} {points[k, 1]:.1f}"
            pen = "L" if finite[k] else "M"
    return path


def dots(points: np.ndarray, radius: float) -> str:
    """A circle at each of the points `(K, 2)`."""
    return "".join(
        f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius}"/>' for x, y in points if np.isfinite(x + y)
    )
