"""The frames of one camera or video: faces tracked, people told apart, keypoints steadied."""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from typing import NamedTuple

import numpy as np

from kpdemo.engine.engine import Engine
from kpdemo.faces.people import PersonTracker
from kpdemo.keypoints import steady
from kpdemo.keypoints.steady import FaceFilter
from kpdemo.media.images import Photo
from kpdemo.structures import Comparison, Face, Prediction

# A camera before a crowd would have more people from hour to hour, and compare each face with all.
_MOST_PEOPLE = 200


class Jitter(NamedTuple):
    """Mean movement within the face since the last frame, in percent of the eye distance."""

    raw: float
    steady: float


@dataclass(frozen=True, eq=False)
class StreamFrame:
    """A frame's comparison as the models gave it, and with steadied keypoints.

    `people` has the number of each face's person, `jitter` that of each model, on average over the
    faces; a model lacks it where none of its faces was there in the last frame.
    """

    raw: Comparison
    steady: Comparison
    people: list[int]
    jitter: dict[str, Jitter]


class Stream:
    """Compares models on frame after frame; for one thread at a time."""

    def __init__(self, engine: Engine, rest: float = 0.0) -> None:
        """Once a frame has no face, none is searched for during `rest` seconds."""
        self._engine, self._rest = engine, rest
        self._tracker = engine.tracker()
        self._next_search = -np.inf
        self._shape: tuple[int, ...] = ()
        self._people = PersonTracker()
        self._tracks: dict[tuple[int, str], _Track] = {}

    @property
    def people(self) -> int:
        """How many people have appeared so far."""
        return self._people.count

    def compare(self, photo: Photo, models: Iterable[str], seconds: float) -> StreamFrame:
        """Compare models on the next frame, which is of that time; see `Engine.compare`."""

        def find(pixels: np.ndarray) -> list[Face]:
            if seconds < self._next_search:
                return []
            faces = self._tracker.find(pixels)
            if not faces:
                self._next_search = seconds + self._rest
            return faces

        shape = photo.pixels.shape
        if shape != self._shape or self.people > _MOST_PEOPLE:
            self._shape, self._people, self._tracks = shape, PersonTracker(), {}
        raw = self._engine.compare(photo, models, use_zerogpu=False, find=find)
        detections = [face.detection.mapped(photo.to_work) for face in raw.faces]
        people = self._people.identify(photo.pixels, detections)
        steadied = self._steady(raw, people, seconds)
        return StreamFrame(raw, steadied, people, self._jitter())

    def _steady(self, raw: Comparison, people: list[int], seconds: float) -> Comparison:
        """The comparison with steadied keypoints; those of faces that were lost start anew."""
        before, self._tracks = self._tracks, {}
        faces = []
        for face, person in zip(raw.faces, people, strict=True):
            predictions = {}
            for model, prediction in face.predictions.items():
                track = before.get((person, model)) or _Track()
                self._tracks[person, model] = track
                predictions[model] = track.follow(prediction, face.detection.width, seconds)
            faces.append(replace(face, predictions=predictions))
        return replace(raw, faces=faces)

    def _jitter(self) -> dict[str, Jitter]:
        by_model: dict[str, list[Jitter]] = {}
        for (_, model), track in self._tracks.items():
            if track.jitter is not None:
                by_model.setdefault(model, []).append(track.jitter)
        return {
            model: Jitter(*np.mean(values, axis=0).tolist()) for model, values in by_model.items()
        }


class _Track:
    """One model's keypoints of one person, from frame to frame without a gap."""

    def __init__(self) -> None:
        self._filters: dict[str, FaceFilter] = {}
        self._last: tuple[np.ndarray, np.ndarray] | None = None
        self.jitter: Jitter | None = None

    def follow(self, prediction: Prediction, width: float, seconds: float) -> Prediction:
        """The prediction with steadied keypoints; `jitter` is then that since the last frame."""

        def filtered(name: str, points: np.ndarray) -> np.ndarray:
            return self._filters.setdefault(name, FaceFilter())(points, width, seconds)

        points = filtered("", prediction.keypoints)
        converted = {name: filtered(name, p) for name, p in prediction.converted.items()}
        self.jitter = None
        if self._last is not None:
            raw, steadied = (
                steady.jitter(before, after, prediction.markup)
                for before, after in zip(self._last, (prediction.keypoints, points), strict=True)
            )
            if raw is not None and steadied is not None:
                self.jitter = Jitter(raw, steadied)
        self._last = prediction.keypoints, points
        return replace(prediction, keypoints=points, converted=converted)
