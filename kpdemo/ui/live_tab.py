"""The Live tab: the webcam, or a short video, with one chosen model beside MediaPipe."""

import gradio as gr

from kpdemo.compare import Engine


def build(engine: Engine, tab: gr.Tab) -> None:
    """Lay out the tab."""
