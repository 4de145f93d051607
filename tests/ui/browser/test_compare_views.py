"""The Compare tab's overlay, inspector, reference, matrix and finding."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
from helpers.visitor import answered, take_example

from kpdemo.keypoints import markups
from kpdemo.ui.shared import scripts

sync_api = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
expect = sync_api.expect
Page = sync_api.Page

MODELS = ("mediapipe", "simplenet", "resnet18", "unet", "keypoint-resnet")
NETS = ("simplenet", "resnet18", "unet")  # with iBUG's points
TITLES = dict(
    zip(MODELS, ("MediaPipe", "SimpleNet", "ResNet-18", "U-Net", "KeypointResNet"), strict=True)
)
SHARE = re.compile(r"^\d+\.\d %$")
NOSE = 30


def drawing(page: Page, model: str):
    """One model's layer on the picture of all models."""
    return page.locator(f'.kp-all [data-overlay="{model}"]')


def chip(page: Page, model: str):
    return page.locator(f'[data-chip="{model}"]')


def figure(page: Page, model: str):
    return page.locator(f'.kp-inspector li[data-model="{model}"] .kp-figure')


def exported(page: Page) -> dict:
    with page.expect_download() as waiting:
        page.get_by_role("button", name="JSON", exact=True).click()
    return json.loads(Path(waiting.value.path()).read_text())


def ibug(answer: dict) -> np.ndarray:
    return np.array(answer.get("ibug-68-fitted", answer["keypoints"]))


def spot(page: Page, at: list[float]) -> tuple[float, float]:
    """Where a point of the photo lies on the picture of all models, in the window."""
    picture = page.locator(".kp-all svg")
    picture.scroll_into_view_if_needed()
    return tuple(
        picture.evaluate(
            """(svg, [x, y]) => {
              const at = new DOMPoint(x, y).matrixTransform(svg.getScreenCTM());
              return [at.x, at.y];
            }""",
            list(at),
        )
    )


def test_a_chip_switches_a_model_on_the_one_picture_by_mouse_and_keys(page):
    page.get_by_text("Overlay", exact=True).click()
    expect(page.locator(".kp-panel")).to_have_count(1)
    for model in MODELS:
        expect(drawing(page, model)).to_be_visible()
        expect(chip(page, model)).to_have_attribute("aria-pressed", "true")
        expect(chip(page, model)).to_have_text(TITLES[model])
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    chip(page, "unet").click()
    expect(chip(page, "unet")).to_have_attribute("aria-pressed", "false")
    expect(drawing(page, "unet")).to_be_hidden()
    expect(drawing(page, "simplenet")).to_be_visible()
    chip(page, "simplenet").focus()
    page.keyboard.press("Space")
    expect(drawing(page, "simplenet")).to_be_hidden()
    page.keyboard.press("Enter")
    expect(drawing(page, "simplenet")).to_be_visible()
    # What is off stays off in another arrangement, and on another photo.
    page.get_by_text("Side by side", exact=True).click()
    expect(drawing(page, "unet")).to_be_hidden()
    expect(page.locator(".kp-panel[data-model=unet] .kp-points")).to_be_visible()
    assert not asked
    before = page.locator(".kp-all image").first.get_attribute("href")
    page.get_by_role("button", name="Eileen Collins").click()
    expect(page.locator(".kp-all image").first).not_to_have_attribute("href", before)
    expect(drawing(page, "unet")).to_be_hidden()


def test_mediapipe_is_drawn_on_the_one_picture_by_the_points_that_it_is_compared_by(page):
    expect(drawing(page, "mediapipe").locator('.kp-points[data-count="68"]')).to_have_count(1)
    mesh = page.locator('.kp-panel[data-model="mediapipe"] .kp-points')
    expect(mesh).to_have_attribute("data-count", "478")


