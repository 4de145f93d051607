"""The real app in a process of its own, and Debian's Chromium looking at it."""

from collections.abc import Iterator
from pathlib import Path

import pytest
from helpers.visitor import PATIENCE, wait_for_script

from kpdemo.benchmark import page as page_benchmark
from kpdemo.benchmark.server import served

sync_api = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")


@pytest.fixture(scope="session")
def browser() -> Iterator["sync_api.Browser"]:
    if not page_benchmark.CHROMIUM:
        pytest.skip("Chromium is not installed (apt install chromium): no browser tests.")
    with (
        sync_api.sync_playwright() as playwright,
        page_benchmark.chromium(playwright.chromium) as chromium,
    ):
        yield chromium


@pytest.fixture(scope="session")
def app_with_runtimes(runtimes_cache: Path, tmp_path_factory) -> Iterator[str]:
    """Where the app of a user answers who has the runtimes of the engine in the browser."""
    folder = tmp_path_factory.mktemp("app")
    with served(folder, TMPDIR=str(folder), XDG_CACHE_HOME=str(runtimes_cache)) as url:
        yield url


@pytest.fixture
def open_page(browser, address) -> Iterator:
    """`open_page(width)` is a visitor's page, of a context with what else is passed; none may log
    an error or ask another host."""
    contexts, complaints = [], []

    def sockets(socket: "sync_api.WebSocket") -> None:
        complaints.extend(_foreign(socket.url.replace("ws:", "http:", 1), address))

    def open_page(width: int = 1440, **more: bool) -> "sync_api.Page":
        context = browser.new_context(viewport={"width": width, "height": 900}, **more)
        contexts.append(context)
        context.set_default_timeout(1000 * PATIENCE)
        sync_api.expect.set_options(timeout=1000 * PATIENCE)
        # Of the context, so that windows, frames and workers that a page opens count, too.
        context.on("console", lambda m: complaints.append(m.text) if m.type == "error" else None)
        context.on("weberror", lambda error: complaints.append(str(error.error)))
        context.on("request", lambda request: complaints.extend(_foreign(request.url, address)))
        context.on("page", lambda page: page.on("websocket", sockets))
        page = context.new_page()
        page.goto(address)
        page.locator("#examples button").first.wait_for()
        for part in ("notice", "panels", "examples"):
            wait_for_script(page, part)
        page.locator(".kp-panel").first.wait_for()  # it opens with a result
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert not complaints


def _foreign(url: str, address: str) -> list[str]:
    return [] if url.startswith((address, "about:", "data:", "blob:")) else [f"asked for {url}"]


@pytest.fixture
def page(open_page) -> "sync_api.Page":
    return open_page()
