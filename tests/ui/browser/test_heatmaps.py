"""The Heatmaps tab as a visitor meets it. No assertion depends on what a net answers."""

import re

import pytest
from helpers.visitor import answered, open_tab, take_example
from PIL import Image

sync_api = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
expect = sync_api.expect
Page = sync_api.Page


def view(page: Page):
    return page.locator("#heatmaps")


def open_unet(page: Page) -> None:
    """Open the tab on the U-Net alone."""
    open_tab(page, "Heatmaps")
    view(page).locator(".kp-map canvas").first.wait_for()
    model(page).select_option("U-Net")
    expect(view(page).locator(".kp-map")).to_have_count(1)
    expect(view(page).locator(".kp-map figcaption")).to_contain_text("U-Net")


def canvas(page: Page) -> list[int]:
    """The map that is drawn, as bytes; it is drawn once it is on the screen."""
    drawn = view(page).locator(".kp-map > .kp-stack canvas")
    drawn.wait_for()
    page.wait_for_function("""() => {
      const canvas = document.querySelector("#heatmaps .kp-map > .kp-stack canvas");
      const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
      return data.some(Boolean);
    }""")
    return drawn.evaluate("c => [...c.getContext('2d').getImageData(0, 0, c.width, c.height).data]")


def expect_map(page: Page, expected: list[int]) -> None:
    page.wait_for_function(
        """(expected) => {
          const canvas = document.querySelector("#heatmaps .kp-map > .kp-stack canvas");
          const { data } = canvas.getContext("2d").getImageData(0, 0, canvas.width, canvas.height);
          return data.length === expected.length && data.every((value, k) => value === expected[k]);
        }""",
        arg=expected,
    )


# Click Cancel as soon as it can be clicked, a fast machine leaves little time for it; once, or
# whenever it is there.
CANCEL = """(once) => {
  const watcher = new MutationObserver(() => {
    const button = document.querySelector("button#heatmaps-cancel, #heatmaps-cancel button");
    if (!button?.offsetParent) return;
    if (once) watcher.disconnect();
    button.click();
  });
  watcher.observe(document.body, { childList: true, subtree: true, attributes: true });
}"""


def expect_idle(page: Page) -> None:
    expect(page.locator("#heatmaps-cancel")).to_be_hidden()
    expect(page.locator("#heatmaps-message")).to_have_text("")


def model(page: Page):
    return page.locator("#heatmaps-choice").get_by_label("Model")


def test_the_tab_has_the_photo_that_the_page_opens_with(page):
    open_tab(page, "Heatmaps")
    expect(view(page).locator(".kp-map figcaption").first).to_contain_text("ResNet-18")
    expect(view(page)).not_to_contain_text("Compare a photo first")


def test_without_a_face_the_tab_says_so(page, tmp_path):
    Image.linear_gradient("L").save(tmp_path / "sky.png")
    page.locator("#photo input[type=file]").set_input_files(tmp_path / "sky.png")
    expect(page.locator("#notice")).to_contain_text("No face found")
    open_tab(page, "Heatmaps")
    expect(view(page)).to_contain_text("No face found")
    expect(view(page).locator(".kp-map")).to_have_count(0)


def test_another_point_or_group_is_shown_without_asking_the_server(page):
    open_unet(page)
    nose = canvas(page)
    assert any(nose)
    facts = view(page).locator(".kp-facts")
    expect(facts).to_contain_text("Nose tip")
    expect(facts).to_contain_text(re.compile(r"Highest cell\d+(\.\d+)? % of the map"))
    expect(facts).to_contain_text(re.compile(r"Spread.*% across, of the eye distance"))
    dots = view(page).locator(".kp-map > .kp-stack .kp-answer")
    expect(dots).to_have_count(1)

    asked = []
    page.on("request", lambda request: asked.append(request.url))
    view(page).get_by_label("Point or group").select_option("Jaw 8")
    jaw = canvas(page)
    expect(facts).to_contain_text("Jaw 8")
    view(page).get_by_label("Group", exact=True).check()
    view(page).get_by_label("Point or group").select_option("Mouth (20)")
    mouth = canvas(page)
    expect(dots).to_have_count(20)
    view(page).get_by_label("All points").check()
    everything = canvas(page)
    expect(dots).to_have_count(68)
    assert len({str(map_) for map_ in (nose, jaw, mouth, everything)}) == 4
    view(page).get_by_label("Marks").uncheck()
    expect(dots).to_have_count(0)
    assert not [url for url in asked if not url.startswith("data:")]


