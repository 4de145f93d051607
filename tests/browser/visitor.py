"""What visitors do on any page."""

from typing import TYPE_CHECKING

if TYPE_CHECKING:  # without Playwright, the tests are skipped
    from playwright.sync_api import Page


def open_tab(page: "Page", name: str) -> None:
    """Go to a tab, through the menu of further tabs on a narrow page."""
    tab = page.get_by_role("tab", name=name)
    if not tab.is_visible():
        page.get_by_role("button", name="More tabs").click()
        tab = page.locator(".overflow-dropdown").get_by_role("button", name=name)
    tab.click()


def take_example(page: "Page", title: str) -> None:
    """Compare one of the built-in photos, and wait for its panels."""
    page.get_by_role("button", name=title).click()
    page.locator(".kp-panel").first.wait_for()
