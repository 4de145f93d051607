"""The Leaderboard tab: every model and the baseline on the same test faces."""

import gradio as gr


def build(tab: gr.Tab) -> None:
    """Lay out the tab."""
