"""The Filters tab: a model's learned kernels, and what each answers on the photo."""

import weakref
from functools import cache
from typing import Any, NamedTuple

import gradio as gr

from kpdemo import zoo
from kpdemo.engine.engine import Engine
from kpdemo.explain import filters
from kpdemo.explain.face_crop import cut_of
from kpdemo.media.images import Photo
from kpdemo.models.model_folder import CheckpointError
from kpdemo.ui.compare.tab import TURN
from kpdemo.ui.filters import kernels
from kpdemo.ui.session import Shown
from kpdemo.ui.shared import component, notice
from kpdemo.zoo import DEFAULT_MODELS

_START = "Compare a photo on the first tab, and what each kernel answers on it appears here too."
_NO_FACE = "No face was found on your photo, so there is nothing to answer; try another photo."
_NO_MODEL = "No model to open: there is none that can be used, or it is not known here."
_FIRST_LAYERS = (
    '<h2 class="kp-section">First layers side by side</h2><p>The first layer looks at the photo '
    "itself. It starts from random speckles: tidy edges, bars and blobs are what training made of "
    "them, and where speckles are left, it learned less.</p>"
)
_CLOSED = (
    "MediaPipe is not among the models: it is a finished product of Google’s that we run as it is "
    "and do not open."
)


class _Sent(NamedTuple):
    """What the page shows already; the photo is not kept alive by it."""

    photo: "weakref.ref[Photo] | None"
    model: str
    layer: str
    face: int


def build(engine: Engine, session: gr.State, tab: gr.Tab) -> None:
    """Lay out the tab; `session` holds the last comparison (`kpdemo.ui.session.Shown`)."""
    models = engine.store.names
    choices = [(zoo.title(name), name) for name in models]
    sent = gr.State()
    gr.HTML(
        "<p>A convolutional layer slides small patterns of weights, its kernels, over a picture: "
        "see what each model’s kernels look for, and where they find it on your photo.</p>",
        elem_classes="kp-lead",
    )
    with gr.Row():
        with gr.Column(scale=1, min_width=280, elem_classes="kp-controls"):
            model = gr.Dropdown(
                choices, value=models[0] if models else None, label="Model", elem_id="filters-model"
            )
            layer = gr.Dropdown([], label="Layer · kernel size · kernels", elem_id="filters-layer")
            face = gr.Dropdown([0], value=0, label="Face", visible=False, elem_id="filters-face")
            said = gr.HTML(elem_id="filters-notice")
            gr.HTML(f'<p class="kp-small">{_CLOSED}</p>', apply_default_css=False)
        with gr.Column(scale=4, min_width=300):
            shown_layer = component.build("filters", "filters/filters.html", "filters/filters.js")
    gr.HTML(_FIRST_LAYERS, elem_id="filters-first-title", apply_default_css=False)
    beside = gr.Dropdown(
        choices,
        value=[name for name in models if name in DEFAULT_MODELS],
        multiselect=True,
        label="Models beside each other",
        elem_id="filters-beside",
    )
    said_beside = gr.HTML(elem_id="filters-beside-notice")
    shown_first = component.build(
        "filters-first",
        "filters/filters_first.html",
        "filters/filters_first.js",
    )

    @cache
    def layers_of(name: str) -> list[filters.Layer]:
        model = engine.store.model(name)
        with engine.turn:
            return filters.layers(model)

    # What a handler does not name in its answer stays on the page as it is.
    def show(
        name: str, wanted: str | None, number: int, last: Shown | None, now: _Sent | None
    ) -> dict[Any, Any]:
        if name not in models:
            return {said: notice.error(_NO_MODEL)}
        try:
            chosen, layers = engine.store.model(name), {each.name: each for each in layers_of(name)}
        except CheckpointError as error:
            return {said: notice.error(str(error)), sent: None}
        photo = last.photo if last else None
        faces = last.comparison.faces if last else []
        if now is None or now.photo is None or now.photo() is not photo or number >= len(faces):
            number = 0
        wanted = wanted if wanted in layers else next(iter(layers))
        then = _Sent(weakref.ref(photo) if photo else None, name, wanted, number)
        if then == now:
            return {sent: now}
        cut = cut_of(chosen.config, photo, faces[number].found)[1] if faces else None
        with engine.turn:
            value = kernels.layer(
                chosen, layers[wanted], cut, "" if cut is not None else _NO_FACE if last else _START
            )
        return {
            said: "",
            layer: gr.Dropdown(
                [(_title(each), each.name) for each in layers.values()], value=wanted
            ),
            face: gr.Dropdown(
                [(f"Face {k + 1}", k) for k in range(max(len(faces), 1))],
                value=number,
                visible=len(faces) > 1,
            ),
            shown_layer: value,
            sent: then,
        }

    def show_first(chosen: list[str]) -> dict[Any, Any]:
        found, broken = [], []
        for name in [each for each in models if each in chosen]:
            try:
                found.append((engine.store.model(name), layers_of(name)[0]))
            except CheckpointError as error:
                broken.append(str(error))
        return {
            said_beside: notice.error(*broken),
            shown_first: kernels.first_layers(found),
        }

    def open_tab(
        name: str,
        wanted: str | None,
        number: int,
        chosen: list[str],
        last: Shown | None,
        now: _Sent | None,
    ) -> dict[Any, Any]:
        changed = show(name, wanted, number, last, now)
        # The first layers do not depend on the photo: once shown, they stay.
        return changed if now else changed | show_first(chosen)

    running: dict[str, Any] = {
        "concurrency_id": TURN,
        "api_visibility": "private",
        "trigger_mode": "always_last",
        # With another model comes the name of the last one's layer, which Gradio would refuse.
        "preprocess": False,
    }
    asked = [model, layer, face]
    layer_parts = [said, layer, face, shown_layer, sent]
    first_parts = [said_beside, shown_first]
    tab.select(
        open_tab,
        [*asked, beside, session, sent],
        layer_parts + first_parts,
        show_progress_on=shown_layer,
        **running,
    )
    for part in asked:
        part.input(
            show, [*asked, session, sent], layer_parts, show_progress_on=shown_layer, **running
        )
    beside.input(show_first, beside, first_parts, show_progress_on=shown_first, **running)


def _title(layer: filters.Layer) -> str:
    height, width = layer.kernel
    title = layer.title[0].upper() + layer.title[1:]
    return f"{title} · {height}×{width} · {layer.outputs}"
