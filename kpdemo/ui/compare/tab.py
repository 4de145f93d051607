"""The Compare tab: a photo in, every model's points on it, a table, files out."""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from functools import cache, wraps
from itertools import count
from pathlib import Path
from typing import Any, NamedTuple

import gradio as gr
from gradio.processing_utils import save_file_to_cache

from kpdemo import zoo
from kpdemo.engine.engine import Engine
from kpdemo.keypoints.annotations import TruthError
from kpdemo.media import images
from kpdemo.media.images import ImageError
from kpdemo.structures import ComparedFace
from kpdemo.system.forks import Lock
from kpdemo.ui import examples
from kpdemo.ui.compare import (
    contact_sheet,
    degrade,
    drag,
    ground_truth,
    messages,
    own_model,
    panels,
    place,
    table,
)
from kpdemo.ui.session import FRAME, PhotoResult
from kpdemo.ui.shared import component, image_data, notice, scripts
from kpdemo.ui.shared.choice import ModelChoice
from kpdemo.ui.shared.queues import MODELS_QUEUE
from kpdemo.zoo import DEFAULT_MODELS

_SKIP = '<a class="kp-skip" href="#" data-target="#panels .kp-grid svg">Skip to the picture</a>'
_LEAD = (
    "<p>Drop in a photo and see where four neural networks put the keypoints of each face, beside "
    "MediaPipe.</p>"
)
# The models in the page's address, if it names any that are available.
_MODELS = """(models, more, choice) => {
  const wanted = new URLSearchParams(location.hash.slice(1)).get("models");
  const named = (wanted ?? "").split(",");
  const among = (all) => all.filter((name) => named.includes(name));
  const [first, others] = [among(%s), among(%s)];
  const any = first.length + others.length;
  return any ? [first, others, JSON.stringify([...first, ...others])] : [models, more, choice];
}"""
# Gradio looks for one among the defaults, and gives each run its own.
_PROGRESS = gr.Progress()
# Tells the panels which models are ticked, and when the server computes.
_CHOSEN = """(models, more) => document.dispatchEvent(
  new CustomEvent("kp-models", { detail: [...models, ...more] }))"""
_BUSY = """() => document.dispatchEvent(new CustomEvent("kp-busy", { detail: 1 }))"""
# At the end of a run, its photo goes into the box, unless the run said nothing of it: then the
# number is that of an earlier run. A file that the visitor has chosen meanwhile stays, since Gradio
# reads the box only a moment after it has arrived; one that does not is forgotten in 30 seconds.
_DONE = """(photo, number) => {
  document.dispatchEvent(new CustomEvent("kp-busy", { detail: -1 }));
  const box = document.querySelector("#photo");
  if (number === null || box.dataset.number === String(number)) return;
  if (Date.now() - (box.dataset.chosen ?? 0) < 30_000) return;
  box.dataset.number = number;
  return photo;
}"""
_ARRIVED = """(...values) => {
  delete document.querySelector("#photo").dataset.chosen;
  return values;
}"""
# Gradio goes on with what follows on success where this does not fail.
_ON_SERVER = """() => {
  if (document.body.matches(".kp-in-browser")) throw new Error("The models run in this browser.");
}"""
_OPENING = Lock()
_serial = count()
_UNCHANGED: Any = gr.skip()
_RUN: dict[str, Any] = {
    **MODELS_QUEUE,
    "api_visibility": "private",
    # With `always_last` the page repeats the first event's data instead of the last one's.
    "trigger_mode": "multiple",
    # Gradio would open the photo itself and answer a bad file with its general error; `images` has
    # a sentence for each of those.
    "preprocess": False,
}


class Update(NamedTuple):
    """New values of the tab's parts; what is not given stays on the page as it is."""

    photo: Any = _UNCHANGED
    message: Any = _UNCHANGED
    panels: Any = _UNCHANGED
    table: Any = _UNCHANGED
    truth: Any = _UNCHANGED
    result: Any = _UNCHANGED
    # Of an update with a photo.
    number: Any = _UNCHANGED


