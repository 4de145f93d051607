"""The Compare tab: a photo in, every model's points on it, a table, files out."""

import json
import time
from base64 import b64encode
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

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
from kpdemo.ui.compare import ground_truth, panels, table
from kpdemo.ui.session import Shown
from kpdemo.ui.shared import component, notice
from kpdemo.zoo import BASELINE, DEFAULT_MODELS

# All that computes takes turns, over all tabs and visitors.
TURN = "models"
_TYPES = {"json": "application/json", "csv": "text/csv", "png": "image/png", "pts": "text/plain"}
# The models that the address names, if it names any that there are.
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


def build(engine: Engine, session: gr.State, folder: Path) -> None:
    """Lay out the tab; the example photos are written to `folder`."""
    photos = examples.write(folder)
    gr.HTML(
        "<p>Drop in a photo and see where four neural networks put the keypoints of each face, "
        "beside MediaPipe.</p>",
        elem_classes="kp-lead",
    )
    with gr.Row():
        with gr.Column(scale=1, min_width=280, elem_classes="kp-controls"):
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
            said = component.notice(
                "notice", "#photo", images.MAX_BYTES, notice.error(images.TOO_LARGE), "image"
            )
            chosen_example = gr.HTML(
                examples.buttons(photos),
                js_on_load="""element.addEventListener("click", (event) => {
                  const button = event.target.closest("button");
                  if (button) trigger("click", { example: Number(button.dataset.example) });
                });""",
                apply_default_css=False,
                elem_id="examples",
            )
            first = [name for name in engine.names if name in (*DEFAULT_MODELS, BASELINE)]
            others = [name for name in engine.names if name not in first]
            models = gr.CheckboxGroup(
                [(zoo.title(name), name) for name in first],
                value=first,
                label="Models",
                elem_id="models",
            )
            with gr.Accordion("Class projects", open=False, visible=bool(others), elem_id="more"):
                more = gr.CheckboxGroup(
                    [(zoo.title(name), name) for name in others],
                    label="Student re-implementations",
                    elem_id="more-models",
                )
            go = gr.Button("Compare", variant="primary", elem_id="go")
            with gr.Accordion("Ground truth", open=False, elem_id="ground-truth"):
                marks = ground_truth.build()
        with gr.Column(scale=4, min_width=300):
            shown_panels = panels.build()
            shown_table = table.build()
    file = gr.JSON(visible=False)

    # What a handler does not name in its answer stays on the page as it is.
    def show(
        path: str | None, chosen: Sequence[str], last: Shown | None, progress: gr.Progress
    ) -> dict:
        if path is None and last is None:
            return {said: notice.error(notice.NO_PHOTO)}
        if not chosen:
            return {said: notice.error(notice.NO_MODEL)}
        try:
            shown = _look(engine, path, chosen, last, progress)
        except ImageError as error:
            # The last good photo comes back to what is still shown of it.
            return {
                said: notice.error(str(error)),
                photo: _still_there(last.path) if last else None,
            }
        # The box may show another photo by now, which came while this one waited.
        back = {photo: shown.path} if Path(shown.path).exists() else {}
        return back | answer(shown)

    def answer(shown: Shown) -> dict:
        return {
            said: notice.of(shown.comparison),
            shown_panels: panels.value(shown),
            shown_table: table.value(
                engine.store.models,
                shown,
                engine.store.origins,
                engine.store.not_pulled,
                list(filter(engine.store.is_foreign, engine.store.models)),
            ),
            marks: ground_truth.value(shown),
            session: shown,
        }

    def hold_against(event: gr.EventData, last: Shown | None) -> dict:
        if last is None:
            return {said: notice.error(notice.NO_COMPARISON)}
        try:
            return answer(ground_truth.with_file(last, event.name, event.text))
        except TruthError as error:
            return {said: notice.error(str(error))}

    def hold_against_another(event: gr.EventData, last: Shown | None) -> dict:
        if last is None or last.truth is None:
            return {said: notice.error(notice.EXPIRED)}
        try:
            return answer(ground_truth.with_set(last, replace(last.truth, chosen=event.set)))
        except TruthError as error:
            return {said: notice.error(str(error)), marks: ground_truth.value(last)}

    def forget_truth(last: Shown | None) -> dict:
        return answer(replace(last, truth=None)) if last else {marks: None}

    def compare(
        upload: dict | None,
        chosen: list[str],
        also: list[str],
        last: Shown | None,
        progress: gr.Progress = _PROGRESS,
    ) -> dict:
        return show(upload and upload["path"], chosen + also, last, progress)

    def compare_example(
        event: gr.EventData,
        chosen: list[str],
        also: list[str],
        last: Shown | None,
        progress: gr.Progress = _PROGRESS,
    ) -> dict:
        # As the page will name it when it asks for this photo again.
        path = save_file_to_cache(photos[event.example].path, photo.GRADIO_CACHE)
        return {photo: path} | show(path, chosen + also, last, progress)

    running: dict[str, Any] = {
        "outputs": [photo, said, shown_panels, shown_table, marks, session],
        "show_progress_on": shown_panels,
        "concurrency_id": TURN,
        "api_visibility": "private",
        # With `always_last` the page repeats the first event's data instead of the last one's.
        "trigger_mode": "multiple",
        # Gradio would open the photo itself, and a file that is none would end in its general
        # error; `images` has a sentence for each of those.
        "preprocess": False,
    }
    # Not `input`, which also comes when a photo is taken away, and still carries that photo.
    photo.upload(compare, [photo, models, more, session], **running)
    go.click(compare, [photo, models, more, session], **running | {"trigger_mode": "always_last"})
    chosen_example.click(compare_example, [models, more, session], **running)
    marks.chosen(hold_against, session, **running)
    marks.another(hold_against_another, session, **running)
    marks.cleared(forget_truth, session, **running)
    shown_panels.settings(
        None,
        [models, more],
        [models, more],
        js=_MODELS % (json.dumps(first), json.dumps(others)),
        api_visibility="private",
    )
    shown_panels.download(
        _file,
        session,
        file,
        api_visibility="private",
        show_progress="hidden",
        trigger_mode="multiple",
    ).then(None, file, None, js=_SAVE, api_visibility="private")


