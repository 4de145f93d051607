"""Distances between a model's keypoints and a reference's, landmark by landmark.

The reference is the baseline's prediction, or ground truth (`kpdemo.keypoints.annotations`). A
distance to the baseline is no error: MediaPipe is a model too. It defines some landmarks (the jaw
above all) differently from the markups that the nets learned, so its fitted points count where it
has them (`kpdemo.models.mesh_to_ibug`).
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from kpdemo.keypoints import markups
from kpdemo.keypoints.metrics import face_unit
from kpdemo.structures import ComparedFace, Prediction
from kpdemo.zoo import BASELINE


@dataclass(frozen=True, eq=False)
class Distances:
    """The N landmarks of one face that a prediction and a reference share.

    `ours` and `theirs` are `(N, 2)` photo coordinates, NaN where unknown. `at` are their indices in
    `markup`, which is not the prediction's own where that was converted.
    `unit` is the reference's distance between the outer eye corners in pixels, NaN if unknown.
    """

    markup: str
    at: np.ndarray
    ours: np.ndarray
    theirs: np.ndarray
    unit: float

    @property
    def pixels(self) -> np.ndarray:
        """The distances in pixels of the photo: `(N,)`."""
        return np.linalg.norm(self.ours - self.theirs, axis=1)

    @property
    def percent(self) -> np.ndarray:
        """The distances in percent of the unit: `(N,)`."""
        return 100 * self.pixels / self.unit


@dataclass(frozen=True)
class Summary:
    """Mean distances over faces: in percent, in pixels, and in percent by group of points.

    None, and a group is missing, where nothing could be measured.
    """

    percent: float | None
    pixels: float | None
    groups: dict[str, float]


def baselines(faces: Iterable[ComparedFace]) -> list[Prediction | None]:
    """The baseline's prediction on each face, None where it has none."""
    return [face.predictions.get(BASELINE) for face in faces]


def distances(prediction: Prediction, reference: Prediction) -> Distances:
    """The landmarks that a prediction and a reference share, one for each point of the markup.

    Where one of the two is converted to the markup of the other, the converted points are compared,
    preferably those fitted to that markup's own definition.
    """
    ours, theirs = readings(prediction), readings(reference)
    unit = face_unit(reference.keypoints, reference.markup)
    for name in (reference.markup, prediction.markup):
        if name in ours and name in theirs:
            at = np.arange(len(markups.get(name)))
            return Distances(name, at, ours[name], theirs[name], unit)
    own, other = markups.get(prediction.markup), markups.get(reference.markup)
    places = [
        (at[0], place) for place, at, _ in markups.shared(own.name, other.name) if len(at) == 1
    ]
    at = np.array([k for k, _ in places], int)
    points = [other.place(reference.keypoints, place) for _, place in places]
    return Distances(own.name, at, prediction.keypoints[at], np.reshape(points, (-1, 2)), unit)


def summary(pairs: Iterable[tuple[Prediction | None, Prediction | None]]) -> Summary:
    """The mean over faces of the `Distances` of each pair of prediction and reference.

    Every face counts the same. Faces that lack one of the two, or share no landmark, are left out.
    """
    percent: list[float] = []
    pixels: list[float] = []
    groups: dict[str, list[float]] = {}
    for prediction, reference in pairs:
        if prediction is None or reference is None:
            continue
        gaps = distances(prediction, reference)
        pixels.append(_mean(gaps.pixels))
        percent.append(_mean(gaps.percent))
        for group, points in markups.get(gaps.markup).groups.items():
            groups.setdefault(group, []).append(_mean(gaps.percent[np.isin(gaps.at, points)]))
    means = {group: _mean(np.array(values)) for group, values in groups.items()}
    return Summary(
        _or_none(_mean(np.array(percent))),
        _or_none(_mean(np.array(pixels))),
        {group: value for group, value in means.items() if np.isfinite(value)},
    )


def readings(prediction: Prediction) -> dict[str, np.ndarray]:
    """A prediction's points by markup: its own, and those it is converted to."""
    by_markup = dict(prediction.converted)
    for name, points in prediction.converted.items():
        if name.endswith("-fitted"):
            by_markup[name.removesuffix("-fitted")] = by_markup.pop(name, points)
    return by_markup | {prediction.markup: prediction.keypoints}


def _mean(values: np.ndarray) -> float:
    finite = values[np.isfinite(values)]
    return float(finite.mean()) if len(finite) else np.nan


def _or_none(value: float) -> float | None:
    return value if np.isfinite(value) else None
