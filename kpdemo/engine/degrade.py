"""A degraded photo through the models: how far does each one's prediction drift?

Coordinates are those of the given pixels; predictions on the changed picture are mapped back to
them before they are compared.
"""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass, fields, replace

import numpy as np

from kpdemo.engine import export
from kpdemo.keypoints.metrics import face_unit
from kpdemo.media import corruptions
from kpdemo.media.images import MIN_SIDE, Photo
from kpdemo.structures import ComparedFace, Comparison, Prediction
from kpdemo.zoo import BASELINE

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
# Faces on the two pictures match within this many face widths.
_NEAR = 0.6


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


@dataclass(frozen=True, eq=False)
class Degraded:
    """A changed picture, and the models' predictions on it in its own coordinates.

    `matrix` `(2, 3)` maps points of the untouched picture to it. `faces` has for each untouched
    face the same one here, None where it was not detected; `more_faces` counts the others.
    """

    pixels: np.ndarray
    matrix: np.ndarray
    comparison: Comparison
    faces: list[ComparedFace | None]
    more_faces: int


@dataclass(frozen=True)
class Drift:
    """How far one model drifts: for each face that it had points on, the mean distance in percent
    of the eye distance, None where it has no points any more."""

    faces: tuple[float | None, ...]

    @property
    def lost(self) -> int:
        return self.faces.count(None)

    @property
    def mean(self) -> float | None:
        """The mean over the faces with points; None without any."""
        kept = [percent for percent in self.faces if percent is not None]
        return float(np.mean(kept)) if kept else None


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


def degrade(
    compare: Callable[[Photo], Comparison],
    pixels: np.ndarray,
    untouched: Comparison,
    degradation: Degradation,
) -> Degraded:
    """Change the picture and compare the models on it.

    `untouched` is the comparison on `pixels`; `compare` makes the one on the changed picture, and
    is not called where nothing changes.
    """
    if degradation.changes_nothing:
        return Degraded(pixels, np.eye(3)[:2], untouched, list(untouched.faces), 0)
    changed, matrix = apply(pixels, untouched.faces, degradation)
    comparison = compare(as_photo(changed))
    faces = _match(untouched.faces, comparison.faces, matrix)
    more = len(comparison.faces) - sum(face is not None for face in faces)
    return Degraded(changed, matrix, comparison, faces, more)


def select_models(comparison: Comparison, models: Collection[str]) -> Comparison:
    """The comparison with only these models."""
    faces = [
        replace(
            face,
            predictions={
                name: face.predictions[name] for name in models if name in face.predictions
            },
            missing={name: face.missing[name] for name in models if name in face.missing},
        )
        for face in comparison.faces
    ]
    return replace(comparison, faces=faces)


def as_photo(pixels: np.ndarray) -> Photo:
    """Pixels as an original photo, so that predictions are in their coordinates."""
    height, width = pixels.shape[:2]
    return Photo(pixels, width, height, 1.0)


def drifts(untouched: Comparison, degraded: Degraded) -> dict[str, Drift]:
    """How far each model drifts from its own predictions in the untouched comparison.

    MediaPipe's mesh is converted to iBUG's 68 points. Models without points on any face are left
    out.
    """
    rows: dict[str, list[float | None]] = {}
    for before, after in zip(untouched.faces, degraded.faces, strict=True):
        unit = _eye_distance(before)
        for name, prediction in before.predictions.items():
            now = after.predictions.get(name) if after else None
            percent = None
            if now is not None:
                back = corruptions.move_back(comparable_points(now), degraded.matrix)
                percent = 100 * _mean_distance(back, comparable_points(prediction)) / unit
            rows.setdefault(name, []).append(percent)
    return {name: Drift(tuple(faces)) for name, faces in rows.items()}


def comparable_points(prediction: Prediction) -> np.ndarray:
    """The points to compare: MediaPipe's converted to iBUG's, a net's own."""
    ibug = export.ibug_points(prediction)
    return prediction.keypoints if ibug is None else ibug


def _match(
    before: list[ComparedFace], after: list[ComparedFace], matrix: np.ndarray
) -> list[ComparedFace | None]:
    """For each face before, the nearest one after within `_NEAR`; one-to-one."""
    centers = [
        corruptions.move_back(np.array([face.detection.center]), matrix)[0] for face in after
    ]
    distances = sorted(
        (float(np.linalg.norm(center - face.detection.center)) / face.detection.width, b, a)
        for b, face in enumerate(before)
        for a, center in enumerate(centers)
    )
    matches: dict[int, int] = {}
    for distance, b, a in distances:
        if distance <= _NEAR and b not in matches and a not in matches.values():
            matches[b] = a
    return [after[matches[b]] if b in matches else None for b in range(len(before))]


def _eye_distance(face: ComparedFace) -> float:
    """The eye distance by MediaPipe, else by the first model that has the outer corners, else
    between the centres of the detector's eyes."""
    predictions = [face.predictions[BASELINE]] if BASELINE in face.predictions else []
    for prediction in [*predictions, *face.predictions.values()]:
        distance = face_unit(prediction.keypoints, prediction.markup)
        if distance > 0:
            return distance
    right, left = face.detection.keypoints[:2]
    return float(np.linalg.norm(right - left))


def _mean_distance(a: np.ndarray, b: np.ndarray) -> float:
    return float(np.linalg.norm(a - b, axis=1).mean())
