"""The Filters tab: a model's learned kernels, and what each answers on the photo."""

import gradio as gr

from kpdemo.compare import Engine


def build(engine: Engine, session: gr.State, tab: gr.Tab) -> None:
    """Lay out the tab; `session` holds the last comparison (`kpdemo.ui.session.Shown`)."""
