"""HTML components of our own, each from a template and a script."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import gradio as gr

from kpdemo.ui.shared import scripts

_UI = Path(__file__).parents[1]


def build(
    elem_id: str,
    template: str,
    script: str,
    events: Sequence[str] = (),
    value: str | None = None,
    **more: Any,
) -> gr.HTML:
    """A component with the markup of `template` and the behaviour of `script`.

    Both are paths below `kpdemo/ui`; `events` are those that the script triggers. `more` is passed
    to Gradio's HTML component: classes, server functions, props for the script.
    """
    return gr.HTML(
        value=value,
        html_template=(_UI / template).read_text(encoding="utf-8"),
        js_on_load=scripts.loader(script, *events),
        apply_default_css=False,
        elem_id=elem_id,
        **more,
    )


def heading(text: str) -> None:
    """Lay out the heading of a tab's section."""
    gr.HTML(f'<h2 class="kp-section">{text}</h2>', apply_default_css=False)


def notice(
    elem_id: str, box: str, most: int, too_large: str, kind: str = "", several: str = ""
) -> gr.HTML:
    """Notices on the files that are dropped into, chosen for or pasted into `box`, a CSS selector.

    The notice is `too_large`, HTML, where a file has more than `most` bytes. For a box that takes
    one `kind` only, such as "image", all files are declared to be of it, so that the server decides
    by their contents. Several files at once go to listeners of the document's event `several`, if
    that is given.
    """
    html = gr.HTML(
        elem_id=elem_id,
        js_on_load=scripts.loader("shared/files.js", "too_large"),
        apply_default_css=False,
        box=box,
        most=most,
        kind=kind,
        several=several,
    )
    html.too_large(
        lambda: too_large, None, html, api_visibility="private", show_progress="hidden", queue=False
    )
    return html
