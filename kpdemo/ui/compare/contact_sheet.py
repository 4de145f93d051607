"""Several photos at once, each with what its models disagree on most."""

import threading
from collections.abc import Callable, Sequence
from typing import Any

import gradio as gr

from kpdemo.engine.engine import Engine
from kpdemo.media import images
from kpdemo.media.images import ImageError
from kpdemo.ui.compare import messages, panels
from kpdemo.ui.session import PhotoResult
from kpdemo.ui.shared import component, image_data

# What the page's script is told.
LIMITS: dict[str, Any] = {"most": images.MAX_BYTES, "too_large": images.TOO_LARGE, "photos": 24}
# In progress, of all visitors; others come again, so that none waits in a thread.
_AT_ONCE = 2


def look(engine: Engine) -> Callable[[dict[str, Any]], dict[str, Any]]:
    """What a page calls to compare a `picture`, a file as data URI, by `models`.

    It answers with `panels`, an `error`, or that it is `busy`.
    """
    turns = threading.BoundedSemaphore(_AT_ONCE)

    def look(request: dict[str, Any]) -> dict[str, Any]:  # the page calls it by this name
        if not turns.acquire(blocking=False):
            return {"busy": True}
        try:
            return {"panels": compared(engine, request["picture"], request["models"])}
        except ValueError as error:
            return {"error": str(error)}
        finally:
            turns.release()

    return look


def build(look: Callable[[dict[str, Any]], dict[str, Any]], names: Sequence[str]) -> gr.HTML:
    """The component, which takes the files of the document's "kp-photos" events.

    They go through the server's memory one by one and are not kept. Their models are in the order
    of `names`, the baseline first.
    """
    return component.build(
        "contact-sheet",
        "compare/contact_sheet.html",
        "compare/contact_sheet.js",
        server_functions=[look],
        names=names,
        **LIMITS,
    )


def compared(engine: Engine, picture: str, models: list[str]) -> str:
    """The panels' value for a picture, a file as data URI; raises ImageError."""
    if not models:
        raise ImageError(messages.NO_MODEL)
    photo = image_data.photo(picture)
    comparison = engine.compare(photo, models)
    markups = {name: engine.markup(name) for name in comparison.models}
    return panels.value(PhotoResult("", photo.shrunk(), comparison), markups)