@dataclass(frozen=True)
class _Controls:
    photo: gr.Image
    message: gr.HTML
    example: gr.HTML
    recent: gr.HTML
    models: gr.CheckboxGroup
    projects: gr.CheckboxGroup
    truth: gr.HTML
    # What follows a model of the visitor's own.
    added: list[Callable[..., Any]]


def build(
    engine: Engine, session: gr.State, choice: ModelChoice, folder: Path
) -> Callable[[gr.HTML], None]:
    """Lay out the tab; the example photos are written to `folder`.

    What comes back lets this tab compare the `picture` of a component's "freeze" events.
    """
    photos = examples.write(folder)
    gr.HTML(_LEAD, elem_classes="kp-lead")
    projects = [name for name in engine.store.names if name not in DEFAULT_MODELS]
    models = [name for name in engine.names if name not in projects]
    look = contact_sheet.look(engine)
    with gr.Row():
        with gr.Column(scale=1, min_width=280, elem_classes="kp-controls"):
            where = place.build(engine, photos, look)
            c = _controls(engine, photos, models, projects)
        with gr.Column(scale=4, min_width=300):
            _spoken_heading("Result")
            contact_sheet.build(look, engine.names)
            drawn_panels = panels.build()
            _spoken_heading("Figures")
            drawn_table = table.build()
            drawn_points = drag.build(drawn_panels)
            degrade.build(engine, session, [c.models, c.projects])

    def with_photo(act: Callable[..., Update]) -> Callable[..., Update]:
        def run(
            upload: dict[str, Any] | None,
            models: list[str],
            projects: list[str],
            last: PhotoResult | None,
            progress: gr.Progress = _PROGRESS,
        ) -> Update:
            path = upload["path"] if upload else None
            return act(engine, path, models + projects, last, progress)

        return run

    def run_example(
        event: gr.EventData,
        models: list[str],
        projects: list[str],
        last: PhotoResult | None,
        progress: gr.Progress = _PROGRESS,
    ) -> Update:
        example = photos[event.example]
        path = cached(example.path)
        update = compare(engine, path, models + projects, last, progress, example.look)
        return update._replace(photo=path) if update.photo is _UNCHANGED else update

    def run_frame(
        event: gr.EventData,
        models: list[str],
        projects: list[str],
        last: PhotoResult | None,
        progress: gr.Progress = _PROGRESS,
    ) -> Update:
        return compare_frame(engine, event.picture, models + projects, last, progress)

    def run_back(
        event: gr.EventData,
        models: list[str],
        projects: list[str],
        last: PhotoResult | None,
        progress: gr.Progress = _PROGRESS,
    ) -> Update:
        return go_back(engine, event.number, models + projects, last, progress)

    def cached(path: Path) -> str:
        # As the page will name it when it asks for this photo again.
        return save_file_to_cache(path, c.photo.GRADIO_CACHE)

    def wait() -> None:
        opening(engine)

    def open_page(last: PhotoResult | None) -> Update:
        update = opening(engine)
        if last or not update.result:  # the visitor was faster, or no example is installed
            return Update()
        # The photo's box stays empty, and invites to drop one.
        return update._replace(result=replace(update.result, path=str(photos[0].path)))

    def load_file(event: gr.EventData, last: PhotoResult | None) -> Update:
        return load_truth(engine, event.name, event.text, last)

    def choose_set(event: gr.EventData, last: PhotoResult | None) -> Update:
        return choose_truth(engine, event.set, last)

    def clear(last: PhotoResult | None) -> Update:
        return clear_truth(engine, last)

    def forget(last: PhotoResult | None) -> Update:
        return display(engine, replace(last, earlier=())) if last else Update()

    def show_last(last: PhotoResult | None) -> Update:
        return display(engine, last) if last else Update()

    # In place of the box itself: the photo that a run leaves in it.
    boxed = gr.Image(type="filepath", image_mode=None, visible=False)
    number = gr.Number(visible=False)
    outputs = [boxed, c.message, drawn_panels, drawn_table, c.truth, session, number]
    private: dict[str, Any] = {"api_visibility": "private"}
    chosen = [c.models, c.projects]
    everything = [c.photo, *chosen, session]

    def runs(event: Any, fn: Callable[..., Update], inputs: Any, js: str | None = None) -> None:
        """Let an event compute, and the page know while it does."""
        event(None, None, None, js=_BUSY, **private)
        done = event(_boxing(fn), inputs, outputs, show_progress_on=drawn_panels, js=js, **_RUN)
        done.then(None, [boxed, number], c.photo, js=_DONE, **private)

    def on_server(event: Any) -> Any:
        """The same event, unless the models run in the visitor's browser."""
        return event(None, None, None, js=_ON_SERVER, **private).success

    # Not `input`, which also comes when a photo is taken away, and still carries that photo.
    runs(c.photo.upload, with_photo(compare), everything, _ARRIVED)
    runs(c.example.click, run_example, [*chosen, session])
    runs(c.recent.back, run_back, [*chosen, session])
    runs(c.recent.forgotten, forget, session)
    runs(c.truth.chosen, load_file, session)
    runs(drawn_points.truth, load_file, session)
    runs(c.truth.another, choose_set, session)
    runs(c.truth.cleared, clear, session)
    runs(where.returned, show_last, session)
    # What this browser has compared, without the server.
    shown = [drawn_panels, drawn_table, c.message, c.truth]
    where.change(None, where, shown, js=place.SHOW, **private)
    choice.share(c.models, models)
    choice.share(c.projects, projects)
    for group in chosen:
        group.change(None, chosen, None, js=_CHOSEN, **private)
        runs(on_server(group.input), with_photo(choose), everything)
    for added in c.added:
        runs(added, with_photo(choose), everything)
    named = _MODELS % (json.dumps(models), json.dumps(projects))
    linked = [*chosen, choice.component]
    settings = drawn_panels.settings(None, linked, linked, js=named, **private)
    runs(on_server(settings.then), with_photo(choose), everything)
    runs(on_server(drawn_panels.missing), with_photo(choose), everything)
    # What is ready costs no place in the queue. The session is read once it is.
    ready: dict[str, Any] = private | {"queue": False, "show_progress": "hidden"}
    drawn_panels.opened(wait, None, None, **ready).then(open_page, session, outputs, **ready)
    return lambda camera: runs(camera.freeze, run_frame, [*chosen, session])