def test_a_phone_starts_with_the_one_picture_of_a_face_as_wide_as_it_is(open_page):
    page = open_page(390, has_touch=True)
    expect(page.get_by_label("Overlay")).to_be_checked()
    expect(page.locator(".kp-panel")).to_have_count(1)
    expect(page.get_by_label("View")).to_have_value("0")
    (face,) = exported(page)["faces"]
    x0, _, x1, _ = face["box"]
    y = face["models"]["unet"]["keypoints"][NOSE][1]
    assert spot(page, [x1, y])[0] - spot(page, [x0, y])[0] >= 300
    chip(page, "unet").tap()
    expect(drawing(page, "unet")).to_be_hidden()
    page.touchscreen.tap(*spot(page, face["models"]["simplenet"]["keypoints"][NOSE]))
    expect(page.locator(".kp-inspector b")).to_have_text("nose tip")
    # The bar stays in sight.
    assert page.locator(".kp-inspector").evaluate(
        "bar => bar.getBoundingClientRect().top >= 0 && bar.getBoundingClientRect().top < 400"
    )
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_the_one_picture_the_finding_and_the_baseline_are_above_the_fold(page):
    for part in (".kp-finding", ".kp-all svg", ".kp-panel[data-model=mediapipe] svg"):
        box = page.locator(part).bounding_box()
        assert box["y"] >= 0 and box["y"] + box["height"] <= 900
    panels = page.locator(".kp-panel[data-model]")
    assert panels.evaluate_all("all => all.map((one) => one.dataset.model)") == list(MODELS)


def test_the_inspector_has_every_models_distance_at_a_point(page):
    (face,) = exported(page)["faces"]
    points = {model: ibug(face["models"][model]) for model in ("mediapipe", *NETS)}
    mesh = np.array(face["models"]["mediapipe"]["keypoints"])
    corners = [
        markups.get("mediapipe-478").anatomy[f"{side}_eye_outer_corner"]
        for side in ("left", "right")
    ]
    ends = [mesh[list(at)].mean(0) for at in corners]
    unit = np.linalg.norm(ends[0] - ends[1])

    def expect_nose() -> None:
        expect(page.locator(".kp-inspector b")).to_have_text("nose tip")
        expect(figure(page, "mediapipe")).to_have_text("reference")
        for net in NETS:
            share = 100 * np.linalg.norm(points[net][NOSE] - points["mediapipe"][NOSE]) / unit
            assert float(figure(page, net).inner_text().split()[0]) == pytest.approx(
                share, abs=0.06
            )
        expect(figure(page, "keypoint-resnet")).to_have_text(SHARE)

    page.mouse.move(*spot(page, points["unet"][NOSE]))
    expect_nose()
    page.mouse.move(2, 2)
    expect(page.locator(".kp-inspector b")).to_have_text("All points, on average")
    for net in NETS:
        text = figure(page, net).inner_text()
        expect(page.locator(f'#table tr[data-model="{net}"] td[data-key=distance]')).to_have_text(
            text
        )

    page.locator(".kp-panel[data-model=unet] svg").focus()
    for _ in range(NOSE + 1):
        page.keyboard.press("ArrowRight")
    expect_nose()
    expect(page.locator("#panels .kp-spoken")).to_contain_text(
        re.compile(r"U-Net, nose tip; .*U-Net \d")
    )
    page.keyboard.press("Home")  # means nothing here, and changes nothing
    expect_nose()
    page.keyboard.press("Escape")
    expect(page.locator(".kp-inspector b")).to_have_text("All points, on average")


def distances(page: Page) -> dict[str, str]:
    rows = page.locator("#table tbody tr")
    return dict(
        rows.evaluate_all(
            """all => all.map((row) =>
              [row.dataset.model, row.querySelector("[data-key=distance]").textContent])"""
        )
    )


def test_any_model_and_the_consensus_can_be_the_reference(page):
    models = exported(page)["faces"][0]["models"]
    select = page.get_by_label("Reference", exact=True)
    assert select.locator("option").all_inner_texts() == [
        "MediaPipe",
        "Consensus of the nets",
        "SimpleNet",
        "ResNet-18",
        "U-Net",
        "KeypointResNet",
    ]
    asked = []
    page.on("request", lambda request: asked.append(request.url))

    def expect_shares(reference: np.ndarray, names: tuple[str, ...]) -> None:
        unit = np.linalg.norm(reference[36] - reference[45])
        shown = distances(page)
        for name in names:
            gaps = np.linalg.norm(ibug(models[name]) - reference, axis=1)
            share = 100 * gaps.mean() / unit
            assert float(shown[name].split()[0]) == pytest.approx(share, abs=0.06)
            expect(figure(page, name)).to_have_text(shown[name])

    select.select_option("U-Net")
    expect_shares(ibug(models["unet"]), ("mediapipe", "simplenet", "resnet18"))
    assert distances(page)["unet"] == "reference"
    expect(page.locator("#table thead")).to_contain_text("Distance to U-Net")
    expect(page.locator(".kp-reference")).to_have_text("to U-Net")

    select.focus()
    select.select_option("Consensus of the nets")
    median = np.median([ibug(models[net]) for net in NETS], axis=0)
    expect_shares(median, ("mediapipe", *NETS))
    page.locator("#panels [name=vectors]").check()
    lines = page.locator(".kp-panel[data-model=unet] .kp-vectors path").first.get_attribute("d")
    ends = np.array(re.findall(r"-?[\d.]+", lines), float).reshape(-1, 2, 2)
    assert ends == pytest.approx(np.stack([ibug(models["unet"]), median], 1), abs=0.02)

    page.get_by_label("Line length").select_option("5 × longer")
    lines = page.locator(".kp-panel[data-model=unet] .kp-vectors path").first.get_attribute("d")
    longer = np.array(re.findall(r"-?[\d.]+", lines), float).reshape(-1, 2, 2)
    assert longer[:, 1] - longer[:, 0] == pytest.approx(5 * (ends[:, 1] - ends[:, 0]), abs=0.11)

    select.select_option("MediaPipe")
    assert distances(page)["mediapipe"] == "reference"
    assert not asked


