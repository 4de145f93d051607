"""The Compare tab as a visitor meets it. No assertion depends on where a net puts its points."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from kpdemo import compare, markup

sync_api = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
expect = sync_api.expect
Page = sync_api.Page

POINTS = {"simplenet": 68, "resnet18": 68, "unet": 68, "keypoint-resnet": 15, "mediapipe": 478}
PERCENT = re.compile(r"^\d+\.\d %$")


def take_example(page: Page, title: str) -> None:
    page.get_by_role("button", name=title).click()
    page.locator(".kp-panel").first.wait_for()


def upload(page: Page, path: Path) -> None:
    page.locator("#photo input[type=file]").set_input_files(path)


def panel(page: Page, model: str):
    return page.locator(f'.kp-panel[data-model="{model}"]')


def expect_panels(page: Page, faces: int) -> None:
    for model, count in POINTS.items():
        expect(panel(page, model).locator(".kp-points circle")).to_have_count(count * faces)
    expect(page.locator(".kp-panel")).to_have_count(len(POINTS))


def expect_refused(page: Page, part: str) -> None:
    expect(page.locator("#notice [role=alert] p")).to_have_count(1)
    expect(page.locator("#notice")).to_contain_text(part)


def test_the_page_says_what_to_do(page):
    expect(page.get_by_role("heading", level=1)).to_have_text("kpdemo")
    expect(page.locator(".kp-empty")).to_contain_text("Drop in a photo")
    page.get_by_role("tab", name="About").click()
    expect(page.locator("#about")).to_contain_text("not for commercial use")


def test_an_example_fills_every_panel_and_the_table(page):
    take_example(page, "Grace Hopper")
    expect_panels(page, faces=1)
    expect(page.locator("#table tbody tr")).to_have_count(len(POINTS))
    for model, count in POINTS.items():
        row = page.locator(f'#table tr[data-model="{model}"]')
        expect(row.locator("td").first).to_have_text(str(count))
        agreement = row.locator("td").nth(2)
        expect(agreement).to_have_text("baseline" if model == "mediapipe" else PERCENT)
    expect(page.locator(".kp-timings")).to_contain_text("find faces")


def test_a_class_project_stands_beside_the_others(page):
    page.get_by_role("button", name="Class projects").click()
    page.get_by_label("Nose tip, Moore").check()
    take_example(page, "Grace Hopper")
    expect(panel(page, "nosenet-moore").locator(".kp-points circle")).to_have_count(1)
    expect(panel(page, "nosenet-moore")).to_contain_text("1 point ·")
    expect(page.locator(".kp-panel")).to_have_count(len(POINTS) + 1)
    expect(page.locator('#table tr[data-model="nosenet-moore"] th')).to_have_text("Nose tip, Moore")


def test_an_uploaded_photo_is_compared(page, hopper_path):
    upload(page, hopper_path)
    expect_panels(page, faces=1)


def cmyk(hopper: Image.Image, folder: Path) -> Path:
    hopper.convert("CMYK").save(folder / "cmyk.jpg")
    return folder / "cmyk.jpg"


def deep(hopper: Image.Image, folder: Path) -> Path:
    grey = np.asarray(hopper.convert("L")).astype(np.uint16) * 257
    Image.fromarray(grey).save(folder / "deep.png")
    return folder / "deep.png"


def sideways(hopper: Image.Image, folder: Path) -> Path:
    exif = Image.Exif()
    exif[0x0112] = 6  # turn by a quarter, clockwise, to see it upright
    hopper.rotate(90, expand=True).save(folder / "sideways.jpg", exif=exif)
    return folder / "sideways.jpg"


@pytest.mark.parametrize("write", [cmyk, deep, sideways])
def test_unusual_photos_reach_the_engine_undecoded_and_upright(
    page, hopper_path, tmp_path, write: Callable[[Image.Image, Path], Path]
):
    with Image.open(hopper_path) as hopper:
        size = hopper.size
        path = write(hopper, tmp_path)
    upload(page, path)
    expect_panels(page, faces=1)
    page.get_by_label("View").select_option("Whole photo")
    expect(panel(page, "unet").locator("svg")).to_have_attribute(
        "viewBox", f"-0.5 -0.5 {size[0]} {size[1]}"
    )


@pytest.mark.parametrize(
    ("name", "data", "part"),
    [
        ("text.jpg", b"no picture at all\n" * 20, "not a picture"),
        ("empty.png", b"", "empty"),
        ("phone.heic", b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + b"\0" * 200, "JPEG"),
        ("vector.svg", b'<svg xmlns="http://www.w3.org/2000/svg"/>', "not a picture"),
    ],
)
def test_a_bad_file_ends_in_one_sentence(page, tmp_path, name, data, part):
    path = tmp_path / name
    path.write_bytes(data)
    upload(page, path)
    expect_refused(page, part)
    expect(page.locator(".kp-panel")).to_have_count(0)


def test_a_bad_file_leaves_the_last_comparison_as_it_was(page, hopper_path, tmp_path):
    whole = hopper_path.read_bytes()
    (tmp_path / "half.jpg").write_bytes(whole[: len(whole) // 2])
    take_example(page, "Grace Hopper")
    page.locator("#photo").get_by_role("button", name="Remove Image").click()
    upload(page, tmp_path / "half.jpg")
    expect_refused(page, "damaged")
    expect_panels(page, faces=1)
    expect(page.locator("#photo img")).to_have_attribute("src", re.compile("grace-hopper"))


def test_a_photo_without_a_face_says_what_to_try(page, tmp_path):
    Image.linear_gradient("L").save(tmp_path / "sky.png")
    upload(page, tmp_path / "sky.png")
    expect(page.locator("#notice [role=status]")).to_contain_text("No face found. Try")
    expect(page.locator(".kp-panel")).to_have_count(0)


def test_two_people_are_two_faces_to_look_at(page):
    take_example(page, "Two people")
    expect_panels(page, faces=2)
    view = page.get_by_label("View")
    assert view.locator("option").all_inner_texts() == ["Both faces", "Face 1", "Face 2"]
    svg = panel(page, "unet").locator("svg")
    whole = svg.get_attribute("viewBox")
    view.select_option("Face 1")
    first = svg.get_attribute("viewBox")
    view.select_option("Face 2")
    assert len({whole, first, svg.get_attribute("viewBox")}) == 3


def test_switches_work_at_once_without_asking_the_server(page):
    take_example(page, "Grace Hopper")
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    for name, shown in (("Points", True), ("Contours", True), ("Numbers", False), ("Boxes", False)):
        layer = panel(page, "mediapipe").locator(f".kp-{name.lower()}")
        for state in (shown, not shown, shown):
            page.get_by_label(name, exact=True).set_checked(state)
            assert (layer.evaluate("layer => getComputedStyle(layer).display") != "none") == state
    assert not asked


def place_of(page: Page, model: str):
    return panel(page, model).locator(".kp-lit [data-place]")


def expect_nose_tip_lit(page: Page) -> None:
    for model, k in (("mediapipe", mesh_nose()), ("unet", 30), ("keypoint-resnet", 10)):
        expect(place_of(page, model)).to_have_attribute("data-place", "nose_tip")
        point = panel(page, model).locator(f'.kp-points [data-k="{k}"]')
        ring = place_of(page, model).locator("circle").last
        for axis in ("cx", "cy"):
            assert ring.get_attribute(axis) == point.get_attribute(axis)
        expect(panel(page, model).locator(".kp-says")).to_contain_text("nose tip")


def mesh_nose() -> int:
    return markup.get("mediapipe-478").anatomy["nose_tip"][0]


def test_pointing_at_a_place_lights_it_up_in_every_panel(page):
    take_example(page, "Grace Hopper")
    nose = panel(page, "mediapipe").locator(f'.kp-points [data-k="{mesh_nose()}"]')
    nose.scroll_into_view_if_needed()
    box = nose.bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    expect_nose_tip_lit(page)
    expect(panel(page, "unet").locator(".kp-says")).to_contain_text("% sure")
    expect(panel(page, "unet").locator(".kp-says")).to_contain_text("% from MediaPipe")
    page.mouse.move(2, 2)
    expect(page.locator(".kp-lit [data-place]")).to_have_count(0)


def test_the_arrow_keys_go_from_point_to_point(page):
    take_example(page, "Grace Hopper")
    page.get_by_label("View").focus()
    for _ in range(4):  # three downloads lie between
        page.keyboard.press("Tab")
    expect(panel(page, "simplenet").locator("svg")).to_be_focused()
    for _ in range(30):
        page.keyboard.press("ArrowRight")
    expect_nose_tip_lit(page)
    expect(page.locator(".kp-spoken")).to_contain_text("SimpleNet, nose tip")
    page.keyboard.press("Escape")
    expect(page.locator(".kp-lit [data-place]")).to_have_count(0)


def test_chosen_models_are_compared_and_none_is_refused(page):
    for name in ("SimpleNet", "ResNet-18", "KeypointResNet", "MediaPipe"):
        page.locator("#models").get_by_label(name).uncheck()
    take_example(page, "Eileen Collins")
    expect(page.locator(".kp-panel")).to_have_count(1)
    expect(panel(page, "unet").locator(".kp-points circle")).to_have_count(68)
    page.locator("#models").get_by_label("U-Net").uncheck()
    page.get_by_role("button", name="Compare", exact=True).click()
    expect_refused(page, "at least one model")
    page.locator("#models").get_by_label("SimpleNet").check()
    page.get_by_role("button", name="Compare", exact=True).click()
    expect(panel(page, "simplenet")).to_be_visible()
    expect(page.locator("#notice [role=alert]")).to_have_count(0)


def test_compare_without_a_photo_asks_for_one(page):
    page.get_by_role("button", name="Compare", exact=True).click()
    expect_refused(page, "Choose a photo first")


def download(page: Page, kind: str) -> Path:
    with page.expect_download() as waiting:
        page.get_by_role("button", name=kind, exact=True).click()
    assert waiting.value.suggested_filename == f"kpdemo.{kind.lower()}"
    return Path(waiting.value.path())


def test_downloads_are_the_engines_own_result(page, hopper_path):
    upload(page, hopper_path)
    expect_panels(page, faces=1)
    result = json.loads(download(page, "JSON").read_text())
    assert set(result) == {"photo", "faces", "timings", "unavailable"}
    assert result["photo"] == {"width": 512, "height": 600}
    expected = compare(hopper_path).to_dict()["faces"][0]["models"]
    models = result["faces"][0]["models"]
    assert set(models) == set(POINTS)
    for name, answer in models.items():
        assert answer["markup"] == expected[name]["markup"]
        assert np.abs(np.subtract(answer["keypoints"], expected[name]["keypoints"])).max() < 0.5
    assert np.shape(models["mediapipe"]["ibug-68"]) == (68, 2)

    lines = download(page, "CSV").read_text().splitlines()
    assert lines[0].startswith("file,face,model,markup,index,name,x,y")
    assert sum(",unet,ibug-68," in line for line in lines) == 68

    with Image.open(download(page, "PNG")) as sheet:
        assert sheet.format == "PNG" and sheet.width > 1000
        assert not sheet.getexif() and not sheet.text


@pytest.mark.parametrize("width", [390, 768])
def test_nothing_scrolls_sideways(open_page, width):
    page = open_page(width)
    for _ in range(2):
        seen = page.evaluate("document.documentElement.scrollWidth")
        assert seen <= width
        take_example(page, "Two people")
