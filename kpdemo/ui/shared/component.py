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
    """A component that looks like `template` and does what `script` says.

    Names are paths below `kpdemo/ui`; `events` are those that the script triggers. `more`
    goes to Gradio's HTML component: classes, server functions, props for the script.
    """
    return gr.HTML(
        value=value,
        html_template=(_UI / template).read_text(encoding="utf-8"),
        js_on_load=scripts.loader(script, *events),
        apply_default_css=False,
        elem_id=elem_id,
        **more,
    )


def script(name: str, *events: str) -> str:
    """The `js_on_load` of a component whose HTML is its value, with a script like `build`'s."""
    return scripts.loader(name, *events)


def notice(
    elem_id: str, box: str, most: int, too_large: str, kind: str = "", several: str = ""
) -> gr.HTML:
    """The place for notices about the files that are dropped into `box`, a CSS selector, chosen
    for it or pasted while it can be seen.

    It says `too_large`, HTML, where such a file has more than `most` bytes. A box that takes files
    of one `kind` alone, such as "image", gets all others as of that kind, for the server to decide
    by what they hold. Several files at once go to the listeners of the document's event `several`,
    if there is one.
    """
    html = gr.HTML(
        elem_id=elem_id,
        js_on_load=script("shared/files.js", "too_large"),
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
