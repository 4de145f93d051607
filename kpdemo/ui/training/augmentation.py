"""A recipe's data augmentation, drawn on a face of the visitor's photo. Nothing of it is kept."""

from collections.abc import Iterator, Sequence
from functools import partial
from html import escape
from typing import Any

import cv2
import gradio as gr
import numpy as np

from kpdemo import zoo
from kpdemo.engine.engine import Engine
from kpdemo.explain.augmentation import Example, examples, of_recipe
from kpdemo.keypoints import markups
from kpdemo.media import draw
from kpdemo.models.augment import Augment
from kpdemo.models.config import ConfigError
from kpdemo.models.model_folder import CheckpointError
from kpdemo.records.histories import Histories, Library
from kpdemo.records.run import Run
from kpdemo.structures import NO_FACE
from kpdemo.ui.session import PhotoResult
from kpdemo.ui.shared import charts, image_data, notice
from kpdemo.ui.shared.queues import MODELS_QUEUE
from kpdemo.ui.training import settings
from kpdemo.ui.training.predicted_labels import best_model, points

COUNT = 8
_WIDTH = 256  # pixels of a drawing
_LEAD = (
    "<p>With data augmentation, training never shows a net the same picture twice: each face is "
    "turned, shifted or recoloured at random, and its keypoints move along. This is what a recipe "
    "makes of the face on your photo, or on the example.</p>"
)
_NO_PHOTO = "Compare a photo on the first tab to see its face here."
_NO_RECIPE = "No recipe with an augmentation is trained yet."
_ROWS = (
    "Geometric augmentation",
    "Photometric augmentation",
    "Horizontal flip",
    "Blur",
    "Random erasing",
)
_QUEUED: dict[str, Any] = {
    **MODELS_QUEUE,
    "show_progress": "hidden",
    "api_visibility": "private",
    "trigger_mode": "always_last",
}


def build(engine: Engine, histories: Histories, session: gr.State, tab: gr.Tab) -> None:
    """Lay out the section; `session` holds the last `PhotoResult`."""
    gr.HTML(_LEAD, elem_classes="kp-lead")
    names = recipes(histories.read())
    with gr.Row(elem_classes="kp-training-choices"):
        recipe = gr.Dropdown(
            [(zoo.title(name), name) for name in names],
            value=next(iter(names), None),
            label="Augmentation of",
            elem_id="training-augment-recipe",
            scale=3,
            min_width=280,
        )
        again = gr.Button("Draw eight others", elem_id="training-augment-again", min_width=200)
    drawn = gr.HTML(elem_id="training-augment", apply_default_css=False)
    for event in (tab.select, recipe.input, again.click):
        event(partial(show, engine, histories), [recipe, session], drawn, **_QUEUED)


def recipes(library: Library) -> list[str]:
    """The models that were trained with an augmentation, the default ones first."""
    runs = library.runs
    return [name for name in runs if name in library.models and of_recipe(runs[name].recipe)]


def show(engine: Engine, histories: Histories, name: str | None, result: PhotoResult | None) -> str:
    """HTML of a recipe's crop of the first face, and of `COUNT` random training examples of it."""
    library = histories.read()
    run = library.models.get(name or "")
    augment = of_recipe(run.recipe) if run else None
    if run is None or augment is None:
        return notice.info(_NO_RECIPE)
    if result is None:
        return notice.info(_NO_PHOTO)
    if not result.comparison.faces:
        return notice.info(NO_FACE)
    model = best_model(engine, library, run.recipe["markup"])
    try:
        keypoints = (
            points(engine, model, result)
            if model
            else np.full((len(markups.get(run.recipe["markup"])), 2), np.nan, np.float32)
        )
        face = result.detection(0)
        make = partial(examples, run.recipe, result.photo, face, keypoints)
        drawings = [*make(Augment(), 1), *make(augment, COUNT)]
    except (CheckpointError, ConfigError) as error:
        return notice.error(str(error))
    return _grid(run, drawings) + charts.sentences(_caption(run, model, result))


def _grid(run: Run, drawings: Sequence[Example]) -> str:
    figures = "".join(
        f'<figure><img src="{_uri(run, drawing)}" alt="{escape(title)}">'
        f"<figcaption>{escape(title)}</figcaption></figure>"
        for title, drawing in zip(_titles(), drawings, strict=True)
    )
    return f'<div class="kp-augmented">{figures}</div>'


def _titles() -> Iterator[str]:
    yield "Not augmented"
    yield from (f"Random example {number}" for number in range(1, COUNT + 1))


def _uri(run: Run, drawing: Example) -> str:
    height, width = drawing.pixels.shape[:2]
    ratio = _WIDTH / width
    size = _WIDTH, round(ratio * height)
    pixels = cv2.resize(drawing.pixels, size, interpolation=cv2.INTER_LINEAR)
    keypoints = (drawing.keypoints + 0.5) * ratio - 0.5
    color = zoo.color(run.name)
    return image_data.data_uri(draw.overlay(pixels, keypoints, run.recipe["markup"], color), "jpeg")


def _caption(run: Run, model: str | None, result: PhotoResult) -> list[str]:
    _, common = settings.table([run.recipe])
    steps = [f"{title.lower()}: {common[title]}" for title in _ROWS if common[title] != "no"]
    whose = (
        f"In place of labels, these are the points that {zoo.title(model)} predicts."
        if model
        else "No available model has the points of this recipe."
    )
    faces = len(result.comparison.faces)
    which = "" if faces == 1 else f"The first of {faces} faces."
    width, height = (run.recipe["input"][side] for side in ("width", "height"))
    text = "; ".join(steps)
    return [
        f"{text[:1].upper()}{text[1:]}.",
        f"Each picture is an input of {width} × {height} pixels.",
        whose,
        which,
    ]
