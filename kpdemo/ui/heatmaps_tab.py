"""The Heatmaps tab: where on the face each model's answer comes from."""

import gradio as gr

from kpdemo.compare import Engine


def build(engine: Engine, session: gr.State, tab: gr.Tab) -> None:
    """Lay out the tab; `session` holds the last comparison (`kpdemo.ui.session.Shown`)."""
