"""A visitor's video: an estimate, its comparison with progress, and its cancel."""

import gzip
import io
import logging
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import closing
from itertools import islice
from pathlib import Path
from typing import Any, NamedTuple

import cv2
import gradio as gr
import numpy as np

from kpdemo import zoo
from kpdemo.engine.annotated_video import AnnotatedFrame, annotate
from kpdemo.engine.engine import Engine
from kpdemo.engine.stream import Jitter
from kpdemo.media import video_writer
from kpdemo.media.video import Clip, VideoError
from kpdemo.ui.live.one_time_files import OneTimeFiles
from kpdemo.ui.live.video_request import Claim, Request
from kpdemo.ui.shared import image_data, notice

_NO_VIDEO = "Choose a video first: drop a file, or click to pick one."
_NO_MODEL = "Choose at least one model first."
_CANCELLED = "Cancelled; nothing of this video is kept."
_FAILED = "The video could not be compared because of a fault of this app; try another one."
_INTERVAL = 0.3  # seconds between progress updates, and between checks for a cancel
_TRIAL = 4  # frames that are compared for the estimate; the first costs more than the others
_PREVIEW = 960  # pixels of a preview's longer side
_UNCHANGED: Any = gr.skip()

log = logging.getLogger(__name__)


class Start(NamedTuple):
    """New values of the tab's parts when a video is sent."""

    request: Any
    file: Any = _UNCHANGED
    claim: Any = _UNCHANGED
    estimate: Any = _UNCHANGED
    message: Any = _UNCHANGED
    go: Any = _UNCHANGED
    cancel: Any = _UNCHANGED


class Update(NamedTuple):
    """New values of the tab's parts; what is not given stays on the page as it is."""

    message: Any = _UNCHANGED
    go: Any = _UNCHANGED
    cancel: Any = _UNCHANGED
    preview: Any = _UNCHANGED
    player: Any = _UNCHANGED

    def idle(self) -> "Update":
        """The same, ready for the next video."""
        return self._replace(
            go=gr.update(interactive=True), cancel=gr.update(visible=False), preview=""
        )


def claim(upload: str) -> Claim:
    """Claim an upload for this visitor."""
    return Claim.of(Path(upload))


def estimate(engine: Engine, file_claim: Claim | None, models: Sequence[str], every: int) -> str:
    """HTML of how long the chosen video will take, from its first frames; empty without one."""
    if file_claim is None or file_claim.taken or not models:
        return ""
    try:
        with Clip(file_claim.path, every) as clip:
            seconds = _seconds(engine, clip, models)
    except VideoError as error:
        return "" if file_claim.taken else notice.error(str(error))
    if file_claim.taken:  # it runs by now, or did
        return ""
    return notice.info(f"{clip.slots} frames, about {_duration(seconds)}.")


def start(
    upload: str | None,
    file_claim: Claim | None,
    models: Sequence[str],
    every: int,
    steady: bool,
) -> Start:
    """Take the chosen video and settings as this visitor's request."""
    if upload is None:
        return Start(None, message=notice.error(_NO_VIDEO))
    if not models:
        return Start(None, message=notice.error(_NO_MODEL))
    if file_claim is None or file_claim.upload != Path(upload):  # pressed before it was claimed
        file_claim = claim(upload)
    file_claim.taken = True
    file_claim.renew()
    return Start(
        Request(file_claim, tuple(models), every, steady),
        file=None,
        claim=None,
        estimate="",
        message=notice.progress("Waiting in the queue…"),
        go=gr.update(interactive=False),
        cancel=gr.update(visible=True),
    )


def run(engine: Engine, downloads: OneTimeFiles, request: Request | None) -> Iterator[Update]:
    """Compare a requested video, with its progress; files are left at the handover."""
    # The run of a video that was cancelled in the queue may have taken the next one already.
    if request is None or request.started or request.cancelled:
        yield Update()  # a generator without a value would empty the buttons
        return
    request.started = True
    last = Update()
    try:
        for update, files in _compare(engine, request):
            if request.cancelled:
                last = Update(notice.info(_CANCELLED))
                break
            if files is None:
                yield update
            else:
                last = update._replace(player=downloads.leave(files))
    except VideoError as error:
        last = Update(notice.error(str(error)))  # the last result stays on the page
    except Exception:
        log.exception("A video failed")
        last = Update(notice.error(_FAILED))
    finally:
        request.claim.delete()
    yield last.idle()  # whoever reads that it is done can rely on the file being deleted


