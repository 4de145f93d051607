"""The Compare tab as a visitor meets it. No assertion depends on where a net puts its points."""

import json
import re
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from helpers.visitor import answered, take_example, wait_for_script
from PIL import Image

from kpdemo import compare
from kpdemo.keypoints import markups
from kpdemo.media import images

sync_api = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
expect = sync_api.expect
Page = sync_api.Page

POINTS = {"simplenet": 68, "resnet18": 68, "unet": 68, "keypoint-resnet": 15, "mediapipe": 478}
PERCENT = re.compile(r"^\d+\.\d %$")
FIGURE = re.compile(r"^\d+\.\d$")


def upload(page: Page, path: Path) -> None:
    page.locator("#photo input[type=file]").set_input_files(path)


def panel(page: Page, model: str):
    return page.locator(f'.kp-panel[data-model="{model}"]')


def points(page: Page, model: str, count: int):
    """The layers of one model that hold so many points, one a face."""
    return panel(page, model).locator(f'.kp-points[data-count="{count}"]')


def expect_panels(page: Page, faces: int) -> None:
    for model, count in POINTS.items():
        expect(points(page, model, count)).to_have_count(faces)
    expect(page.locator(".kp-panel[data-model]")).to_have_count(len(POINTS))


def inspected(page: Page, model: str):
    """What the bar above the pictures says about a model."""
    return page.locator(f'.kp-inspector li[data-model="{model}"]')


def cell(page: Page, model: str, column: str):
    return page.locator(f'#table tr[data-model="{model}"] td[data-key="{column}"]')


def expect_refused(page: Page, part: str) -> None:
    expect(page.locator("#notice [role=alert] p")).to_have_count(1)
    expect(page.locator("#notice")).to_contain_text(part)


def test_the_page_says_what_it_is_and_for_what(page):
    expect(page.get_by_role("heading", level=1)).to_have_text("kpdemo")
    expect(page.locator("#photo")).to_contain_text("Drop a photo here")
    page.get_by_role("tab", name="About").click()
    expect(page.locator("#about")).to_contain_text("not for commercial use")


def test_an_example_fills_every_panel_and_the_table(page):
    take_example(page, "Grace Hopper")
    expect_panels(page, faces=1)
    expect(page.locator("#table tbody tr")).to_have_count(len(POINTS))
    for model, count in POINTS.items():
        expect(cell(page, model, "keypoints")).to_have_text(str(count))
        expected = "reference" if model == "mediapipe" else PERCENT
        expect(cell(page, model, "distance")).to_have_text(expected)
        for column in ("end", "landmarks"):
            expect(cell(page, model, column)).to_have_text(FIGURE)
    expect(page.locator("#table thead")).to_contain_text("Milliseconds (processor)")
    expect(cell(page, "resnet18", "jaw")).to_have_text(FIGURE)
    expect(cell(page, "keypoint-resnet", "jaw")).to_have_text("–")
    expect(cell(page, "resnet18", "trained")).to_have_text(re.compile("YouTube Faces.*, then 300"))
    expect(page.locator(".kp-timings")).to_contain_text("find faces")


def test_a_class_project_stands_beside_the_others(page):
    page.get_by_role("button", name="Class projects").click()
    page.get_by_label("Nose tip, Moore").check()
    expect(points(page, "nosenet-moore", 1)).to_have_count(1)
    expect(panel(page, "nosenet-moore")).to_contain_text("1 point ·")
    expect(page.locator(".kp-panel[data-model]")).to_have_count(len(POINTS) + 1)
    expect(page.locator('#table tr[data-model="nosenet-moore"] th')).to_have_text("Nose tip, Moore")


def test_an_uploaded_photo_is_compared(page, hopper_path):
    with answered(page):
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
    with answered(page):  # the page opens with a face, too
        upload(page, path)
    expect_panels(page, faces=1)
    page.get_by_label("View").select_option("Whole photo")
    expect(panel(page, "unet").locator("svg")).to_have_attribute(
        "viewBox", f"-0.5 -0.5 {size[0]} {size[1]}"
    )


