"""The choice where photos are compared: on the server, or in the visitor's own browser."""

from base64 import b64encode
from collections.abc import Callable, Sequence
from typing import Any

import gradio as gr

from kpdemo.engine.engine import Engine
from kpdemo.ui.examples import Example
from kpdemo.ui.shared import browser_engine, catalogue, component

# The panels, the table's facts, the message and the ground truth for the component's value; nothing
# without one.
SHOW = """(value) => {
  if (!value) return [];
  const { panels, table, truth } = JSON.parse(value);
  return [panels, table, "", truth];
}"""


def build(
    engine: Engine,
    photos: Sequence[Example],
    look: Callable[[dict[str, Any]], dict[str, Any]],
) -> gr.HTML:
    """The component; its value, for a photo compared in the browser, has that of the `panels`.

    It triggers "returned" when the visitor chooses the server again. `look` is that of
    `contact_sheet`, for scripts that compare a picture there.
    """

    def example(number: int) -> dict[str, str]:  # the page calls it by this name
        photo = photos[number]
        picture = b64encode(photo.path.read_bytes()).decode()
        return {"file": photo.path.name, "look": photo.look, "picture": picture}

    return component.build(
        "place",
        "compare/place.html",
        "compare/place.js",
        events=["returned"],
        server_functions=[example, look],
        local=browser_engine.settings(),
        catalogue=catalogue.value(engine.names),
        gpu=engine.store.device.type != "cpu",
    )
