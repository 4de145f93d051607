"""Maps over a face, drawn by the browser from one value.

The server sends all maps of a model at once, as one greyscale image. Choosing points, nets and the
scale, switching marks and the net's input on and off happens in the browser.
"""

from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import gradio as gr
import matplotlib
import numpy as np

from kpdemo.engine import export
from kpdemo.explain.distance import distance_unit
from kpdemo.explain.heatmaps import peaks, spread
from kpdemo.explain.occlusion import PATCH
from kpdemo.faces.crop import Crop
from kpdemo.keypoints import markups
from kpdemo.media.images import Photo
from kpdemo.models.checkpoint import Model
from kpdemo.models.config import ModelConfig
from kpdemo.models.face_crops import crop_face
from kpdemo.models.predict import Predictions
from kpdemo.structures import Face
from kpdemo.ui.shared import component, titles
from kpdemo.ui.shared.colors import css_color
from kpdemo.ui.shared.image_data import data_uri

FACE_SIDE = 560  # pixels of the face in the browser
_SCALE = "inferno"  # perceptually uniform

Panel = dict[str, Any]


@dataclass(frozen=True, eq=False)
class View:
    """The part of the photo that all panels show: a `crop` of `photo` around a `face`."""

    photo: Photo
    face: Face
    crop: Crop

    @classmethod
    def around(cls, photo: Photo, face: Face, *configs: ModelConfig) -> "View":
        """The smallest upright rectangle with these nets' crops of a face in it."""
        crops = [crop_face(config, photo, face)[0] for config in configs]
        first = crops[0]
        corners = np.concatenate(
            [first.to_crop(crop.to_photo([(-1, -1), (1, -1), (-1, 1), (1, 1)])) for crop in crops]
        )
        low, high = corners.min(0), corners.max(0)
        x, y = first.to_photo((low + high) / 2).tolist()
        across, down = ((high - low) / 2).tolist()
        return cls(photo, face, Crop(x, y, first.width * across, first.height * down, first.roll))

    @cached_property
    def pixels(self) -> np.ndarray:
        """The picture, with a longer side of `FACE_SIDE`."""
        finer = FACE_SIDE / max(self.crop.width, self.crop.height)
        height, width = round(finer * self.crop.height), round(finer * self.crop.width)
        return self.crop.cut(self.photo.pixels, height, width)

    def frame(self, crop: Crop) -> list[float]:
        """Where a net's crop lies on the view: left, top, width, height in shares of its sides."""
        (x0, y0), (x1, y1) = self.crop.to_crop(crop.to_photo([(-1, -1), (1, 1)])).tolist()
        return [(x0 + 1) / 2, (y0 + 1) / 2, (x1 - x0) / 2, (y1 - y0) / 2]


def build(elem_id: str, shared: bool = False) -> gr.HTML:
    """The component; its value is `value(…)` or `empty(…)`, or None before there is a photo.

    With the `shared` choice of models it shows those side by side that all tabs show.
    """
    return component.build(
        elem_id,
        "heatmaps/heatmaps.html",
        "heatmaps/heatmaps.js",
        elem_classes="kp-maps",
        shared=shared,
    )


def value(view: View, *panels: Panel, notes: Sequence[str] = ()) -> str:
    """The component's value as JSON: panels on one view, which share the selected points.

    `notes` are sentences on what is missing.
    """
    scale = matplotlib.colormaps[_SCALE](np.arange(256), bytes=True)[:, :3]
    return export.to_json(
        {
            "scale": b64encode(scale.tobytes()).decode(),
            "face": data_uri(view.pixels, "jpeg"),
            "size": view.pixels.shape[1::-1],
            "panels": panels,
            "says": notes,
        }
    )


def empty(*sentences: str) -> str:
    """The component's value with sentences instead of panels."""
    return export.to_json({"panels": [], "says": sentences})