def _look(
    engine: Engine,
    path: str | None,
    chosen: Sequence[str],
    last: Shown | None,
    progress: gr.Progress,
) -> Shown:
    """Compare the photo at `path`, or the last one; raises ImageError.

    A truth stays with the photo that it was given for.
    """
    started = time.perf_counter()
    if last and path in (None, last.path):
        path, photo, truth = last.path, _whole(last), last.truth
    else:
        photo, truth = images.load(path), None
    loading = 1000 * (time.perf_counter() - started)
    comparison = engine.compare(
        photo, chosen, lambda model, done: progress(done, desc=zoo.title(model))
    )
    timings = comparison.timings
    timings = timings | {"load": loading, "total": timings["total"] + loading}
    return Shown(path, photo.shrunk(), replace(comparison, timings=timings), truth)


def _whole(last: Shown) -> images.Photo:
    """The photo of the last comparison with all its pixels, if the upload is still there."""
    if last.photo.scale == 1:
        return last.photo
    try:
        return images.load(last.path)
    except images.ImageError:
        return last.photo


def _still_there(path: str) -> str | None:
    return path if Path(path).exists() else None


def _file(event: gr.EventData, last: Shown | None) -> dict[str, str]:
    """A file for the browser to save: made here, in memory, and never on disk."""
    if last is None:
        raise gr.Error(notice.EXPIRED, print_exception=False)
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
        raise gr.Error(notice.NO_POINTS, print_exception=False)
    several = f"-face-{face + 1}" if len(comparison.faces) > 1 else ""
    return f"kpdemo-{model}{several}.pts", export.to_pts(points).encode()
