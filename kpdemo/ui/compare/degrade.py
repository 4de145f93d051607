"""Degrade this photo: sliders, and how far each model drifts from its own answer."""

from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass
from functools import partial
from itertools import chain, count
from typing import Any, NamedTuple

import gradio as gr
import numpy as np

from kpdemo import zoo
from kpdemo.engine import degrade, export
from kpdemo.engine.degrade import LIMITS, Degradation, Degraded, Drift
from kpdemo.engine.engine import Engine
from kpdemo.media import corruptions
from kpdemo.media.images import Photo
from kpdemo.structures import NO_FACE, ComparedFace, Comparison, Prediction
from kpdemo.ui.session import PhotoResult
from kpdemo.ui.shared import component
from kpdemo.ui.shared.colors import css_color
from kpdemo.ui.shared.image_data import shrunk_uri
from kpdemo.ui.shared.queues import MODELS_QUEUE

_TITLE = "Degrade this photo"
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


def build(
    engine: Engine, session: gr.State, panels: gr.HTML, chosen: Sequence[gr.CheckboxGroup]
) -> None:
    """Lay out the section; `panels` shows the last `PhotoResult`, which `session` holds.

    Those of its models answer that are `chosen`.
    """
    untouched = gr.State()
    neutral = Degradation()
    sliders = [
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
    with gr.Accordion(_TITLE, open=False, elem_id="degrade-section"):
        view = component.build(
            "degrade",
            "compare/degrade.html",
            "compare/degrade.js",
            events=["degrade"],
            sliders=sliders,
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
    # What was drawn is of the last photo; the script requests it anew where it can be seen.
    panels.change(None, None, view, js="() => null", **private)


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
    chosen = [name for name in models if name in chosen]
    before = degrade.select_models(untouched.comparison, chosen)
    degraded = degrade.degrade(partial(_compare, engine, chosen), pixels, before, degradation)
    return Update(value(before, degraded, degradation), untouched)


def _compare(engine: Engine, models: Sequence[str], photo: Photo) -> Comparison:
    return engine.compare(photo, models, use_zerogpu=False)


def value(untouched: Comparison, degraded: Degraded, degradation: Degradation) -> str:
    """The section as JSON: a picture, each model's points on it and its drift."""
    drifts = degrade.drifts(untouched, degraded)
    left, top, width, height = _view(untouched, degraded)
    pixels = degraded.pixels[top : top + height, left : left + width]
    return export.to_json(
        {
            # An equal value would not be seen as an answer.
            "number": next(_serial),
            "settings": asdict(degradation),
            "src": shrunk_uri(pixels, PICTURE_SIDE),
            "view": [left, top, width, height],
            "message": message(untouched, degraded, drifts),
            "models": [_model(name, untouched, degraded, drift) for name, drift in drifts.items()],
        }
    )


def message(untouched: Comparison, degraded: Degraded, drifts: Mapping[str, Drift]) -> str:
    """What the models made of the changed picture, in a few sentences."""
    total = len(untouched.faces)
    if not total:
        return NO_FACE
    if not drifts:
        return "None of the chosen models has points on this photo; choose others."
    if degraded.comparison is untouched:
        return "This is the photo as it is: move a slider to change it."
    gone = degraded.faces.count(None)
    if gone == total:
        return f"{_faces(total)} no longer detected, so no model has points."
    sentences = []
    if gone:
        sentences.append(f"{gone} of the {total} faces are no longer detected.")
    if degraded.more_faces:
        sentences.append(
            f"{degraded.more_faces} more detected where the untouched photo has no face."
        )
    misses = [zoo.title(name) for name, drift in drifts.items() if drift.lost > gone]
    if misses:
        sentences.append(f"No points any more from {_and(misses)}{' on some' * (total > 1)}.")
    kept = {name: drift.mean for name, drift in drifts.items() if drift.mean is not None}
    if len(kept) > 1:
        least, most = (choose(kept, key=lambda name: kept[name] or 0) for choose in (min, max))
        sentences.append(
            f"{zoo.title(least)} drifts least, by {kept[least]:.1f} % of the eye distance, "
            f"{zoo.title(most)} most, by {kept[most]:.1f} %."
        )
    return " ".join(sentences)


def _faces(total: int) -> str:
    return {1: "The face is", 2: "Both faces are"}.get(total, f"All {total} faces are")


def _and(titles: list[str]) -> str:
    return " and ".join([", ".join(titles[:-1]), titles[-1]] if len(titles) > 1 else titles)


def _model(name: str, untouched: Comparison, degraded: Degraded, drift: Drift) -> dict[str, Any]:
    """A model's row; its lines lead from where its points would be without drift to its points."""
    predictions = [
        face.predictions[name] for face in degraded.comparison.faces if name in face.predictions
    ]
    lines = [
        _lines(before.predictions[name], after.predictions[name], degraded.matrix)
        for before, after in zip(untouched.faces, degraded.faces, strict=True)
        if after and name in before.predictions and name in after.predictions
    ]
    return {
        "name": name,
        "title": zoo.title(name),
        "color": css_color(name),
        "percent": drift.mean,
        "lost": drift.lost,
        "faces": len(drift.faces),
        "points": [
            np.round(degrade.comparable_points(prediction), 2) for prediction in predictions
        ],
        "lines": lines,
    }


def _lines(before: Prediction, after: Prediction, matrix: np.ndarray) -> np.ndarray:
    here = corruptions.move(degrade.comparable_points(before), matrix)
    return np.round(np.hstack([here, degrade.comparable_points(after)]), 2)


def _view(untouched: Comparison, degraded: Degraded) -> tuple[int, int, int, int]:
    """The part of the changed picture that is shown: around a single face, else all of it."""
    height, width = degraded.pixels.shape[:2]
    if len(untouched.faces) != 1:
        return 0, 0, width, height
    face: ComparedFace = untouched.faces[0]
    scale = float(np.sqrt(abs(np.linalg.det(degraded.matrix[:, :2]))))
    side = max(1, round(min(_VIEW * scale * face.detection.width, width, height)))
    x, y = corruptions.move(np.array([face.detection.center]), degraded.matrix)[0]
    left = round(float(np.clip(x - side / 2, 0, width - side)))
    top = round(float(np.clip(y - side / 2, 0, height - side)))
    return left, top, side, side