def stop(request: Request) -> Update:
    """Cancel a request; its result is taken away if it came meanwhile."""
    request.cancelled = True
    if request.ended:
        return Update(notice.info(_CANCELLED), player=None).idle()
    if request.started:
        return Update()  # the run confirms it, after its last progress update
    request.claim.delete()
    return Update(notice.info(_CANCELLED)).idle()


def end(request: Request | None) -> Update:
    """After the last update of a run: take its result away if it was cancelled too late for that.

    From here on, `stop` does that itself.
    """
    if request is None or not request.started or request.ended:
        return Update()
    request.ended = True
    if request.cancelled:
        return Update(notice.info(_CANCELLED), player=None).idle()
    return Update()


def _compare(engine: Engine, request: Request) -> Iterator[tuple[Update, dict[str, bytes] | None]]:
    """The progress, several times a second, and at the end the summary with the files.

    The files are a "video" and a "csv", packed by gzip. Raises VideoError.
    """
    started = last_update = time.monotonic()
    frames = faces = 0
    unavailable: dict[str, str] = {}
    jitter: dict[str, list[Jitter]] = {}
    titles = _titles(request.models)
    table = io.BytesIO()
    with tempfile.TemporaryDirectory(prefix="kpdemo-") as folder:
        film = Path(folder) / f"film{video_writer.SUFFIX}"
        # The innermost `with` ends first, also when the visitor cancels.
        with (
            Clip(request.claim.path, request.every) as clip,
            gzip.open(table, "wt", 1, encoding="utf-8", newline="") as rows,
            closing(annotate(engine, clip, titles, film, rows, request.steady)) as steps,
        ):
            for step in steps:
                frames += 1
                faces += bool(step.compared.people)
                unavailable |= step.compared.raw.unavailable
                for model, value in step.compared.jitter.items():
                    jitter.setdefault(model, []).append(value)
                now = time.monotonic()
                if now - last_update > _INTERVAL:
                    last_update = now
                    yield _progress(step, clip.slots, now - started), None
        files = {"video": film.read_bytes(), "csv": table.getvalue()}
    seconds = time.monotonic() - started
    summary = f"{frames} frames compared, {faces} of them with a face, in {seconds:.1f} s."
    yield Update(notice.info(summary, *_jitter(jitter, titles), *unavailable.values())), files


def _titles(models: Sequence[str]) -> dict[str, str]:
    return {name: zoo.title(name) for name in models}


def _seconds(engine: Engine, clip: Clip, models: Sequence[str]) -> float:
    """About how many seconds a clip will take; its first frames are compared for that."""
    with tempfile.TemporaryDirectory(prefix="kpdemo-") as folder:
        film = Path(folder) / f"film{video_writer.SUFFIX}"
        times = [time.monotonic()]
        with closing(annotate(engine, clip, _titles(models), film, io.StringIO())) as steps:
            for _ in islice(steps, _TRIAL):
                times.append(time.monotonic())
    later = np.diff(times)[1:] if len(times) > 2 else np.diff(times)
    return float(np.mean(later)) * clip.slots


def _duration(seconds: float) -> str:
    return f"{seconds:.0f} s" if seconds < 90 else f"{seconds / 60:.0f} min"


def _progress(step: AnnotatedFrame, slots: int, seconds: float) -> Update:
    slot = step.source.slot + 1
    slots = max(slots, slot)
    left = seconds * (slots - slot) / slot
    text = f"Frame {slot} of {slots}, about {_duration(left)} left"
    return Update(notice.progress(text, slot / slots), preview=_preview(step.picture))


def _preview(pixels: np.ndarray) -> str:
    """HTML of a frame of the film."""
    scale = min(1.0, _PREVIEW / max(pixels.shape[:2]))
    small = cv2.resize(pixels, None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    return f'<img src="{image_data.data_uri(small, "jpeg")}" alt="The frame compared last">'


def _jitter(values: dict[str, list[Jitter]], titles: dict[str, str]) -> list[str]:
    """A sentence on the jitter of each model that has one."""
    texts = []
    for model, title in titles.items():
        if model in values:
            raw, steady = np.mean(values[model], axis=0)
            texts.append(f"{title} {raw:.2f} → {steady:.2f}")
    if not texts:
        return []
    return [
        "Jitter from frame to frame, raw → steadied, in percent of the eye distance: "
        f"{', '.join(texts)}."
    ]
