"""The Filters tab: a model's learned kernels, and their feature maps on the photo."""

import json
import weakref
from collections.abc import Sequence
from functools import partial
from typing import Any, NamedTuple

import gradio as gr

from kpdemo import zoo
from kpdemo.engine.engine import Engine
from kpdemo.explain import architecture, filters
from kpdemo.explain.architecture import Architecture
from kpdemo.explain.filters import Layer
from kpdemo.media.images import Photo
from kpdemo.models.checkpoint import Model
from kpdemo.models.face_crops import crop_face
from kpdemo.models.model_folder import CheckpointError
from kpdemo.ui.about import diagrams
from kpdemo.ui.filters import kernels
from kpdemo.ui.session import PhotoResult
from kpdemo.ui.shared import component, notice
from kpdemo.ui.shared.choice import ModelChoice
from kpdemo.ui.shared.queues import MODELS_QUEUE
from kpdemo.zoo import DEFAULT_MODELS

_LEAD = (
    "<p>A convolutional layer slides small patterns of weights, its kernels, over an image: see "
    "what each model’s kernels respond to, and where on your photo they do.</p>"
)
# The net whose first layer shows most: 64 kernels of 7×7, edges and bars among them.
FIRST = "resnet18"
_PHOTO_SIDE = 480  # pixels of the photo under a map
_START = "Compare a photo on the first tab to see each kernel’s feature map here too."
_NO_FACE = "No face was found on your photo, so there are no feature maps; try another photo."
_NO_MODEL = "This model is not available here; choose another."
_FIRST_LAYERS = (
    '<h2 class="kp-section">First layers side by side</h2><p>The first layer reads the photo '
    "itself. Its kernels start as random noise: tidy edges, bars and blobs are what training made "
    "of them, and where noise is left, it learned less.</p>"
)
_CLOSED = (
    "MediaPipe is not listed: it is a finished product of Google’s, which we run without looking "
    "inside."
)
_UNCHANGED: Any = gr.skip()
_QUEUED: dict[str, Any] = {
    **MODELS_QUEUE,
    "api_visibility": "private",
    "trigger_mode": "always_last",
    # With another model comes the name of the last one's layer, which Gradio would refuse.
    "preprocess": False,
}


class Displayed(NamedTuple):
    """What the page displays already; it does not keep the photo alive."""

    photo: "weakref.ref[Photo] | None"
    model: str
    layer: str
    face: int


class LayerUpdate(NamedTuple):
    """New values of the parts for one layer; what is not given stays on the page as it is."""

    message: Any = _UNCHANGED
    layer: Any = _UNCHANGED
    face: Any = _UNCHANGED
    picture: Any = _UNCHANGED
    kernels: Any = _UNCHANGED
    displayed: Any = _UNCHANGED


class FirstLayersUpdate(NamedTuple):
    """New values of the parts for the first layers of several models."""

    message: Any = _UNCHANGED
    kernels: Any = _UNCHANGED
    names: Any = _UNCHANGED


