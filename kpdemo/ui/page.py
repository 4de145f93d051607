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
from starlette.middleware import Middleware

from kpdemo import __version__
from kpdemo.engine.engine import engine
from kpdemo.media import images
from kpdemo.ui import api, link_preview, queue_order, session, theme, uploads
from kpdemo.ui.about import tab as about_tab
from kpdemo.ui.compare import tab as compare_tab
from kpdemo.ui.filters import tab as filters_tab
from kpdemo.ui.heatmaps import tab as heatmaps_tab
from kpdemo.ui.leaderboard import tab as leaderboard_tab
from kpdemo.ui.live import tab as live_tab
from kpdemo.ui.shared import browser_engine, scripts
from kpdemo.ui.shared.choice import ModelChoice
from kpdemo.ui.training import tab as training_tab
from kpdemo.zoo import BASELINE, DEFAULT_MODELS

_ICON = Path(__file__).with_name("favicon.svg")
_HEADER = f"""<a class="kp-skip" href="#">Skip to the content</a>
<div class="kp-header">{_ICON.read_text(encoding="utf-8")}
<h1>kpdemo</h1><p>Facial keypoints, network by network</p></div>"""
_FOOTER = f"""<p class="kp-small">kpdemo {__version__} · code: Apache-2.0 · weights: for research,
not for commercial use</p>"""

# Replacements of Gradio's texts.
_TEXTS = {
    "upload_text.drop_file": "Drop a file here,",
    "upload_text.click_to_upload": "or click to choose one",
}


@asynccontextmanager
async def _serving(app: App) -> AsyncIterator[None]:
    """Warm up, compute what pages open with, and forget idle sessions while the page is served."""
    warming = asyncio.create_task(asyncio.to_thread(lambda: compare_tab.opening(engine())))
    async with session.keep(app):
        yield
    await warming


LAUNCH: dict[str, Any] = {
    "theme": theme.build(),
    "css_paths": theme.CSS,
    "favicon_path": _ICON,
    "footer_links": [],
    "i18n": gr.I18n(en=_TEXTS),
    "run_history": False,
    "max_file_size": images.MAX_BYTES + 10_000_000,  # the page and `images` refuse earlier
    "state_session_capacity": session.SESSIONS_KEPT,
    "app_kwargs": {
        "lifespan": _serving,
        "routes": [scripts.ROUTE, browser_engine.ROUTE, *link_preview.ROUTES],
        "middleware": [Middleware(link_preview.LinkPreview)],
    },
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
        title=link_preview.TITLE,
        analytics_enabled=False,
        delete_cache=(uploads.EVERY, uploads.MAX_AGE),
        fill_width=True,
    ) as page:
        api.build(engine())
        gr.HTML(
            _HEADER,
            js_on_load=scripts.loader("shared/page.js"),
            apply_default_css=False,
            elem_id="header",
        )
        result = gr.State()
        choice = ModelChoice(name for name in engine().names if name in (*DEFAULT_MODELS, BASELINE))
        # All tabs in one strip, which scrolls on narrow pages, instead of a menu of further ones.
        with gr.Tabs(overflow_behavior="wrap"):
            with gr.Tab("Compare", id="compare", elem_id="compare-tab"):
                compare_frame = compare_tab.build(engine(), result, choice, examples)
            with gr.Tab("Live", id="live", elem_id="live-tab") as tab:
                live_tab.build(engine(), choice, compare_frame, tab)
            with gr.Tab("Heatmaps", id="heatmaps", elem_id="heatmaps-tab") as tab:
                heatmaps_tab.build(engine(), result, tab)
            with gr.Tab("Filters", id="filters", elem_id="filters-tab") as tab:
                filters_tab.build(engine(), result, choice, tab)
            with gr.Tab("Training", id="training", elem_id="training-tab") as tab:
                training_tab.build(engine(), result, tab)
            with gr.Tab("Leaderboard", id="leaderboard", elem_id="leaderboard-tab") as tab:
                leaderboard_tab.build(engine(), tab)
            with gr.Tab("About", id="about", elem_id="about-tab"):
                about_tab.build()
        choice.connect()
        api.footer()
        gr.HTML(_FOOTER, apply_default_css=False, elem_id="footer")
    return queue_order.limit(page)
