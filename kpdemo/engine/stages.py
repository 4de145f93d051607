"""The stages from a photo to a result: look, predict, assemble.

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
from kpdemo.models.base import Failure, Predictor
from kpdemo.structures import NO_FACE_HERE, Answer, ComparedFace, Comparison, Face

log = logging.getLogger(__name__)


@dataclass(eq=False)
class Look:
    """A photo after the stage that needs its pixels; `photo` is for coordinates alone.

    `prepared` and, after prediction, `answers` and `devices` are by model; `timings` in
    milliseconds by stage.
    """

    photo: Photo
    faces: list[Face]
    faces_left_out: int
    timings: dict[str, float]
    prepared: dict[str, Any] = field(default_factory=dict)
    answers: dict[str, list[Answer | None]] = field(default_factory=dict)
    failures: list[Failure] = field(default_factory=list)
    devices: dict[str, str] = field(default_factory=dict)


def look(
    photo: Photo, find: Callable[[np.ndarray], list[Face]], predictors: Mapping[str, Predictor]
) -> Look:
    """Detect the faces of a photo, `MAX_FACES` at most, and let each predictor prepare them."""
    started = time.perf_counter()
    faces = find(photo.pixels)
    timings = {"detect": _since(started)}
    kept = faces[:MAX_FACES]
    result = Look(photo.without_pixels(), kept, len(faces) - len(kept), timings)
    for name, predictor in predictors.items() if kept else ():
        started = time.perf_counter()
        try:
            result.prepared[name] = predictor.prepare(photo, kept)
        except Exception as error:
            log.exception("%s failed", name)
            result.failures.append(Failure.on_photo(name, error))
        timings[name] = _since(started)
    return result


def predict(predictor: Predictor, looks: Sequence[Look]) -> None:
    """Let one model predict on the faces of several photos, in one batch.

    Each photo's share of the time goes to its `timings`; where the model fails, to its `failures`.
    """
    name = predictor.name
    looks = [look for look in looks if name in look.prepared]
    if not looks:
        return
    started = time.perf_counter()
    try:
        answers = predictor.predict([look.prepared[name] for look in looks])
    except Exception as error:
        if len(looks) > 1:
            # One photo's fault must not be another's.
            for look in looks:
                predict(predictor, [look])
            return
        log.exception("%s failed", name)
        looks[0].failures.append(Failure.on_photo(name, error))
        return
    each = _since(started) / sum(len(look.faces) for look in looks)
    for look, answer in zip(looks, answers, strict=True):
        look.answers[name] = answer
        look.devices[name] = predictor.device
        look.timings[name] += each * len(look.faces)


def assemble(look: Look, models: Sequence[str], unavailable: Mapping[str, str]) -> Comparison:
    """The result for a photo, its models in that order; `unavailable` are those left out before."""
    faces = []
    for index, face in enumerate(face.mapped(look.photo.to_original) for face in look.faces):
        by_model = {name: look.answers[name][index] for name in models if name in look.answers}
        faces.append(
            ComparedFace(
                face,
                {name: answer for name, answer in by_model.items() if answer is not None},
                {name: NO_FACE_HERE for name, answer in by_model.items() if answer is None},
            )
        )
    failed = {failure.model: failure.message for failure in look.failures}
    return Comparison(
        look.photo.width,
        look.photo.height,
        faces,
        look.timings,
        {**unavailable, **failed},
        look.faces_left_out,
        {name: look.devices[name] for name in models if name in look.devices},
    )


def _since(started: float) -> float:
    return 1000 * (time.perf_counter() - started)
