"""Degrade this photo: sliders, and the models' predictions on what is left of it.

The browser tells how far each model drifts from its own answer.
"""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import chain, count
from typing import Any, NamedTuple

import gradio as gr
import numpy as np

from kpdemo.engine import degrade, export
from kpdemo.engine.degrade import LIMITS, Degradation
from kpdemo.engine.engine import Engine
from kpdemo.media import corruptions
from kpdemo.media.images import Photo
from kpdemo.structures import Comparison
from kpdemo.ui.session import PhotoResult
from kpdemo.ui.shared import component
from kpdemo.ui.shared.image_data import shrunk_uri
from kpdemo.ui.shared.queues import MODELS_QUEUE

TITLE = "Degrade this photo"
PICTURE_SIDE = 720
# With one face, the picture is this many of its boxes wide.
_VIEW = 1.9
# Each slider's name, title, step, and unit.
_SLIDERS = (
    ("turn", "Turn", 5, "°"),
    ("blur", "Blur", 0.5, " % of the face’s width"),
    ("darkness", "Darkness", 5, " %"),
    ("cover", "Cover", 5, " % of the face"),
    ("size", "Size", 5, " %"),
    ("quality", "JPEG quality", 5, ""),
)
_EMPTY = "Compare a photo first; then change it here."
_serial = count()


@dataclass(frozen=True, eq=False)
class Untouched:
    """The comparison on the pixels that a session keeps of its photo, in their coordinates.

    It is that of `result` itself, unless its photo was larger.
    """

    result: Comparison
    comparison: Comparison


class Update(NamedTuple):
    """The new value of the component, and of what the session keeps for it."""

    view: str | None
    untouched: Untouched | None


def sliders() -> list[dict[str, Any]]:
    """The sliders, ready for JSON."""
    neutral = Degradation()
    return [
        {
            "name": name,
            "title": title,
            "step": step,
            "unit": unit,
            "min": LIMITS[name][0],
            "max": LIMITS[name][1],
            "value": getattr(neutral, name),
        }
        for name, title, step, unit in _SLIDERS
    ]


def build(engine: Engine, session: gr.State, chosen: Sequence[gr.CheckboxGroup]) -> None:
    """Lay out the section on the last `PhotoResult`, which `session` holds.

    Those of its models answer that are `chosen`.
    """
    untouched = gr.State()
    with gr.Accordion(TITLE, open=False, elem_id="degrade-section"):
        view = component.build(
            "degrade",
            "compare/degrade.html",
            "compare/degrade.js",
            events=["degrade"],
            sliders=sliders(),
        )

    def run(
        event: gr.EventData,
        result: PhotoResult | None,
        untouched: Untouched | None,
        *chosen: Sequence[str],
    ) -> Update:
        return show(engine, event.settings, result, untouched, [*chain(*chosen)])

    private: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}
    view.degrade(
        run,
        [session, untouched, *chosen],
        [view, untouched],
        **MODELS_QUEUE,
        trigger_mode="multiple",
        **private,
    )


def show(
    engine: Engine,
    settings: Mapping[str, object],
    result: PhotoResult | None,
    untouched: Untouched | None,
    chosen: Sequence[str],
) -> Update:
    """Degrade the session's photo by the sliders' `settings`, and let the chosen models answer."""
    if result is None:
        return Update(export.to_json({"number": next(_serial), "empty": _EMPTY}), None)
    models, pixels = result.comparison.models, result.photo.pixels
    if untouched is None or untouched.result is not result.comparison:
        same = result.photo.scale == 1
        comparison = (
            result.comparison if same else _compare(engine, models, degrade.as_photo(pixels))
        )
        untouched = Untouched(result.comparison, comparison)
    degradation = Degradation.within_limits(settings)
    before = untouched.comparison
    if degradation.changes_nothing:
        return Update(value(pixels, np.eye(3)[:2], before, before, degradation), untouched)
    changed, matrix = degrade.apply(pixels, before.faces, degradation)
    names = [name for name in models if name in chosen]
    after = _compare(engine, names, degrade.as_photo(changed))
    return Update(value(changed, matrix, before, after, degradation), untouched)


def _compare(engine: Engine, models: Sequence[str], photo: Photo) -> Comparison:
    return engine.compare(photo, models, use_zerogpu=False)


def value(
    pixels: np.ndarray,
    matrix: np.ndarray,
    before: Comparison,
    after: Comparison,
    degradation: Degradation,
) -> str:
    """The section as JSON: the changed picture, and the comparisons before and after.

    `matrix` leads from points of the untouched picture to points of the changed one.
    """
    left, top, width, height = _view(pixels, matrix, before)
    eyes = [face.detection.keypoints[:2] for face in before.faces]
    return export.to_json(
        {
            # An equal value would not be seen as an answer.
            "number": next(_serial),
            "settings": asdict(degradation),
            "isChanged": not degradation.changes_nothing,
            "src": shrunk_uri(pixels[top : top + height, left : left + width], PICTURE_SIDE),
            "view": [left, top, width, height],
            "matrix": matrix.tolist(),
            "before": before.to_dict(),
            "after": after.to_dict(),
            "eyes": [float(np.linalg.norm(right - left)) for right, left in eyes],
        },
        decimals=6,  # the matrix is multiplied by thousands of pixels
    )


def _view(pixels: np.ndarray, matrix: np.ndarray, before: Comparison) -> tuple[int, int, int, int]:
    """The part of the changed picture that is shown: around a single face, else all of it."""
    height, width = pixels.shape[:2]
    if len(before.faces) != 1:
        return 0, 0, width, height
    face = before.faces[0].detection
    scale = float(np.sqrt(abs(np.linalg.det(matrix[:, :2]))))
    side = max(1, round(min(_VIEW * scale * face.width, width, height)))
    x, y = corruptions.move(np.array([face.center]), matrix)[0]
    left = round(float(np.clip(x - side / 2, 0, width - side)))
    top = round(float(np.clip(y - side / 2, 0, height - side)))
    return left, top, side, side
