"""The Live tab: the webcam, or a short video, with one chosen model beside MediaPipe."""

import gzip
import io
import logging
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

import gradio as gr

from kpdemo import zoo
from kpdemo.engine import annotated_video
from kpdemo.engine.engine import Engine
from kpdemo.media import video, video_writer
from kpdemo.ui.live import camera
from kpdemo.ui.live.handover import Handover
from kpdemo.ui.live.video_request import Claim, Request
from kpdemo.ui.shared import component, notice
from kpdemo.ui.shared.queues import VIDEOS_QUEUE
from kpdemo.zoo import BASELINE, DEFAULT_MODELS

_LEAD = (
    "<p>Watch one network and MediaPipe follow a moving face, through the webcam or in a short "
    "video.</p>"
)
_WEBCAM = (
    "<h2>Webcam</h2><p>Frames are processed in memory and discarded; only the keypoints come back. "
    "The camera stops as soon as this tab is hidden.</p>"
)
_VIDEO = (
    f"<h2>A short video</h2><p>At most {video.MAX_SECONDS} seconds and "
    f"{video.MAX_BYTES // 1_000_000} MB. Sound is left out. The file is deleted here once it has "
    "been read, and only this page keeps the result. In the table, a face’s number belongs to one "
    "person through the whole video, and points are in square, upright pixels.</p>"
)
_NO_VIDEO = "Choose a video first: drop a file, or click to pick one."
_CANCELLED = "Cancelled; nothing of this video is kept."
_FAILED = "The video could not be compared because of a fault of this app; try another one."
_INTERVAL = 0.3  # seconds between progress updates, and between checks for a cancel
_UNCHANGED: Any = gr.skip()
_PRIVATE: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}

log = logging.getLogger(__name__)


class Start(NamedTuple):
    """New values of the tab's parts when a video is sent."""

    request: Any
    file: Any = _UNCHANGED
    claim: Any = _UNCHANGED
    message: Any = _UNCHANGED
    go: Any = _UNCHANGED
    cancel: Any = _UNCHANGED


class Update(NamedTuple):
    """New values of the tab's parts; what is not given stays on the page as it is."""

    message: Any = _UNCHANGED
    go: Any = _UNCHANGED
    cancel: Any = _UNCHANGED
    player: Any = _UNCHANGED

    def idle(self) -> "Update":
        """The same, ready for the next video."""
        return self._replace(go=gr.update(interactive=True), cancel=gr.update(visible=False))


def build(engine: Engine) -> None:
    """Lay out the tab."""
    models = engine.store.names
    if not models:
        gr.HTML(notice.error(notice.NO_NETS))
        return
    gr.HTML(_LEAD, elem_classes="kp-lead")
    first = DEFAULT_MODELS[1] if DEFAULT_MODELS[1] in models else models[0]
    model = gr.Dropdown(
        [(zoo.title(name), name) for name in models],
        value=first,
        label="Model beside MediaPipe",
        elem_id="live-model",
    )
    gr.HTML(_WEBCAM, elem_classes="kp-part")
    mirror = camera.build(engine, first)
    model.change(None, model, mirror, js="(name) => name", api_visibility="private")
    gr.HTML(_VIDEO, elem_classes="kp-part")
    _build_video(engine, model)


def _build_video(engine: Engine, model: gr.Dropdown) -> None:
    handover = Handover()

    def take(ticket: str) -> dict[str, str] | None:  # Gradio marks it, which a method cannot be
        return handover.take(ticket)

    with gr.Row():
        with gr.Column(scale=1, min_width=280, elem_classes="kp-controls"):
            # Any file: a video's bytes decide, not its name, and `video` has a sentence for others.
            file = gr.File(label="Video", height=150, buttons=[], elem_id="video")
            go = gr.Button("Compare video", variant="primary", elem_id="video-go")
            cancel = gr.Button("Cancel", visible=False, elem_id="video-cancel")
            message = component.notice(
                "video-said", "#video", video.MAX_BYTES, notice.error(video.TOO_LARGE)
            )
        with gr.Column(scale=4, min_width=300):
            player = component.build(
                "film", "live/film.html", "live/film.js", server_functions=[take]
            )

    request = gr.State()  # the last one, so that another file can be chosen meanwhile
    file_claim = gr.State()
    file.upload(claim, file, file_claim, queue=False, **_PRIVATE)
    go.click(
        start,
        [file, file_claim, model],
        [request, file, file_claim, message, go, cancel],
        queue=False,
        **_PRIVATE,
    ).then(
        partial(run, engine, handover),
        request,
        [message, go, cancel, player],
        concurrency_id=VIDEOS_QUEUE,
        concurrency_limit=1,
        # By default the page drops a start while a cancelled video still waits in the queue.
        trigger_mode="multiple",
        **_PRIVATE,
    )
    cancel.click(stop, request, [message, go, cancel, player], queue=False, **_PRIVATE)


