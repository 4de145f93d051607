"""“Degrade this photo” as a visitor meets it; where a net puts its points does not matter."""

import re

import pytest
from helpers.visitor import take_example

sync_api = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
expect = sync_api.expect
Page = sync_api.Page

MODELS = ("simplenet", "resnet18", "unet", "keypoint-resnet", "mediapipe")
POINTS = {name: 15 if name == "keypoint-resnet" else 68 for name in MODELS}
MOVED = re.compile(r"^(?!0\.0)\d+\.\d %$")


def open_section(page: Page) -> None:
    page.get_by_role("button", name="Degrade this photo").click()
    page.locator("#degrade").scroll_into_view_if_needed()
    expect(page.locator("#degrade tbody tr")).to_have_count(len(MODELS))


def slider(page: Page, name: str):
    return page.locator(f'#degrade [type=range][name="{name}"]')


def expect_drifts(page: Page, figure: str | re.Pattern) -> None:
    for name in MODELS:
        expect(page.locator(f'#degrade tr[data-model="{name}"] td').first).to_have_text(figure)


def expect_points(page: Page, faces: int) -> None:
    for name, count in POINTS.items():
        points = page.locator(f'#degrade [data-model="{name}"] .kp-drift-dots')
        expect(points).to_have_attribute("data-count", str(count * faces))


def message(page: Page):
    return page.locator("#degrade [role=status]")


def test_nothing_drifts_on_the_photo_as_it_is(page):
    open_section(page)
    expect_drifts(page, "0.0 %")
    expect_points(page, faces=1)
    expect(message(page)).to_contain_text("the photo as it is")


def test_keys_turn_the_photo_and_all_models_answer(page):
    open_section(page)
    slider(page, "turn").focus()
    for _ in range(4):
        page.keyboard.press("ArrowRight")
    expect(page.locator("#degrade output").first).to_have_text("20°")
    expect_drifts(page, MOVED)
    expect_points(page, faces=1)
    expect(message(page)).to_contain_text("drifts least")
    page.get_by_role("button", name="Reset", exact=True).focus()
    page.keyboard.press("Enter")
    expect(slider(page, "turn")).to_have_value("0")
    expect_drifts(page, "0.0 %")


def test_the_mouse_covers_the_whole_face_and_it_is_lost(page, app_folder):
    open_section(page)
    files = {*app_folder.rglob("*")}
    slider(page, "cover").scroll_into_view_if_needed()
    box = slider(page, "cover").bounding_box()
    page.mouse.move(box["x"] + 8, box["y"] + box["height"] / 2)
    page.mouse.down()
    page.mouse.move(box["x"] + box["width"] - 2, box["y"] + box["height"] / 2, steps=4)
    page.mouse.up()
    expect(slider(page, "cover")).to_have_value("100")
    expect(message(page)).to_contain_text("no longer detected")
    expect_drifts(page, "no points")
    expect(page.locator("#degrade tr td:nth-child(3)")).to_have_text(["lost"] * len(MODELS))
    assert {*app_folder.rglob("*")} <= files, "The changed photo is on the disk."


def test_a_tap_compresses_the_photo_on_a_phone(open_page):
    page = open_page(390, has_touch=True)
    open_section(page)
    slider(page, "quality").scroll_into_view_if_needed()
    box = slider(page, "quality").bounding_box()
    page.touchscreen.tap(box["x"] + 20, box["y"] + box["height"] / 2)
    expect_drifts(page, MOVED)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_points_and_models_are_switched_in_the_browser(page):
    open_section(page)
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    dots = "#degrade [data-model={}] .kp-drift-dots path"
    expect(page.locator(dots.format("unet")).first).to_be_visible()
    page.locator("#degrade").get_by_role("checkbox", name="U-Net").uncheck()
    expect(page.locator(dots.format("unet")).first).to_be_hidden()
    page.locator("#degrade").get_by_role("checkbox", name="Points").uncheck()
    expect(page.locator(dots.format("resnet18")).first).to_be_hidden()
    assert not asked


def test_another_photo_starts_again(page):
    open_section(page)
    slider(page, "darkness").fill("50")
    expect_drifts(page, MOVED)
    take_example(page, "Two people")
    expect_points(page, faces=2)
    expect_drifts(page, "0.0 %")
    expect(slider(page, "darkness")).to_have_value("0")


def test_only_the_chosen_models_answer(page):
    take_example(page, "Eileen Collins")
    page.locator("#models").get_by_label("SimpleNet").uncheck()
    page.get_by_role("button", name="Degrade this photo").click()
    page.locator("#degrade").scroll_into_view_if_needed()
    expect(page.locator("#degrade tbody tr")).to_have_count(len(MODELS) - 1)
    expect(page.locator('#degrade tr[data-model="simplenet"]')).to_have_count(0)
