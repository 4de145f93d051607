"""Maps over a face, drawn by the browser from one value.

The server sends all maps of a model at once, as one grey picture. Which points are looked at,
marks on and off, the face as the net sees it: all that happens in `heatmaps.js`.
"""

from base64 import b64encode
from typing import Any

import gradio as gr
import matplotlib
import numpy as np

from kpdemo.engine import export
from kpdemo.explain.distance import eyes_or_width
from kpdemo.explain.face_crop import cut_of
from kpdemo.explain.heatmaps import peaks, spread
from kpdemo.explain.occlusion import PATCH
from kpdemo.faces.crop import Crop
from kpdemo.keypoints import markup
from kpdemo.media.images import Photo
from kpdemo.models.model import Model
from kpdemo.models.predict import Prediction
from kpdemo.structures import Face
from kpdemo.ui.shared import component, titles
from kpdemo.ui.shared.colors import css_color, data_uri

# The face is sent this large, and the maps in a perceptually uniform colour scale.
FACE_SIDE = 560
_SCALE = "inferno"

Panel = dict[str, Any]


def build(elem_id: str) -> gr.HTML:
    """The component; its value is `value(…)` or `empty(…)`, or None before there is a photo."""
    return component.build(
        elem_id, "heatmaps/heatmaps.html", "heatmaps/heatmaps.js", elem_classes="kp-maps"
    )


def value(*panels: Panel) -> str:
    """What the component draws, as JSON: panels of one markup, which share what is looked at."""
    scale = matplotlib.colormaps[_SCALE](np.arange(256), bytes=True)[:, :3]
    return export.to_json({"scale": b64encode(scale.tobytes()).decode(), "panels": panels})


def empty(*sentences: str) -> str:
    """What the component says where there is nothing to draw."""
    return export.to_json({"panels": [], "says": sentences})


def heatmaps(title: str, model: Model, photo: Photo, face: Face, found: Prediction) -> Panel:
    """A net's heatmaps on one face: `found` is its answer on that face alone."""
    maps = found.heatmaps[0]
    panel, pixels, unit = _panel(title, model, photo, face, found, maps)
    highest = pixels.to_photo(peaks(maps))
    shape = spread(maps, pixels.height / pixels.width)
    radii = shape.radii * pixels.width / 2
    centre = pixels.to_photo(shape.centre)
    gap = np.linalg.norm(highest - panel["points"], axis=-1)
    # A map that sums to 1 says how much of the whole lies in a cell; others were taught a height.
    shares = bool(np.allclose(maps.sum((-2, -1)), 1, atol=0.02))
    return panel | {
        "kind": "shares" if shares else "heights",
        "top": maps.max((-2, -1)) * (100 if shares else 1),
        "peaks": highest,
        "ellipses": np.column_stack([centre, radii, shape.angle]),
        "spread": 100 * radii / unit,
        "gap": 100 * gap / unit,
    }


def sensitivity(
    title: str, model: Model, photo: Photo, face: Face, found: Prediction, moves: np.ndarray
) -> Panel:
    """Where a net's answer on one face comes from: `moves` is `occlusion.sensitivity` of it."""
    panel, pixels, _ = _panel(title, model, photo, face, found, moves)
    return panel | {
        "kind": "moves",
        "top": moves.max((-2, -1)),
        "mean": moves.mean((-2, -1)),
        "patch": PATCH * min(pixels.width, pixels.height),
    }


def _panel(
    title: str, model: Model, photo: Photo, face: Face, found: Prediction, maps: np.ndarray
) -> tuple[Panel, Crop, float]:
    """What all panels have; the cut's own pixels, which places are told in; the face's unit."""
    config = model.config
    known = markup.get(config.markup)
    width, height = config.input.width, config.input.height
    crop, cut = cut_of(config, photo, face)
    pixels = Crop.whole(width, height)
    unit, eyes = eyes_or_width(found.keypoints[0], config.markup, width, height)
    finer = FACE_SIDE / max(width, height)
    picture = crop.cut(photo.pixels, round(finer * height), round(finer * width))
    panel = {
        "title": title,
        "color": css_color(model.name),
        "width": width,
        "height": height,
        "face": data_uri(picture, "jpeg"),
        "seen": data_uri(cut, "png"),
        "grey": config.input.channels == 1,
        "sprite": data_uri(_sprite(maps), "png"),
        "grid": maps.shape[:0:-1],  # columns and rows of a map
        "columns": _columns(len(maps)),
        "names": titles.points(known.name),
        "groups": known.groups,
        "points": pixels.to_photo(found.keypoints[0]),
        "confidence": found.confidence[0],
        "calibrated": model.calibration is not None,
        "unit": "of the eye distance" if eyes else "of the picture’s width",
    }
    return panel, pixels, unit


def _sprite(maps: np.ndarray) -> np.ndarray:
    """All maps `(K, h, w)`, each from 0 to its own peak, row by row in one uint8 picture."""
    count, h, w = maps.shape
    columns = _columns(count)
    rows = -(-count // columns)
    top = maps.max((-2, -1), keepdims=True)
    grey = np.zeros((rows * columns, h, w), np.uint8)
    grey[:count] = np.rint(255 * maps / np.where(top > 0, top, 1))
    return grey.reshape(rows, columns, h, w).swapaxes(1, 2).reshape(rows * h, columns * w)


def _columns(count: int) -> int:
    return int(np.ceil(np.sqrt(count)))
