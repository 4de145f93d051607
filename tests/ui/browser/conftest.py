"""The real app in a process of its own, and Debian's Chromium looking at it."""

from collections import defaultdict
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import numpy as np
import pytest
from helpers import camera
from helpers.visitor import PATIENCE, wait_for_script

from kpdemo.benchmark import page as page_benchmark
from kpdemo.benchmark.server import serve_page

sync_api = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")


@pytest.fixture(scope="session")
def browser(hopper: np.ndarray, tmp_path_factory) -> Iterator["sync_api.Browser"]:
    """Chromium; its camera shows a portrait."""
    if not page_benchmark.CHROMIUM:
        pytest.skip("Chromium is not installed (apt install chromium): no browser tests.")
    film = tmp_path_factory.mktemp("camera") / "portrait.y4m"
    camera.write(film, hopper)
    with (
        sync_api.sync_playwright() as playwright,
        page_benchmark.chromium(playwright.chromium, film) as chromium,
    ):
        yield chromium


@pytest.fixture(scope="session")
def app_with_runtimes(runtimes_cache: Path, tmp_path_factory) -> Iterator[str]:
    """Where the app of a user answers who has the runtimes of the engine in the browser."""
    folder = tmp_path_factory.mktemp("app")
    with serve_page(folder, TMPDIR=str(folder), XDG_CACHE_HOME=str(runtimes_cache)) as url:
        yield url


@pytest.fixture(scope="session")
def free_pages(browser) -> defaultdict[tuple, list["sync_api.Page"]]:
    """Pages that a visitor has left, by the options of their contexts. The next visitor gets one:
    it has compiled the scripts already, which costs more than all else that a new page does."""
    return defaultdict(list)


@pytest.fixture
def open_page(browser, address, free_pages) -> Iterator[Callable[..., "sync_api.Page"]]:
    """`open_page(width, at)` is a visitor's page, of a context with what else is passed; none may
    log an error or ask another host.

    A page that is left while the server answers logs one, so tests open another instead.
    """
    with _visits(browser, address, free_pages) as open_page:
        yield open_page


@pytest.fixture(scope="module")
def shared_page(browser, address, free_pages) -> Iterator["sync_api.Page"]:
    """The page of a file's tests that are marked `tidy`."""
    with _visits(browser, address, free_pages) as open_page:
        yield open_page()


@pytest.fixture
def page(request: pytest.FixtureRequest) -> "sync_api.Page":
    """The page of a new visitor, or one of a file's tidy tests."""
    if not request.node.get_closest_marker("tidy"):
        return request.getfixturevalue("open_page")()
    page = request.getfixturevalue("shared_page")
    page.mouse.move(0, 0)
    page.evaluate("scrollTo(0, 0)")
    return page


@contextmanager
def _visits(browser, address, free_pages) -> Iterator[Callable[..., "sync_api.Page"]]:
    complaints = []

    def websocket(socket: "sync_api.WebSocket") -> None:
        complaints.extend(_external(socket.url.replace("ws:", "http:", 1), address))

    listeners = {
        "console": lambda m: complaints.append(m.text) if m.type == "error" else None,
        "weberror": lambda error: complaints.append(str(error.error)),
        "request": lambda request: complaints.extend(_external(request.url, address)),
        "page": lambda page: page.on("websocket", websocket),
    }

    with ExitStack() as visits:

        def listen(emitter: "sync_api.Page | sync_api.BrowserContext", event: str, listener):
            emitter.on(event, listener)
            visits.callback(emitter.remove_listener, event, listener)

        def open_page(width: int = 1440, at: str = "", **more: bool) -> "sync_api.Page":
            free = free_pages[tuple(more.items())]
            page = free.pop() if free else browser.new_context(**more).new_page()
            visits.callback(free.append, page)
            visits.callback(_leave, page)  # before it is free
            page.context.set_default_timeout(1000 * PATIENCE)
            sync_api.expect.set_options(timeout=1000 * PATIENCE)
            # Of the context, so that windows, frames and workers that a page opens count, too.
            for event, listener in listeners.items():
                listen(page.context, event, listener)
            listen(page, "websocket", websocket)
            page.set_viewport_size({"width": width, "height": 900})
            page.goto(f"{address}{at}")
            page.locator("#examples button").first.wait_for()
            for part in ("notice", "panels", "examples"):
                wait_for_script(page, part)
            page.locator(".kp-panel").first.wait_for()  # it opens with a result
            return page

        yield open_page
    assert not complaints


def _leave(page: "sync_api.Page") -> None:
    """Leave nothing of one visitor to the next."""
    page.unroute_all(behavior="ignoreErrors")
    page.evaluate("localStorage.clear(), sessionStorage.clear()")
    page.context.clear_cookies()
    page.mouse.move(0, 0)
    page.emulate_media(color_scheme="light")
    page.goto("about:blank")


def _external(url: str, address: str) -> list[str]:
    return [] if url.startswith((address, "about:", "data:", "blob:")) else [f"asked for {url}"]
