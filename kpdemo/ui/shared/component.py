"""HTML components of our own, each from a template and scripts."""

from pathlib import Path
from typing import Any

import gradio as gr

_UI = Path(__file__).parents[1]
# What several scripts need stands before each of them, in the same function.
_COMMON = "shared/common.js"


def build(
    elem_id: str, template: str, *scripts: str, value: str | None = None, **more: Any
) -> gr.HTML:
    """A component that looks like `template` and does what `scripts` say, in their order.

    Names are paths below `kpdemo/ui`. `more` goes to Gradio's HTML
    component: classes, server functions, props for the scripts.
    """
    return gr.HTML(
        value=value,
        html_template=_text(template),
        js_on_load="\n".join(_text(name) for name in (_COMMON, *scripts)),
        apply_default_css=False,
        elem_id=elem_id,
        **more,
    )


def script(name: str) -> str:
    """A script with what it needs, for a component whose HTML is its value."""
    return f"{_text(_COMMON)}\n{_text(name)}"


def notice(elem_id: str, box: str, most: int, too_large: str, kind: str = "") -> gr.HTML:
    """The place for notices about the files that are dropped into `box`, a CSS selector, chosen
    for it or pasted while it can be seen.

    It says `too_large`, HTML, where such a file has more than `most` bytes. A box that takes files
    of one `kind` alone, such as "image", gets all others as of that kind, for the server to decide
    by what they hold.
    """
    said = gr.HTML(
        elem_id=elem_id,
        js_on_load=script("shared/files.js"),
        apply_default_css=False,
        box=box,
        most=most,
        kind=kind,
    )
    said.too_large(
        lambda: too_large, None, said, api_visibility="private", show_progress="hidden", queue=False
    )
    return said


def _text(name: str) -> str:
    return (_UI / name).read_text(encoding="utf-8")
