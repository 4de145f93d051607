"""The About tab: four pictures of nets that can be read without being seen."""

import re

import pytest
from helpers.visitor import open_tab

from kpdemo import zoo
from kpdemo.explain import architecture
from kpdemo.models import checkpoint
from kpdemo.zoo import DEFAULT_MODELS, WEIGHTS_DIR

sync_api = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
expect = sync_api.expect


def open_about(page) -> None:
    open_tab(page, "About")
    expect(page.locator("#about")).to_be_visible()


@pytest.mark.tidy
def test_every_architecture_has_a_picture_with_a_name_and_a_description(page):
    open_about(page)
    expect(page.locator("#about").get_by_role("img")).to_have_count(len(DEFAULT_MODELS))
    for name in DEFAULT_MODELS:
        picture = page.locator(f'#about [data-model="{name}"]').get_by_role("img")
        expect(picture).to_have_accessible_name(f"Architecture of {zoo.title(name)}")
        channels, height, width = architecture.of(checkpoint.read_config(WEIGHTS_DIR / name)).down[
            -1
        ]
        told = re.compile(f"{channels} feature maps of {height}×{width}.* points")
        expect(picture).to_have_accessible_description(told)


@pytest.mark.tidy
def test_it_says_what_a_stranger_must_know(page):
    open_about(page)
    for words in ("not for commercial use", "sent nowhere else", "How to cite", "Sagonas"):
        expect(page.locator("#about")).to_contain_text(words)


@pytest.mark.tidy
def test_an_architecture_opens_large_by_mouse_and_keyboard(page):
    open_about(page)
    large = page.get_by_role("dialog")
    expect(large).to_be_hidden()
    picture = page.locator('#about [data-model="unet"] svg').first
    width = picture.bounding_box()["width"]
    picture.click()
    expect(large).to_have_accessible_name("Architecture of U-Net, large")
    assert large.locator("svg").bounding_box()["width"] > 1.2 * width
    large.get_by_role("button", name="Close").click()
    expect(large).to_be_hidden()
    page.get_by_role("button", name="Enlarge ResNet-18").focus()
    page.keyboard.press("Enter")
    expect(large).to_have_accessible_name("Architecture of ResNet-18, large")
    page.keyboard.press("Escape")
    expect(large).to_be_hidden()
    expect(page.get_by_role("button", name="Enlarge ResNet-18")).to_be_focused()
