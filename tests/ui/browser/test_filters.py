"""The Filters tab as a visitor meets it. No assertion depends on what a net has learned."""

import re

import pytest
from helpers.visitor import answered, open_tab, take_example

from kpdemo.explain import filters
from kpdemo.models import checkpoint
from kpdemo.ui.shared import scripts
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
    expect(tiles(page)).to_have_count(first_layer("resnet18").outputs)
    expect(page.locator("#filters-model input")).to_have_value("ResNet-18")
    expect(page.locator("#filters-layer input")).to_have_value("Stem · conv (7×7, 64)")
    expect(page.locator("#filters-first figure")).to_have_count(4)
    for name in ("simplenet", "resnet18", "unet", "keypoint-resnet"):
        canvases = page.locator(f'#filters-first [data-model="{name}"] canvas')
        expect(canvases).to_have_count(first_layer(name).outputs)


def test_another_model_and_layer_bring_their_kernels(page):
    open_filters(page)
    choose(page, "Model", "U-Net")
    expect(tiles(page)).to_have_count(first_layer("unet").outputs)
    choose(page, "Layer", "Encoder 5 · conv 2 (3×3, 384)")
    expect(page.locator(".kp-kernels-about")).to_contain_text("384 kernels of 3×3")
    expect(tiles(page)).to_have_count(128)
    page.get_by_role("button", name="Next").click()
    expect(tiles(page).first).to_have_attribute("aria-label", re.compile("kernel 129, "))
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


def test_a_kernel_under_the_pointer_or_the_focus_is_shown_on_the_photo_at_size(page):
    open_filters(page)
    details = page.locator(".kp-kernel-details")
    heading = details.get_by_role("heading", level=2)
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    tiles(page).nth(3).hover()
    expect(heading).to_have_text("Kernel 4 of 64")
    assert details.get_by_role("application").bounding_box()["width"] > 300
    # It is not chosen yet: what was comes back.
    expect(tiles(page).first).to_have_attribute("aria-pressed", "true")
    page.get_by_role("tab", name="Filters").hover()
    expect(heading).to_have_text("Kernel 1 of 64")
    tiles(page).first.focus()
    page.keyboard.press("ArrowRight")
    expect(heading).to_have_text("Kernel 2 of 64")
    expect(tiles(page).first).to_have_attribute("aria-pressed", "true")
    assert not [url for url in asked if not url.startswith("data:")]


def figures(page: Page) -> dict[str, float]:
    """The lines of the sum, by name."""
    lines = page.locator(".kp-sum dl div")
    return {
        line.locator("dt").inner_text(): float(line.locator("dd").inner_text().replace("−", "-"))
        for line in lines.all()
    }


def test_the_sum_behind_a_place_adds_up_by_mouse_and_keyboard(page):
    open_filters(page)
    tiles(page).nth(4).click()
    picture = page.locator(".kp-kernel-details").get_by_role("application")
    box = picture.bounding_box()
    # The middle of the cell in row 23 and column 28 of 64.
    picture.click(position={"x": box["width"] * 27.5 / 64, "y": box["height"] * 22.5 / 64})
    total = page.locator(".kp-sum")
    expect(total).to_contain_text("Row 23, column 28")
    expect(total.locator("table")).to_have_count(3)  # input, weights, products
    expect(total.locator("table").first.locator("td")).to_have_count(49)
    lines = figures(page)
    assert lines["Convolution"] == lines["Sum of products, 1 input"] + lines["Bias"]
    (norm,) = (name for name in lines if name.startswith("Batch norm"))
    factor, sign, shift = norm.replace("Batch norm: × ", "").replace("−0", "-0").split(" ")
    calculated = float(factor) * lines["Convolution"] + (-1 if sign == "−" else 1) * float(shift)
    assert lines[norm] == pytest.approx(calculated, abs=1e-3)
    assert lines["The map shows"] == pytest.approx(lines[norm], abs=1.01e-4)
    assert lines["ReLU hands on"] == max(0, lines["The map shows"])
    picture.focus()
    page.keyboard.press("ArrowRight")
    page.keyboard.press("ArrowDown")
    expect(total).to_contain_text("Row 24, column 29")
    expect(page.locator("#filters .kp-spoken")).to_contain_text("Row 24, column 29: ")
    # An answer to the question before, which comes late, takes nothing away.
    page.evaluate(
        """async (address) => {
          const sums = await import(new URL(address, document.baseURI));
          sums.publish({ kernel: 4, row: 22, column: 28 });
        }""",
        scripts.address("filters/sums.js"),
    )
    expect(total).to_contain_text("Row 24, column 29")
    # Another kernel at the same place, and a layer of many inputs: the strongest, and the rest.
    tiles(page).nth(7).click()
    expect(page.locator(".kp-kernel-details h2")).to_have_text("Kernel 8 of 64")
    expect(total).to_contain_text("Row 24, column 29")
    choose(page, "Layer", "Stage 1 · block 1 · conv 1")
    expect(page.locator(".kp-kernels-about")).to_contain_text("64 kernels of 3×3")
    expect(total).to_have_count(0)
    picture.focus()
    page.keyboard.press("Enter")
    expect(total).to_contain_text("The other 58 inputs together")
    expect(total.locator("table")).to_have_count(3 * 6)


def test_a_part_of_the_architecture_opens_its_layer_by_mouse_and_keyboard(page):
    open_filters(page)
    picture = page.locator("#filters-net")
    picture.locator("summary").click()
    expect(picture.locator("summary")).to_have_text("Architecture of ResNet-18: choose a layer")
    expect(picture.locator("[aria-current]")).to_have_attribute("data-layer", "backbone.conv1")
    stage = picture.get_by_role("button", name="Stage 2 · block 2 · conv 2")
    stage.click()
    expect(page.locator(".kp-kernels-about")).to_contain_text("Stage 2 · block 2 · conv 2")
    expect(page.locator("#filters-layer input")).to_have_value(
        "Stage 2 · block 2 · conv 2 (3×3, 128)"
    )
    expect(stage).to_have_attribute("aria-current", "true")
    picture.get_by_role("button", name="Heatmaps · conv").focus()
    page.keyboard.press("Enter")
    expect(page.locator(".kp-kernels-about")).to_contain_text("Heatmaps · conv")
    expect(page.locator(".kp-part:focus")).to_have_attribute("data-layer", "head.smooth.3")
    choose(page, "Model", "U-Net")
    expect(picture.locator("summary")).to_contain_text("U-Net")
    picture.get_by_role("button", name="Encoder 2 · conv 2").click()
    expect(page.locator(".kp-kernels-about")).to_contain_text("48 kernels of 3×3")
