"""The result types: one definition serves Python, JSON, CSV, HTTP and MCP.

Coordinates are those of the upright photo in pixels: x right, y down, origin at the centre of the
upper left pixel.
"""

from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

import numpy as np

from kpdemo.zoo import BASELINE

Box = tuple[float, float, float, float]

# A point is doubtful with a larger expected error, in percent of the eye distance, or with a lower
# confidence where a model has no expected error.
LARGE_ERROR = 8.0
LOW_CONFIDENCE = 0.5


@dataclass(frozen=True, eq=False)
class Face:
    """A face in photo coordinates (pixels, centres on integers).

    `box` is x0, y0, x1, y1, a square from the brows to the chin. `keypoints` is float32 `(6, 2)`:
    right eye, left eye, nose tip, mouth centre, right ear, left ear. `roll` is in degrees,
    positive when the head is turned clockwise on the screen.
    """

    box: Box
    score: float
    keypoints: np.ndarray
    roll: float

    @property
    def width(self) -> float:
        """Of the box, in pixels."""
        return self.box[2] - self.box[0]

    def mapped(self, transform: Callable[[np.ndarray], np.ndarray]) -> "Face":
        """The same face in other coordinates: `transform` takes points `(N, 2)` there."""
        x0, y0, x1, y1 = transform(np.reshape(self.box, (2, 2))).ravel().tolist()
        return replace(self, box=(x0, y0, x1, y1), keypoints=transform(self.keypoints))

    @property
    def center(self) -> tuple[float, float]:
        """Of the box, in pixels: x, y."""
        return (self.box[0] + self.box[2]) / 2, (self.box[1] + self.box[3]) / 2


# Why a model that works has no points on a face.
NO_FACE_HERE = "no face here"
NO_FACE = (
    "No face found. Try a photo in which a face is larger, well lit, and looks towards the camera."
)


@dataclass(frozen=True)
class Prediction:
    """Where one model puts the keypoints of one face.

    `keypoints` is `(K, 2)` in photo coordinates, `confidence` `(K,)` from 0 to 1 or None.
    `milliseconds` is this face's share of the batch, and `crop_milliseconds` its share of making
    the crops, None where the model makes its own within the former. `converted` holds MediaPipe's
    points converted to iBUG's and Kaggle's, by their name in `to_dict()`. `expected_error` `(K,)`
    is in percent of the distance between the outer eye corners, None where the model has none.
    """

    markup: str
    keypoints: np.ndarray
    confidence: np.ndarray | None
    milliseconds: float
    converted: dict[str, np.ndarray] = field(default_factory=dict)
    crop_milliseconds: float | None = None
    expected_error: np.ndarray | None = None

    @property
    def doubtful(self) -> np.ndarray:
        """`(K,)` bool: the points that the model itself expects to be far off."""
        if self.expected_error is not None:
            return self.expected_error > LARGE_ERROR
        if self.confidence is not None:
            return self.confidence < LOW_CONFIDENCE
        return np.zeros(len(self.keypoints), bool)

    def to_dict(self) -> dict[str, Any]:
        """Ready for JSON; points in pixels of the photo, with three decimals."""
        data: dict[str, Any] = {"markup": self.markup, "keypoints": _plain(self.keypoints, 3)}
        if self.confidence is not None:
            data["confidence"] = _plain(self.confidence, 3)
        if self.expected_error is not None:
            data["expected_error"] = _plain(self.expected_error, 3)
        data["milliseconds"] = round(self.milliseconds, 2)
        return data | {name: _plain(points, 3) for name, points in self.converted.items()}


@dataclass(frozen=True)
class ComparedFace:
    """A detected face and every model's prediction on it, by name.

    `detection` is in photo coordinates. `missing` has, for each model that works but has no points
    on this face, the reason.
    """

    detection: Face
    predictions: dict[str, Prediction]
    missing: dict[str, str] = field(default_factory=dict)

    @property
    def box(self) -> Box:
        """x0, y0, x1, y1 in pixels of the photo."""
        return self.detection.box

    @property
    def score(self) -> float:
        """The face detector's, from 0 to 1."""
        return self.detection.score

    @property
    def roll(self) -> float:
        """How far the head is turned, in degrees, clockwise on the screen."""
        return self.detection.roll

    @property
    def confirmed(self) -> bool | None:
        """Whether the baseline sees a face here too; None where it did not run."""
        if BASELINE in self.predictions:
            return True
        return False if BASELINE in self.missing else None

    def to_dict(self) -> dict[str, Any]:
        """Ready for JSON, every model's points among it."""
        return {
            "box": _plain(np.array(self.box), 2),
            "score": round(self.score, 4),
            "roll": round(self.roll, 2),
            "models": {name: prediction.to_dict() for name, prediction in self.predictions.items()},
            "missing": dict(self.missing),
            "confirmed": self.confirmed,
        }


@dataclass(frozen=True)
class Comparison:
    """All faces of a photo, biggest first; milliseconds by stage; why models are unavailable.

    `devices` says what each model ran on: "cpu", "cuda", "mps" or "zerogpu". Only the `MAX_FACES`
    largest faces are compared; `faces_left_out` counts the others.
    """

    width: int
    height: int
    faces: list[ComparedFace]
    timings: dict[str, float]
    unavailable: dict[str, str]
    faces_left_out: int = 0
    devices: dict[str, str] = field(default_factory=dict)

    @property
    def models(self) -> list[str]:
        """The models that ran, with points or without."""
        missing = [name for face in self.faces for name in face.missing]
        return list(
            dict.fromkeys([*(n for face in self.faces for n in face.predictions), *missing])
        )

    @property
    def notices(self) -> list[str]:
        """Sentences on the photo for whoever reads the result."""
        if not self.faces:
            return [NO_FACE]
        notices, count = [], len(self.faces)
        if self.faces_left_out:
            notices.append(
                f"{count + self.faces_left_out} faces were found; only the {count} largest are "
                "compared."
            )
        doubtful = [face for face in self.faces if face.confirmed is False and face.predictions]
        if scores := [face.score for face in doubtful]:
            limits = dict.fromkeys(f"{100 * score:.0f}" for score in (min(scores), max(scores)))
            detector = f"{' to '.join(limits)} %"
            subject = "this face" if count == 1 else f"{len(scores)} of the {count} faces"
            notices.append(
                f"MediaPipe does not confirm {subject} (detector {detector}); "
                f"{'the' if count == 1 else 'their'} points may mean nothing."
            )
        return notices

    def landmark_milliseconds(self, model: str) -> float | None:
        """A face's share of a model's time, from its box to its points; None where it did not run.

        MediaPipe's has its own detection of the face in it.
        """
        if model not in self.devices or not self.faces:
            return None
        return self.timings[model] / len(self.faces)

    def to_dict(self) -> dict[str, Any]:
        """Plain data in photo pixels: what every export and API uses."""
        return {
            "photo": {"width": self.width, "height": self.height},
            "faces": [face.to_dict() for face in self.faces],
            "timings": {name: round(value, 2) for name, value in self.timings.items()},
            "unavailable": dict(self.unavailable),
            "faces_left_out": self.faces_left_out,
            "devices": dict(self.devices),
            "notices": self.notices,
        }


def _plain(values: np.ndarray, digits: int) -> list:
    return np.round(values.astype(float), digits).tolist()
