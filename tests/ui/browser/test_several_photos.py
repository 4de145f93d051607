"""Several photos at once, and the session's last photos."""

import csv
from io import StringIO
from pathlib import Path

import pytest
import skimage
from helpers.visitor import answered, drop_empty_photos

sync_api = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
expect = sync_api.expect
Page = sync_api.Page

COFFEE = Path(skimage.__file__).parent / "data" / "coffee.png"


def choose(page: Page, *paths: Path) -> None:
    """Choose files in the dialog of the photo's box."""
    with page.expect_file_chooser() as dialog:
        page.locator("#photo button").first.click()
    assert dialog.value.is_multiple()
    dialog.value.set_files(paths)


def cards(page: Page):
    return page.locator(".kp-sheet li")


def thumbnails(page: Page):
    return page.locator("#recent .kp-thumbnails button")


def shown(page: Page) -> str:
    """The photo under the points."""
    return page.locator(".kp-panel image").first.get_attribute("href")


def table(page: Page) -> list[dict[str, str]]:
    """The rows of the sheet's download."""
    with page.expect_download() as download:
        page.get_by_role("button", name="Table as CSV").click()
    return list(csv.DictReader(StringIO(Path(download.value.path()).read_text("utf-8"))))


def test_several_photos_become_a_sheet_sorted_by_disagreement(page, hopper_path, astronaut_path):
    choose(page, COFFEE, astronaut_path, hopper_path)
    sheet = page.locator(".kp-sheet")
    expect(sheet.get_by_role("status")).to_have_text("3 photos compared")
    expect(cards(page)).to_have_count(3)
    expect(cards(page).last).to_contain_text("coffee.png")
    expect(cards(page).last).to_contain_text("No face found on this photo.")
    shares = [float(card.locator("b").inner_text().split()[0]) for card in cards(page).all()[:2]]
    assert shares == sorted(shares, reverse=True)
    rows = table(page)
    assert [row["faces"] for row in rows] == ["1", "1", "0"]
    assert [round(float(row["largest_distance_percent"]), 1) for row in rows[:2]] == shares
    assert rows[2]["largest_distance_percent"] == ""
    pair = f"{rows[0]['model_a']} and {rows[0]['model_b']}"
    expect(cards(page).first.locator("b")).to_have_text(f"{shares[0]:.1f} %: {pair}")
    # By the keyboard alone: to the sheet's buttons, its photos in their order, and back.
    first = cards(page).first.get_by_role("button")
    before = shown(page)
    sheet.get_by_role("button", name="Table as CSV").focus()
    page.keyboard.press("Tab")
    expect(sheet.get_by_role("button", name="Close")).to_be_focused()
    page.keyboard.press("Tab")
    expect(first).to_be_focused()
    page.keyboard.press("Enter")
    page.wait_for_function(
        "(before) => document.querySelector('.kp-panel image').getAttribute('href') !== before",
        arg=before,
    )
    finding = first.locator("span").last.inner_text()
    expect(page.locator(".kp-finding")).to_have_text(finding)
    expect(first).to_have_attribute("aria-current", "true")
    expect(first).to_be_focused()
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Enter")
    expect(sheet).to_be_hidden()
    expect(page.locator("#photo button").first).to_be_focused()


def test_the_sheet_follows_the_choice_of_models(page, hopper_path, astronaut_path):
    sheet, unet = page.locator(".kp-sheet"), page.locator("#models").get_by_label("U-Net")
    with answered(page):
        unet.uncheck()
    choose(page, hopper_path, astronaut_path)
    status = sheet.get_by_role("status")
    expect(status).to_have_text("2 photos compared")
    without = table(page)
    held, asked = [], []

    def hold(route):
        asked.append(route.request.post_data_json["data"]["models"])
        held.append(route)

    page.route("**/component_server/**", hold)
    with answered(page):
        unet.check()
    expect(status).to_have_text("0 of 2 photos compared …")
    expect(cards(page)).to_have_count(2)
    sheet.get_by_role("button", name="Stop").click()
    expect(status).to_have_text("Stopped: 0 of 2 photos compared")
    assert table(page) == without
    held.pop().continue_()
    expect(status).to_have_text("Stopped: 1 of 2 photos compared")
    page.unroute("**/component_server/**")
    sheet.get_by_role("button", name="Go on").click()
    expect(status).to_have_text("2 photos compared")
    rows = table(page)
    assert asked == [["unet"]]
    assert all("U-Net" in row["models"] for row in rows)
    shares = [float(row["largest_distance_percent"]) for row in rows]
    assert shares == sorted(shares, reverse=True)
    with answered(page):
        unet.uncheck()
    expect(status).to_have_text("2 photos compared")
    assert table(page) == without


def test_a_bad_file_among_several_photos_is_one_sentence_on_its_card(page, hopper_path, tmp_path):
    (tmp_path / "bad.jpg").write_bytes(b"no picture")
    choose(page, tmp_path / "bad.jpg", hopper_path)
    expect(page.locator(".kp-sheet [role=status]")).to_have_text("2 photos compared")
    expect(cards(page).first.get_by_role("button")).to_contain_text("grace_hopper.jpg")
    expect(cards(page).last).to_contain_text("This file is not a picture that can be read")
    expect(cards(page).last.get_by_role("button")).to_have_count(0)


def test_dropped_photos_go_to_the_sheet_on_a_phone_too(open_page, hopper_path):
    page = open_page(390)
    drop_empty_photos(page, "one.png", "two.png")
    expect(cards(page)).to_have_text(
        [f"{name}.png–No face found on this photo." for name in ("one", "two")]
    )
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_the_last_photos_can_be_gone_back_to_and_forgotten(page, astronaut_path, hopper_path):
    expect(page.locator(".kp-recent")).to_be_hidden()
    opening = shown(page)
    with answered(page):
        page.locator("#photo input[type=file]").set_input_files(astronaut_path)
    expect(thumbnails(page)).to_have_count(2)
    astronaut = shown(page)
    finding = page.locator(".kp-finding").inner_text()
    assert astronaut != opening
    expect(thumbnails(page).last).to_have_attribute("aria-current", "true")
    with answered(page):
        page.get_by_role("button", name="Photo 1 of 2").click()
    expect(page.locator(".kp-panel image").first).to_have_attribute("href", opening)
    expect(thumbnails(page).first).to_have_attribute("aria-current", "true")
    thumbnails(page).first.focus()
    page.keyboard.press("ArrowRight")
    with answered(page):
        page.keyboard.press("Enter")
    expect(page.locator(".kp-panel image").first).to_have_attribute("href", astronaut)
    expect(page.locator(".kp-finding")).to_have_text(finding)
    with answered(page):
        page.get_by_role("button", name="Forget them now").click()
    expect(page.locator(".kp-recent")).to_be_hidden()
    expect(page.locator(".kp-panel image").first).to_have_attribute("href", astronaut)