def test_a_matrix_holds_all_against_all(page):
    models = exported(page)["faces"][0]["models"]
    page.locator(".kp-matrix summary").focus()
    page.keyboard.press("Enter")
    table = page.get_by_role("table", name="The row’s mean distance to the column")
    heads = table.locator("thead th").all_inner_texts()
    assert heads == list(TITLES.values())
    cells = table.locator("tbody tr").evaluate_all(
        "all => all.map((row) => [...row.querySelectorAll('td')].map((cell) => cell.textContent))"
    )
    for i, row in enumerate(NETS, 1):
        assert cells[i][i] == ""
        for j, column in enumerate(NETS, 1):
            if row == column:
                continue
            ours, theirs = ibug(models[row]), ibug(models[column])
            unit = np.linalg.norm(theirs[36] - theirs[45])
            share = 100 * np.linalg.norm(ours - theirs, axis=1).mean() / unit
            assert float(cells[i][j].split()[0]) == pytest.approx(share, abs=0.06)


def test_a_finished_comparison_has_a_finding_and_is_announced(page):
    take_example(page, "Two people")
    expect(page.locator(".kp-finding")).to_have_text(
        re.compile(
            r"^On 2 faces: all 5 models lie within \d+\.\d % of the eye distance of each other"
        )
    )
    expect(page.locator("#panels .kp-spoken")).to_have_text(
        re.compile(r"^2 faces, 5 models; closest to MediaPipe: .*, \d+\.\d %$")
    )


def finding(page: Page, **facts) -> tuple[str, str]:
    """The sentence on made-up facts, and what is announced."""
    return page.evaluate(
        """async ([address, facts]) => {
          const { sentence, announcement } = await import(new URL(address, document.baseURI));
          return [sentence(facts), announcement(facts)];
        }""",
        [scripts.address("compare/finding.js"), facts],
    )


def row(title: str, share: float | None, **groups: float) -> dict:
    return {"title": title, "share": share, "groups": groups}


def pair(a: str, b: str, share: float | None, **groups: float) -> dict:
    return {"a": a, "b": b, "share": share, "groups": groups}


def test_the_finding_claims_no_more_than_was_measured(page):
    mesh = {"title": "MediaPipe"}
    common = {"faces": 1, "isTruth": False, "reference": mesh}
    three = [pair("A", "B", 2.01, jaw=3.0, eyes=1.0), pair("A", "C", 1.5, jaw=4.04)]
    text, spoken = finding(
        page, **common, models=3, rows=[row("A", 2.01), row("B", 2.6)], pairs=three
    )
    # 2.01 is not within 2.0.
    assert text == (
        "All 3 models lie within 2.1 % of the eye distance of each other on average; they differ "
        "most at the jaw (A and C, 4.0 %)."
    )
    assert spoken == "1 face, 3 models; closest to MediaPipe: A, 2.0 %"

    apart = [pair("A", "B", 31.26), pair("A", "C", 1.0)]
    text, _ = finding(page, **common, models=3, rows=[], pairs=apart)
    assert text == "The models disagree: A and B lie 31.3 % of the eye distance apart on average."

    some = [pair("A", "B", 1.0), pair("A", "C", None)]
    text, _ = finding(page, **common, models=3, rows=[], pairs=some)
    assert text.startswith("Where they can be compared, all 3 models lie within 1.0 %")

    two = [row("A", 2.74, jaw=4.0, mouth=1.0)]
    text, _ = finding(page, **common, models=2, rows=two, pairs=[])
    assert text == (
        "A lies 2.7 % of the eye distance from MediaPipe on average, most at the jaw (4.0 %)."
    )
    # Less than a tenth of a percent is no lead.
    tie = [row("A", 2.72), row("B", 2.68), row("C", 3.4)]
    text, spoken = finding(page, **(common | {"isTruth": True}), models=3, rows=tie, pairs=three)
    assert text == (
        "Closest to the ground truth on average: B and A, 2.7 % of the eye distance; farthest: C, "
        "3.4 %."
    )
    alone = common | {"reference": None, "models": 1, "rows": [], "pairs": []}
    assert finding(page, **alone) == [
        "One model has points here: choose another one to see where they part.",
        "1 face, 1 model",
    ]
    assert finding(page, **(alone | {"models": 0, "faces": 0})) == ["", "0 faces, 0 models"]
    nothing = common | {"models": 2, "rows": [row("A", None)], "pairs": [pair("A", "B", None)]}
    assert finding(page, **nothing)[0] == "These models share no point that could be compared."


