"""The webcam with a model and MediaPipe side by side, drawn by the browser.

Gradio's own streaming writes every frame to its cache on the disk. Here a frame comes as text,
is looked at in memory, and only the keypoints go back; `assets/live.js` draws them.
"""

import threading
from base64 import b64decode
from typing import Any

import gradio as gr
import numpy as np

from kpdemo import agreement, draw, images, markup
from kpdemo.compare import BASELINE, Comparison, Engine
from kpdemo.ui import component, names
from kpdemo.ui.paint import css_color

# Visitors whose frame is looked at or waits for that. A page sends a frame when it has the answer
# to the last; what comes beyond this many is dropped, so that photos do not wait behind cameras.
_VISITORS = 3
_MAX_LETTERS = 1_000_000


def build(engine: Engine, model: str) -> gr.HTML:
    """The component; its value is the name of the model that stands beside MediaPipe."""
    turns = threading.BoundedSemaphore(_VISITORS)

    def look(frame: dict[str, str]) -> dict[str, Any]:
        """The keypoints on a `picture`, a JPEG as data URI, in its pixels, by `model`."""
        if not turns.acquire(blocking=False):
            return {"busy": True}
        try:
            return _answer(
                engine.compare(_photo(frame["picture"]), [frame["model"], BASELINE], borrow=False),
                frame["model"],
            )
        except ValueError as error:
            return {"error": str(error)}
        finally:
            turns.release()

    return component.build(
        "camera",
        "live.html",
        "live.js",
        value=model,
        server_functions=[look],
        baseline=BASELINE,
        systems={
            name: {
                "title": names.model(name),
                "color": css_color(name),
            }
            for name in (*engine.names, BASELINE)
        },
        contours={name: known.contours for name, known in markup.MARKUPS.items()},
    )


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
