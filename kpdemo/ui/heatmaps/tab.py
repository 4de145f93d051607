"""The Heatmaps tab: where on the face each model's answer comes from."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import count
from typing import Any

import gradio as gr

from kpdemo import zoo
from kpdemo.engine import export
from kpdemo.engine.engine import Engine
from kpdemo.explain import occlusion
from kpdemo.explain.face_crop import cut_of
from kpdemo.models.model_folder import CheckpointError
from kpdemo.models.nets import has_heatmaps
from kpdemo.models.predict import predict
from kpdemo.structures import NO_FACE, Comparison
from kpdemo.ui.compare.tab import TURN
from kpdemo.ui.heatmaps import maps
from kpdemo.ui.session import Shown
from kpdemo.ui.shared import component, notice

HEATMAP, SENSITIVITY = "heatmap", "sensitivity"
# The report's two U-Nets, which differ in the width of the Gaussians that they were taught.
SIGMAS = {"unet-report-sigma-1": "Taught with σ 1", "unet-report": "Taught with σ 2.5"}
_ABOUT_SIGMAS = """<h2 class="kp-section">σ 1 against σ 2.5: the “edge detector”</h2>
<p class="kp-small">One of the class projects taught a U-Net to draw a small Gaussian bell around
each point. Its report says that bells of σ&nbsp;1 (a standard deviation of one cell) made the net
an “edge detector”, and chose σ&nbsp;2.5. If that is so, maps of the first follow edges all over the
face, where maps of the second have one round spot.</p>"""
_BOTH = """<p class="kp-small">Both nets were trained here on the same photos. Once a photo is
compared, their maps on its face stand here side by side.</p>"""
_TO_TRAIN = """<p class="kp-small">The weights of these two nets are not here yet:
<code>python -m train sweep unet-sigma</code> trains both, and as <code>weights/unet-report</code>
and <code>weights/unet-report-sigma-1</code> they are shown here.</p>"""
_CANCELLED = "Cancelled. Choose a model, or what to see, to have it drawn."
_NUMBERS = count()
# Views of one photo that a session keeps, of some 200 kB each.
_KEPT = 24


@dataclass(frozen=True)
class Choice:
    """What is looked at: a model's `view` of a face, counted from 0."""

    model: str
    face: int = 0
    view: str = HEATMAP


@dataclass(frozen=True, eq=False)
class Looked:
    """What the tab shows of which comparison (None: of none yet), and what was drawn of that one.

    `wanted` is the choice that `choice` is the answer to; the model may have no such view, the
    photo no such face. `sigmas` is the face on which the report's two U-Nets are shown, `before`
    what the tab goes back to if a cancel comes when this choice has just been drawn.
    """

    comparison: Comparison | None
    choice: Choice
    wanted: Choice
    drawn: dict[Choice, str]
    sigmas: int | None = None
    before: "Looked | None" = None


class Asked:
    """What a visitor asked for last, None after a cancel, and what was cancelled last.

    A run reads it at every step, so a session keeps one and the same object.
    """

    choice: Choice | None = None
    cancelled: Choice | None = None

    def ask(self, choice: Choice) -> None:
        self.choice = replace(choice)  # not to be taken for an equal one that was cancelled

    def cancel(self) -> None:
        if self.choice is not None:
            self.choice, self.cancelled = None, self.choice

    def stands(self, seen: Looked | None) -> Looked | None:
        """What the tab shows once a cancel that came after the last step is heard, too."""
        if seen is None or seen.wanted is not self.cancelled:
            return seen
        return seen.before and replace(seen.before, sigmas=seen.sigmas)