def heatmaps(
    title: str, model: Model, view: View, prediction: Predictions, shown: bool = True
) -> Panel:
    """A net's heatmaps on one face: `prediction` is for that face alone, with heatmaps.

    Beside others, those that are not `shown` wait for the visitor.
    """
    if prediction.heatmaps is None:
        raise ValueError(f"{model.name} has no heatmaps.")
    maps = prediction.heatmaps[0]
    panel, pixels, unit = _panel(title, model, view, prediction, maps)
    highest = pixels.to_photo(peaks(maps))
    shape = spread(maps, pixels.height / pixels.width)
    radii = shape.radii * pixels.width / 2
    centre = pixels.to_photo(shape.centre)
    gap = np.linalg.norm(highest - panel["points"], axis=-1)
    # Maps that sum to 1 have shares in their cells; others were trained with a peak height.
    shares = bool(np.allclose(maps.sum((-2, -1)), 1, atol=0.02))
    return panel | {
        "kind": "shares" if shares else "heights",
        "shown": shown,
        "top": maps.max((-2, -1)) * (100 if shares else 1),
        "peaks": highest,
        "ellipses": np.column_stack([centre, radii, shape.angle]),
        "spread": 100 * radii / unit,
        "gap": 100 * gap / unit,
    }


def sensitivity(
    title: str, model: Model, view: View, prediction: Predictions, shifts: np.ndarray
) -> Panel:
    """Which parts of the photo a net's prediction depends on: `shifts` are those
    of `occlusion.sensitivity`."""
    panel, pixels, _ = _panel(title, model, view, prediction, shifts)
    return panel | {
        "kind": "moves",
        "method": "occlusion",
        "shown": True,
        "top": shifts.max((-2, -1)),
        "mean": shifts.mean((-2, -1)),
        "patch": PATCH * min(pixels.width, pixels.height),
    }


def gradients(
    title: str, model: Model, view: View, prediction: Predictions, shares: np.ndarray
) -> Panel:
    """Which parts of the photo pull a net's points: `shares` are those of
    `gradients.attribution`."""
    lengths = np.linalg.norm(shares, axis=1)
    panel, _, _ = _panel(title, model, view, prediction, lengths)
    return panel | {
        "kind": "moves",
        "method": "gradients",
        "shown": True,
        "top": lengths.max((-2, -1)),
        "mean": lengths.mean((-2, -1)),
    }


def _panel(
    title: str, model: Model, view: View, prediction: Predictions, maps: np.ndarray
) -> tuple[Panel, Crop, float]:
    """The part common to all panels, the crop's pixel grid, and the face's unit of distance."""
    config = model.config
    scheme = markups.get(config.markup)
    width, height = config.input.width, config.input.height
    crop, net_input = crop_face(config, view.photo, view.face)
    pixels = Crop.whole(width, height)
    unit, eyes = distance_unit(prediction.keypoints[0], config.markup, width, height)
    panel = {
        "title": title,
        "model": model.name,
        "color": css_color(model.name),
        "width": width,
        "height": height,
        "frame": view.frame(crop),
        "seen": data_uri(net_input, "png"),
        "grey": config.input.channels == 1,
        "sprite": data_uri(_sprite(maps), "png"),
        "grid": maps.shape[:0:-1],  # columns and rows of a map
        "columns": _columns(len(maps)),
        "names": titles.points(scheme.name),
        "groups": scheme.groups,
        "points": pixels.to_photo(prediction.keypoints[0]),
        "expected_error": None
        if prediction.expected_error is None
        else prediction.expected_error[0],
        "calibrated": model.calibration is not None,
        "unit": "of the eye distance" if eyes else "of the picture’s width",
    }
    return panel, pixels, unit


def _sprite(maps: np.ndarray) -> np.ndarray:
    """All maps `(K, h, w)`, each scaled to its own peak, row by row in one uint8 image."""
    count, h, w = maps.shape
    columns = _columns(count)
    rows = -(-count // columns)
    top = maps.max((-2, -1), keepdims=True)
    grey = np.zeros((rows * columns, h, w), np.uint8)
    grey[:count] = np.rint(255 * maps / np.where(top > 0, top, 1))
    return grey.reshape(rows, columns, h, w).swapaxes(1, 2).reshape(rows * h, columns * w)


def _columns(count: int) -> int:
    return int(np.ceil(np.sqrt(count)))
