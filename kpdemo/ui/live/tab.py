"""The Live tab: the webcam, or a short video, with the keypoints of all chosen models."""

from collections.abc import Callable, Sequence
from functools import partial
from typing import Any

import gradio as gr

from kpdemo import zoo
from kpdemo.engine.engine import Engine
from kpdemo.media.video import MAX_BYTES, MAX_SECONDS, TOO_LARGE
from kpdemo.ui.live import camera, video
from kpdemo.ui.live.one_time_files import OneTimeFiles
from kpdemo.ui.live.video_request import Claim
from kpdemo.ui.shared import component, notice
from kpdemo.ui.shared.choice import ModelChoice
from kpdemo.ui.shared.colors import css_color
from kpdemo.ui.shared.queues import MODELS_QUEUE, VIDEOS_QUEUE
from kpdemo.zoo import DEFAULT_MODELS

_LEAD = (
    "<p>Watch neural networks and MediaPipe follow a moving face, through the webcam or in a short "
    "video.</p>"
)
_WEBCAM = (
    "<h2>Webcam</h2><p>In this browser, no frame leaves your device; on the server, frames are "
    "processed in memory and discarded, and only the keypoints come back. The camera stops as soon "
    "as this tab is hidden.</p>"
)
_VIDEO = (
    f"<h2>A short video</h2><p>At most {MAX_SECONDS} seconds and "
    f"{MAX_BYTES // 1_000_000} MB. Sound is left out. The file is deleted here once it has "
    "been read, and only this page keeps the result. In the table, a face’s number belongs to one "
    "person through the whole video, and points are in square, upright pixels, as the models gave "
    "them and steadied.</p>"
)
_EVERY = [("Every", 1), ("Every second", 2), ("Every third", 3)]
_JOIN = "(models, projects) => JSON.stringify([...models, ...projects])"
_PRIVATE: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}


def build(
    engine: Engine,
    choice: ModelChoice,
    compare_frame: Callable[[gr.HTML], None],
    tab: gr.Tab,
) -> None:
    """Lay out the tab; `compare_frame` gets the component whose "freeze" the Compare tab takes."""
    if not engine.names:
        gr.HTML(notice.error(notice.NO_NETS))
        return
    gr.HTML(_LEAD, elem_classes="kp-lead")
    projects = [name for name in engine.store.names if name not in DEFAULT_MODELS]
    models = [name for name in engine.names if name not in projects]
    gr.HTML(_swatches({"live-models": models, "live-projects": projects}), padding=False)
    chosen = gr.CheckboxGroup(
        [(zoo.title(name), name) for name in models],
        value=models,
        label="Models",
        elem_id="live-models",
        elem_classes="kp-chips",
    )
    with gr.Accordion("Class projects", open=False, visible=bool(projects), elem_id="live-more"):
        more = gr.CheckboxGroup(
            [(zoo.title(name), name) for name in projects],
            label="Student re-implementations",
            elem_id="live-projects",
            elem_classes="kp-chips",
        )
    gr.HTML(_WEBCAM, elem_classes="kp-part")
    mirror = camera.build(engine, models)
    choice.share(chosen, models)
    choice.share(more, projects)
    for group in (chosen, more):
        group.change(None, [chosen, more], mirror, js=_JOIN, api_visibility="private")
    compare_frame(mirror)
    gr.HTML(_VIDEO, elem_classes="kp-part")
    _build_video(engine, [chosen, more], tab)


def _swatches(groups: dict[str, Sequence[str]]) -> str:
    """Styles that give each model's checkbox its colour."""
    rules = [
        f"#{group} label:nth-of-type({number}) {{ --model: {css_color(name)}; }}"
        for group, names in groups.items()
        for number, name in enumerate(names, 1)
    ]
    return f"<style>{' '.join(rules)}</style>"


def _build_video(engine: Engine, chosen: list[gr.CheckboxGroup], tab: gr.Tab) -> None:
    downloads = OneTimeFiles()

    def take(ticket: str) -> dict[str, str] | None:  # Gradio marks it, which a method cannot be
        return downloads.take(ticket)

    with gr.Row():
        with gr.Column(scale=1, min_width=280, elem_classes="kp-controls"):
            # Any file: a video's bytes decide, not its name, and `video` has a sentence for others.
            file = gr.File(label="Video", height=150, buttons=[], elem_id="video")
            every = gr.Radio(_EVERY, value=1, label="Frames to compare", elem_id="video-every")
            steady = gr.Checkbox(True, label="Steady points", elem_id="video-steady")
            go = gr.Button("Compare video", variant="primary", elem_id="video-go")
            cancel = gr.Button("Cancel", visible=False, elem_id="video-cancel")
            # Below the button, which it would move away from under the pointer.
            estimate = gr.HTML(elem_id="video-estimate", apply_default_css=False)
            message = component.notice(
                "video-message", "#video", MAX_BYTES, notice.error(TOO_LARGE)
            )
        with gr.Column(scale=4, min_width=300):
            preview = gr.HTML(elem_id="video-preview", apply_default_css=False)
            player = component.build(
                "film", "live/film.html", "live/film.js", server_functions=[take]
            )

    def tell(file_claim: Claim | None, models: list[str], projects: list[str], every: int) -> str:
        return video.estimate(engine, file_claim, models + projects, every)

    def start(
        upload: str | None,
        file_claim: Claim | None,
        models: list[str],
        projects: list[str],
        every: int,
        steady: bool,
    ) -> video.Start:
        return video.start(upload, file_claim, models + projects, every, steady)

    request = gr.State()  # the last one, so that another file can be chosen meanwhile
    file_claim = gr.State()
    told: dict[str, Any] = {
        "fn": tell,
        "inputs": [file_claim, *chosen, every],
        "outputs": estimate,
        **MODELS_QUEUE,
        "trigger_mode": "multiple",
        **_PRIVATE,
    }
    file.upload(video.claim, file, file_claim, queue=False, **_PRIVATE).then(**told)
    file.clear(lambda: (None, ""), None, [file_claim, estimate], queue=False, **_PRIVATE)
    for group in chosen:
        group.input(**told)
    every.input(**told)
    tab.select(**told)  # the models may have been chosen on another tab
    parts = [message, go, cancel, preview, player]
    go.click(
        start,
        [file, file_claim, *chosen, every, steady],
        [request, file, file_claim, estimate, message, go, cancel],
        queue=False,
        **_PRIVATE,
    ).then(
        partial(video.run, engine, downloads),
        request,
        parts,
        **VIDEOS_QUEUE,
        # By default the page drops a start while a cancelled video still waits in the queue.
        trigger_mode="multiple",
        **_PRIVATE,
    ).then(video.end, request, parts, queue=False, **_PRIVATE)
    cancel.click(video.stop, request, parts, queue=False, **_PRIVATE)
