"""One choice of models for all tabs."""

import pytest
from helpers.visitor import answered, open_tab

sync_api = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
expect = sync_api.expect
Page = sync_api.Page

NETS = ["SimpleNet", "ResNet-18", "U-Net", "KeypointResNet"]


def expect_chosen(page: Page, group: str, titles: list[str]) -> None:
    """The models that are ticked in a tab's list, in its order."""
    boxes = page.locator(f"#{group}").get_by_role("checkbox", checked=True)
    expect(boxes).to_have_count(len(titles))
    for title in titles:
        expect(page.locator(f"#{group}").get_by_label(title, exact=True)).to_be_checked()


def first_layers(page: Page):
    return page.locator("#filters-first figure strong")


def test_live_and_compare_share_their_models(page):
    with answered(page):
        page.locator("#models").get_by_label("SimpleNet").uncheck()
    open_tab(page, "Live")
    expect_chosen(page, "live-models", [*NETS[1:], "MediaPipe"])
    expect(page.locator(".kp-live-stages figcaption").first).not_to_contain_text("SimpleNet")
    page.locator("#live-models").get_by_label("U-Net").uncheck()
    open_tab(page, "Compare")
    expect_chosen(page, "models", ["ResNet-18", "KeypointResNet", "MediaPipe"])
    for name in ("simplenet", "unet"):
        expect(page.locator(f'.kp-panel[data-model="{name}"]')).to_have_count(0)


def test_a_model_that_is_chosen_elsewhere_is_computed_when_compare_is_looked_at(page):
    open_tab(page, "Live")
    page.get_by_role("button", name="Class projects").last.click()
    page.locator("#live-projects").get_by_label("Nose tip, Moore").check()
    open_tab(page, "Compare")
    expect(page.locator('.kp-panel[data-model="nosenet-moore"]')).to_be_visible()


def test_heatmaps_show_the_chosen_nets_and_choose_without_a_request(page):
    with answered(page):
        page.locator("#models").get_by_label("U-Net").uncheck()
    with answered(page):
        open_tab(page, "Heatmaps")
    nets = page.locator("#heatmaps .kp-map-nets")
    expect(nets.get_by_label("ResNet-18", exact=True)).to_be_checked()
    expect(nets.get_by_label("U-Net", exact=True)).not_to_be_checked()
    expect(page.locator('#heatmaps [data-model="unet"]')).to_be_hidden()
    if page.locator("#sigmas").count():  # the last that the tab asks for
        expect(page.locator("#sigmas .kp-map")).to_have_count(2)
    requests: list[str] = []
    page.on("request", lambda r: requests.append(r.url) if "queue/join" in r.url else None)
    nets.get_by_label("U-Net", exact=True).check()
    nets.get_by_label("ResNet-18", exact=True).uncheck()
    expect(page.locator('#heatmaps [data-model="unet"]')).to_be_visible()
    expect(page.locator('#heatmaps [data-model="resnet18"]')).to_be_hidden()
    expect(page.locator("#models").get_by_label("U-Net")).to_be_checked()
    assert not requests
    for name in ("U-Net", "KeypointResNet"):
        nets.get_by_label(name, exact=True).uncheck()
    expect(page.locator("#heatmaps .kp-read")).to_contain_text("No net with heatmaps is chosen")
    open_tab(page, "Compare")
    expect_chosen(page, "models", ["SimpleNet", "MediaPipe"])


def test_filters_open_with_the_chosen_nets(open_page):
    page = open_page(at="#models=unet,mediapipe")
    expect_chosen(page, "models", ["U-Net", "MediaPipe"])
    open_tab(page, "Filters")
    expect(page.locator("#filters-net summary")).to_contain_text("Architecture of U-Net")
    expect(first_layers(page)).to_have_text(["U-Net"])
    page.locator("#filters-beside input").click()
    page.get_by_role("option", name="SimpleNet", exact=True).click()
    expect(first_layers(page)).to_have_text(["SimpleNet", "U-Net"])
    open_tab(page, "Compare")
    expect_chosen(page, "models", ["SimpleNet", "U-Net", "MediaPipe"])
    expect(page.locator('.kp-panel[data-model="simplenet"]')).to_be_visible()