def build(engine: Engine, session: gr.State, tab: gr.Tab) -> None:
    """Lay out the tab; `session` holds the last comparison (`kpdemo.ui.session.Shown`)."""
    models = engine.store.names
    if not models:
        gr.HTML(notice.error(notice.NO_NETS))
        return
    with_maps = [name for name in models if has_heatmaps(engine.store.configs[name])]
    first = Choice("unet" if "unet" in models else [*with_maps, *models][0])
    looked, asked = gr.State(), gr.State(Asked())
    gr.HTML(
        "<p>See where on the face a neural network expects each point, and which parts of the "
        "photo its answer rests on.</p>",
        elem_classes="kp-lead",
    )
    with gr.Row():
        with gr.Column(scale=1, min_width=280, elem_classes="kp-controls"):
            controls = component.build(
                "heatmaps-choice",
                "heatmaps/heatmaps_controls.html",
                "heatmaps/heatmaps_controls.js",
                value=_controls(models, with_maps, first, faces=1),
            )
            said = gr.HTML(elem_id="heatmaps-said", apply_default_css=False)
            cancel = gr.Button("Cancel", visible=False, elem_id="heatmaps-cancel")
        with gr.Column(scale=4, min_width=300):
            view = maps.build("heatmaps")
    pair = all(name in with_maps for name in SIGMAS)
    gr.HTML(_ABOUT_SIGMAS + (_BOTH if pair else _TO_TRAIN), apply_default_css=False)
    both = maps.build("sigmas") if pair else None

    idle = {said: "", cancel: gr.update(visible=False)}

    # The choice is noted past the queue, so that a run sees it at its next step.
    def note(asked: Asked, event: gr.EventData) -> None:
        asked.ask(Choice(event.model, event.face, event.view))

    def note_opened(asked: Asked, seen: Looked | None) -> None:
        seen = asked.stands(seen)
        if seen is None:
            asked.ask(asked.choice or first)
        elif asked.choice is None or asked.choice is seen.wanted:
            asked.ask(seen.choice)

    def note_cancelled(asked: Asked) -> None:
        asked.cancel()

    def cancelled(last: Shown | None, seen: Looked | None) -> dict:
        if last is None or seen is None or seen.comparison is not last.comparison:
            return idle | {view: maps.empty(_CANCELLED), looked: seen}
        faces = len(last.comparison.faces)
        return idle | {
            view: seen.drawn[seen.choice],
            controls: _controls(models, with_maps, seen.choice, faces),
            looked: seen,
        }

    def show(asked: Asked, last: Shown | None, there: Looked | None) -> Iterator[dict]:
        seen = asked.stands(there)
        choice = wanted = asked.choice
        if wanted is None:
            yield cancelled(last, seen)
            return
        if last is None:
            yield {view: None, looked: Looked(None, choice, wanted, {})}
            return
        faces = last.comparison.faces
        drawn: dict[Choice, str] = {}
        sigmas = before = None
        if seen and seen.comparison is last.comparison:
            drawn, sigmas, before = seen.drawn, seen.sigmas, replace(seen, before=None)
        else:
            choice = replace(choice, face=0)
            if seen:
                before = Looked(None, replace(seen.choice, face=0), seen.wanted, {})
        if choice.model not in with_maps:
            choice = replace(choice, view=SENSITIVITY)
        if seen is there and drawn and choice == seen.choice:
            yield idle
            return
        if choice not in drawn:
            drawn = dict([*drawn.items()][1 - _KEPT :])
            for state in _draw(engine, last, choice):
                if asked.choice is not wanted:  # cancelled, or another choice waits for its turn
                    yield idle if asked.choice else cancelled(last, seen)
                    return
                if isinstance(state, str):
                    drawn[choice] = state
                else:
                    words = f"Hiding one place after another: {100 * state:.0f} %"
                    yield {said: notice.progress(words, state), cancel: gr.update(visible=True)}
        yield idle | {
            view: drawn[choice],
            controls: _controls(models, with_maps, choice, len(faces)),
            looked: Looked(last.comparison, choice, wanted, drawn, sigmas, before),
        }

    def show_sigmas(last: Shown | None, seen: Looked | None) -> Any:
        if last is None or seen is None:
            return {both: None}
        face = seen.choice.face
        if seen.sigmas == face:
            return gr.skip()
        return {both: _draw_sigmas(engine, last, face), looked: replace(seen, sigmas=face)}

    quick: dict[str, Any] = {
        "queue": False,
        "trigger_mode": "multiple",
        "show_progress": "hidden",
        "api_visibility": "private",
    }
    running: dict[str, Any] = {
        "concurrency_id": TURN,
        "trigger_mode": "always_last",
        "api_visibility": "private",
    }
    for event, progress in (
        (tab.select(note_opened, [asked, looked], None, **quick), "full"),
        (controls.input(note, asked, None, **quick), "full"),
        # The run itself says that it was cancelled, unless it was at its end already.
        (cancel.click(note_cancelled, asked, None, **quick), "hidden"),
    ):
        shown = event.then(
            show,
            [asked, session, looked],
            [view, controls, said, cancel, looked],
            show_progress=progress,
            show_progress_on=view,
            **running,
        )
        if both is not None:
            shown.then(
                show_sigmas, [session, looked], [both, looked], show_progress_on=both, **running
            )


def _controls(models: list[str], with_maps: list[str], choice: Choice, faces: int) -> str:
    return export.to_json(
        {
            "models": [
                {"name": name, "title": zoo.title(name), "maps": name in with_maps}
                for name in models
            ],
            "faces": faces,
            "model": choice.model,
            "face": choice.face,
            "view": choice.view,
            # A value that is the same would leave what the visitor chose meanwhile.
            "number": next(_NUMBERS),
        }
    )


def _draw(engine: Engine, last: Shown, choice: Choice) -> Iterator[float | str]:
    """The share that is done, where it takes long, and last what the tab shows of a choice.

    That is a sentence where nothing can be shown.
    """
    faces = last.comparison.faces
    if not faces:
        yield maps.empty(NO_FACE)
        return
    face, title = faces[choice.face].found, zoo.title(choice.model)
    try:
        model = engine.store.model(choice.model)
    except CheckpointError as error:
        yield maps.empty(f"{title} cannot be opened: {error}")
        return
    _, cut = cut_of(model.config, last.photo, face)
    with engine.turn:
        found = predict(model, cut[None], heatmaps=True)
    if choice.view == HEATMAP:
        yield maps.value(maps.heatmaps(title, model, last.photo, face, found))
        return
    steps = occlusion.sensitivity(model, cut)
    moves = None
    while moves is None:
        # One step a turn: others get in between, and who cancels leaves nothing locked.
        with engine.turn:
            share, moves = next(steps)
        yield share
    yield maps.value(maps.sensitivity(title, model, last.photo, face, found, moves))


def _draw_sigmas(engine: Engine, last: Shown, number: int) -> str | None:
    """The report's two U-Nets beside each other."""
    if not last.comparison.faces:
        return None
    face = last.comparison.faces[number].found
    panels = []
    for name, title in SIGMAS.items():
        try:
            model = engine.store.model(name)
        except CheckpointError as error:
            return maps.empty(f"{zoo.title(name)} cannot be opened: {error}")
        _, cut = cut_of(model.config, last.photo, face)
        with engine.turn:
            found = predict(model, cut[None], heatmaps=True)
        panels.append(maps.heatmaps(title, model, last.photo, face, found))
    return maps.value(*panels)
