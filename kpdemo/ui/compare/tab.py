"""The Compare tab: a photo in, every model's points on it, a table, files out."""

import json
import time
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, NamedTuple

import gradio as gr
from gradio.processing_utils import save_file_to_cache

from kpdemo import zoo
from kpdemo.engine import export
from kpdemo.engine.engine import Engine
from kpdemo.keypoints.annotations import TruthError
from kpdemo.media import images
from kpdemo.media.images import ImageError
from kpdemo.media.sheet import side_by_side
from kpdemo.structures import Comparison
from kpdemo.ui import examples
from kpdemo.ui.compare import ground_truth, messages, panels, table
from kpdemo.ui.session import PhotoResult
from kpdemo.ui.shared import component, notice
from kpdemo.ui.shared.queues import MODELS_QUEUE
from kpdemo.zoo import DEFAULT_MODELS

_SKIP = '<a class="kp-skip" href="#" data-target="#panels">Skip to the result</a>'
_LEAD = (
    "<p>Drop in a photo and see where four neural networks put the keypoints of each face, beside "
    "MediaPipe.</p>"
)
_TYPES = {"json": "application/json", "csv": "text/csv", "png": "image/png", "pts": "text/plain"}
_EXAMPLE_CLICK = """element.addEventListener("click", (event) => {
  const button = event.target.closest("button");
  if (button) trigger("click", { example: Number(button.dataset.example) });
});"""
# The models in the page's address, if it names any that are available.
_MODELS = """(models, more) => {
  const wanted = new URLSearchParams(location.hash.slice(1)).get("models");
  const named = (wanted ?? "").split(",");
  const among = (all) => all.filter((name) => named.includes(name));
  const [first, others] = [among(%s), among(%s)];
  return first.length + others.length ? [first, others] : [models, more];
}"""
# Gradio looks for one among the defaults, and gives each run its own.
_PROGRESS = gr.Progress()
_SAVE = """(file) => {
  if (!file) return;
  const bytes = Uint8Array.from(atob(file.base64), (letter) => letter.charCodeAt(0));
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([bytes], { type: file.type }));
  link.download = file.name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 10000);
}"""
_UNCHANGED: Any = gr.skip()
_RUN: dict[str, Any] = {
    "concurrency_id": MODELS_QUEUE,
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


@dataclass(frozen=True)
class _Controls:
    photo: gr.Image
    message: gr.HTML
    example: gr.HTML
    models: gr.CheckboxGroup
    projects: gr.CheckboxGroup
    run: gr.Button
    truth: gr.HTML


def build(engine: Engine, session: gr.State, folder: Path) -> None:
    """Lay out the tab; the example photos are written to `folder`."""
    photos = examples.write(folder)
    gr.HTML(_LEAD, elem_classes="kp-lead")
    projects = [name for name in engine.store.names if name not in DEFAULT_MODELS]
    models = [name for name in engine.names if name not in projects]
    with gr.Row():
        with gr.Column(scale=1, min_width=280, elem_classes="kp-controls"):
            c = _controls(photos, models, projects)
        with gr.Column(scale=4, min_width=300):
            _spoken_heading("Result")
            drawn_panels = panels.build()
            _spoken_heading("Figures")
            drawn_table = table.build()
    file = gr.JSON(visible=False)

    def run(
        upload: dict[str, Any] | None,
        models: list[str],
        projects: list[str],
        last: PhotoResult | None,
        progress: gr.Progress = _PROGRESS,
    ) -> Update:
        path = upload["path"] if upload else None
        return compare(engine, path, models + projects, last, progress)

    def run_example(
        event: gr.EventData,
        models: list[str],
        projects: list[str],
        last: PhotoResult | None,
        progress: gr.Progress = _PROGRESS,
    ) -> Update:
        # As the page will name it when it asks for this photo again.
        path = save_file_to_cache(photos[event.example].path, c.photo.GRADIO_CACHE)
        update = compare(engine, path, models + projects, last, progress)
        return update._replace(photo=path) if update.photo is _UNCHANGED else update

    def load_file(event: gr.EventData, last: PhotoResult | None) -> Update:
        return load_truth(engine, event.name, event.text, last)

    def choose_set(event: gr.EventData, last: PhotoResult | None) -> Update:
        return choose_truth(engine, event.set, last)

    def clear(last: PhotoResult | None) -> Update:
        return clear_truth(engine, last)

    outputs = [c.photo, c.message, drawn_panels, drawn_table, c.truth, session]
    to_page: dict[str, Any] = _RUN | {"outputs": outputs, "show_progress_on": drawn_panels}
    chosen = [c.models, c.projects]
    # Not `input`, which also comes when a photo is taken away, and still carries that photo.
    c.photo.upload(run, [c.photo, *chosen, session], **to_page)
    c.run.click(run, [c.photo, *chosen, session], **to_page | {"trigger_mode": "always_last"})
    c.example.click(run_example, [*chosen, session], **to_page)
    c.truth.chosen(load_file, session, **to_page)
    c.truth.another(choose_set, session, **to_page)
    c.truth.cleared(clear, session, **to_page)
    private: dict[str, Any] = {"api_visibility": "private"}
    named = _MODELS % (json.dumps(models), json.dumps(projects))
    drawn_panels.settings(None, chosen, chosen, js=named, **private)
    drawn_panels.download(
        download, session, file, show_progress="hidden", trigger_mode="multiple", **private
    ).then(None, file, None, js=_SAVE, **private)


def _controls(
    photos: Sequence[examples.Example], models: Sequence[str], projects: Sequence[str]
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
        placeholder="Drop a photo here,\nor click to choose one",
        elem_id="photo",
        alt_text="The photo that you chose",
    )
    gr.HTML(_SKIP, apply_default_css=False, elem_classes="kp-skip-place")
    message = component.notice(
        "notice", "#photo", images.MAX_BYTES, notice.error(images.TOO_LARGE), "image"
    )
    example = gr.HTML(
        examples.buttons(photos),
        js_on_load=_EXAMPLE_CLICK,
        apply_default_css=False,
        elem_id="examples",
    )
    default_group = gr.CheckboxGroup(
        [(zoo.title(name), name) for name in models],
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
    run = gr.Button("Compare", variant="primary", elem_id="go")
    with gr.Accordion("Ground truth", open=False, elem_id="ground-truth"):
        truth = ground_truth.build()
    return _Controls(photo, message, example, default_group, project_group, run, truth)


def _spoken_heading(text: str) -> None:
    """A heading for those who jump from one to the next; what can be seen says it already."""
    gr.HTML(f"<h2>{text}</h2>", apply_default_css=False, elem_classes="kp-spoken")


def compare(
    engine: Engine,
    path: str | None,
    models: Sequence[str],
    last: PhotoResult | None,
    progress: gr.Progress,
) -> Update:
    """Compare the photo at `path`, or the last one where that is None."""
    if path is None and last is None:
        return Update(message=notice.error(messages.NO_PHOTO))
    if not models:
        return Update(message=notice.error(messages.NO_MODEL))
    try:
        result = _result(engine, path, models, last, progress)
    except ImageError as error:
        # The last good photo comes back to its result, which is still on the page.
        return Update(
            message=notice.error(str(error)), photo=_existing(last.path) if last else None
        )
    update = display(engine, result)
    # The box may hold another photo by now, which came while this one waited.
    return update._replace(photo=result.path) if Path(result.path).exists() else update


def display(engine: Engine, result: PhotoResult) -> Update:
    """The parts of the page for a result."""
    store = engine.store
    foreign = list(filter(store.is_foreign, store.models))
    markups = {name: engine.markup(name) for name in result.comparison.models}
    return Update(
        message=messages.of(result.comparison),
        panels=panels.value(result, markups),
        table=table.value(store.models, result, store.origins, store.not_pulled, foreign),
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
) -> PhotoResult:
    """Compare the photo at `path`, or the last one; raises ImageError.

    Ground truth stays with the photo that it was given for.
    """
    started = time.perf_counter()
    if last and path in (None, last.path):
        path, photo, truth = last.path, _whole(last), last.truth
    elif path is not None:
        photo, truth = images.load(path), None
    else:
        raise ImageError(messages.NO_PHOTO)
    loading = 1000 * (time.perf_counter() - started)
    comparison = engine.compare(
        photo, models, lambda model, done: progress(done, desc=zoo.title(model))
    )
    timings = comparison.timings
    timings = timings | {"load": loading, "total": timings["total"] + loading}
    return PhotoResult(path, photo.shrunk(), replace(comparison, timings=timings), truth)


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


def download(event: gr.EventData, last: PhotoResult | None) -> dict[str, str]:
    """A file for the browser to save: made here, in memory, and never on disk."""
    if last is None:
        raise gr.Error(messages.EXPIRED, print_exception=False)
    name = f"kpdemo.{event.kind}"
    if event.kind == "png":
        data = export.png_bytes(side_by_side(last.photo, last.comparison))
    elif event.kind == "pts":
        name, data = _pts(last.comparison, event.model, event.face)
    else:
        write = export.to_json if event.kind == "json" else export.to_csv
        data = write(last.comparison.to_dict()).encode()
    return {
        "name": name,
        "type": _TYPES[event.kind],
        "base64": b64encode(data).decode(),
    }


def _pts(comparison: Comparison, model: str, face: int) -> tuple[str, bytes]:
    """The name and the text of a `.pts` file of one model's points on one face."""
    answer = comparison.faces[face].answers.get(model)
    points = None if answer is None else export.ibug_points(answer)
    if points is None:
        raise gr.Error(messages.NO_POINTS, print_exception=False)
    several = f"-face-{face + 1}" if len(comparison.faces) > 1 else ""
    return f"kpdemo-{model}{several}.pts", export.to_pts(points).encode()
