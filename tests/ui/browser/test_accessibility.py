"""What axe-core finds wrong with each tab, with a photo compared: nothing serious or critical."""

import time

import pytest
from helpers.visitor import open_tab, take_example

pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe is not installed")

# What each tab shows once it is there.
TABS = {
    "Compare": "#table tbody tr",
    "Live": "text=Start camera",
    "Heatmaps": "#heatmaps canvas",
    "Filters": "#filters .kp-kernel",
    "Training": "#training-curves .main-svg",
    "Leaderboard": "#leaderboard tbody tr",
    "About": "#about svg",
}


def violations(page) -> list[str]:
    return [
        "\n  ".join([violation["help"], *(node["html"] for node in violation["nodes"][:4])])
        for violation in axe.Axe().run(page).response["violations"]
        if violation["impact"] in ("serious", "critical")
    ]


@pytest.mark.parametrize(("width", "theme"), [(1440, "light"), (390, "dark")])
def test_no_tab_has_a_serious_violation(open_page, address, width, theme):
    page = open_page(width)
    page.goto(f"{address}?__theme={theme}")
    take_example(page, "Grace Hopper")
    for tab, there in TABS.items():
        open_tab(page, tab)
        page.locator(there).first.wait_for()
        end = time.monotonic() + 60
        # What is just fading in or out has no contrast yet, or no more.
        while (found := violations(page)) and time.monotonic() < end:
            page.wait_for_timeout(500)
        assert not found, "\n".join([tab, *found])
