"""The Heatmaps tab: where on the face each model's prediction comes from."""

from collections.abc import Callable, Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from itertools import count
from typing import Any, NamedTuple

import gradio as gr

from kpdemo import zoo
from kpdemo.engine import export
from kpdemo.engine.engine import Engine
from kpdemo.explain import gradients, occlusion
from kpdemo.models.face_crops import crop_face
from kpdemo.models.model_folder import CheckpointError
from kpdemo.models.nets import has_heatmaps
from kpdemo.models.predict import predict
from kpdemo.structures import NO_FACE
from kpdemo.ui.heatmaps import maps
from kpdemo.ui.heatmaps.state import (
    GRADIENTS,
    HEATMAP,
    SENSITIVITY,
    SIDE_BY_SIDE,
    Choice,
    Display,
    Request,
)
from kpdemo.ui.session import PhotoResult
from kpdemo.ui.shared import component, notice
from kpdemo.ui.shared.queues import MAPS_QUEUE
from kpdemo.zoo import DEFAULT_MODELS

# The report's two U-Nets, which differ in the width of their target Gaussians.
SIGMAS = {"unet-report-sigma-1": "σ = 1", "unet-report": "σ = 2.5"}
_ABOUT_SIGMAS = """<h2 class="kp-section">σ = 1 against σ = 2.5: the “edge detector”</h2>
<p class="kp-small">One of the class projects trained a U-Net on heatmaps with a small Gaussian
around each point. Its report says that σ&nbsp;=&nbsp;1 (a standard deviation of one cell) made the
net an “edge detector”, and chose σ&nbsp;=&nbsp;2.5. If that is so, heatmaps of the first follow
edges all over the face, where heatmaps of the second have one round spot.</p>"""
_BOTH = """<p class="kp-small">Both nets were trained here on the same photos, for 60 epochs. The
first finds no point, and what there is in its faint heatmaps lies mostly on edges; the second finds
eyes and mouth, and not yet the jaw. Training has the figures. Once a photo is compared, their
heatmaps of its face appear here side by side, of the point that is chosen above.</p>"""
_TO_TRAIN = """<p class="kp-small">The weights of these two nets are missing:
<code>python -m train sweep unet-sigma</code> trains both, and as <code>weights/unet-report</code>
and <code>weights/unet-report-sigma-1</code> they are shown here.</p>"""
_PROGRESS = {
    SENSITIVITY: "Occluding one place after another",
    GRADIENTS: "Following the gradients of one point after another",
}
_CANCELLED = "Cancelled. Choose a model or a view to draw it."
# Drawings of one photo that a session keeps, of some 200 kB each.
_MAX_DRAWINGS = 24
_LEAD = (
    "<p>See where on the face a neural network expects each point, and which parts of the photo "
    "its prediction depends on.</p>"
)
_UNCHANGED: Any = gr.skip()
# The choice is noted past the queue, so that a run sees it at its next step.
_IMMEDIATE: dict[str, Any] = {
    "queue": False,
    "trigger_mode": "multiple",
    "show_progress": "hidden",
    "api_visibility": "private",
}
_QUEUED: dict[str, Any] = {
    **MAPS_QUEUE,
    "trigger_mode": "always_last",
    "api_visibility": "private",
}
_serial = count()


class Update(NamedTuple):
    """New values of the tab's parts; what is not given stays on the page as it is."""

    view: Any = _UNCHANGED
    controls: Any = _UNCHANGED
    message: Any = _UNCHANGED
    cancel: Any = _UNCHANGED
    display: Any = _UNCHANGED

    def idle(self) -> "Update":
        """The same without a message or a cancel button."""
        return self._replace(message="", cancel=gr.update(visible=False))


@dataclass(frozen=True)
class Choices:
    """The models to choose from, those of them with heatmaps, and the choice at the start."""

    models: Sequence[str]
    with_heatmaps: Sequence[str]

    @classmethod
    def of(cls, engine: Engine) -> "Choices":
        models = engine.store.names
        configs = engine.store.configs
        return cls(models, [name for name in models if has_heatmaps(configs[name])])

    @property
    def first(self) -> Choice:
        several = len(self.with_heatmaps) > 1
        return Choice(SIDE_BY_SIDE if several else [*self.with_heatmaps, *self.models][0])

    def controls(self, choice: Choice, faces: int) -> str:
        """The value of the controls as JSON."""
        return export.to_json(
            {
                "models": [
                    {"name": name, "title": zoo.title(name), "maps": name in self.with_heatmaps}
                    for name in self.models
                ],
                "beside": SIDE_BY_SIDE if len(self.with_heatmaps) > 1 else None,
                "faces": faces,
                "model": choice.model,
                "face": choice.face,
                "view": choice.view,
                # An equal value would leave what the visitor chose meanwhile.
                "number": next(_serial),
            }
        )