def _boxing(run: Callable[..., Update]) -> Callable[..., Update]:
    """The same run, with a number where there is a photo, as `_DONE` reads them."""

    @wraps(run)
    def boxing(*arguments: Any) -> Update:
        update = run(*arguments)
        if update.photo is _UNCHANGED:
            return update
        return update._replace(number=next(_serial))

    return boxing


def _controls(
    engine: Engine,
    photos: Sequence[examples.Example],
    models: Sequence[str],
    projects: Sequence[str],
) -> _Controls:
    _spoken_heading("Photo and models")
    photo = gr.Image(
        label="Photo",
        type="filepath",
        image_mode=None,
        sources=["upload", "clipboard", "webcam"],
        webcam_options=gr.WebcamOptions(mirror=False),
        buttons=[],
        height=240,
        placeholder="Drop a photo here, or several,\nor click to choose",
        elem_id="photo",
        alt_text="The photo that you chose",
    )
    gr.HTML(_SKIP, apply_default_css=False, elem_classes="kp-skip-place")
    message = component.notice(
        "notice",
        "#photo",
        images.MAX_BYTES,
        notice.error(images.TOO_LARGE),
        kind="image",
        several="kp-photos",
    )
    example = gr.HTML(
        examples.buttons(photos),
        js_on_load=scripts.loader("compare/examples.js", "click"),
        apply_default_css=False,
        elem_id="examples",
    )
    recent = component.build(
        "recent", "compare/recent.html", "compare/recent.js", events=["back", "forgotten"]
    )
    choices = [(zoo.title(name), name) for name in models]
    default_group = gr.CheckboxGroup(
        choices,
        value=list(models),
        label="Models",
        elem_id="models",
    )
    with gr.Accordion("Class projects", open=False, visible=bool(projects), elem_id="more"):
        project_group = gr.CheckboxGroup(
            [(zoo.title(name), name) for name in projects],
            label="Student re-implementations",
            elem_id="more-models",
        )
    with gr.Accordion("Your own model", open=False, elem_id="own-model"):
        added = own_model.build(engine, default_group, choices)
    with gr.Accordion("Ground truth", open=False, elem_id="ground-truth"):
        truth = ground_truth.build()
    return _Controls(photo, message, example, recent, default_group, project_group, truth, added)


