"""The app's page, one file a tab. Gradio is imported here and in `app.py`, and nowhere else."""

from kpdemo.ui import uploads

uploads.claim()  # before Gradio is imported

from kpdemo.ui.page import LAUNCH, build  # noqa: E402

__all__ = ["LAUNCH", "build"]
