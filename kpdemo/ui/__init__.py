"""The app's page, one file a tab. Gradio is imported here and in `app.py`, and nowhere else."""

from kpdemo.ui.page import LAUNCH, build

__all__ = ["LAUNCH", "build"]
