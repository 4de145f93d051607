"""Live on the page with a server, whose frames the visitor's own browser can compute."""

import re
from collections.abc import Iterator

import pytest
from helpers.visitor import PATIENCE, open_tab, wait_for_script

sync_api = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
expect = sync_api.expect
Page = sync_api.Page

ALL = 3 * 68 + 15 + 478  # points of all models on one face


@pytest.fixture
def live(browser, app_with_runtimes: str) -> Iterator[Page]:
    context = browser.new_context(permissions=["camera"])
    context.set_default_timeout(1000 * PATIENCE)
    expect.set_options(timeout=1000 * PATIENCE)
    page = context.new_page()
    page.goto(app_with_runtimes)
    wait_for_script(page, "panels")
    open_tab(page, "Live")
    wait_for_script(page, "camera")
    yield page
    context.close()


def start(page: Page) -> None:
    page.get_by_role("button", name="Start camera").click()
    expect(page.locator(".kp-live-stage")).to_have_attribute("data-points", str(ALL))


def calls(page: Page) -> list[str]:
    """The frames that are sent to the server from now on."""
    sent: list[str] = []
    page.on(
        "request", lambda request: "component_server" in request.url and sent.append(request.url)
    )
    return sent


def test_frames_stay_in_the_browser_unless_the_server_is_chosen(live: Page) -> None:
    # The server has no GPU here, so the browser is the default; the size is said beforehand.
    expect(live.locator("#camera").get_by_label("In this browser")).to_be_checked()
    why = live.locator("#camera .kp-place-why")
    expect(why).to_contain_text("the server has no GPU")
    expect(why).to_contain_text("MB once.")
    sent = calls(live)
    start(live)
    expect(live.locator(".kp-live-rate")).to_contain_text("frames a second")
    live.get_by_text("Blink, smile and head pose").click()
    expect(live.locator(".kp-live-curves output").last).to_have_text(re.compile(r"\d"))
    assert not sent
    live.locator("#camera").get_by_label("On the server").check()
    expect(live.get_by_role("button", name="Start camera")).to_be_visible()  # the camera stopped
    start(live)
    assert sent


def test_a_browser_that_cannot_goes_on_with_the_server(live: Page) -> None:
    live.route("**/vision_wasm_module_internal.wasm", lambda route: route.fulfill(body="half"))
    sent = calls(live)
    live.get_by_role("button", name="Start camera").click()
    message = live.locator(".kp-live-message")
    expect(message).to_contain_text("did not arrive whole")
    expect(message).to_contain_text("Press Start camera to go on with the server.")
    expect(live.locator("#camera").get_by_label("On the server")).to_be_checked()
    assert not sent
    start(live)
    assert sent
