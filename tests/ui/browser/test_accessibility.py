"""All tabs with a photo compared, Compare with the sheet of several photos, too: none scrolls
sideways, and axe-core finds nothing serious."""

import pytest
from helpers.visitor import drop_empty_photos, open_tab, take_example

pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="axe is not installed")

# What each tab shows once it is there.
TABS = {
    "Compare": "#table tbody tr",
    "Live": "text=Start camera",
    "Heatmaps": "#heatmaps canvas",
    "Filters": "#filters .kp-kernel",
    "Training": "#training-curves .main-svg",
    "Leaderboard": "#speed .main-svg",
    "About": "#about svg",
}
# What is just fading in or out has no contrast yet, or no more.
AT_ONCE = "*, ::before, ::after { transition: none !important; animation: none !important }"


ALL_RULES = {"resultTypes": ["violations"]}
# In the dark, only colours are others.
RULES = {"light": ALL_RULES, "dark": ALL_RULES | {"runOnly": ["color-contrast"]}}


def violations(page, scheme: str) -> list[str]:
    return [
        "\n  ".join([violation["help"], *(node["html"] for node in violation["nodes"][:4])])
        for violation in axe.Axe().run(page, options=RULES[scheme]).response["violations"]
        if violation["impact"] in ("serious", "critical")
    ]


def scroll_width(page) -> int:
    return page.evaluate("document.documentElement.scrollWidth")


@pytest.mark.parametrize("width", [390, 768, 1440])
def test_every_tab_fits_and_has_no_serious_violation_light_or_dark(open_page, width):
    page = open_page(width)
    assert scroll_width(page) <= width
    page.add_style_tag(content=AT_ONCE)
    drop_empty_photos(page, "one.png", "two.png")
    for tab, content in TABS.items():
        open_tab(page, tab)
        page.locator(content).first.wait_for()
        assert scroll_width(page) <= width, f"{tab} scrolls sideways."
        for scheme in RULES:
            page.emulate_media(color_scheme=scheme)
            page.wait_for_function(
                "(dark) => document.body.classList.contains('dark') === dark",
                arg=scheme == "dark",
            )
            problems = violations(page, scheme)
            assert not problems, "\n".join([f"{tab}, {scheme}:", *problems])
    open_tab(page, "Compare")
    take_example(page, "Two people")
    assert scroll_width(page) <= width
