"""The webcam with a model and MediaPipe side by side, drawn by the browser.

Gradio's own streaming writes every frame to its cache on the disk. Here a frame comes as text,
is processed in memory, and only the keypoints go back, for the browser to draw.
"""

import threading
from base64 import b64decode
from collections import OrderedDict
from collections.abc import Callable
from typing import Any

import gradio as gr
import numpy as np

from kpdemo import zoo
from kpdemo.engine.engine import Engine
from kpdemo.faces.base import Detector
from kpdemo.keypoints import agreement, markup
from kpdemo.media import draw, images
from kpdemo.structures import Comparison, Face
from kpdemo.ui.shared import component
from kpdemo.ui.shared.colors import css_color
from kpdemo.zoo import BASELINE

# Frames in progress or waiting. A page sends a frame when it has the result of the last; more
# frames than this are dropped, so that photos do not wait behind cameras.
_MAX_FRAMES = 3
_MAX_LETTERS = 1_000_000
_MAX_CAMERAS = 20  # whose faces are tracked from frame to frame


def build(engine: Engine, model: str) -> gr.HTML:
    """The component; its value is the name of the model beside MediaPipe."""
    turns = threading.BoundedSemaphore(_MAX_FRAMES)
    trackers = _Trackers(engine)

    def look(frame: dict[str, str]) -> dict[str, Any]:  # the page calls it by this name
        """The keypoints of `model` and MediaPipe on a `picture`, a JPEG as data URI, in its pixels.

        `camera` names the camera's run that the frame belongs to.
        """
        if not turns.acquire(blocking=False):
            return {"busy": True}
        try:
            comparison = engine.compare(
                _photo(frame["picture"]),
                [frame["model"], BASELINE],
                borrow=False,
                find=trackers.find(frame["camera"]),
            )
            return _answer(comparison, frame["model"])
        except ValueError as error:
            return {"error": str(error)}
        finally:
            turns.release()

    return component.build(
        "camera",
        "live/live.html",
        "live/live.js",
        value=model,
        server_functions=[look],
        baseline=BASELINE,
        systems={
            name: {
                "title": zoo.title(name),
                "color": css_color(name),
            }
            for name in (*engine.names, BASELINE)
        },
        contours={name: scheme.contours for name, scheme in markup.MARKUPS.items()},
    )


class _Trackers:
    """A face tracker for each running camera, by its name; the least recent ones are dropped."""

    def __init__(self, engine: Engine) -> None:
        self._engine = engine
        self._trackers: OrderedDict[str, Detector] = OrderedDict()
        self._lock = threading.Lock()

    def find(self, camera: str) -> Callable[[np.ndarray], list[Face]]:
        """A function that finds the faces in the camera's next frame."""
        with self._lock:
            if camera not in self._trackers:
                self._trackers[camera] = self._engine.tracker()
            self._trackers.move_to_end(camera)
            if len(self._trackers) > _MAX_CAMERAS:
                self._trackers.popitem(last=False)
            return self._trackers[camera].find


def _photo(picture: str) -> images.Photo:
    if len(picture) > _MAX_LETTERS:
        raise images.ImageError("A frame of the camera was too large; reload the page.")
    return images.load(b64decode(picture.partition(",")[2]))


def _answer(comparison: Comparison, model: str) -> dict[str, Any]:
    pairs = ((face.answers.get(model), face.answers.get(BASELINE)) for face in comparison.faces)
    return {
        "faces": [
            {
                "width": face.box[2] - face.box[0],
                "answers": {
                    name: {
                        "markup": answer.markup,
                        "points": np.round(answer.keypoints, 1).tolist(),
                        "unsure": []
                        if answer.confidence is None
                        else np.flatnonzero(answer.confidence < draw.LOW_CONFIDENCE).tolist(),
                        "milliseconds": answer.milliseconds,
                    }
                    for name, answer in face.answers.items()
                },
            }
            for face in comparison.faces
        ],
        "apart": agreement.summary(pairs).percent,
        "unavailable": list(comparison.unavailable.values()),
    }
