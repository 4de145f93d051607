"""The box in which visitors add a model of their own, from the Hub or as an ONNX file.

It is compared beside the others, for this visitor alone, until the session ends: the engine knows
it only as long as the session's `own` holds it.
"""

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NamedTuple

import gradio as gr

from kpdemo import zoo
from kpdemo.engine.engine import Engine
from kpdemo.models import hub, visitor_models
from kpdemo.models.model_folder import CheckpointError
from kpdemo.models.predictor import Predictor
from kpdemo.models.visitor_models import Offer
from kpdemo.ui.shared import notice

MOST = 3  # a visitor
MOST_HERE = 12  # all visitors together
Own = tuple[Predictor, ...]
_UNCHANGED: Any = gr.skip()
_LEAD = (
    "<p>A keypoint net of your own, compared beside the others: for you alone, and until you close "
    "the page. “Look up” asks huggingface.co for its size; it is fetched only when you add it.</p>"
)
_PAIR = "Choose two files together: the .onnx, and the .json that says its markup, input and crop."
_EXPIRED = "This look-up is no longer in memory; look the repository up again."
_ENOUGH = f"You have {MOST} models of your own here; reload the page to begin anew."
_FULL = (
    "The models of other visitors take all the memory that there is for them; try again in a "
    "quarter of an hour."
)


class Update(NamedTuple):
    """New values of the box's parts; what is not given stays as it is."""

    message: Any = _UNCHANGED
    offer: Any = _UNCHANGED
    add: Any = _UNCHANGED
    own: Any = _UNCHANGED
    models: Any = _UNCHANGED


def build(
    engine: Engine, models: gr.CheckboxGroup, choices: Sequence[tuple[str, str]]
) -> list[Callable[..., Any]]:
    """Lay out the box. Added models are ticked in `models`, which has the `choices` until then.

    What comes back is the `then` of each event that may have added one.
    """
    gr.HTML(_LEAD, apply_default_css=False, elem_classes="kp-small")
    source = gr.Textbox(
        label="Repository on the Hugging Face Hub",
        placeholder=f"NAME/{hub.PREFIX}MODEL",
        max_length=200,
        elem_id="own-source",
    )
    ask = gr.Button("Look up", size="sm", elem_id="own-look-up")
    add = gr.Button("Add", size="sm", variant="primary", visible=False, elem_id="own-add")
    message = gr.HTML(apply_default_css=False, elem_id="own-notice")
    files = gr.File(
        label="Or an .onnx file and its .json",
        file_count="multiple",
        file_types=[".onnx", ".json"],
        height=170,
        elem_id="own-files",
    )
    offer, own = gr.State(), gr.State(())

    def take(fresh: Callable[[], Predictor], own: Own, chosen: Sequence[str]) -> Update:
        return add_model(engine, fresh, own, choices, chosen)

    def fetch(offer: Offer | None, own: Own, chosen: Sequence[str]) -> Update:
        if offer is None:
            return Update(notice.error(_EXPIRED))
        return take(lambda: visitor_models.download(offer, engine.store.device), own, chosen)

    def read(paths: list[str] | None, own: Own, chosen: Sequence[str]) -> Update:
        try:
            return take(lambda: _from_files([Path(path) for path in paths or ()]), own, chosen)
        finally:
            for path in paths or ():
                Path(path).unlink(missing_ok=True)

    outputs = [message, offer, add, own, models]
    private: dict[str, Any] = {"api_visibility": "private", "show_progress_on": message}
    gr.on([ask.click, source.submit], look_up, source, outputs, concurrency_limit=4, **private)
    fetched = add.click(fetch, [offer, own, models], outputs, concurrency_limit=2, **private)
    loaded = files.upload(read, [files, own, models], outputs, concurrency_limit=2, **private)
    loaded.then(lambda: None, None, files, queue=False, **private)
    return [fetched.then, loaded.then]


def look_up(source: str) -> Update:
    """Say how large a repository is, and offer to add it."""
    try:
        offer = visitor_models.look_up(source)
    except CheckpointError as error:
        return Update(notice.error(str(error)), None, gr.Button(visible=False))
    return Update("", offer, gr.Button(f"Add {offer}", visible=True))


def add_model(
    engine: Engine,
    fresh: Callable[[], Predictor],
    own: Own,
    choices: Sequence[tuple[str, str]],
    chosen: Sequence[str],
) -> Update:
    """Add the `fresh` model to a visitor's own, and tick it; or say why not."""
    if len(own) >= MOST:
        return Update(notice.error(_ENOUGH))
    if engine.private >= MOST_HERE:
        return Update(notice.error(_FULL))
    try:
        model = fresh()
    except CheckpointError as error:
        return Update(notice.error(str(error)))
    own = (*own, model)
    engine.add_private(model)
    yours = [(f"{zoo.title(each.name)} (yours)", each.name) for each in own]
    return Update(
        notice.info(f"{zoo.title(model.name)} is among the models now."),
        None,
        gr.Button(visible=False),
        own,
        gr.CheckboxGroup([*choices, *yours], value=[*chosen, model.name]),
    )


def _from_files(paths: Sequence[Path]) -> Predictor:
    by_kind = {path.suffix.lower(): path for path in paths}
    if len(paths) != 2 or set(by_kind) != {".onnx", ".json"}:
        raise CheckpointError(_PAIR)
    try:
        return visitor_models.from_onnx(by_kind[".onnx"], by_kind[".json"])
    except FileNotFoundError:  # another visitor with the same files was done with them
        raise CheckpointError("The files are no longer there; choose them again.") from None
