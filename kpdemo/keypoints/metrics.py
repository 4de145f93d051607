"""Errors of keypoints. All take photo coordinates (or any one unit) and skip missing labels."""

from collections.abc import Sequence

import numpy as np

from kpdemo.keypoints import markups

RESAMPLES = 2000
FAILURE = 8.0  # percent of the eye distance, the usual threshold for 300-W


def eye_distance(keypoints: np.ndarray, markup: str) -> np.ndarray:
    """Inter-ocular distance (outer eye corners): `(..., K, 2)` -> `(...)`.

    KeyError if the markup lacks the corners.
    """
    scheme = markups.get(markup)
    left = scheme.place(keypoints, "left_eye_outer_corner")
    right = scheme.place(keypoints, "right_eye_outer_corner")
    return np.linalg.norm(left - right, axis=-1)


def face_unit(keypoints: np.ndarray, markup: str) -> float:
    """The `eye_distance` of one face `(K, 2)`; NaN where it is unknown or zero."""
    try:
        distance = float(eye_distance(keypoints, markup))
    except KeyError:  # a markup without eye corners, such as the single nose tip
        return np.nan
    return distance if distance > 0 else np.nan


def point_errors(predicted: np.ndarray, truth: np.ndarray, unit: np.ndarray) -> np.ndarray:
    """Distance of every point in percent of `unit`: `(F, K, 2)`, `(F, K, 2)`, `(F,)` -> `(F, K)`.

    NaN where the label is missing. A face that was not detected (predicted NaN) has infinite error.
    """
    distance = np.linalg.norm(predicted - truth, axis=-1)
    distance = np.where(np.isnan(predicted).any(-1), np.inf, distance)
    distance = np.where(np.isnan(truth).any(-1), np.nan, distance)
    return 100 * distance / np.asarray(unit)[:, None]


def face_errors(errors: np.ndarray) -> np.ndarray:
    """The mean of each face's point errors: `(F, K)` -> `(F,)`.

    Infinite for a face that was not detected, NaN for one without any label.
    """
    labelled = ~np.isnan(errors)
    total, count = np.where(labelled, errors, 0).sum(1), labelled.sum(1)
    return np.divide(total, count, out=np.full(len(errors), np.nan), where=count > 0)


def summary(errors: np.ndarray) -> dict[str, float]:
    """NME, failure rate and area under the error curve, in percent, of `(F, K)` point errors.

    NME is the mean over detected faces; a lost face counts as a failure. `lost` is the share of
    faces that were not detected. Faces without any label are left out.
    """
    faces = face_errors(errors)
    faces = faces[~np.isnan(faces)]
    detected = np.isfinite(faces)
    return {
        "faces": len(faces),
        "nme": float(faces[detected].mean()) if detected.any() else float("nan"),
        "fr8": float(100 * (faces > FAILURE).mean()),
        "auc8": float(100 * np.clip(1 - faces / FAILURE, 0, 1).mean()),
        "lost": float(100 * (1 - detected.mean())),
    }


def rmse(predicted: np.ndarray, truth: np.ndarray) -> float:
    """Root mean square error over labelled coordinates `(F, K, 2)`, as in Kaggle's competition.

    Like NME, it is over detected faces (those whose prediction is not NaN).
    """
    squares = np.square(predicted - truth)[np.isfinite(predicted - truth)]
    return float(np.sqrt(squares.mean())) if squares.size else float("nan")


def spread(predicted: np.ndarray, truth: np.ndarray) -> float:
    """The spread of predictions relative to the labels': `(F, K, 2)` twice, in crop coordinates.

    The mean over keypoints of the predictions' standard deviation over that of the labels: 1 for
    predictions as varied as the ground truth, 0 for a net that always predicts the same face. It
    does not tell whether they are right. NaN where no label varies.
    """
    unknown = ~np.isfinite(predicted - truth)
    predictions, labels = (
        np.ma.masked_array(points, unknown, dtype=np.float64).var(0).sum(-1)
        for points in (predicted, truth)
    )
    ratio = np.ma.sqrt(predictions / labels)
    return float(ratio.mean()) if ratio.count() else float("nan")


def interval(values: np.ndarray, groups: Sequence[str] | None = None) -> tuple[float, float] | None:
    """A 95 % bootstrap interval of the mean of the finite ones of `(F,)` values.

    Values of one group (faces of one person, say) are resampled together. Deterministic. None
    where there are fewer than two groups.
    """
    finite = np.isfinite(values)
    names = np.arange(len(values)) if groups is None else np.asarray(groups)
    _, rows = np.unique(names[finite], return_inverse=True)
    count = int(rows.max(initial=-1)) + 1
    if count < 2:
        return None
    totals, sizes = np.bincount(rows, values[finite], count), np.bincount(rows, minlength=count)
    samples = np.random.default_rng(0).integers(0, count, (RESAMPLES, count))
    means = totals[samples].sum(1) / sizes[samples].sum(1)
    low, high = np.percentile(means, (2.5, 97.5))
    return float(low), float(high)
