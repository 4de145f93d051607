"""The app's page, one file a tab. Gradio is imported here and in `app.py`, and nowhere else."""

import os

from kpdemo.ui import uploads

uploads.claim()  # before Gradio is imported
# Gradio would make a table of all calls after each one, for its monitor, which is off.
os.environ.setdefault("GRADIO_ANALYTICS_CACHE_FREQUENCY", str(10**9))

from kpdemo.ui.page import LAUNCH, build  # noqa: E402

__all__ = ["LAUNCH", "build"]