def build(engine: Engine, session: gr.State, tab: gr.Tab) -> None:
    """Lay out the tab; `session` holds the last `PhotoResult`."""
    choices = Choices.of(engine)
    if not choices.models:
        gr.HTML(notice.error(notice.NO_NETS))
        return
    display, request = gr.State(), gr.State(Request())
    gr.HTML(_LEAD, elem_classes="kp-lead")
    with gr.Row():
        with gr.Column(scale=1, min_width=280, elem_classes="kp-controls"):
            controls = component.build(
                "heatmaps-choice",
                "heatmaps/heatmaps_controls.html",
                "heatmaps/heatmaps_controls.js",
                value=choices.controls(choices.first, faces=1),
            )
            message = gr.HTML(elem_id="heatmaps-message", apply_default_css=False)
            cancel = gr.Button("Cancel", visible=False, elem_id="heatmaps-cancel")
        with gr.Column(scale=4, min_width=300):
            view = maps.build("heatmaps", shared=True)
    pair = all(name in choices.with_heatmaps for name in SIGMAS)
    gr.HTML(_ABOUT_SIGMAS + (_BOTH if pair else _TO_TRAIN), apply_default_css=False)
    sigmas = maps.build("sigmas") if pair else None

    opened = tab.select(partial(request_opened, choices), [request, display], None, **_IMMEDIATE)
    chosen = controls.input(request_choice, request, None, **_IMMEDIATE)
    cancelled = cancel.click(request_cancel, request, None, **_IMMEDIATE)
    # The run itself says that it was cancelled, unless it was at its end already.
    for event, progress in ((opened, "full"), (chosen, "full"), (cancelled, "hidden")):
        drawn = event.then(
            partial(show, engine, choices),
            [request, session, display],
            [view, controls, message, cancel, display],
            show_progress=progress,
            show_progress_on=view,
            **_QUEUED,
        )
        if sigmas is not None:
            drawn.then(
                partial(show_sigmas, engine),
                [session, display],
                [sigmas, display],
                show_progress_on=sigmas,
                **_QUEUED,
            )


def request_choice(request: Request, event: gr.EventData) -> None:
    """Note what the visitor chose in the controls; of quick choices, the last one counts."""
    if event.at > request.at:  # requests may overtake each other on their way
        request.at = event.at
        request.set(Choice(event.model, event.face, event.view))


def request_opened(choices: Choices, request: Request, display: Display | None) -> None:
    """Note that the tab was opened: what it displayed last is wanted again."""
    current = request.current(display)
    if current is None:
        request.set(request.choice or choices.first)
    elif request.choice is None or request.choice is current.requested:
        request.set(current.choice)


def request_cancel(request: Request) -> None:
    """Note that the visitor cancelled."""
    request.cancel()


def show(
    engine: Engine,
    choices: Choices,
    request: Request,
    result: PhotoResult | None,
    display: Display | None,
) -> Iterator[Update]:
    """Draw the requested choice, with progress where it takes long."""
    current = request.current(display)
    requested = request.choice
    if requested is None:
        yield _cancelled(choices, result, current)
        return
    if result is None:
        yield Update(view=None, display=Display(None, requested, requested, {}))
        return
    new = _next_display(choices, requested, result, current)
    faces = len(result.comparison.faces)
    if current is not None and current is display and new.drawings and new.choice == current.choice:
        # The controls may still have a choice that was cancelled.
        yield Update(controls=choices.controls(new.choice, faces)).idle()
        return
    if new.choice not in new.drawings:
        for share, drawing in _draw(engine, choices, result, new.choice):
            if request.choice is not requested:  # cancelled, or another choice waits for its turn
                yield Update().idle() if request.choice else _cancelled(choices, result, current)
                return
            if drawing is None:
                text = f"{_PROGRESS[new.choice.view]}: {100 * share:.0f} %"
                yield Update(message=notice.progress(text, share), cancel=gr.update(visible=True))
            else:
                new.drawings[new.choice] = drawing
    yield Update(
        view=new.drawings[new.choice],
        controls=choices.controls(new.choice, faces),
        display=new,
    ).idle()


