"""One interface for everything that predicts keypoints: our nets and MediaPipe's landmarker."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from kpdemo.media.images import Photo
from kpdemo.structures import Face, Prediction


class Predictor(Protocol):
    """Predicts the keypoints of faces, in two steps so that many photos can share a batch.

    `name` is the model's, `markup` that of its keypoints, `device` the kind of device that it runs
    on, as PyTorch calls it.
    """

    name: str
    markup: str

    @property
    def device(self) -> str:
        """ "cpu", "cuda" or "mps"."""

    def prepare(self, photo: Photo, faces: Sequence[Face]) -> Any:
        """The work that needs the whole photo; the result is picklable and does not hold the photo.

        `faces` are in pixels of `photo.pixels`, at least one.
        """

    def predict(self, prepared: Sequence[Any]) -> list[list[Prediction | None]]:
        """For each prepared photo a prediction a face, None where the model finds no face there."""


@dataclass(frozen=True)
class Failure:
    """A model that could not predict, and why in one sentence."""

    model: str
    message: str

    @classmethod
    def on_photo(cls, model: str, error: Exception) -> "Failure":
        """The failure for an unexpected error, which must not take the other models down."""
        return cls(model, f"{model} failed on this photo: {error}")
