"""The Filters tab as a visitor meets it. No assertion depends on what a net has learned."""

import re

import pytest
from helpers.visitor import answered, open_tab, take_example

from kpdemo.explain import filters
from kpdemo.models import model as checkpoint
from kpdemo.zoo import WEIGHTS_DIR

sync_api = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
expect = sync_api.expect
Page = sync_api.Page


def open_filters(page: Page) -> None:
    open_tab(page, "Filters")
    tiles(page).first.wait_for()


def tiles(page: Page):
    return page.locator("#filters .kp-kernel")


def choose(page: Page, label: str, option: str) -> None:
    page.locator("#filters-model, #filters-layer").get_by_label(label).click()
    page.get_by_role("option", name=option).first.click()


def first_layer(name: str) -> filters.Layer:
    return filters.layers(checkpoint.load(WEIGHTS_DIR / name))[0]


def test_kernels_are_there_and_the_first_ones_of_all_models(page):
    open_filters(page)
    expect(tiles(page)).to_have_count(first_layer("simplenet").outputs)
    expect(page.locator("#filters-first figure")).to_have_count(4)
    for name in ("simplenet", "resnet18", "unet", "keypoint-resnet"):
        canvases = page.locator(f'#filters-first [data-model="{name}"] canvas')
        expect(canvases).to_have_count(first_layer(name).outputs)


def test_another_model_and_layer_bring_their_kernels(page):
    open_filters(page)
    choose(page, "Model", "U-Net")
    expect(tiles(page)).to_have_count(first_layer("unet").outputs)
    choose(page, "Layer", "Way down, level 5, convolution 2")
    expect(page.locator(".kp-kernels-about")).to_contain_text("384 kernels of 3×3")
    expect(tiles(page)).to_have_count(128)
    page.get_by_role("button", name="Next").click()
    expect(tiles(page).first).to_have_attribute("aria-label", "kernel 129")
    # The layer of the last model is none of this one's.
    choose(page, "Model", "Nose tip, Moore")
    expect(page.locator(".kp-kernels-about")).to_contain_text("24 kernels of 3×3")
    expect(page.locator(".toast-body")).to_have_count(0)


def test_answers_come_with_a_photo_and_a_click_asks_the_server_nothing(page):
    open_filters(page)
    page.get_by_role("tab", name="Compare").click()
    take_example(page, "Grace Hopper")
    open_filters(page)
    expect(tiles(page).first.locator("canvas")).to_have_count(2)
    expect(page.locator("#filters .kp-kernels-hint")).to_be_hidden()
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    tiles(page).nth(4).click()
    expect(tiles(page).nth(4)).to_have_attribute("aria-pressed", "true")
    details = page.locator(".kp-kernel-details")
    expect(details.get_by_role("heading", level=2)).to_have_text(re.compile(r"^Kernel 5 of"))
    expect(details.locator("figure")).to_have_count(3)
    expect(details.get_by_role("img")).to_have_count(1)
    expect(details).to_contain_text("Strength")
    page.locator("#filters").get_by_label("Order").select_option("strength")
    page.get_by_label("Colours").select_option("layer")
    labels = [each.get_attribute("aria-label") for each in tiles(page).all()]
    strengths = [float(label.split("strength ")[1]) for label in labels]
    assert strengths == sorted(strengths, reverse=True) and len(set(strengths)) > 1
    assert not [url for url in asked if not url.startswith("data:")]


def test_going_back_and_forth_sends_no_layer_again(page):
    take_example(page, "Grace Hopper")
    open_filters(page)
    tiles(page).nth(4).click()
    page.get_by_role("tab", name="Compare").click()
    tiles(page).first.evaluate("tile => { tile.dataset.mark = 'drawn before'; }")
    with answered(page):
        page.get_by_role("tab", name="Filters").click()
    expect(tiles(page).first).to_have_attribute("data-mark", "drawn before")
    expect(tiles(page).nth(4)).to_have_attribute("aria-pressed", "true")


def test_the_arrow_keys_go_from_kernel_to_kernel(page):
    open_filters(page)
    tiles(page).first.focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowRight")
    expect(tiles(page).nth(2)).to_be_focused()
    page.keyboard.press("ArrowDown")
    expect(page.locator(".kp-kernel:focus")).not_to_have_attribute("data-k", "2")
    page.keyboard.press("ArrowUp")
    expect(tiles(page).nth(2)).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.locator(".kp-kernel-details h2")).to_have_text(re.compile(r"^Kernel 3 of"))
    assert page.locator('#filters .kp-kernel[tabindex="0"]').count() == 1
    page.keyboard.press("End")
    expect(tiles(page).last).to_be_focused()


def test_a_narrow_page_shows_the_kernel_from_below_and_gives_the_focus_back(open_page):
    page = open_page(390)
    take_example(page, "Grace Hopper")
    open_filters(page)
    details = page.get_by_role("region", name="The chosen kernel")
    expect(details).to_be_hidden()
    tiles(page).nth(6).click()
    expect(details).to_be_visible()
    tile, over = tiles(page).nth(6).bounding_box(), details.bounding_box()
    assert tile["y"] + tile["height"] <= over["y"]
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    page.keyboard.press("Escape")
    expect(details).to_be_hidden()
    expect(tiles(page).nth(6)).to_be_focused()
