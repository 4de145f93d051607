"""Edit points: a model's points corrected by hand, in the browser alone."""

from typing import Any

import gradio as gr

from kpdemo.ui.shared import component


def build(panels: gr.HTML) -> gr.HTML:
    """Lay out the section; its value is that of `panels`, which it gets in the browser.

    It triggers "truth" with the `name` and the `text` of a JSON file for a visitor who wants the
    edited points as ground truth. Until then, nothing of them leaves the page.
    """
    with gr.Accordion("Edit points", open=False, elem_id="drag-section"):
        view = component.build(
            "drag", "compare/drag.html", "compare/drag.js", events=["truth"], value=None
        )
    private: dict[str, Any] = {"api_visibility": "private", "show_progress": "hidden"}
    panels.change(None, panels, view, js="(value) => value", **private)
    return view