def build(engine: Engine, session: gr.State, choice: ModelChoice, tab: gr.Tab) -> None:
    """Lay out the tab; `session` holds the last `PhotoResult`."""
    models = engine.store.names
    choices = [(zoo.title(name), name) for name in models]
    first = FIRST if FIRST in models else next(iter(models), None)
    displayed, first_names = gr.State(), gr.State()
    gr.HTML(_LEAD, elem_classes="kp-lead")
    with gr.Row():
        with gr.Column(scale=1, min_width=280, elem_classes="kp-controls"):
            model = gr.Dropdown(choices, value=first, label="Model", elem_id="filters-model")
            layer = gr.Dropdown([], label="Layer (kernel size, kernels)", elem_id="filters-layer")
            face = gr.Dropdown([0], value=0, label="Face", visible=False, elem_id="filters-face")
            message = gr.HTML(elem_id="filters-notice")
            gr.HTML(f'<p class="kp-small">{_CLOSED}</p>', apply_default_css=False)
        with gr.Column(scale=4, min_width=300):
            picture = component.build(
                "filters-net",
                "filters/filters_net.html",
                "filters/filters_net.js",
                events=["part"],
            )
            layer_kernels = component.build(
                "filters", "filters/filters.html", "filters/filters.js", events=["place"]
            )
            kernel_sum = component.build(
                "filters-sum", "filters/filters_sum.html", "filters/filters_sum.js"
            )
    gr.HTML(_FIRST_LAYERS, elem_id="filters-first-title", apply_default_css=False)
    beside = gr.Dropdown(
        choices,
        value=[name for name in models if name in DEFAULT_MODELS],
        multiselect=True,
        label="Models to compare",
        elem_id="filters-beside",
    )
    beside_message = gr.HTML(elem_id="filters-beside-notice")
    first_kernels = component.build(
        "filters-first",
        "filters/filters_first.html",
        "filters/filters_first.js",
    )

    choice.share(beside, models)
    store = Layers(engine)
    inputs: list[Any] = [model, layer, face]
    layer_parts: list[Any] = [message, layer, face, picture, layer_kernels, displayed]
    first_parts: list[Any] = [beside_message, first_kernels, first_names]
    tab.select(
        partial(open_tab, store),
        [*inputs, beside, first_names, session, displayed],
        [model, *layer_parts, *first_parts],
        show_progress_on=layer_kernels,
        **_QUEUED,
    )
    for control in inputs:
        control.input(
            partial(show_layer, store),
            [*inputs, session, displayed],
            layer_parts,
            show_progress_on=layer_kernels,
            **_QUEUED,
        )
    picture.part(
        store.show_part,
        [model, face, session, displayed],
        layer_parts,
        show_progress_on=layer_kernels,
        **_QUEUED,
    )
    layer_kernels.place(
        store.show_sum,
        [session, displayed],
        kernel_sum,
        show_progress="hidden",
        # Of quick moves from cell to cell, "always_last" loses the last.
        **_QUEUED | {"trigger_mode": "multiple"},
    )
    beside.input(
        partial(show_first_layers, store),
        beside,
        first_parts,
        show_progress_on=first_kernels,
        **_QUEUED,
    )


class Layers:
    """The layers of an engine's nets, listed once per net."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._by_model: dict[str, list[Layer]] = {}
        self._architectures: dict[str, Architecture] = {}

    def open(self, name: str) -> tuple[Model, list[Layer]]:
        """A net and its layers; raises CheckpointError if it is damaged."""
        model = self.engine.store.model(name)
        if name not in self._by_model:
            with self.engine.turn:
                self._by_model[name] = filters.layers(model)
        return model, self._by_model[name]

    def picture(self, name: str, layer: Layer) -> str:
        """The diagram of a net that is open, as JSON, with the part that a layer belongs to."""
        if name not in self._architectures:
            self._architectures[name] = architecture.of(self.engine.store.configs[name])
        net, layers = self._architectures[name], self._by_model[name]
        names = [each.name for each in layers]
        ends = {net.convolutions.maps, *net.convolutions.down, *net.convolutions.up}
        if net.stem:
            ends.add(net.convolutions.stem)
        part = next(each for each in names[names.index(layer.name) :] if each in ends)
        title = zoo.title(name)
        titles = {each.name: each.title for each in layers}
        return json.dumps(
            {"title": title, "svg": diagrams.svg(name, title, net, titles), "part": part}
        )

    def show_part(
        self,
        model: str,
        face: int,
        result: PhotoResult | None,
        displayed: Displayed | None,
        event: gr.EventData,
    ) -> LayerUpdate:
        """The layer of the part that the visitor chose in the diagram."""
        return show_layer(self, model, event.layer, face, result, displayed)

    def show_sum(
        self, result: PhotoResult | None, displayed: Displayed | None, event: gr.EventData
    ) -> Any:
        """The sum behind the cell that the visitor chose on a kernel's map."""
        if result is None or displayed is None or displayed.face >= len(result.comparison.faces):
            return _UNCHANGED
        try:
            model, layers = self.open(displayed.model)
            layer = next(each for each in layers if each.name == displayed.layer)
            _, crop = crop_face(model.config, result.photo, result.detection(displayed.face))
            with self.engine.turn:
                return kernels.sum_at(model, layer, crop, event.kernel, event.row, event.column)
        except (CheckpointError, IndexError):  # of another layer than the one on the page by now
            return _UNCHANGED


