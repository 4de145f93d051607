"""Components whose scripts come late, or not at all."""

import pytest

expect = pytest.importorskip("playwright.sync_api").expect
from helpers.visitor import PATIENCE, answered, wait_for_script  # noqa: E402


@pytest.fixture
def visit(browser, address):
    """`visit(pattern, handler)` opens the page with a handler for some of its requests."""
    contexts = []

    def visit(pattern, handler):
        context = browser.new_context()
        contexts.append(context)
        context.set_default_timeout(1000 * PATIENCE)
        expect.set_options(timeout=1000 * PATIENCE)
        page = context.new_page()
        page.route(pattern, handler)
        page.goto(address)
        page.locator("#examples button").first.wait_for()
        return page

    yield visit
    for context in contexts:
        context.close()


def test_component_without_its_script_says_so(visit) -> None:
    page = visit("**/compare/panels.js", lambda route: route.abort())
    message = page.locator("#panels [role=alert]")
    expect(message).to_have_text("This part of the page could not be loaded; reload the page.")
    expect(page.locator("#examples [role=alert]")).to_have_count(0)


def test_value_may_arrive_before_the_script(visit) -> None:
    waiting = []
    page = visit("**/compare/panels.js", lambda route: waiting.append(route))
    wait_for_script(page, "examples")
    with answered(page):
        page.locator("#examples button").first.click()
    expect(page.locator(".kp-panel")).to_have_count(0)
    waiting.pop().continue_()
    page.locator(".kp-panel").first.wait_for()