@pytest.mark.tidy
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
    with answered(page):
        upload(page, path)
    expect_refused(page, part)
    expect_panels(page, faces=1)  # what the page opened with


def test_a_bad_file_leaves_the_last_comparison_as_it_was(page, hopper_path, tmp_path):
    whole = hopper_path.read_bytes()
    (tmp_path / "half.jpg").write_bytes(whole[: len(whole) // 2])
    take_example(page, "Grace Hopper")
    page.locator("#photo").get_by_role("button", name="Remove Image").click()
    upload(page, tmp_path / "half.jpg")
    expect_refused(page, "damaged")
    expect_panels(page, faces=1)
    expect(page.locator("#photo img")).to_have_attribute("src", re.compile("grace-hopper"))


DROP = """([box, size]) => {
  const files = new DataTransfer();
  files.items.add(new File([new Uint8Array(size)], "big.jpg", { type: "image/jpeg" }));
  const zone = document.querySelector(`${box} button`);
  zone.dispatchEvent(new DragEvent("drop", { dataTransfer: files, bubbles: true }));
}"""


@pytest.mark.parametrize("way", ["choose", "drop"])
def test_a_file_that_is_too_large_is_refused_before_it_is_sent(page, tmp_path, way):
    sent = []
    page.on("request", lambda request: sent.append(request.url))
    if way == "choose":
        with (tmp_path / "big.jpg").open("wb") as file:
            file.truncate(images.MAX_BYTES + 1)
        upload(page, tmp_path / "big.jpg")
    else:
        page.evaluate(DROP, ["#photo", images.MAX_BYTES + 1])
    expect_refused(page, "larger than 50 MB")
    assert not [url for url in sent if "/upload" in url]
    take_example(page, "Grace Hopper")
    expect(page.locator("#notice p")).to_have_count(0)


def test_a_photo_without_a_face_says_what_to_try(page, tmp_path):
    Image.linear_gradient("L").save(tmp_path / "sky.png")
    upload(page, tmp_path / "sky.png")
    expect(page.locator("#notice [role=status]")).to_contain_text("No face found. Try")
    expect(page.locator("#panels")).to_contain_text("No face found on this photo.")
    expect(page.locator(".kp-panel")).to_have_count(0)


def test_a_face_on_which_no_chosen_model_answers_is_still_a_face(page, half_face, tmp_path):
    Image.fromarray(half_face).save(tmp_path / "half.png")
    for name in ("SimpleNet", "ResNet-18", "U-Net", "KeypointResNet"):
        page.locator("#models").get_by_label(name).uncheck()
    take_example(page, "Two people")
    upload(page, tmp_path / "half.png")
    expect(page.locator("#panels .kp-empty")).to_contain_text("The chosen models found no points")
    expect(page.locator("#table .kp-scroll")).to_be_hidden()
    expect(page.locator("#notice [role=status]")).to_contain_text("MediaPipe: no face here.")
    page.locator("#models").get_by_label("U-Net").check()
    expect(points(page, "unet", 68)).to_have_count(1)
    expect(page.locator("#notice [role=status]")).to_contain_text(
        re.compile(r"MediaPipe does not confirm this face \(detector \d+ %\)")
    )
    expect(page.locator(".kp-panel[data-model=unet] .kp-unconfirmed .kp-points")).to_have_css(
        "opacity", "0.55"
    )
    panel = page.locator(".kp-panel[data-model=mediapipe]")
    expect(panel).to_contain_text("no face here")
    expect(inspected(page, "mediapipe")).to_contain_text("no face here")
    expect(page.locator("#panels")).not_to_contain_text("NaN")
    view = page.get_by_label("View")
    assert view.locator("option").all_inner_texts() == ["Whole photo", "Close-up"]


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


@pytest.mark.tidy
def test_switches_work_at_once_without_asking_the_server(page):
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    for layer, visible in (
        ("points", True),
        ("contours", True),
        ("vectors", False),
        ("numbers", False),
        ("boxes", False),
    ):
        drawn = panel(page, "unet").locator(f".kp-{layer}")
        for state in (visible, not visible, visible):
            page.locator(f"#panels [name={layer}]").set_checked(state)
            visibility = drawn.evaluate("layer => getComputedStyle(layer).visibility")
            assert visibility == ("visible" if state else "hidden")
    assert not asked


@pytest.mark.tidy
def test_numbers_are_there_where_a_face_has_room_for_them(page):
    page.get_by_label("Numbers").check()
    expect(panel(page, "unet").locator(".kp-numbers text")).to_have_count(68)
    page.get_by_label("Numbers").uncheck()
    expect(panel(page, "unet").locator(".kp-numbers text")).to_have_count(0)


@pytest.mark.tidy
def test_a_line_leads_from_every_point_to_the_baselines_same_place(page):
    models = exported(page)["faces"][0]["models"]
    fitted, unet = models["mediapipe"]["ibug-68-fitted"], models["unet"]["keypoints"]
    page.get_by_label("Difference lines").check()
    lines = panel(page, "unet").locator(".kp-vectors path").first.get_attribute("d")
    ends = np.array(re.findall(r"-?[\d.]+", lines), float).reshape(-1, 2, 2)
    assert ends == pytest.approx(np.stack([unet, fitted], 1), abs=0.011)
    page.get_by_label("Difference lines").uncheck()


def place_of(page: Page, model: str):
    return panel(page, model).locator(".kp-lit [data-place]")


def exported(page: Page) -> dict:
    return json.loads(download(page, "JSON").read_text())


def on_screen(page: Page, picture, at: list[float]) -> tuple[float, float]:
    """Where a point of the photo lies in the window."""
    picture.scroll_into_view_if_needed()
    spot = picture.evaluate(
        """(svg, [x, y]) => {
          const at = new DOMPoint(x, y).matrixTransform(svg.getScreenCTM());
          return [at.x, at.y];
        }""",
        at,
    )
    return tuple(spot)


def expect_nose_tip_lit(page: Page, models: dict) -> None:
    for model, k in (("mediapipe", mesh_nose()), ("unet", 30), ("keypoint-resnet", 10)):
        expect(place_of(page, model)).to_have_attribute("data-place", "nose_tip")
        ring = place_of(page, model).locator("circle").last
        at = [float(ring.get_attribute(axis)) for axis in ("cx", "cy")]
        assert at == pytest.approx(models[model]["keypoints"][k], abs=0.011)
    expect(page.locator(".kp-inspector b")).to_have_text("nose tip")


def mesh_nose() -> int:
    return markups.get("mediapipe-478").anatomy["nose_tip"][0]


@pytest.mark.tidy
def test_pointing_at_a_place_lights_it_up_in_every_panel(page):
    models = exported(page)["faces"][0]["models"]
    nose = models["mediapipe"]["keypoints"][mesh_nose()]
    page.mouse.move(*on_screen(page, panel(page, "mediapipe").locator("svg"), nose))
    expect_nose_tip_lit(page, models)
    expect(inspected(page, "unet")).to_contain_text("expected error ")
    expect(inspected(page, "unet").locator(".kp-figure")).to_have_text(PERCENT)
    expect(page.locator(".kp-inspector p")).to_contain_text("distance to MediaPipe")
    page.mouse.move(2, 2)
    expect(page.locator(".kp-lit [data-place]")).to_have_count(0)


def test_the_arrow_keys_go_from_point_to_point(page):
    models = exported(page)["faces"][0]["models"]
    page.get_by_role("button", name="Zoom in").focus()
    page.keyboard.press("Tab")
    expect(page.locator(".kp-all svg")).to_be_focused()
    panel(page, "simplenet").locator("svg").focus()
    for _ in range(30):
        page.keyboard.press("ArrowRight")
    expect_nose_tip_lit(page, models)
    expect(page.locator("#panels .kp-spoken")).to_contain_text("SimpleNet, nose tip")
    page.keyboard.press("Escape")
    expect(page.locator(".kp-lit [data-place]")).to_have_count(0)

    # A picture that has the focus when another result comes has it afterwards too.
    before = panel(page, "simplenet").locator("image").get_attribute("href")
    page.get_by_role("button", name="Eileen Collins").evaluate("""(example) => {
      example.click();
      document.querySelector("[data-model=simplenet] svg").focus();
    }""")
    expect(panel(page, "simplenet").locator("image")).not_to_have_attribute("href", before)
    expect(panel(page, "simplenet").locator("svg")).to_be_focused()


def test_a_tick_applies_at_once_and_only_a_new_model_is_computed(page):
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    models = page.locator("#models")
    for name in ("SimpleNet", "ResNet-18", "KeypointResNet", "MediaPipe"):
        models.get_by_label(name).uncheck()
    expect(page.locator(".kp-panel")).to_have_count(1)  # no overlay of one
    expect(page.locator("#table tbody tr")).to_have_count(1)
    expect(page.locator(".kp-finding")).to_contain_text("One model has points here")
    models.get_by_label("U-Net").uncheck()
    expect(page.locator("#panels .kp-empty")).to_contain_text("No model is chosen")
    expect(page.locator("#table tbody tr")).to_have_count(0)
    models.get_by_label("U-Net").focus()
    page.keyboard.press("Space")
    expect(points(page, "unet", 68)).to_have_count(1)

    before = page.locator(".kp-panel image").first.get_attribute("href")
    page.get_by_role("button", name="Class projects").click()
    with answered(page):
        page.get_by_label("Nose tip, Moore").check()
    expect(points(page, "nosenet-moore", 1)).to_have_count(1)
    expect(page.locator(".kp-panel[data-model]")).to_have_count(2)
    expect(page.locator(".kp-panel image").first).to_have_attribute("href", before)
    assert set(exported(page)["faces"][0]["models"]) == {"unet", "nosenet-moore"}
    # One point has no eye distance of its own, and is in the finding all the same.
    models.get_by_label("MediaPipe").check()
    expect(page.locator(".kp-finding")).to_contain_text(re.compile("[Nn]ose tip, Moore"))


def test_a_photo_without_a_model_is_compared_once_one_is_chosen(page, hopper_path):
    boxes = page.locator("#models").get_by_role("checkbox")
    for box in boxes.all():
        box.uncheck()
    upload(page, hopper_path)
    expect_refused(page, "at least one model")
    with answered(page):
        page.locator("#models").get_by_label("SimpleNet").check()
    expect(panel(page, "simplenet")).to_be_visible()
    expect(page.locator("#notice [role=alert]")).to_have_count(0)
    with page.expect_download() as waiting:
        page.get_by_role("button", name="JSON", exact=True).click()
    assert waiting.value.suggested_filename == "grace_hopper-kpdemo.json"


def download(page: Page, kind: str) -> Path:
    with page.expect_download() as waiting:
        page.get_by_role("button", name=kind, exact=True).click()
    assert waiting.value.suggested_filename.endswith(f"-kpdemo.{kind.lower()}")
    return Path(waiting.value.path())


def test_downloads_are_the_engines_own_result(page, hopper_path):
    with answered(page):
        upload(page, hopper_path)
    expect_panels(page, faces=1)
    result = json.loads(download(page, "JSON").read_text())
    keys = {"photo", "faces", "timings", "unavailable", "faces_left_out", "devices", "notices"}
    assert set(result) == keys
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
    assert sum(line.startswith("grace_hopper.jpg,0,unet,ibug-68,") for line in lines) == 68


def test_the_png_is_what_is_on_the_screen(page):
    page.locator("#panels [name=contours]").uncheck()
    page.get_by_text("Overlay", exact=True).click()
    page.locator('[data-chip="simplenet"]').click()
    box = page.locator(".kp-grid").bounding_box()
    with Image.open(download(page, "PNG")) as picture:
        assert picture.format == "PNG" and not picture.getexif() and not picture.text
        width, height = picture.size
        assert width == pytest.approx(2 * box["width"], abs=2)
        assert height > 2 * box["height"] + 50  # the finding is above the picture
        colors = {color for _, color in picture.convert("RGB").getcolors(width * height)}
    assert (0, 158, 115) in colors  # U-Net’s points
    assert (230, 159, 0) not in colors  # SimpleNet is switched off


def seen(page: Page, model: str) -> list[float]:
    """The part of the photo that a panel shows: x, y, width, height."""
    return [float(n) for n in panel(page, model).locator("svg").get_attribute("viewBox").split()]


@pytest.mark.tidy
def test_all_pictures_zoom_together(page):
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    whole = seen(page, "unet")
    page.get_by_role("button", name="Zoom in").click()
    assert seen(page, "unet")[2] == pytest.approx(whole[2] / 1.5, rel=0.01)
    assert seen(page, "mediapipe") == seen(page, "unet")
    page.get_by_role("button", name="Reset the zoom").click()
    assert seen(page, "unet") == whole

    svg = panel(page, "unet").locator("svg")
    svg.focus()
    for key, factor in (("+", 1.5), ("+", 2.25), ("-", 1.5), ("0", 1)):
        page.keyboard.press(key)
        assert seen(page, "simplenet")[2] == pytest.approx(whole[2] / factor, rel=0.01)
    assert not asked


@pytest.mark.tidy
def test_the_wheel_zooms_only_with_ctrl_or_when_zoomed_and_a_drag_pans(page):
    svg = panel(page, "unet").locator("svg")
    svg.scroll_into_view_if_needed()
    whole, box = seen(page, "unet"), svg.bounding_box()
    middle = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(*middle)
    page.mouse.wheel(0, -100)
    page.wait_for_timeout(200)
    assert seen(page, "unet") == whole
    page.keyboard.down("Control")
    page.mouse.wheel(0, -100)
    page.keyboard.up("Control")
    page.wait_for_function(
        "width => document.querySelector('.kp-panel svg').viewBox.baseVal.width < width",
        arg=whole[2],
    )
    before = seen(page, "unet")
    box = svg.bounding_box()
    middle = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(*middle)
    page.mouse.down()
    page.mouse.move(middle[0] - 40, middle[1], steps=4)
    page.mouse.up()
    after = seen(page, "mediapipe")
    assert after[0] > before[0] and after[2] == before[2]
    page.get_by_role("button", name="Reset the zoom").click()


def clips(page: Page) -> list[list[float]]:
    """Left edge and width of what each of the two models is drawn in."""
    return page.locator(".kp-slide clipPath rect").evaluate_all(
        "all => all.map((rect) => ['x', 'width'].map((name) => Number(rect.getAttribute(name))))"
    )


@pytest.mark.tidy
def test_a_divider_slides_between_any_two_models(page):
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    page.get_by_text("Slide", exact=True).click()
    page.get_by_label("Model on the left").select_option("SimpleNet")
    page.get_by_label("Model on the right").select_option("KeypointResNet")
    drawn = page.locator(".kp-slide .kp-points")
    assert drawn.evaluate_all("all => all.map((one) => one.dataset.count)") == ["68", "15"]
    divider = page.get_by_role("slider", name="Divider")
    left, right = clips(page)
    assert left[0] + left[1] == pytest.approx(right[0])
    divider.focus()
    for _ in range(20):
        page.keyboard.press("ArrowRight")
    assert clips(page)[1][0] > right[0]
    expect(divider).to_have_attribute("aria-valuetext", "60 % SimpleNet, 40 % KeypointResNet")

    svg = page.locator(".kp-slide svg")
    spots = [on_screen(page, svg, [clips(page)[1][0], 300])]
    spots.append((spots[0][0] - 150, spots[0][1]))
    page.mouse.move(*spots[0])
    page.mouse.down()
    page.mouse.move(*spots[1], steps=5)
    page.mouse.up()
    assert on_screen(page, svg, [clips(page)[1][0], 300])[0] == pytest.approx(spots[1][0], abs=3)
    page.get_by_text("Side by side", exact=True).click()
    expect(page.locator(".kp-panel[data-model]")).to_have_count(len(POINTS))
    assert not asked


def order(page: Page) -> list[str]:
    rows = page.locator("#table tbody tr")
    return rows.evaluate_all("all => all.map((row) => row.dataset.model)")


def figures(page: Page, column: str) -> list[float]:
    texts = page.locator(f'#table td[data-key="{column}"]').all_inner_texts()
    return [float(text.split()[0]) for text in texts if text[0].isdigit()]


@pytest.mark.tidy
def test_a_click_on_a_head_sorts_the_table_without_asking_the_server(page):
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    head = page.locator('#table th[data-key="distance"]')
    for way in ("ascending", "descending"):
        head.get_by_role("button").click()
        expect(head).to_have_attribute("aria-sort", way)
        values = figures(page, "distance")
        assert values == sorted(values, reverse=way == "descending") and len(values) == 4
        assert order(page)[-1] == "mediapipe"  # the reference has no figure
    page.locator('#table th[data-key="model"]').get_by_role("button").click()
    assert order(page)[0] == "keypoint-resnet"
    expect(head).not_to_have_attribute("aria-sort", re.compile("."))
    assert not asked


def test_cards_are_sorted_by_a_select(open_page):
    page = open_page(390)
    page.get_by_label("Sort by").select_option("Points")
    page.get_by_role("button", name="smallest first").click()
    assert figures(page, "keypoints") == [478, 68, 68, 68, 15]


def give_truth(page: Page, path: Path) -> None:
    opener = page.get_by_role("button", name="Ground truth")
    if not page.locator("#truth").is_visible():
        opener.click()
    wait_for_script(page, "truth")
    page.locator("#truth input[type=file]").set_input_files(path)


def test_a_planted_shift_of_three_pixels_is_reported_as_three_pixels(page, tmp_path):
    take_example(page, "Two people")
    result = exported(page)
    for face in result["faces"]:
        unet = face["models"]["unet"]
        unet["keypoints"] = [[x + 3, y] for x, y in unet["keypoints"]]
    path = tmp_path / "marks.json"
    path.write_text(json.dumps(result))
    give_truth(page, path)
    expect(cell(page, "unet", "pixels")).to_have_text("3.0 px")
    expect(page.locator(".kp-marks [role=status]")).to_contain_text("marks.json belongs to 2 faces")
    expect(inspected(page, "unet")).to_contain_text("3.0 px")
    expect(page.locator("#panels [name=truth]")).to_be_checked()
    expect(panel(page, "simplenet").locator('.kp-truth[data-count="68"]')).to_have_count(2)
    expect(cell(page, "mediapipe", "distance")).to_have_text(PERCENT)

    page.get_by_label("Ground truth: the points of").select_option("SimpleNet")
    expect(cell(page, "simplenet", "pixels")).to_have_text("0.0 px")
    page.get_by_role("button", name="Clear the ground truth").click()
    expect(cell(page, "mediapipe", "distance")).to_have_text("reference")
    expect(page.locator(".kp-marks")).to_be_hidden()


def test_a_pts_file_is_the_json_counted_from_one_and_comes_back_as_the_truth(page, tmp_path):
    take_example(page, "Grace Hopper")
    models = exported(page)["faces"][0]["models"]
    for title, expected in (
        ("U-Net", models["unet"]["keypoints"]),
        ("MediaPipe", models["mediapipe"]["ibug-68-fitted"]),
    ):
        page.get_by_label("Model of the .pts file").select_option(title)
        with page.expect_download() as waiting:
            page.get_by_role("button", name=".pts", exact=True).click()
        text = Path(waiting.value.path()).read_text()
        points = np.array(text.split("{")[1].split("}")[0].split(), float).reshape(-1, 2)
        assert points == pytest.approx(np.array(expected) + 1, abs=1e-6)
        assert waiting.value.suggested_filename == (
            f"grace-hopper-{title.lower().replace('-', '')}.pts"
        )
    path = tmp_path / "mesh.pts"
    path.write_text(text)
    give_truth(page, path)
    expect(cell(page, "mediapipe", "pixels")).to_have_text("0.0 px")

    take_example(page, "Eileen Collins")  # another photo has another truth
    expect(cell(page, "mediapipe", "distance")).to_have_text("reference")


@pytest.mark.tidy
@pytest.mark.parametrize(
    ("name", "text", "part"),
    [
        ("marks.pts", "version: 1\nn_points: 2\n{\n1 2\n3 4\n}\n", "2 points where 68"),
        ("marks.json", '{"photo": {"width": 5, "height": 4}, "faces": []}', "5 × 4 pixels"),
        ("marks.txt", "1 2 3", ".pts, .asf or .json"),
        pytest.param("marks.json", f'["{"é" * 6_000_000}"]', "larger than 10 MB", id="12 MB"),
    ],
)
def test_a_bad_truth_ends_in_one_sentence_and_nothing_is_lost(page, tmp_path, name, text, part):
    (tmp_path / name).write_text(text)
    give_truth(page, tmp_path / name)
    expect_refused(page, part)
    expect_panels(page, faces=1)
    expect(cell(page, "mediapipe", "distance")).to_have_text("reference")


def test_a_link_restores_the_settings_and_holds_no_photo(open_page, address):
    page = open_page()
    page.locator("#models").get_by_label("ResNet-18").uncheck()
    take_example(page, "Grace Hopper")
    page.get_by_label("Contours").uncheck()
    page.get_by_label("Difference lines").check()
    page.get_by_text("Slide", exact=True).click()
    page.get_by_label("Model on the left").select_option("SimpleNet")
    page.get_by_role("button", name="Copy link").click()
    expect(page.locator(".kp-link")).to_contain_text("photo")
    link = page.url
    assert link.startswith(f"{address}#models=mediapipe,simplenet,unet,keypoint-resnet&")
    assert "hopper" not in link and len(link) < 200

    page = open_page(at=link.removeprefix(address))
    expect(page.locator("#models").get_by_label("ResNet-18")).not_to_be_checked()
    expect(page.locator("#models").get_by_label("U-Net")).to_be_checked()
    take_example(page, "Eileen Collins")
    expect(page.get_by_label("Contours")).not_to_be_checked()
    expect(page.get_by_label("Difference lines")).to_be_checked()
    expect(page.get_by_label("Model on the left")).to_have_value("simplenet")
    expect(page.get_by_label("Model on the right")).to_have_value("mediapipe")

    # Opened in the page that is there, a link restores all of it, too.
    page.get_by_label("Boxes").check()
    page.goto(f"{address}#models=simplenet,resnet18&contours=0&mode=slide&a=resnet18&b=simplenet")
    expect(page.get_by_label("Boxes")).not_to_be_checked()
    expect(page.get_by_label("Difference lines")).not_to_be_checked()
    expect(page.get_by_label("Contours")).not_to_be_checked()
    expect(page.locator("#models").get_by_label("ResNet-18")).to_be_checked()
    expect(page.get_by_label("Model on the left")).to_have_value("resnet18")
    expect(page.get_by_label("Model on the right")).to_have_value("simplenet")


def photo_box(page: Page) -> str:
    """The address of the photo that the box shows."""
    return page.locator("#photo img").get_attribute("src")


def test_of_quick_choices_the_last_one_stays_in_the_box_and_in_the_panels(page, hopper_path):
    for title in ("Grace Hopper", "Eileen Collins", "Two people"):
        page.get_by_role("button", name=title).click()
    expect_panels(page, faces=2)
    assert photo_box(page).endswith("two-people.jpg")
    page.get_by_role("button", name="Eileen Collins").click()
    page.get_by_role("button", name="Two people").click()
    upload(page, hopper_path)
    expect_panels(page, faces=1)
    expect(page.locator("#panels [data-testid=status-tracker]")).to_be_hidden()
    expect(page.locator("#photo img")).to_have_attribute("src", re.compile("grace_hopper.jpg$"))
    assert exported(page)["photo"] == {"width": 512, "height": 600}


def test_a_photo_on_its_way_is_not_lost_to_the_result_of_another(page, hopper_path):
    on_their_way = []
    page.route("**/upload?*", lambda route: on_their_way.append(route))
    with page.expect_request("**/upload?*"):
        upload(page, hopper_path)
    take_example(page, "Two people")
    expect_panels(page, faces=2)
    expect(page.locator("body:not(.kp-busy)")).to_have_count(1)
    expect(page.locator("#photo img[src*=two-people]")).to_have_count(0)
    (photo,) = on_their_way
    photo.continue_()
    expect_panels(page, faces=1)
    expect(page.locator("#photo img")).to_have_attribute("src", re.compile("grace_hopper.jpg$"))
    page.unroute("**/upload?*")


def test_files_that_are_asked_for_at_once_all_come(page):
    take_example(page, "Grace Hopper")
    files = []

    def third(download) -> bool:
        files.append(download.suggested_filename)
        return len(files) == 3

    with page.expect_event("download", third):
        for kind in ("PNG", "CSV", "JSON"):  # the first one takes longest
            page.get_by_role("button", name=kind, exact=True).click()
    assert sorted(files) == [f"grace-hopper-kpdemo.{kind}" for kind in ("csv", "json", "png")]


@pytest.mark.parametrize("example", [True, False])
def test_a_photo_is_compared_again_with_its_truth_also_when_its_file_is_gone(
    page, hopper_path, tmp_path, example
):
    if example:
        take_example(page, "Grace Hopper")
    else:
        with answered(page):
            upload(page, hopper_path)
    (tmp_path / "marks.json").write_text(json.dumps(exported(page)))
    give_truth(page, tmp_path / "marks.json")
    expect(page.locator(".kp-marks [role=status]")).to_contain_text("belongs to face 1")
    Path(photo_box(page).partition("file=")[2]).unlink()
    page.get_by_role("button", name="Class projects").click()
    page.get_by_label("Nose tip, Moore").check()
    expect(panel(page, "nosenet-moore")).to_have_count(1)
    expect(page.locator("#notice")).to_have_text("")
    expect(page.locator(".kp-marks [role=status]")).to_contain_text("belongs to face 1")
    expect(cell(page, "mediapipe", "distance")).to_have_text(PERCENT)


def test_two_visitors_at_once_do_not_see_each_others_photos(open_page):
    first, second = open_page(), open_page()
    take_example(first, "Turned")
    take_example(second, "Eileen Collins")
    sizes = [tuple(exported(visitor)["photo"].values()) for visitor in (first, second)]
    assert sizes[0] != sizes[1] == (512, 512)
    third = open_page()  # sees the example that everybody starts with
    assert exported(third)["photo"] == {"width": 512, "height": 600}


# What the page says while it works stands for too short a time to look for it; said is what was in
# sight.
COLLECT = """() => {
  window.said = [];
  const panels = document.querySelector("#panels");
  const options = { childList: true, subtree: true, characterData: true, attributes: true };
  new MutationObserver(() => {
    const tracker = panels.querySelector("[data-testid=status-tracker]:not(.hide)");
    if (!tracker) return;
    const { top, bottom, height } = tracker.getBoundingClientRect();
    if (!height || top < 0 || bottom > innerHeight) return;
    said.push(...[...tracker.querySelectorAll("[data-words]")].map((node) => node.dataset.words));
  }).observe(panels, options);
}"""


def test_who_waits_sees_the_queue(open_page, tmp_path, hopper_path):
    with Image.open(hopper_path) as hopper:
        crowd = Image.new("RGB", (6 * 300, 4 * 350))
        for k in range(24):
            crowd.paste(hopper.resize((300, 350)), (300 * (k % 6), 350 * (k // 6)))
    crowd.save(tmp_path / "crowd.jpg")
    first, second = open_page(), open_page(390)
    for visitor in (first, second):
        visitor.evaluate(COLLECT)
    upload(first, tmp_path / "crowd.jpg")
    first.wait_for_function("said.length")
    second.get_by_role("button", name="Grace Hopper").click()
    expect(points(first, "unet", 68)).to_have_count(24)
    assert re.search(r"(SimpleNet|ResNet|U-Net).*, \d of 5", first.evaluate("said.join()"))
    second.wait_for_function("said.includes('Next in line …')")