def claim(upload: str) -> Claim:
    """Claim an upload for this visitor."""
    return Claim.of(Path(upload))


def start(upload: str | None, file_claim: Claim | None, model: str) -> Start:
    """Take the chosen video and model as this visitor's request."""
    if upload is None:
        return Start(None, message=notice.error(_NO_VIDEO))
    if file_claim is None or file_claim.upload != Path(upload):  # pressed before it was claimed
        file_claim = claim(upload)
    file_claim.renew()
    return Start(
        Request(file_claim, model),
        file=None,
        claim=None,
        message=notice.progress("Waiting in the queue…"),
        go=gr.update(interactive=False),
        cancel=gr.update(visible=True),
    )


def run(engine: Engine, handover: Handover, request: Request | None) -> Iterator[Update]:
    """Compare a requested video, with its progress; files are left at the handover."""
    # The run of a video that was cancelled in the queue may have taken the next one already.
    if request is None or request.started or request.cancelled:
        yield Update()  # a generator without a value would empty the buttons
        return
    request.started = True
    titles = {name: zoo.title(name) for name in (request.model, BASELINE)}
    try:
        for message, files in _compare(engine, request.claim.path, titles):
            if request.cancelled:
                yield Update(notice.info(_CANCELLED)).idle()
                return
            if files is None:
                yield Update(message)
            else:
                yield Update(message, player=handover.leave(files)).idle()
    except video.VideoError as error:
        # The last result stays on the page.
        yield Update(notice.error(str(error))).idle()
    except Exception:
        log.exception("A video failed")
        yield Update(notice.error(_FAILED)).idle()
    finally:
        request.claim.delete()


def stop(request: Request) -> Update:
    """Cancel a request."""
    request.cancelled = True
    if request.started:
        return Update()  # the run confirms it, after its last progress update
    request.claim.delete()
    return Update(notice.info(_CANCELLED)).idle()


def _compare(
    engine: Engine, path: Path, titles: dict[str, str]
) -> Iterator[tuple[str, dict[str, bytes] | None]]:
    """HTML of the progress, several times a second, and at the end of the result with its files.

    The files are a "video" and a "csv", packed by gzip. Raises VideoError.
    """
    started = last_update = time.monotonic()
    frames = faces = 0
    unavailable: dict[str, str] = {}
    table = io.BytesIO()
    with tempfile.TemporaryDirectory(prefix="kpdemo-") as folder:
        film = Path(folder) / f"film{video_writer.SUFFIX}"
        # The innermost `with` ends first, also when the visitor cancels.
        with (
            video.Clip(path) as clip,
            gzip.open(table, "wt", 1, encoding="utf-8", newline="") as rows,
            closing(annotated_video.annotate(engine, clip, titles, film, rows)) as steps,
        ):
            for frame, comparison in steps:
                frames += 1
                faces += bool(comparison.faces)
                unavailable |= comparison.unavailable
                now = time.monotonic()
                if now - last_update > _INTERVAL:
                    last_update = now
                    yield _progress(frame.slot + 1, clip.slots, now - started), None
        files = {"video": film.read_bytes(), "csv": table.getvalue()}
    seconds = time.monotonic() - started
    summary = f"{frames} frames compared, {faces} of them with a face, in {seconds:.1f} s."
    yield notice.info(summary, *unavailable.values()), files


def _progress(slot: int, slots: int, seconds: float) -> str:
    slots = max(slots, slot)
    left = seconds * (slots - slot) / slot
    return notice.progress(f"Frame {slot} of {slots}, about {left:.0f} s left", slot / slots)
