"""What visitors do on any page."""

import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

PATIENCE = 240  # seconds; a page needs one or two where nothing else runs

if TYPE_CHECKING:  # without Playwright, the tests are skipped
    from playwright.sync_api import Page, Request


def open_tab(page: "Page", name: str) -> None:
    """Go to a tab."""
    page.get_by_role("tab", name=name).click()


def wait_for_script(page: "Page", component: str) -> None:
    """Wait until the script of the component with this id listens."""
    page.locator(f"#{component}[data-mounted], #{component} [data-mounted]").wait_for(
        state="attached"
    )


def take_example(page: "Page", title: str) -> None:
    """Compare one of the built-in photos, and wait for its panels."""
    example = page.get_by_role("button", name=title, exact=True)
    with answered(page):
        example.click()
    look = example.get_attribute("title")
    page.locator(".kp-look", has_text=look).wait_for()


def drop_empty_photos(page: "Page", *names: str) -> None:
    """Drop several photos without a face on the photo's box, and wait until they are compared."""
    data = page.evaluate_handle(
        """async (names) => {
          const canvas = new OffscreenCanvas(64, 64);
          canvas.getContext("2d").fillRect(0, 0, 64, 64);
          const data = new DataTransfer();
          const type = "image/png";
          const picture = await canvas.convertToBlob({ type });
          for (const name of names) data.items.add(new File([picture], name, { type }));
          return data;
        }""",
        list(names),
    )
    page.locator("#photo button.upload-container").dispatch_event("drop", {"dataTransfer": data})
    page.get_by_text(f"{len(names)} photos compared", exact=True).wait_for()


@contextmanager
def answered(page: "Page") -> Iterator[None]:
    """Wait for the server's answer to what is done inside.

    It comes on the stream that is open when the question has arrived, or else on a new one, and a
    stream ends with its last answer; with a failed request where Gradio's client hangs up first.
    """
    asked = heard = False
    streams = set()  # that began inside and are open

    def begins(request: "Request") -> None:
        if "queue/data" in request.url:
            streams.add(request)

    def ends(request: "Request") -> None:
        nonlocal asked, heard
        if "queue/join" in request.url:
            asked = True
        elif "queue/data" in request.url:
            heard = asked
            streams.discard(request)

    listeners = {"request": begins, "requestfinished": ends, "requestfailed": ends}
    for event, listener in listeners.items():
        page.on(event, listener)
    yield
    patience = time.monotonic() + PATIENCE
    while not heard or streams:
        assert time.monotonic() < patience, "The server did not answer."
        page.wait_for_timeout(50)
    for event, listener in listeners.items():
        page.remove_listener(event, listener)
