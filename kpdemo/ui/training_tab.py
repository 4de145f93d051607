"""The Training tab: loss curves of all recipes, and what the sweeps found."""

import gradio as gr


def build(tab: gr.Tab) -> None:
    """Lay out the tab."""
