"""The tabs' addresses and keys, the skip links, and what the page says of itself."""

import re

import pytest
from helpers.visitor import open_tab, take_example

import kpdemo

sync_api = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
expect = sync_api.expect

TABS = ["Compare", "Live", "Heatmaps", "Filters", "Training", "Leaderboard", "About"]


def test_an_address_opens_its_tab_and_follows_it_back_and_forth(page, address):
    page.goto(f"{address}#leaderboard")
    expect(page.get_by_role("tab", name="Leaderboard")).to_have_attribute("aria-selected", "true")
    expect(page).to_have_title(re.compile("^Leaderboard"))
    open_tab(page, "About")
    expect(page).to_have_url(f"{address}#about")
    open_tab(page, "Compare")
    expect(page).to_have_url(f"{address}#compare")
    for tab in ("About", "Leaderboard"):
        page.go_back()
        expect(page.get_by_role("tab", name=tab)).to_have_attribute("aria-selected", "true")
        expect(page.get_by_role("tabpanel").locator("visible=true").first).to_be_visible()
    page.go_forward()
    expect(page.get_by_role("tab", name="About")).to_have_attribute("aria-selected", "true")


def test_a_link_to_settings_opens_the_compare_tab(page, address):
    open_tab(page, "Training")
    expect(page).to_have_url(f"{address}#training")
    page.evaluate("location.hash = 'models=unet,mediapipe'")
    expect(page.get_by_role("tab", name="Compare")).to_have_attribute("aria-selected", "true")
    expect(page).to_have_url(f"{address}#models=unet,mediapipe")
    expect(page.locator("#models").get_by_label("SimpleNet", exact=True)).not_to_be_checked()


def test_arrows_go_from_tab_to_tab_and_the_strip_shows_the_selected_one(open_page, address):
    page = open_page(390)
    tabs = page.get_by_role("tab")
    assert tabs.all_inner_texts() == TABS
    tabs.first.focus()
    for key, tab in (("ArrowRight", "Live"), ("ArrowLeft", "Compare"), ("ArrowLeft", "About")):
        page.keyboard.press(key)
        expect(page.get_by_role("tab", name=tab)).to_be_focused()
        expect(page.get_by_role("tab", name=tab)).to_have_attribute("aria-selected", "true")
    expect(page.get_by_role("tab", name="About")).to_be_in_viewport(ratio=1)
    page.keyboard.press("Home")
    expect(page.get_by_role("tab", name="Compare")).to_be_in_viewport(ratio=1)
    # The others are no tab stops.
    assert tabs.evaluate_all("(all) => all.map((tab) => tab.tabIndex)") == [0, *[-1] * 6]
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_skip_links_lead_to_the_content_and_from_the_photo_to_the_picture(page):
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator("#compare-tab")).to_be_focused()
    take_example(page, "Grace Hopper")
    page.locator("#photo button").first.focus()
    skip = page.get_by_role("link", name="Skip to the picture")
    stops = 0
    while not skip.evaluate("(link) => link === document.activeElement"):
        page.keyboard.press("Tab")
        stops += 1
        assert stops < 8
    page.keyboard.press("Enter")
    picture = page.locator("#panels .kp-grid svg").first
    expect(picture).to_be_focused()
    expect(picture).to_be_in_viewport()
    page.keyboard.press("ArrowRight")
    expect(page.locator(".kp-inspector")).to_contain_text("distance to MediaPipe")
    expect(page.locator(".kp-panel .kp-lit circle").first).to_be_attached()


def test_the_compare_tab_has_headings_to_jump_to(page):
    names = page.locator("#compare-tab").get_by_role("heading", level=2).all_inner_texts()
    wanted = ["Photo and models", "Result", "Figures"]
    assert [name for name in names if name in wanted] == wanted


def test_accordions_say_whether_they_are_open(page):
    head = page.get_by_role("button", name="Class projects")
    expect(head).to_have_attribute("aria-expanded", "false")
    head.click()
    expect(head).to_have_attribute("aria-expanded", "true")


def test_links_to_the_page_show_our_own_words_and_picture(page, address):
    def content(name: str) -> list[str]:
        tags = page.locator(f'meta[property="{name}"], meta[name="{name}"]')
        return tags.evaluate_all("(all) => all.map((tag) => tag.content)")

    assert content("og:title") == ["kpdemo: facial keypoints, network by network"]
    assert content("og:url") == [address]
    assert content("description") == content("og:description") != []
    (picture,) = content("og:image")
    assert picture.startswith(address)
    answer = page.request.get(picture)
    assert answer.ok and answer.headers["content-type"] == "image/webp"
    icon = page.request.get(f"{address}favicon.ico")
    assert icon.ok and b"<svg" in icon.body()
    expect(page.locator("#footer")).to_contain_text(f"kpdemo {kpdemo.__version__}")
    expect(page.locator("#footer")).to_contain_text("Apache-2.0")
