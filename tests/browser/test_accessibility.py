"""What axe-core finds wrong with each tab, with a photo compared: nothing serious or critical."""

import pytest

pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe is not installed")

TABS = ("Compare", "Live", "Heatmaps", "Filters", "Training", "Leaderboard", "About")
SERIOUS = ("serious", "critical")


@pytest.mark.parametrize(("width", "theme"), [(1440, "light"), (390, "dark")])
def test_no_tab_has_a_serious_violation(open_page, address, width, theme):
    page = open_page(width)
    page.goto(f"{address}?__theme={theme}")
    page.get_by_role("button", name="Grace Hopper").click()
    page.locator(".kp-panel").first.wait_for()
    found = []
    for tab in TABS:
        page.get_by_role("tab", name=tab).click()
        page.get_by_role("tabpanel", name=tab).wait_for()
        page.wait_for_function("!document.querySelector('.generating, .progress-text')")
        for violation in axe.Axe().run(page).response["violations"]:
            if violation["impact"] in SERIOUS:
                nodes = [node["html"][:160] for node in violation["nodes"][:4]]
                found.append((tab, violation["id"], violation["help"], *nodes))
    assert not found, "\n".join(map(str, found))