def test_a_click_and_the_arrow_keys_choose_a_point(page):
    open_unet(page)
    view(page).get_by_label("All points").check()
    svg = view(page).locator(".kp-map > .kp-stack svg")
    chin = svg.locator(".kp-answer[data-k='8']").bounding_box()
    face = svg.bounding_box()
    svg.click(position={"x": chin["x"] + 3 - face["x"], "y": chin["y"] + 3 - face["y"]})
    expect(view(page).get_by_label("One point")).to_be_checked()
    expect(view(page).get_by_label("Point or group")).to_have_value("8")
    page.keyboard.press("ArrowRight")
    expect(view(page).get_by_label("Point or group")).to_have_value("9")
    expect(view(page).locator(".kp-spoken")).to_contain_text("U-Net, Jaw 9, Highest cell")


def test_a_regressor_shows_what_its_answer_rests_on(page):
    open_unet(page)
    canvas(page)
    model(page).select_option("SimpleNet")
    expect(view(page).locator(".kp-map figcaption")).to_contain_text("SimpleNet")
    expect(page.locator("#heatmaps-choice")).to_contain_text("This model has no heatmaps")
    expect(page.get_by_role("radio", name="Heatmap")).to_be_disabled()
    expect(view(page).locator(".kp-facts")).to_contain_text(
        re.compile(r"Moves at most\d+(\.\d+)? % of the eye distance")
    )
    first = canvas(page)
    view(page).get_by_label("Point or group").select_option("Jaw 8")
    expect(view(page).locator(".kp-facts")).to_contain_text("Jaw 8")
    assert canvas(page) != first
    # The tab comes back as it was left.
    open_tab(page, "Compare")
    with answered(page):
        open_tab(page, "Heatmaps")
    expect(model(page)).to_have_value("simplenet")
    expect(view(page).locator(".kp-facts")).to_contain_text("Jaw 8")
    # What the visitor asked for comes back with a model that has it.
    model(page).select_option("Nose tip, Moore")
    expect(view(page).locator(".kp-facts")).to_contain_text("Nose base")
    model(page).select_option("U-Net")
    expect(view(page).locator(".kp-facts")).to_contain_text("Highest cell")
    expect(view(page).locator(".kp-facts")).to_contain_text("Jaw 8")


def test_gradients_stand_beside_occlusion_each_with_its_limits(page):
    open_unet(page)
    model(page).select_option("Nose tip, Moore")
    expect(view(page).locator(".kp-facts")).to_contain_text("Moves at most")
    expect(view(page).locator(".kp-read")).to_contain_text("it cannot say why")
    occlusion = canvas(page)
    page.get_by_role("radio", name="Gradients").check()
    expect(view(page).locator(".kp-facts")).to_contain_text("Strongest pull")
    expect(view(page).locator(".kp-read")).to_contain_text("only for a linear net")
    assert canvas(page) != occlusion
    # A net with heatmaps keeps what was asked for.
    model(page).select_option("KeypointResNet")
    expect(view(page).locator(".kp-map figcaption")).to_contain_text("KeypointResNet")
    expect(view(page).locator(".kp-facts")).to_contain_text("Strongest pull")
    view(page).get_by_label("Point or group").select_option("Left eye center")
    expect(view(page).locator(".kp-facts")).to_contain_text("Left eye center")


def test_sensitivity_can_be_cancelled_and_asked_for_again(page):
    open_unet(page)
    heatmap = canvas(page)
    page.evaluate(CANCEL, True)
    sensitivity = page.get_by_role("radio", name="Sensitivity")
    sensitivity.check()
    expect(page.get_by_role("radio", name="Heatmap")).to_be_checked()
    expect_idle(page)
    expect_map(page, heatmap)
    # Another choice does not ask for what was cancelled.
    model(page).select_option("ResNet-18")
    expect(view(page).locator(".kp-map figcaption")).to_contain_text("ResNet-18")
    expect(view(page).locator(".kp-facts")).to_contain_text("Highest cell")
    sensitivity.check()
    expect(view(page).locator(".kp-facts")).to_contain_text("Moves at most")
    expect_idle(page)