def show_sigmas(engine: Engine, result: PhotoResult | None, display: Display | None) -> Any:
    """The report's two U-Nets beside each other, and the display that notes their face."""
    if result is None or display is None:
        return None, _UNCHANGED
    face = display.choice.face
    if display.sigmas_face == face:
        return _UNCHANGED, _UNCHANGED
    drawing = None
    if result.comparison.faces:
        drawing = side_by_side(engine, result, face, SIGMAS, SIGMAS)
    return drawing, replace(display, sigmas_face=face)


def _next_display(
    choices: Choices, requested: Choice, result: PhotoResult, current: Display | None
) -> Display:
    """The display for a request; its choice may still have to be drawn."""
    choice = requested
    drawings: dict[Choice, str] = {}
    sigmas_face, previous = None, None
    if current and current.comparison is result.comparison:
        drawings, sigmas_face = current.drawings, current.sigmas_face
        previous = replace(current, previous=None)
    else:
        choice = replace(choice, face=0)
        if current:
            previous = Display(None, replace(current.choice, face=0), current.requested, {})
    if choice.model == SIDE_BY_SIDE:
        choice = replace(choice, view=HEATMAP)
    elif choice.view == HEATMAP and choice.model not in choices.with_heatmaps:
        choice = replace(choice, view=SENSITIVITY)
    if choice not in drawings:
        drawings = dict([*drawings.items()][1 - _MAX_DRAWINGS :])
    return Display(result.comparison, choice, requested, drawings, sigmas_face, previous)


def _cancelled(choices: Choices, result: PhotoResult | None, display: Display | None) -> Update:
    """What the tab returns to after a cancel."""
    if result is None or display is None or display.comparison is not result.comparison:
        return Update(view=maps.empty(_CANCELLED), display=display).idle()
    faces = len(result.comparison.faces)
    return Update(
        view=display.drawings[display.choice],
        controls=choices.controls(display.choice, faces),
        display=display,
    ).idle()


def _draw(
    engine: Engine, choices: Choices, result: PhotoResult, choice: Choice
) -> Iterator[tuple[float, str | None]]:
    """The share that is done, and with the last one the drawing as JSON.

    The drawing is a sentence where nothing can be drawn.
    """
    if not result.comparison.faces:
        yield 1, maps.empty(NO_FACE)
        return
    if choice.model == SIDE_BY_SIDE:
        nets = {name: zoo.title(name) for name in choices.with_heatmaps}
        yield 1, side_by_side(engine, result, choice.face, nets, DEFAULT_MODELS)
        return
    face, title = result.detection(choice.face), zoo.title(choice.model)
    try:
        model = engine.store.model(choice.model)
    except CheckpointError as error:
        yield 1, maps.empty(f"{title} cannot be opened: {error}")
        return
    view = maps.View.around(result.photo, face, model.config)
    _, pixels = crop_face(model.config, result.photo, face)
    with engine.turn:
        prediction = predict(model, pixels[None], heatmaps=True)
    if choice.view == HEATMAP:
        yield 1, maps.value(view, maps.heatmaps(title, model, view, prediction))
        return
    panel: Callable[..., maps.Panel]
    if choice.view == SENSITIVITY:
        steps, panel = occlusion.sensitivity(model, pixels), maps.sensitivity
    else:
        steps, panel = gradients.attribution(model, pixels), maps.gradients
    values = None
    while values is None:
        # One step a turn: others get in between, and a cancel leaves nothing locked.
        with engine.turn:
            share, values = next(steps)
        yield share, None
    yield 1, maps.value(view, panel(title, model, view, prediction, values))


def side_by_side(
    engine: Engine,
    result: PhotoResult,
    number: int,
    titles: Mapping[str, str],
    shown: Collection[str],
) -> str:
    """Several nets' heatmaps of a face as JSON, by name with the `titles` of their panels.

    Those that are not `shown` wait for the visitor. Nets that cannot be opened are named in a note.
    """
    models, notes = [], []
    for name, title in titles.items():
        try:
            models.append(engine.store.model(name))
        except CheckpointError as error:
            notes.append(f"{title} cannot be opened: {error}")
    if not models:
        return maps.empty(*notes)
    view = maps.View.around(
        result.photo, result.detection(number), *(model.config for model in models)
    )
    panels = []
    for model in models:
        _, pixels = crop_face(model.config, view.photo, view.face)
        with engine.turn:
            prediction = predict(model, pixels[None], heatmaps=True)
        title = titles[model.name]
        panels.append(maps.heatmaps(title, model, view, prediction, model.name in shown))
    return maps.value(view, *panels, notes=notes)