def _spoken_heading(text: str) -> None:
    """A heading for those who jump from one to the next; what can be seen says it already."""
    gr.HTML(f"<h2>{text}</h2>", apply_default_css=False, elem_classes="kp-spoken")


def compare(
    engine: Engine,
    path: str | None,
    models: Sequence[str],
    last: PhotoResult | None,
    progress: gr.Progress,
    look: str = "",
) -> Update:
    """Compare the photo at `path`, or the last one where that is None; `look` as in the result."""
    if path is None and last is None:
        return Update(message=notice.error(messages.NO_PHOTO))
    if not models:
        return Update(message=notice.error(messages.NO_MODEL))
    try:
        result = _result(engine, path, models, last, progress, look)
    except ImageError as error:
        # The last good photo comes back to its result, which is still on the page.
        return Update(
            message=notice.error(str(error)), photo=_existing(last.path) if last else None
        )
    update = display(engine, result)
    # The box may hold another photo by now, which came while this one waited.
    return update._replace(photo=result.path) if Path(result.path).exists() else update


def compare_frame(
    engine: Engine,
    picture: str,
    models: Sequence[str],
    last: PhotoResult | None,
    progress: gr.Progress,
) -> Update:
    """Compare a frame of the camera, a JPEG as data URI."""
    if not models:
        return Update(message=notice.error(messages.NO_MODEL))
    try:
        photo = image_data.photo(picture)
    except ImageError as error:
        return Update(message=notice.error(str(error)))
    comparison = engine.compare(photo, models, **_callbacks(progress, len(models)))
    return display(engine, PhotoResult(FRAME, photo, comparison).after(last))._replace(photo=None)


def choose(
    engine: Engine,
    path: str | None,
    models: Sequence[str],
    last: PhotoResult | None,
    progress: gr.Progress,
) -> Update:
    """Let further models predict on the last photo, or all of them where `path` is another one.

    The page hides the models that are no longer chosen.
    """
    if last is None and path is None:
        return Update()
    if last is None or path not in (None, last.path):
        return compare(engine, path, models, last, progress)
    comparison = last.comparison
    known = {*comparison.models, *comparison.unavailable}
    more = [name for name in models if name not in known] if comparison.faces else []
    if not more:
        return Update()
    photo = _whole(last)
    detections = [face.detection.mapped(photo.to_work) for face in comparison.faces]
    callbacks = _callbacks(progress, len(more))
    added = engine.compare(photo, more, find=lambda _: detections, **callbacks)
    faces = [
        ComparedFace(
            face.detection,
            _in_order(engine, face.predictions | new.predictions),
            _in_order(engine, face.missing | new.missing),
        )
        for face, new in zip(comparison.faces, added.faces, strict=True)
    ]
    times = {name: added.timings[name] for name in more if name in added.timings}
    comparison = replace(
        comparison,
        faces=faces,
        timings=comparison.timings
        | times
        | {"total": comparison.timings["total"] + sum(times.values())},
        unavailable=comparison.unavailable | added.unavailable,
        devices=comparison.devices | added.devices,
    )
    return display(engine, replace(last, comparison=comparison))


def go_back(
    engine: Engine,
    number: int,
    models: Sequence[str],
    last: PhotoResult | None,
    progress: gr.Progress,
) -> Update:
    """Return to an earlier photo of the session, with the models that are chosen now."""
    result = last.back_to(number) if last else None
    if result is None:
        return Update(message=notice.error(messages.EXPIRED))
    update = choose(engine, None, models, result, progress)
    if update.result is _UNCHANGED:  # all of them have been compared
        update = display(engine, result)
    return update._replace(photo=_existing(result.path))


