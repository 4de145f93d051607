"""The panels: a photo and every model's points on it, drawn by the browser from one value.

The server only says where the points are. Switching points, contours, numbers and boxes on and
off, looking closer and following a point from panel to panel happens in `assets/panels.js`.
"""

from base64 import b64encode
from pathlib import Path
from typing import Any

import cv2
import gradio as gr
import numpy as np

from kpdemo import agreement, draw, export, markup
from kpdemo.compare import BASELINE, ComparedFace, Comparison
from kpdemo.images import Photo
from kpdemo.ui import names

ASSETS = Path(__file__).parent / "assets"
# The whole photo is sent this large, and each face once more where that would make it coarse.
PHOTO_SIDE = 900
FACE_SIDE = 420
# A view of one face is this many boxes wide; the box goes from the brows to the chin.
_VIEW = 2.0
# With one face narrower than this share of the photo, the page starts close to it.
_SMALL = 0.45
_JPEG = 88


def build() -> gr.HTML:
    """The component; its value is `value(…)` as JSON, or None for the empty state.

    It triggers "download" with `kind` "json", "csv" or "png" for a visitor who wants a file.
    """
    return gr.HTML(
        value=None,
        html_template=(ASSETS / "panels.html").read_text(encoding="utf-8"),
        js_on_load=(ASSETS / "panels.js").read_text(encoding="utf-8"),
        apply_default_css=False,
        elem_id="panels",
    )


def value(photo: Photo, comparison: Comparison) -> str:
    """The panels of a comparison as JSON, in photo coordinates; None where nothing is known."""
    models = dict.fromkeys(name for face in comparison.faces for name in face.answers)
    return export.to_json(
        {
            "width": comparison.width,
            "height": comparison.height,
            "src": _picture(photo.pixels, PHOTO_SIDE),
            "start": _starts_close(comparison),
            "low": draw.LOW_CONFIDENCE,
            "faces": [_face(photo, face) for face in comparison.faces],
            "panels": [_panel(name, comparison.faces) for name in models],
        }
    )


def _starts_close(comparison: Comparison) -> bool:
    if len(comparison.faces) != 1:
        return False
    x0, _, x1, _ = comparison.faces[0].box
    return x1 - x0 < _SMALL * comparison.width


def _face(photo: Photo, face: ComparedFace) -> dict[str, Any]:
    """A face's box, its view (x, y, width, height) and, where it pays, a closer picture of that."""
    x0, y0, x1, y1 = face.box
    # Whole pixels, in the photo: the closer picture is then exactly the view.
    side = round(min(_VIEW * max(x1 - x0, y1 - y0), photo.width, photo.height))
    left = round(np.clip((x0 + x1 - side) / 2, 0, photo.width - side))
    # The forehead is outside the box, so its middle is below that of the head.
    top = round(np.clip((y0 + y1 - side) / 2 - 0.15 * (y1 - y0), 0, photo.height - side))
    return {
        "box": face.box,
        "score": face.score,
        "view": [left, top, side, side],
        "src": _closer(photo, left, top, side),
    }


def _closer(photo: Photo, left: int, top: int, side: int) -> str | None:
    sent = min(1.0, PHOTO_SIDE / max(photo.width, photo.height))
    if sent >= photo.scale or side * sent >= FACE_SIDE:
        return None
    # Edges lie half a pixel before the centres of the pixels that they start.
    edges = photo.to_work(np.array([[left, top], [left + side, top + side]]) - 0.5) + 0.5
    (x0, y0), (x1, y1) = np.rint(edges).astype(int)
    return _picture(photo.pixels[y0:y1, x0:x1], FACE_SIDE)


def _panel(name: str, faces: list[ComparedFace]) -> dict[str, Any]:
    known = markup.get(next(f.answers[name].markup for f in faces if name in f.answers))
    return {
        "name": name,
        "title": names.model(name),
        "baseline": name == BASELINE,
        "color": "#{:02x}{:02x}{:02x}".format(*draw.color_of(name)),
        "names": names.points(known.name),
        "places": {place: list(at) for place, at in known.anatomy.items()},
        "contours": known.contours,
        "faces": [_points(face, name) for face in faces],
    }


def _points(face: ComparedFace, model: str) -> dict[str, Any] | None:
    answer, baseline = face.answers.get(model), face.answers.get(BASELINE)
    if answer is None:
        return None
    apart = agreement.distances(answer, baseline) if baseline and baseline is not answer else None
    return {
        "points": np.round(answer.keypoints, 2),
        "confidence": answer.confidence,
        "milliseconds": answer.milliseconds,
        "apart": apart,
    }


def _picture(pixels: np.ndarray, side: int) -> str:
    """A JPEG data URI of the picture, shrunk to `side` at most: pixels only, no metadata."""
    height, width = pixels.shape[:2]
    scale = min(1.0, side / max(height, width))
    size = max(1, round(width * scale)), max(1, round(height * scale))
    small = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)
    _, file = cv2.imencode(
        ".jpg", cv2.cvtColor(small, cv2.COLOR_RGB2BGR), [cv2.IMWRITE_JPEG_QUALITY, _JPEG]
    )
    return "data:image/jpeg;base64," + b64encode(file.tobytes()).decode()
