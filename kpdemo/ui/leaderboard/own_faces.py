"""A visitor's own labelled faces: a zip in, the table and charts of `kpdemo evaluate` out.

They are for this visitor alone. The zip is deleted once it is unpacked, and each photo once it is
read.
"""

import tempfile
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

import gradio as gr

from kpdemo.engine.batch import BatchResult, Predictors
from kpdemo.engine.engine import Engine
from kpdemo.engine.photos import FolderError
from kpdemo.evaluation import labels, page, zip_upload
from kpdemo.evaluation.evaluate import Report, evaluate
from kpdemo.keypoints.annotations import TruthError
from kpdemo.media import images
from kpdemo.media.images import ImageError
from kpdemo.ui.shared import component, notice

_LEAD = (
    '<p class="kp-small">A zip of pictures with a .pts file beside each, or with one COCO '
    "keypoints file (.json) or a corrected table of this page (.csv), gives these figures for your "
    "own faces. Only you see them; the photos are deleted once they are read.</p>"
)
_TOO_LARGE = (
    f"The zip is larger than {images.MAX_BYTES // 1_000_000} MB; make it smaller, or use `kpdemo "
    "evaluate FOLDER`."
)
_CURVES = "<h2>Cumulative error distribution</h2>"
_PROGRESS = gr.Progress()


class Update(NamedTuple):
    """The parts of the box: a message, and a report's table, curves, sentence, and details."""

    message: str = ""
    table: Any = ""
    curves: Any = None
    readings: Any = ""
    details: Any = ""
    result: Any = None


def build(engine: Engine) -> None:
    """Lay out the box."""
    gr.HTML(_LEAD, apply_default_css=False)
    file = gr.File(
        label="Zip of labelled faces",
        file_types=[".zip"],
        height=170,
        elem_id="own-faces-file",
    )
    message = component.notice(
        "own-faces-notice", "#own-faces-file", images.MAX_BYTES, notice.error(_TOO_LARGE)
    )
    with gr.Column(visible=False, elem_id="own-faces", elem_classes="kp-own-faces") as result:
        table = gr.HTML(apply_default_css=False)
        gr.HTML(_CURVES, apply_default_css=False)
        curves = gr.Plot(show_label=False, container=False, elem_id="own-curves")
        readings = gr.HTML(apply_default_css=False, elem_classes="kp-small")
        details = gr.HTML(apply_default_css=False)

    def run(path: str | None, progress: gr.Progress = _PROGRESS) -> Update:
        return measure(engine, path, lambda done: progress(done, desc="Photos"))

    # One at a time: it takes minutes, and lets other visitors' photos in between.
    file.upload(
        run,
        file,
        [message, table, curves, readings, details, result],
        concurrency_id="own-faces",
        concurrency_limit=1,
        show_progress_on=message,
        api_visibility="private",
    ).then(lambda: None, None, file, queue=False, api_visibility="private")


def measure(
    engine: Engine, path: str | None, progress: Callable[[tuple[int, int]], object]
) -> Update:
    """All models on the labelled faces in a zip, which is deleted; `progress` gets the number of
    photos that are done, and of all."""
    if path is None:
        return Update()
    with tempfile.TemporaryDirectory(prefix="kpdemo-faces-") as scratch:
        folder = Path(scratch)
        try:
            try:
                source = zip_upload.unpack(Path(path), folder)
            finally:
                Path(path).unlink(missing_ok=True)
            labelled = labels.read(folder, source)
            count = len(labelled.photos)

            def compare(
                engine: Engine, paths: Iterable[Path], predictors: Predictors
            ) -> Iterator[BatchResult]:
                for done, photo in enumerate(paths):
                    progress((done, count))
                    yield _compare(engine, photo, predictors)

            report = evaluate(engine, labelled, compare=compare)
        except (TruthError, FolderError) as error:
            # The place where it was unpacked is nobody's.
            why = str(error).replace(f"{scratch}/", "").replace(scratch, "The zip")
            return Update(notice.error(why), result=gr.Column(visible=False))
    return _display(report)


def _compare(engine: Engine, path: Path, predictors: Predictors) -> BatchResult:
    """One photo, which is deleted once it is read, in turn with those of other visitors."""
    try:
        try:
            photo = images.load(path)
        finally:
            path.unlink(missing_ok=True)
        return BatchResult(engine.compare(photo, predictors.names, use_zerogpu=False))
    except ImageError as error:
        return BatchResult(None, str(error))


def _display(report: Report) -> Update:
    return Update(
        notice.info(f"Measured: {_faces(len(report.faces))}."),
        page.errors(report),
        page.curves(report),
        page.readings(report),
        page.details(report),
        gr.Column(visible=True),
    )


def _faces(count: int) -> str:
    return f"{count} labelled face{'s' * (count != 1)}"