def test_a_cancel_that_comes_after_the_last_step_takes_the_drawing_back(page):
    open_unet(page)
    heatmap = canvas(page)
    on_their_way = []

    def hold_cancel(route) -> None:
        choice = '"model"' in route.request.post_data
        route.continue_() if choice else on_their_way.append(route)

    page.route("**/run/predict*", hold_cancel)
    page.evaluate(CANCEL, True)
    model(page).select_option("Nose tip, Moore")
    expect(view(page).locator(".kp-map figcaption")).to_contain_text("Nose tip, Moore")
    expect(page.locator("#heatmaps-cancel")).to_be_hidden()
    (cancel,) = on_their_way
    cancel.continue_()
    expect(model(page)).to_have_value("unet")
    expect(view(page).locator(".kp-map figcaption")).to_contain_text("U-Net")
    expect_map(page, heatmap)
    expect_idle(page)
    # It can be asked for again.
    model(page).select_option("Nose tip, Moore")
    expect(view(page).locator(".kp-map figcaption")).to_contain_text("Nose tip, Moore")
    expect_idle(page)
    expect(model(page)).to_have_value("nosenet-moore")


def test_of_quick_choices_the_last_one_alone_is_drawn(page):
    open_unet(page)
    canvas(page)
    page.evaluate("""() => {
      window.drawn = new Set();
      const view = document.querySelector("#heatmaps");
      new MutationObserver(() => drawn.add(view.querySelector("figcaption")?.textContent ?? ""))
        .observe(view, { childList: true, subtree: true, characterData: true });
    }""")
    page.get_by_role("radio", name="Sensitivity").check()  # takes a while
    for title in ("ResNet-18", "SimpleNet", "KeypointResNet"):
        model(page).select_option(title)
    expect(view(page).locator(".kp-map figcaption")).to_contain_text("KeypointResNet")
    expect(page.locator("#heatmaps-cancel")).to_be_hidden()
    expect(page.locator("#heatmaps-message progress")).to_have_count(0)
    expect(model(page)).to_have_value("keypoint-resnet")
    captions = " ".join(page.evaluate("[...drawn]"))
    assert "KeypointResNet" in captions
    assert "ResNet-18" not in captions and "SimpleNet" not in captions


def test_a_cancel_in_the_midst_of_quick_choices_ends_them_all(page):
    open_unet(page)
    heatmap = canvas(page)
    page.evaluate(CANCEL, False)
    for _ in range(2):
        model(page).select_option("SimpleNet")
        model(page).select_option("Nose tip, Moore")
        # A fast machine may have drawn the first choice before its cancel button could be pressed.
        expect(model(page)).not_to_have_value("nosenet-moore")
        expect_idle(page)
    # Runs take turns: what is asked for now is answered after all that was under way.
    open_tab(page, "Compare")
    with answered(page):
        open_tab(page, "Heatmaps")
    # What was there before: U-Net, or the first choice where it was drawn before it was cancelled.
    kept = view(page).locator(".kp-map figcaption")
    expect(kept).to_contain_text(re.compile("U-Net|SimpleNet"))
    expect_idle(page)
    if "U-Net" in kept.inner_text():
        expect(model(page)).to_have_value("unet")
        expect_map(page, heatmap)
    else:
        expect(model(page)).to_have_value("simplenet")


def test_each_face_and_another_photo_can_be_looked_at(page):
    take_example(page, "Two people")
    open_unet(page)
    first = canvas(page)
    face = page.locator("#heatmaps-choice").get_by_label("Face")
    shown = view(page).locator(".kp-map > .kp-stack img")
    source = shown.get_attribute("src")
    face.select_option("Face 2")
    expect(shown).not_to_have_attribute("src", source)
    assert canvas(page) != first
    open_tab(page, "Compare")
    take_example(page, "Grace Hopper")
    expect(page.locator("#table tbody tr").first).to_be_visible()
    open_tab(page, "Heatmaps")
    expect(face).to_be_hidden()


SIDE_BY_SIDE = ("ResNet-18", "U-Net", "KeypointResNet")


