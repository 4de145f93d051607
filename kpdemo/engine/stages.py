"""The stages from a photo to a result: prepare, predict, assemble.

The same ones serve a single photo, a folder, a video, the page, ZeroGPU and evaluation; they run
one after another (`engine`), or with threads and batches (`batch`).
"""

import logging
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from kpdemo.faces.settings import MAX_FACES
from kpdemo.media.images import Photo
from kpdemo.models.predictor import Failure, Predictor
from kpdemo.structures import NO_FACE_HERE, ComparedFace, Comparison, Face, Prediction

log = logging.getLogger(__name__)


@dataclass(eq=False)
class PreparedPhoto:
    """A photo after the stage that needs its pixels; `photo` has none, and maps coordinates.

    By model: `inputs` from `Predictor.prepare` and, after prediction, `predictions` and `devices`.
    `faces` are in pixels of `photo`; `timings` in milliseconds by stage.
    """

    photo: Photo
    faces: list[Face]
    faces_left_out: int
    timings: dict[str, float]
    inputs: dict[str, Any] = field(default_factory=dict)
    predictions: dict[str, list[Prediction | None]] = field(default_factory=dict)
    failures: list[Failure] = field(default_factory=list)
    devices: dict[str, str] = field(default_factory=dict)


def prepare(
    photo: Photo, find: Callable[[np.ndarray], list[Face]], predictors: Mapping[str, Predictor]
) -> PreparedPhoto:
    """Detect the faces of a photo, `MAX_FACES` at most, and let each predictor prepare them."""
    started = time.perf_counter()
    faces = find(photo.pixels)
    timings = {"detect": _since(started)}
    kept = faces[:MAX_FACES]
    result = PreparedPhoto(photo.without_pixels(), kept, len(faces) - len(kept), timings)
    for name, predictor in predictors.items() if kept else ():
        started = time.perf_counter()
        try:
            result.inputs[name] = predictor.prepare(photo, kept)
        except Exception as error:
            log.exception("%s failed", name)
            result.failures.append(Failure.on_photo(name, error))
        timings[name] = _since(started)
    return result


def predict(predictor: Predictor, photos: Sequence[PreparedPhoto]) -> None:
    """Add one model's predictions on the faces of several photos, computed in one batch.

    Each photo's share of the time goes to its `timings`, an error to its `failures`.
    """
    name = predictor.name
    photos = [prepared for prepared in photos if name in prepared.inputs]
    if not photos:
        return
    started = time.perf_counter()
    try:
        predictions = predictor.predict([prepared.inputs[name] for prepared in photos])
    except Exception as error:
        if len(photos) > 1:
            # One photo's failure must not affect the others.
            for prepared in photos:
                predict(predictor, [prepared])
            return
        log.exception("%s failed", name)
        photos[0].failures.append(Failure.on_photo(name, error))
        return
    each = _since(started) / sum(len(prepared.faces) for prepared in photos)
    for prepared, prediction in zip(photos, predictions, strict=True):
        prepared.predictions[name] = prediction
        prepared.devices[name] = predictor.device
        prepared.timings[name] += each * len(prepared.faces)


def assemble(
    prepared: PreparedPhoto, models: Sequence[str], unavailable: Mapping[str, str]
) -> Comparison:
    """The result for a photo, its models in that order; `unavailable` are those left out before."""
    faces = []
    for index, face in enumerate(
        face.mapped(prepared.photo.to_original) for face in prepared.faces
    ):
        by_model = {
            name: prepared.predictions[name][index]
            for name in models
            if name in prepared.predictions
        }
        faces.append(
            ComparedFace(
                face,
                {
                    name: prediction
                    for name, prediction in by_model.items()
                    if prediction is not None
                },
                {name: NO_FACE_HERE for name, prediction in by_model.items() if prediction is None},
            )
        )
    failed = {failure.model: failure.message for failure in prepared.failures}
    return Comparison(
        prepared.photo.width,
        prepared.photo.height,
        faces,
        prepared.timings,
        {**unavailable, **failed},
        prepared.faces_left_out,
        {name: prepared.devices[name] for name in models if name in prepared.devices},
    )


def _since(started: float) -> float:
    return 1000 * (time.perf_counter() - started)
