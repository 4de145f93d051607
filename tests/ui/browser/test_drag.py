"""“Edit points” as a visitor meets it; where a net puts its points does not matter."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
from helpers.visitor import take_example

from kpdemo.keypoints import annotations

sync_api = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
expect = sync_api.expect
Page = sync_api.Page

NOSE_TIP = 30
# Where a point is on the screen, and how many pixels of it one of the photo's takes.
ON_SCREEN = """(dot) => {
  const { a, d, e, f } = dot.ownerSVGElement.getScreenCTM();
  const [x, y] = ["cx", "cy"].map((name) => Number(dot.getAttribute(name)));
  return [a * x + e, d * y + f, a];
}"""


def edit(page: Page, source: str = "U-Net") -> None:
    page.get_by_role("button", name="Edit points").click()
    page.locator("#drag").get_by_label("Start from").select_option(source)
    page.get_by_role("button", name="Start editing").click()
    picture(page).scroll_into_view_if_needed()


def picture(page: Page):
    return page.locator("#drag .kp-drag-picture")


def on_screen(page: Page, k: int) -> list[float]:
    return page.locator(f'#drag circle[data-k="{k}"]').evaluate(ON_SCREEN)


def save(page: Page, kind: str, folder: Path) -> str:
    with page.expect_download() as download:
        page.get_by_role("button", name=f"Save {kind}").click()
    path = folder / download.value.suggested_filename
    download.value.save_as(path)
    return path.read_text()


def points(page: Page, folder: Path) -> np.ndarray:
    """The edited points as the `.pts` file has them, read as any 300-W file is."""
    return annotations.read_pts(save(page, ".pts", folder), 68, 1, "The file")


def expect_moved(before: np.ndarray, after: np.ndarray, k: int, by: tuple[float, float]) -> None:
    moved = np.zeros_like(before)
    moved[k] = by
    np.testing.assert_allclose(after - before, moved, atol=0.02)


def drag(page: Page, k: int, dx: int, dy: int) -> tuple[float, float]:
    """Drag a point by whole pixels of the screen; returns by how many of the photo."""
    x, y, scale = on_screen(page, k)
    page.mouse.move(round(x) + 2, round(y))
    page.mouse.down()
    page.mouse.move(round(x) + 2 + dx, round(y) + dy, steps=5)
    page.mouse.up()
    return dx / scale, dy / scale


def error(page: Page, model: str, key: str):
    return page.locator(f'#drag tr[data-model="{model}"] [data-key="{key}"]')


def test_the_mouse_moves_a_point_and_the_errors_follow_without_a_request(page, tmp_path):
    edit(page)
    expect(error(page, "unet", "pixels")).to_have_text("0.00")
    before = points(page, tmp_path)
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    _, _, scale = on_screen(page, NOSE_TIP)
    ten = round(10 * scale)
    by = drag(page, NOSE_TIP, ten, -ten // 2)
    assert by[0] == pytest.approx(10, abs=0.5 / scale)
    expect_moved(before, points(page, tmp_path), NOSE_TIP, by)
    expect(page.locator("#drag .kp-drag-point")).to_contain_text("Nose tip", ignore_case=True)
    distance = float(np.hypot(*by))
    assert float(error(page, "unet", "point").inner_text()) == pytest.approx(distance, abs=0.02)
    assert float(error(page, "unet", "pixels").inner_text()) == pytest.approx(
        distance / 68, abs=0.01
    )
    assert not [url for url in asked if not url.startswith("blob:")]


def test_keys_move_points_put_them_back_and_undo(page, tmp_path):
    edit(page)
    expect(picture(page)).to_be_focused()
    before = points(page, tmp_path)
    picture(page).focus()
    for key in ("Home", "n", "n", "p"):
        page.keyboard.press(key)
    for key in ("ArrowRight", "ArrowRight", "Shift+ArrowUp"):
        page.keyboard.press(key)
    status = page.locator("#drag [role=status]")
    expect(status).to_contain_text("jaw 1")
    expect_moved(before, points(page, tmp_path), 1, (0.5, -2.5))
    picture(page).focus()
    page.keyboard.press("End")
    page.keyboard.press("Shift+ArrowLeft")
    expect(status).to_contain_text("moved by 2.50 px")
    page.keyboard.press("Escape")
    expect(status).to_contain_text("not moved")
    expect_moved(before, points(page, tmp_path), 1, (0.5, -2.5))
    picture(page).focus()
    for _ in range(3):
        page.keyboard.press("Control+z")
    expect(page.get_by_role("button", name="Undo")).to_be_disabled()
    np.testing.assert_allclose(points(page, tmp_path), before)
    page.get_by_role("button", name="Redo").click()
    expect_moved(before, points(page, tmp_path), 1, (0.5, -2.5))


def test_escape_ends_a_drag_as_if_it_had_not_begun(page, tmp_path):
    edit(page)
    before = points(page, tmp_path)
    x, y, _ = on_screen(page, NOSE_TIP)
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x + 40, y + 20, steps=3)
    expect(page.locator("#drag .kp-drag-point")).to_contain_text("moved by")
    page.keyboard.press("Escape")
    page.mouse.move(x + 60, y + 20, steps=3)
    page.mouse.up()
    np.testing.assert_allclose(points(page, tmp_path), before)
    expect(page.get_by_role("button", name="Undo")).to_be_disabled()


def test_a_finger_moves_a_point_on_a_phone_and_the_page_stays(open_page, tmp_path):
    page = open_page(390, has_touch=True)
    edit(page)
    before = points(page, tmp_path)
    picture(page).scroll_into_view_if_needed()
    x, y, scale = on_screen(page, NOSE_TIP)
    x, y = round(x), round(y)
    top = page.evaluate("scrollY")
    touch = page.context.new_cdp_session(page)
    for kind, dx, dy in (("Start", 0, 0), ("Move", 8, 10), ("Move", 16, 24), ("End", 0, 0)):
        at = [] if kind == "End" else [{"x": x + dx, "y": y + dy}]
        touch.send("Input.dispatchTouchEvent", {"type": f"touch{kind}", "touchPoints": at})
    expect_moved(before, points(page, tmp_path), NOSE_TIP, (16 / scale, 24 / scale))
    assert page.evaluate("scrollY") == top
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_edited_points_are_ground_truth_with_the_errors_that_were_shown(page):
    edit(page)
    drag(page, NOSE_TIP, 60, 0)
    errors = {
        model: float(error(page, model, "pixels").inner_text())
        for model in ("simplenet", "resnet18", "unet", "keypoint-resnet", "mediapipe")
    }
    page.get_by_role("button", name="Use as ground truth").click()
    for model, pixels in errors.items():
        cell = page.locator(f'#table tr[data-model="{model}"] td[data-key="pixels"]')
        expect(cell).to_have_text(re.compile(r"^\d+\.\d px$"))
        assert float(cell.inner_text().split()[0]) == pytest.approx(pixels, abs=0.06)
    # They can still be edited.
    expect(page.locator("#drag .kp-drag-point")).to_contain_text("moved by")


def test_faces_are_edited_one_by_one_and_saved_together(page, tmp_path):
    take_example(page, "Two people")
    edit(page, "MediaPipe, as iBUG’s 68 points")
    page.keyboard.press("ArrowDown")
    page.locator("#drag").get_by_label("Face").select_option("2")
    page.locator("#drag").get_by_label("Start from").select_option("KeypointResNet")
    page.get_by_role("button", name="Start editing").click()
    expect(page.locator("#drag .kp-drag-dots circle")).to_have_count(15)
    expect(page.get_by_role("button", name="Save .pts")).to_be_disabled()
    text = save(page, "JSON", tmp_path)
    faces = json.loads(text)["faces"]
    assert [list(face["models"]) for face in faces] == [["edited ibug-68"], ["edited kaggle-15"]]
    page.locator("#drag").get_by_label("Face").select_option("1")
    expect(page.locator("#drag .kp-drag-dots circle")).to_have_count(68)
    points(page, tmp_path)
    assert (tmp_path / "edited-points-face-1.pts").exists()


def test_json_is_read_as_ground_truth_of_the_same_photo(page, tmp_path):
    edit(page)
    drag(page, NOSE_TIP, 30, 0)
    text = save(page, "JSON", tmp_path)
    size = json.loads(text)["photo"]
    sets = annotations.read("edited-points.json", text, size["width"], size["height"])
    assert list(sets) == ["edited"]
    np.testing.assert_allclose(sets["edited"].faces[0], points(page, tmp_path), atol=0.01)


def test_another_photo_ends_editing(page):
    edit(page)
    take_example(page, "Eileen Collins")
    expect(picture(page)).to_be_hidden()
    expect(page.get_by_role("button", name="Start editing")).to_be_visible()