def test_a_link_restores_the_reference_and_the_chips(open_page, address):
    page = open_page()
    page.get_by_text("Overlay", exact=True).click()
    chip(page, "unet").click()
    page.get_by_label("Reference", exact=True).select_option("ResNet-18")
    page.get_by_role("button", name="Copy link").click()
    expect(page.locator(".kp-link [role=status]")).to_contain_text("the photo")
    link = page.url
    assert link.endswith("&mode=overlay&off=unet&reference=resnet18")
    page = open_page(at=link.removeprefix(address))
    take_example(page, "Grace Hopper")
    expect(page.get_by_label("Overlay")).to_be_checked()
    expect(drawing(page, "unet")).to_be_hidden()
    expect(page.get_by_label("Reference", exact=True)).to_have_value("resnet18")


def test_the_page_opens_with_a_result_that_can_be_pointed_at(page):
    expect(page.locator(".kp-panel[data-model]")).to_have_count(len(MODELS))
    expect(page.locator("#table tbody tr")).to_have_count(len(MODELS))
    expect(page.locator(".kp-look")).to_contain_text("the easy case")
    points = exported(page)["faces"][0]["models"]["unet"]["keypoints"]
    page.mouse.move(*spot(page, points[NOSE]))
    expect(page.locator(".kp-inspector b")).to_have_text("nose tip")


def test_the_page_opens_with_the_models_of_a_link(open_page):
    page = open_page(at="#models=unet,nosenet-moore&reference=unet")
    expect(page.locator('.kp-panel[data-model="nosenet-moore"]')).to_be_visible()
    expect(page.locator(".kp-panel[data-model]")).to_have_count(2)
    expect(page.get_by_label("Reference", exact=True)).to_have_value("unet")


def test_a_visitors_own_photo_takes_the_place_of_the_example(page, astronaut_path):
    with answered(page):
        page.locator("#photo input[type=file]").set_input_files(astronaut_path)
    expect(page.locator(".kp-look")).to_be_hidden()
    assert exported(page)["photo"] == {"width": 512, "height": 512}


def test_examples_say_what_to_look_at_and_are_one_stop_of_the_tab_key(page):
    first = page.locator("#examples button").first
    first.focus()
    for _ in range(3):
        page.keyboard.press("ArrowRight")
    focused = page.locator("#examples button:focus")
    expect(focused).to_have_text("Sunglasses")
    assert page.locator('#examples button[tabindex="0"]').count() == 1
    with answered(page):
        page.keyboard.press("Enter")
    expect(page.locator(".kp-look")).to_have_text(focused.get_attribute("title"))
    page.keyboard.press("ArrowLeft")
    expect(focused).to_have_text("Profile")
    take_example(page, "No face")
    expect(page.locator("#panels .kp-empty")).to_contain_text("No face found")
    expect(page.locator(".kp-look")).to_contain_text("no points")
    expect(page.locator(".kp-finding")).to_be_hidden()
    take_example(page, "Crowd")
    expect(page.locator(".kp-finding")).to_contain_text("On 12 faces: ")


