"""How far a model's answer is from the baseline's, point by point.

Agreement is no error: MediaPipe is a model too, and defines some places (the jaw above all)
differently from the markups that the nets learned.
"""

from collections.abc import Iterable

import numpy as np

from kpdemo import markup
from kpdemo.compare import BASELINE, Answer, ComparedFace
from kpdemo.metrics import eye_distance


def distances(answer: Answer, baseline: Answer) -> np.ndarray:
    """Distance of each point of `answer` to the same place of the baseline: float64 `(K,)`.

    In percent of the baseline's distance between the outer eye corners. NaN for points that the
    baseline does not name, or that either of the two leaves unknown.
    """
    theirs, points = _baseline_points(answer.markup, baseline)
    unit = float(eye_distance(baseline.keypoints, baseline.markup))
    found = np.full(len(answer.keypoints), np.nan)
    if not unit > 0:
        return found
    other = markup.get(theirs)
    for place, at, _ in markup.shared(answer.markup, theirs):
        if len(at) == 1:
            gap = answer.keypoints[at[0]] - other.place(points, place)
            found[at[0]] = 100 * np.hypot(*gap) / unit
    return found


def on_face(face: ComparedFace, model: str) -> float | None:
    """A model's mean distance to the baseline on one face, in percent of the eye distance.

    None where one of the two has no answer, or they share no place; also for the baseline itself.
    """
    answer, baseline = face.answers.get(model), face.answers.get(BASELINE)
    if answer is None or baseline is None or model == BASELINE:
        return None
    found = distances(answer, baseline)
    known = found[np.isfinite(found)]
    return float(known.mean()) if len(known) else None


def overall(faces: Iterable[ComparedFace], model: str) -> float | None:
    """The mean of `on_face` over the faces that have one; None if none has."""
    values = [value for face in faces if (value := on_face(face, model)) is not None]
    return float(np.mean(values)) if values else None


def _baseline_points(wanted: str, baseline: Answer) -> tuple[str, np.ndarray]:
    """The markup and points of the baseline to hold against an answer in markup `wanted`.

    Its points converted to that markup are better than places read off the mesh, and those with
    offsets fitted to the markup's own definition better than a plain choice of mesh points.
    """
    for name in (f"{wanted}-fitted", wanted):
        if name in baseline.converted:
            return wanted, baseline.converted[name]
    return baseline.markup, baseline.keypoints
