"""The Live tab: the webcam, or a short video, with one chosen model beside MediaPipe."""

import gzip
import io
import logging
import os
import secrets
import tempfile
import time
from collections.abc import Iterator
from contextlib import closing, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gradio as gr

from kpdemo import zoo
from kpdemo.engine.engine import Engine
from kpdemo.media import video
from kpdemo.ui.live import camera
from kpdemo.ui.live.handover import Handover
from kpdemo.ui.shared import component, notice
from kpdemo.zoo import BASELINE, DEFAULT_MODELS

# One video at a time, but in a line of its own: a video takes a minute and lets go of the engine
# after every frame, so that photos and cameras get in between; in the line of the photos they
# would all stand still for that minute.
_TURN = "videos"
_NO_VIDEO = "Choose a video first: drop a file, or click to pick one."
_CANCELLED = "Cancelled; nothing of this video is kept."
_EVERY = 0.3  # seconds between two looks at the progress, and so at whether it was cancelled
_FAILED = "The video could not be compared because of a fault of this app; try another one."

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class Claim:
    """A visitor's own name `path` for a file; Gradio gives those with the same video one path."""

    upload: Path
    path: Path

    @classmethod
    def of(cls, upload: Path) -> "Claim":
        path = upload.with_name(secrets.token_hex() + upload.suffix)
        with suppress(FileNotFoundError):  # the run of this video says that it is gone
            os.link(upload, path)
        return cls(upload, path)

    def renew(self) -> None:
        """Let the file seem new, so that it is not cleared away while it waits for its turn."""
        with suppress(FileNotFoundError):
            os.utime(self.path)

    def delete(self) -> None:
        """Delete the file; others who chose the same one have theirs."""
        self.upload.unlink(missing_ok=True)
        self.path.unlink(missing_ok=True)


@dataclass
class Asked:
    """A video that waits for its turn, or is read; a run sees at every step if it is cancelled."""

    claim: Claim
    model: str
    begun: bool = False
    cancelled: bool = False