def _in_order(engine: Engine, by_model: dict[str, Any]) -> dict[str, Any]:
    # Models of the visitor's own are last.
    order = dict.fromkeys([*engine.names, *by_model])
    return {name: by_model[name] for name in order if name in by_model}


def opening(engine: Engine) -> Update:
    """What a page opens with: the first example compared, once in the life of the program.

    Nothing where no example is installed. Callers wait while it is computed.
    """
    with _OPENING:
        return _opening(engine)


@cache
def _opening(engine: Engine) -> Update:
    engine.warm_up()
    example = examples.first()
    if example is None:
        return Update(result=None)
    look, file = example
    photo = images.load(file)
    comparison = engine.compare(photo, use_zerogpu=False)
    return display(engine, PhotoResult("", photo.shrunk(), comparison, look=look))


def display(engine: Engine, result: PhotoResult) -> Update:
    """The parts of the page for a result."""
    store = engine.store
    markups = {name: engine.markup(name) for name in result.comparison.models}
    return Update(
        message=messages.of(result.comparison),
        panels=panels.value(result, markups, engine.latency.median),
        table=table.value(
            store.models,
            result,
            store.origins,
            store.not_pulled,
            store.other_weights(),
        ),
        truth=ground_truth.value(result),
        result=result,
    )


def load_truth(engine: Engine, name: str, text: str, last: PhotoResult | None) -> Update:
    """Compare the last result with the ground truth in a file's `text`."""
    if last is None:
        return Update(message=notice.error(messages.NO_COMPARISON))
    try:
        return display(engine, ground_truth.with_file(last, name, text))
    except TruthError as error:
        return Update(message=notice.error(str(error)))


def choose_truth(engine: Engine, chosen: str, last: PhotoResult | None) -> Update:
    """Compare the last result with another set of points from its ground truth's file."""
    if last is None or last.truth is None:
        return Update(message=notice.error(messages.EXPIRED))
    try:
        return display(engine, ground_truth.with_set(last, replace(last.truth, chosen=chosen)))
    except TruthError as error:
        return Update(message=notice.error(str(error)), truth=ground_truth.value(last))


def clear_truth(engine: Engine, last: PhotoResult | None) -> Update:
    """Compare the last result with the baseline again."""
    return display(engine, replace(last, truth=None)) if last else Update(truth=None)


def _result(
    engine: Engine,
    path: str | None,
    models: Sequence[str],
    last: PhotoResult | None,
    progress: gr.Progress,
    look: str,
) -> PhotoResult:
    """Compare the photo at `path`, or the last one; raises ImageError.

    Ground truth stays with the photo that it was given for.
    """
    same = last is not None and path in (None, last.path)
    source: images.Source
    if last and same:
        path, source, truth, look = last.path, _whole(last), last.truth, last.look
    elif path is not None:
        source, truth = path, None
    else:
        raise ImageError(messages.NO_PHOTO)
    small: list[images.Photo] = []
    comparison = engine.compare(
        source,
        models,
        on_decoded=lambda photo: small.append(photo.shrunk()),
        **_callbacks(progress, len(models)),
    )
    result = PhotoResult(path, small[0], comparison, truth, look)
    if last and same:
        return replace(result, earlier=last.earlier, number=last.number)
    return result.after(last)


def _callbacks(progress: gr.Progress, count: int) -> dict[str, Any]:
    """Callbacks that tell the visitor how many wait before them, then which model is next."""

    def say(model: str, done: float) -> None:
        progress(done, desc=f"{zoo.title(model)}, {round(done * count) + 1} of {count}")

    def wait(ahead: int) -> None:
        place = "Next in line …" if ahead == 1 else f"{ahead} before you in line …"
        progress(0.0, desc=place)

    return {"progress": say, "on_wait": wait}


def _whole(last: PhotoResult) -> images.Photo:
    """The last photo at full resolution, if the upload is still there."""
    if last.photo.scale == 1:
        return last.photo
    try:
        return images.load(last.path)
    except images.ImageError:
        return last.photo


def _existing(path: str) -> str | None:
    return path if Path(path).exists() else None