def open_tab(
    store: Layers,
    model_name: str,
    layer_name: str | None,
    face: int,
    beside: Sequence[str],
    first_names: Sequence[str] | None,
    result: PhotoResult | None,
    displayed: Displayed | None,
) -> tuple[Any, ...]:
    """The model, `show_layer`, and `show_first_layers` where others than `first_names` are chosen.

    The tab opens with one of the chosen models.
    """
    if displayed is None and beside and model_name not in beside:
        model_name = beside[0]
    layer = show_layer(store, model_name, layer_name, face, result, displayed)
    same = first_names is not None and set(first_names) == set(beside)
    first = FirstLayersUpdate() if same else show_first_layers(store, beside)
    return model_name, *layer, *first


def show_layer(
    store: Layers,
    model_name: str,
    layer_name: str | None,
    face: int,
    result: PhotoResult | None,
    displayed: Displayed | None,
) -> LayerUpdate:
    """A layer's kernels, with their feature maps if there is a face."""
    if model_name not in store.engine.store.names:
        return LayerUpdate(message=notice.error(_NO_MODEL))
    try:
        model, model_layers = store.open(model_name)
    except CheckpointError as error:
        return LayerUpdate(message=notice.error(str(error)), displayed=None)
    layers = {each.name: each for each in model_layers}
    layer = layers.get(layer_name or "", model_layers[0])
    photo = result.photo if result else None
    faces = len(result.comparison.faces) if result else 0
    if (
        face >= faces
        or displayed is None
        or displayed.photo is None
        or displayed.photo() is not photo
    ):
        face = 0
    new = Displayed(weakref.ref(photo) if photo else None, model_name, layer.name, face)
    if new == displayed:
        return LayerUpdate(displayed=displayed)
    crop, picture, hint = None, None, _NO_FACE if result else _START
    if result and faces:
        place, crop = crop_face(model.config, result.photo, result.detection(face))
        finer = _PHOTO_SIDE / max(crop.shape[:2])
        picture = place.cut(result.photo.pixels, *(round(finer * n) for n in crop.shape[:2]))
        hint = ""
    with store.engine.turn:
        value = kernels.layer(model, layer, crop, hint, picture)
    return LayerUpdate(
        message="",
        layer=gr.Dropdown([(_title(each), each.name) for each in model_layers], value=layer.name),
        face=gr.Dropdown(
            [(f"Face {k + 1}", k) for k in range(max(faces, 1))], value=face, visible=faces > 1
        ),
        picture=store.picture(model_name, layer),
        kernels=value,
        displayed=new,
    )


def show_first_layers(store: Layers, names: Sequence[str]) -> FirstLayersUpdate:
    """The first layers of several models, in the order of the list."""
    first_layers, errors = [], []
    for name in store.engine.store.names:
        if name not in names:
            continue
        try:
            model, layers = store.open(name)
            first_layers.append((model, layers[0]))
        except CheckpointError as error:
            errors.append(str(error))
    return FirstLayersUpdate(notice.error(*errors), kernels.first_layers(first_layers), names)


def _title(layer: Layer) -> str:
    height, width = layer.kernel
    return f"{layer.title} ({height}×{width}, {layer.outputs})"