def build(engine: Engine) -> None:
    """Lay out the tab."""
    models = engine.store.names
    if not models:
        gr.HTML(notice.error(notice.NO_NETS))
        return
    first = DEFAULT_MODELS[1] if DEFAULT_MODELS[1] in models else models[0]
    gr.HTML(
        "<p>Watch one network and MediaPipe follow a moving face, through the webcam or in a "
        "short video.</p>",
        elem_classes="kp-lead",
    )
    model = gr.Dropdown(
        [(zoo.title(name), name) for name in models],
        value=first,
        label="Model beside MediaPipe",
        elem_id="live-model",
    )
    gr.HTML(
        "<h2>Webcam</h2><p>Frames are looked at in memory and forgotten; only the points come "
        "back. The camera stops as soon as this tab is out of sight.</p>",
        elem_classes="kp-part",
    )
    mirror = camera.build(engine, first)
    model.change(None, model, mirror, js="(name) => name", api_visibility="private")

    gr.HTML(
        f"<h2>A short video</h2><p>At most {video.MAX_SECONDS} seconds and "
        f"{video.MAX_BYTES // 1_000_000} MB. The sound is left out. The file is deleted here when "
        "it has been read, and the result is kept by this page alone. In the table, "
        "a face's number is its person's through the whole video, and points are in square, "
        "upright pixels.</p>",
        elem_classes="kp-part",
    )
    handover = Handover()

    def take(ticket: str) -> dict[str, str] | None:  # Gradio marks it, which a method cannot be
        return handover.take(ticket)

    with gr.Row():
        with gr.Column(scale=1, min_width=280, elem_classes="kp-controls"):
            # Any file: a video's bytes decide, not its name, and `video` has a sentence for others.
            file = gr.File(label="Video", height=150, buttons=[], elem_id="video")
            go = gr.Button("Compare video", variant="primary", elem_id="video-go")
            cancel = gr.Button("Cancel", visible=False, elem_id="video-cancel")
            said = component.notice(
                "video-said", "#video", video.MAX_BYTES, notice.error(video.TOO_LARGE)
            )
        with gr.Column(scale=4, min_width=300):
            player = component.build(
                "film", "live/film.html", "live/film.js", server_functions=[take]
            )

    last = gr.State()  # what was asked for last, so that another file can be chosen meanwhile
    chosen_file = gr.State()  # its claim
    idle = {go: gr.update(interactive=True), cancel: gr.update(visible=False)}

    def claim(upload: str) -> Claim:
        return Claim.of(Path(upload))

    def begin(upload: str | None, claimed: Claim | None, chosen: str) -> dict:
        if upload is None:
            return {last: None, said: notice.error(_NO_VIDEO)}
        if claimed is None or claimed.upload != Path(upload):  # pressed before it was claimed
            claimed = claim(upload)
        claimed.renew()
        return {
            last: Asked(claimed, chosen),
            file: None,
            chosen_file: None,
            said: notice.progress("Waiting for its turn…"),
            go: gr.update(interactive=False),
            cancel: gr.update(visible=True),
        }

    def run(asked: Asked | None) -> Iterator[dict]:
        # The run of a video that was cancelled while it waited may have taken the next one already.
        if asked is None or asked.begun or asked.cancelled:
            yield {said: gr.skip()}  # a generator without a value would empty the buttons
            return
        asked.begun = True
        titles = {name: zoo.title(name) for name in (asked.model, BASELINE)}
        try:
            for state, files in _compare(engine, asked.claim.path, titles):
                if asked.cancelled:
                    yield idle | {said: notice.info(_CANCELLED)}
                    return
                if files is None:
                    yield {said: state}
                else:
                    yield idle | {said: state, player: handover.leave(files)}
        except video.VideoError as error:
            # What was compared before stays on the page.
            yield idle | {said: notice.error(str(error))}
        except Exception:
            log.exception("A video failed")
            yield idle | {said: notice.error(_FAILED)}
        finally:
            asked.claim.delete()

    def stopped(asked: Asked) -> dict:
        asked.cancelled = True
        if asked.begun:
            return {said: gr.skip()}  # the run says it, after all that it said before
        asked.claim.delete()
        return idle | {said: notice.info(_CANCELLED)}

    quiet: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}
    file.upload(claim, file, chosen_file, queue=False, **quiet)
    go.click(
        begin,
        [file, chosen_file, model],
        [last, file, chosen_file, said, go, cancel],
        queue=False,
        **quiet,
    ).then(
        run,
        last,
        [said, player, go, cancel],
        concurrency_id=_TURN,
        concurrency_limit=1,
        # By default the page drops a start while a cancelled video still waits for its turn.
        trigger_mode="multiple",
        **quiet,
    )
    cancel.click(stopped, last, [said, go, cancel], queue=False, **quiet)


def _compare(
    engine: Engine, path: Path, titles: dict[str, str]
) -> Iterator[tuple[str, dict[str, bytes] | None]]:
    """HTML of how far it is, several times a second, and at the end of the result with its files.

    The files are a "video" and a "csv", packed by gzip. Raises VideoError.
    """
    started = told = time.monotonic()
    frames = faces = 0
    unavailable: dict[str, str] = {}
    table = io.BytesIO()
    with tempfile.TemporaryDirectory(prefix="kpdemo-") as folder:
        film = Path(folder) / f"film{video.SUFFIX}"
        # The innermost `with` ends first, also when the visitor cancels.
        with (
            video.Clip(path) as clip,
            gzip.open(table, "wt", 1, encoding="utf-8", newline="") as rows,
            closing(video.annotate(engine, clip, titles, film, rows)) as steps,
        ):
            for frame, comparison in steps:
                frames += 1
                faces += bool(comparison.faces)
                unavailable |= comparison.unavailable
                now = time.monotonic()
                if now - told > _EVERY:
                    told = now
                    yield _frames(frame.slot + 1, clip.slots, now - started), None
        files = {"video": film.read_bytes(), "csv": table.getvalue()}
    spent = time.monotonic() - started
    summary = f"{frames} frames compared, {faces} of them with a face, in {spent:.1f} s."
    yield notice.info(summary, *unavailable.values()), files


def _frames(slot: int, slots: int, spent: float) -> str:
    slots = max(slots, slot)
    left = spent * (slots - slot) / slot
    return notice.progress(f"Frame {slot} of {slots}, about {left:.0f} s left", slot / slots)
