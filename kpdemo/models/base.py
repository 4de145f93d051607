"""One interface for everything that finds keypoints: our nets and MediaPipe's landmarker."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from kpdemo.media.images import Photo
from kpdemo.structures import Answer, Face


class Predictor(Protocol):
    """Finds the keypoints of faces, in two steps so that many photos can share a batch.

    `name` is the model's, `markup` says which keypoints it finds, in which order.
    """

    name: str
    markup: str

    def prepare(self, photo: Photo, faces: Sequence[Face]) -> Any:
        """All that needs the photo's pixels; what comes back holds none of them, and is picklable.

        `faces` are in pixels of `photo.pixels`, at least one.
        """

    def predict(self, prepared: Sequence[Any]) -> list[list[Answer | None]]:
        """For each prepared photo an answer a face, None where there is no face for the model."""


@dataclass(frozen=True)
class Failure:
    """A model that could not predict, and why in one sentence."""

    model: str
    message: str

    @classmethod
    def on_photo(cls, model: str, error: Exception) -> "Failure":
        """An unforeseen error of a model: it must not take the others down."""
        return cls(model, f"{model} failed on this photo: {error}")