def test_nets_stand_side_by_side_for_the_same_point_without_asking_the_server(page):
    open_tab(page, "Heatmaps")
    maps = view(page).locator(".kp-map:visible")
    expect(maps).to_have_count(3)
    expect(model(page)).to_have_value("*")
    expect(page.get_by_role("radio", name="Sensitivity")).to_be_disabled()
    for panel, title in zip(maps.all(), SIDE_BY_SIDE, strict=True):
        expect(panel.locator("figcaption")).to_contain_text(title)
        expect(panel.locator(".kp-facts")).to_contain_text("Nose tip")
    # All of them on the same picture.
    pictures = maps.locator("> .kp-stack img").evaluate_all("all => all.map((each) => each.src)")
    assert len(set(pictures)) == 1

    asked = []
    page.on("request", lambda request: asked.append(request.url))
    view(page).get_by_label("Point or group").select_option("Jaw 8")
    for panel, title in zip(maps.all(), SIDE_BY_SIDE, strict=True):
        lacks = title == "KeypointResNet"
        expect(panel.locator(".kp-facts")).to_contain_text("No such landmark" if lacks else "Jaw 8")
    # Each map has its own scale and says it, or all have one.
    ends = maps.locator(".kp-ends span:last-child")
    assert len(set(ends.all_inner_texts())) == 2
    view(page).get_by_label("One scale").check()
    expect(ends.first).to_contain_text("% of the map per square of 1 %")
    assert len(set(ends.all_inner_texts())) == 1
    view(page).get_by_label("KeypointResNet", exact=True).uncheck()
    expect(maps).to_have_count(2)
    view(page).get_by_label("U-Net, as reported", exact=True).check()
    expect(maps).to_have_count(3)
    # By mouse and by keyboard, on any of the pictures.
    svg = maps.nth(1).locator("> .kp-stack svg")
    dot = svg.locator(".kp-answer").bounding_box()
    face = svg.bounding_box()
    svg.click(position={"x": dot["x"] + 5 - face["x"], "y": dot["y"] + 5 - face["y"]})
    expect(view(page).get_by_label("Point or group")).to_have_value("8")
    page.keyboard.press("ArrowRight")
    expect(maps.first.locator(".kp-facts")).to_contain_text("Jaw 9")
    expect(view(page).locator(".kp-spoken")).to_contain_text("ResNet-18, Jaw 9, Highest cell")
    assert not [url for url in asked if not url.startswith("data:")]


def test_the_sigmas_follow_the_point_and_small_heights_are_told(page):
    open_tab(page, "Heatmaps")
    sigmas = page.locator("#sigmas")
    if not sigmas.count():
        expect(page.get_by_text("python -m train sweep unet-sigma")).to_be_visible()
        return
    expect(sigmas.locator(".kp-map")).to_have_count(2)
    view(page).get_by_label("Point or group").select_option("Jaw 8")
    sigmas.scroll_into_view_if_needed()
    for panel in sigmas.locator(".kp-map").all():
        expect(panel.locator(".kp-facts")).to_contain_text("Jaw 8")
        height = panel.locator("dl div", has_text="Highest cell").locator("dd")
        assert float(height.inner_text().split()[0]) > 0
    # And the other way round.
    sigmas.get_by_label("Group", exact=True).check()
    sigmas.get_by_label("Point or group").select_option("Mouth (20)")
    expect(view(page).get_by_label("Point or group")).to_have_value("mouth")
    view(page).get_by_label("Point or group").scroll_into_view_if_needed()
    expect(view(page).locator(".kp-facts").first).to_contain_text("Mean over 20 points")


def test_nothing_scrolls_sideways(open_page):
    page = open_page(390)
    take_example(page, "Two people")
    open_tab(page, "Heatmaps")
    expect(view(page).locator(".kp-map:visible")).to_have_count(3)
    view(page).get_by_label("All points").check()
    for width in (390, 768):
        page.set_viewport_size({"width": width, "height": 900})
        for choice, maps in (("*", 3), ("unet", 1)):
            model(page).select_option(choice)
            expect(view(page).locator(".kp-map:visible")).to_have_count(maps)
            assert page.evaluate("document.documentElement.scrollWidth") <= width