def test_examples_fit_on_a_phone_and_can_be_tapped(open_page):
    page = open_page(390, has_touch=True)
    for button in page.locator("#examples button").all():
        box = button.bounding_box()
        assert box["x"] >= 0 and box["x"] + box["width"] <= 390 and box["height"] >= 44
    with answered(page):
        page.get_by_role("button", name="Dark", exact=True).tap()
    expect(page.locator(".kp-look")).to_contain_text("A twelfth of the light")


def test_downloads_wait_for_the_run(page):
    page.evaluate("""() => {
      window.states = [];
      const button = document.querySelector("[data-download=json]");
      new MutationObserver(() => states.push(button.disabled))
        .observe(button, { attributeFilter: ["disabled"] });
    }""")
    take_example(page, "Hand")
    page.wait_for_function("states.at(-1) === false")
    assert page.evaluate("states")[0]


def test_expected_errors_are_circles_of_as_many_pixels(page):
    unet = exported(page)["faces"][0]["models"]["unet"]
    points, errors = np.array(unet["keypoints"]), np.array(unet["expected_error"])
    circles = page.locator(".kp-panel[data-model=unet] .kp-expected")
    words = page.locator(".kp-hint .kp-circles")
    expect(circles).to_be_hidden()
    expect(words).to_be_hidden()
    requests: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    page.locator("#panels").get_by_label("Expected error").focus()
    page.keyboard.press("Space")
    expect(circles).to_be_visible()
    expect(words).to_contain_text("how far off a net expects a point to be")
    rows = re.findall(r"M(\S+) (\S+)a(\S+) \S+ 0 1 0 \S+ 0a", circles.get_attribute("d"))
    left, y, radius = np.array(rows, float).T
    unit = np.linalg.norm(points[36] - points[45])
    assert radius == pytest.approx(errors * unit / 100, abs=0.011)
    assert np.column_stack([left + radius, y]) == pytest.approx(points, abs=0.02)
    # MediaPipe has no such estimate.
    assert not page.locator(".kp-panel[data-model=mediapipe] .kp-expected").get_attribute("d")
    note = page.locator('.kp-inspector li[data-model="unet"] .kp-note')
    expect(note).to_have_text(f"expected error {errors.mean():.1f} %, {radius.mean():.1f} px")
    page.locator(".kp-panel[data-model=unet] svg").focus()
    page.keyboard.press("Escape")
    page.keyboard.press("ArrowRight")  # to the first point
    expect(note).to_have_text(f"expected error {errors[0]:.1f} %, {radius[0]:.1f} px")
    assert not requests
    page.get_by_label("Expected error").uncheck()
    expect(circles).to_be_hidden()


def test_a_group_has_a_strip_of_faces_and_a_click_on_one_leads_to_its_close_up(page):
    strip, view = page.get_by_role("toolbar", name="Faces"), page.get_by_label("View")
    expect(strip).to_be_hidden()  # there is one face
    take_example(page, "Two people")
    faces = exported(page)["faces"]
    expect(strip.get_by_role("button")).to_have_count(2)
    left = min(range(2), key=lambda f: faces[f]["box"][0])
    first = strip.get_by_role("button").first
    expect(first).to_have_accessible_name(f"Face {left + 1}")
    first.click()
    expect(view).to_have_value(str(left))
    expect(first).to_have_attribute("aria-current", "true")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Enter")
    expect(view).to_have_value(str(1 - left))
    page.keyboard.press("Enter")
    expect(view).to_have_value("-1")
    x0, y0, x1, y1 = faces[left]["box"]
    page.mouse.click(*spot(page, [(x0 + x1) / 2, (y0 + y1) / 2]))
    expect(view).to_have_value(str(left))


def test_hollow_points_are_those_with_a_large_expected_error(page):
    hollow = page.evaluate(
        """async (address) => {
          const { drawFace } = await import(new URL(address, document.baseURI));
          const data = { low: 0.5, faces: [{ box: [0, 0, 9, 9], score: 1, confirmed: true }] };
          const points = [[1, 1], [2, 2], [3, 3]];
          const count = (answer) => {
            const panel = { faces: [{ points, ...answer }], contours: [], name: "net" };
            return drawFace(data, panel, 0).match(/<circle/g)?.length ?? 0;
          };
          return [
            count({ expected_error: [1, 8, 8.1], confidence: [0.1, 0.1, 0.1] }),
            count({ confidence: [0.4, 0.4, 0.9] }),
            count({ confidence: null }),
          ];
        }""",
        scripts.address("compare/drawing.js"),
    )
    assert hollow == [1, 2, 0]
