"""The webcam with the keypoints of all chosen models, drawn by the browser.

Gradio's own streaming writes every frame to its cache on the disk. Here a frame comes as text,
is processed in memory, and only the keypoints go back, for the browser to draw.
"""

import json
import threading
from collections import OrderedDict
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import gradio as gr
import numpy as np

from kpdemo import zoo
from kpdemo.engine.engine import Engine
from kpdemo.engine.stream import Stream, StreamFrame
from kpdemo.faces.mediapipe_task import BaselineUnavailable
from kpdemo.keypoints import agreement, markups
from kpdemo.media import images
from kpdemo.models.expressions import Expressions
from kpdemo.structures import LOW_CONFIDENCE, Prediction
from kpdemo.ui.shared import browser_engine, catalogue, component, image_data
from kpdemo.ui.shared.colors import css_color
from kpdemo.zoo import BASELINE

# Frames in progress or waiting. A page sends a frame when it has the result of the last; more
# frames than this are dropped, so that photos do not wait behind cameras.
_MAX_FRAMES = 3
_MAX_LETTERS = 1_000_000
_MAX_CAMERAS = 20  # whose faces are followed from frame to frame
# Seconds between two searches of a scene without a face: each takes as long as several frames.
_REST = 0.4


def build(engine: Engine, models: Sequence[str]) -> gr.HTML:
    """The component; its value is the list of the chosen models, as JSON.

    It triggers "freeze" with the `picture` that is to be compared, a JPEG as data URI.
    """
    turns = threading.BoundedSemaphore(_MAX_FRAMES)
    cameras = Cameras(engine)

    def look(frame: dict[str, Any]) -> dict[str, Any]:  # the page calls it by this name
        if not turns.acquire(blocking=False):
            return {"busy": True}
        try:
            return cameras.look(frame)
        except ValueError as error:
            return {"error": str(error)}
        finally:
            turns.release()

    return component.build(
        "camera",
        "live/live.html",
        "live/live.js",
        events=["freeze"],
        value=json.dumps(list(models)),
        server_functions=[look],
        baseline=BASELINE,
        systems={
            name: {"title": zoo.title(name), "color": css_color(name)} for name in engine.names
        },
        contours={name: scheme.contours for name, scheme in markups.MARKUPS.items()},
        local=browser_engine.settings(),
        catalogue=catalogue.value(models),
        gpu=engine.store.device.type != "cpu",
    )


@dataclass
class _Camera:
    """A running camera; a lock, since a page might send two frames at once."""

    stream: Stream
    lock: threading.Lock = field(default_factory=threading.Lock)


class Cameras:
    """The running cameras by name; the least recent ones are dropped."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._cameras: OrderedDict[str, _Camera] = OrderedDict()
        self._lock = threading.Lock()
        self._expressions: Expressions | None = None

    def look(self, frame: dict[str, Any]) -> dict[str, Any]:
        """The keypoints on a `picture`, a JPEG as data URI, in its pixels.

        `camera` names the camera's run that the frame belongs to, `seconds` is when it was taken,
        `models` are those to compare; `expression` is whether that is to be read too. ValueError
        for a picture or models that cannot be used.
        """
        photo = _photo(frame["picture"])
        camera = self._camera(str(frame["camera"]))
        with camera.lock:
            compared = camera.stream.compare(photo, frame["models"], float(frame["seconds"]))
        prediction = _prediction(compared)
        if frame.get("expression"):
            prediction["expression"] = self._expression(photo, compared)
        return prediction

    def _camera(self, name: str) -> _Camera:
        with self._lock:
            if name not in self._cameras:
                self._cameras[name] = _Camera(Stream(self._engine, _REST))
            self._cameras.move_to_end(name)
            if len(self._cameras) > _MAX_CAMERAS:
                self._cameras.popitem(last=False)
            return self._cameras[name]

    def _expression(self, photo: images.Photo, compared: StreamFrame) -> dict[str, float] | None:
        """The expression of the largest face; None without one."""
        if not compared.raw.faces:
            return None
        with self._lock:
            if self._expressions is None:
                try:
                    self._expressions = Expressions()
                except BaselineUnavailable as error:
                    raise ValueError(str(error)) from error
        expression = self._expressions.read(
            photo.pixels, compared.raw.faces[0].detection.mapped(photo.to_work)
        )
        if expression is None:
            return None
        return {name: round(value, 3) for name, value in expression._asdict().items()}


def _photo(picture: str) -> images.Photo:
    if len(picture) > _MAX_LETTERS:
        raise images.ImageError("A frame of the camera was too large; reload the page.")
    return image_data.photo(picture)


def _prediction(compared: StreamFrame) -> dict[str, Any]:
    comparison = compared.raw
    timings = comparison.timings
    return {
        "faces": [
            {
                "width": face.detection.width,
                "answers": {
                    name: _points(prediction, steady.predictions[name])
                    for name, prediction in face.predictions.items()
                },
            }
            for face, steady in zip(comparison.faces, compared.steady.faces, strict=True)
        ],
        "models": {
            name: {
                "milliseconds": timings[name],
                "alone": timings["load"] + timings["detect"] + timings[name],
                "jitter": compared.jitter.get(name),
                "apart": agreement.summary(
                    (face.predictions.get(name), face.predictions.get(BASELINE))
                    for face in comparison.faces
                ).percent,
            }
            for name in comparison.models
        },
        "unavailable": list(comparison.unavailable.values()),
    }


def _points(prediction: Prediction, steady: Prediction) -> dict[str, Any]:
    return {
        "markup": prediction.markup,
        "raw": np.round(prediction.keypoints, 2).tolist(),
        "steady": np.round(steady.keypoints, 2).tolist(),
        "unsure": []
        if prediction.confidence is None
        else np.flatnonzero(prediction.confidence < LOW_CONFIDENCE).tolist(),
    }
