"""The page: header, tabs, footer, and the settings to launch it with."""

import asyncio
import atexit
import shutil
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import gradio as gr
from gradio.routes import App

from kpdemo.engine.engine import engine
from kpdemo.media import images
from kpdemo.ui import api, session, theme, uploads
from kpdemo.ui.about import tab as about_tab
from kpdemo.ui.compare import tab as compare_tab
from kpdemo.ui.filters import tab as filters_tab
from kpdemo.ui.heatmaps import tab as heatmaps_tab
from kpdemo.ui.leaderboard import tab as leaderboard_tab
from kpdemo.ui.live import tab as live_tab
from kpdemo.ui.shared import scripts
from kpdemo.ui.training import tab as training_tab

_QUEUE_LENGTH = 24
_HEADER = """<div class="kp-header"><svg viewBox="0 0 32 32" aria-hidden="true">
<circle cx="10" cy="12" r="2.4"/><circle cx="22" cy="12" r="2.4"/><circle cx="16" cy="18" r="2.4"/>
<circle cx="11" cy="24" r="2.4"/><circle cx="16" cy="26" r="2.4"/><circle cx="21" cy="24" r="2.4"/>
</svg><h1>kpdemo</h1><p>Facial keypoints, network by network</p></div>"""

# Replacements of Gradio's texts.
_TEXTS = {
    "upload_text.drop_file": "Drop a video here,",
    "upload_text.click_to_upload": "or click to choose one",
}


@asynccontextmanager
async def _serving(app: App) -> AsyncIterator[None]:
    """Warm up, compute what pages open with, and forget idle sessions while the page is served."""
    warming = asyncio.create_task(asyncio.to_thread(lambda: compare_tab.opening(engine())))
    async with session.forget_idle(app):
        yield
    await warming


LAUNCH: dict[str, Any] = {
    "theme": theme.build(),
    "css_paths": theme.CSS,
    "footer_links": [],
    "i18n": gr.I18n(en=_TEXTS),
    "run_history": False,
    "max_file_size": images.MAX_BYTES + 10_000_000,  # the page and `images` refuse earlier
    "state_session_capacity": session.SESSIONS_KEPT,
    "app_kwargs": {"lifespan": _serving, "routes": [scripts.ROUTE]},
    "enable_monitoring": False,
    "mcp_server": True,
    # Otherwise Gradio exits if its own first request of the page takes more than three seconds, as
    # it does on a busy machine.
    "_frontend": False,
}


def build() -> gr.Blocks:
    """The whole page, ready to launch with `LAUNCH`; loads every model."""
    examples = Path(tempfile.mkdtemp(prefix="kpdemo-examples-"))
    atexit.register(shutil.rmtree, examples, ignore_errors=True)
    with gr.Blocks(
        title="kpdemo: facial keypoints, network by network",
        analytics_enabled=False,
        delete_cache=(uploads.EVERY, uploads.MAX_AGE),
        fill_width=True,
    ) as page:
        api.build(engine())
        gr.HTML(_HEADER, apply_default_css=False)
        result = gr.State()
        with gr.Tabs():
            with gr.Tab("Compare", id="compare"):
                compare_tab.build(engine(), result, examples)
            with gr.Tab("Live", id="live"):
                live_tab.build(engine())
            with gr.Tab("Heatmaps", id="heatmaps") as tab:
                heatmaps_tab.build(engine(), result, tab)
            with gr.Tab("Filters", id="filters") as tab:
                filters_tab.build(engine(), result, tab)
            with gr.Tab("Training", id="training") as tab:
                training_tab.build(tab)
            with gr.Tab("Leaderboard", id="leaderboard") as tab:
                leaderboard_tab.build(tab)
            with gr.Tab("About", id="about"):
                about_tab.build()
        api.footer()
    # This closes only the routes that bypass the queue: clients and plain HTTP (/call) wait in it.
    return page.queue(max_size=_QUEUE_LENGTH, api_open=False)
