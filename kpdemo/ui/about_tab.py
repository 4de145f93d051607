"""The About tab: what the nets are, what they learned from, and what the page does not do."""

from pathlib import Path

import gradio as gr

_TEXT = Path(__file__).parent / "assets" / "about.md"


def build() -> None:
    gr.Markdown(_TEXT.read_text(encoding="utf-8"), elem_id="about")
