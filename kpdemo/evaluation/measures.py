"""Metrics of predictions against labels, as in `metrics.json`."""

from collections.abc import Sequence

import numpy as np

from kpdemo.keypoints import markups
from kpdemo.keypoints.metrics import face_errors, interval, point_errors, summary


def measures(
    predicted: np.ndarray,
    truth: np.ndarray,
    eyes: np.ndarray,
    markup: str,
    groups: Sequence[str] | None = None,
) -> dict:
    """All metrics of predictions: `(F, K, 2)` twice, eye distances `(F,)`.

    The summary of all points, of each group and each keypoint, in percent of the eye distance, and
    `errors`, the NME of every face, None for one that was not detected. `nme_interval` is a 95 %
    bootstrap interval over the `groups` of the faces (photos, persons), by default over faces.
    """
    layout = markups.get(markup)
    errors = point_errors(predicted, truth, eyes)
    result: dict = {
        name: value if isinstance(value, int) else rounded(value)
        for name, value in summary(errors).items()
    }
    finite = np.where(np.isfinite(errors), errors, np.nan)
    result["groups"] = {
        group: finite_mean(finite[:, list(points)]) for group, points in layout.groups.items()
    }
    result["nme_by_keypoint"] = [finite_mean(finite[:, k]) for k in range(len(layout))]
    faces = face_errors(errors)
    # Fine enough that no error on the limit of a failure moves to its other side.
    result["errors"] = [round(float(e), 4) if np.isfinite(e) else None for e in faces]
    result["nme_interval"] = bounds(faces, groups)
    if markup == "ibug-68":
        result["nme_inner_51"] = finite_mean(finite[:, 17:])
    return result


def bounds(values: np.ndarray, groups: Sequence[str] | None = None) -> list[float | None] | None:
    """The rounded `interval` of the mean, None where there is none."""
    limits = interval(values, groups)
    return limits and [rounded(limit) for limit in limits]


def finite_mean(values: np.ndarray) -> float | None:
    """The mean of the finite values; None if there are none."""
    finite = values[np.isfinite(values)]
    return rounded(finite.mean()) if finite.size else None


def rounded_points(points: np.ndarray) -> list[list[float] | None]:
    """Points `(K, 2)` with one decimal; None for NaN."""
    return [
        np.round(point.astype(float), 1).tolist() if np.isfinite(point).all() else None
        for point in points
    ]


def rounded(value: float) -> float | None:
    """Four decimals; None for what JSON cannot hold (NaN, infinity)."""
    return round(float(value), 4) if np.isfinite(value) else None
