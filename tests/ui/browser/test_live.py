"""The Live tab with a camera that films the portrait, and with short videos of it."""

import csv
import re
from pathlib import Path

import cv2
import numpy as np
import pytest
from helpers import camera
from helpers.visitor import answered, open_tab, wait_for_script

sync_api = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
expect = sync_api.expect
Page = sync_api.Page

ALL = 3 * 68 + 15 + 478  # points of all models on one face

# Where a canvas has U-Net's colour, on average: 0 is its left edge, 1 its right.
MIDDLE_OF_GREEN = """(canvas) => {
    const { width, height } = canvas;
    const { data } = canvas.getContext("2d").getImageData(0, 0, width, height);
    const away = (at) => data[at] + Math.abs(data[at + 1] - 158) + Math.abs(data[at + 2] - 115);
    const found = [];
    for (let at = 0; at < data.length; at += 4) if (away(at) < 12) found.push((at / 4) % width);
    return found.reduce((sum, x) => sum + x, 0) / found.length / width;
}"""
# What the canvases show, as text that differs where one pixel does.
PICTURES = """() => [...document.querySelectorAll(".kp-live-stage canvas")]
    .map((canvas) => canvas.toDataURL()).join()"""


@pytest.fixture
def live(page) -> Page:
    return open_live(page)


def open_live(page: Page) -> Page:
    open_tab(page, "Live")
    page.get_by_role("button", name="Start camera").wait_for()
    for part in ("camera", "video-message", "film"):
        wait_for_script(page, part)
    # Remember what the page gets from the camera, to see what becomes of it.
    page.evaluate("""() => {
        const ask = navigator.mediaDevices.getUserMedia.bind(navigator.mediaDevices);
        window.tracks = [];
        navigator.mediaDevices.getUserMedia = async (wanted) => {
            const stream = await ask(wanted);
            window.tracks.push(...stream.getTracks());
            return stream;
        };
    }""")
    return page


def states(page: Page) -> list[str]:
    return page.evaluate("window.tracks.map((track) => track.readyState)")


def stages(page: Page):
    return page.locator(".kp-live-stage")


def figure(page: Page, model: str, column: str):
    """A cell of the table of models."""
    columns = ["ms", "fps", "jitter", "steadied", "apart"]
    return page.locator(f'.kp-live-figures tr[data-model="{model}"] td').nth(columns.index(column))


def start(page: Page, points: int = ALL) -> None:
    page.get_by_role("button", name="Start camera").click()
    expect(stages(page).first).to_have_attribute("data-points", str(points))


def choose(page: Page, title: str, on: bool) -> None:
    page.locator("#live-models").get_by_label(title, exact=True).set_checked(on)


def only(page: Page, title: str) -> Page:
    """Choose one model alone, for videos that would take long with all."""
    for box in page.locator("#live-models label").all():
        box.get_by_role("checkbox").set_checked(box.inner_text().strip() == title)
    return page


def test_all_models_follow_the_camera_on_one_picture_as_in_a_mirror(live):
    expect(stages(live)).to_contain_text("The camera is off")
    assert not states(live)  # nobody asked for the camera yet
    start(live)
    expect(live.locator(".kp-live-rate")).to_contain_text("frames a second")
    for model in ("simplenet", "resnet18", "unet", "keypoint-resnet", "mediapipe"):
        expect(figure(live, model, "ms")).to_have_text(re.compile(r"^[\d.]+$"))
        expect(figure(live, model, "fps")).to_have_text(re.compile(r"^\d+$"))
        apart = "–" if model == "mediapipe" else re.compile(r"^\d+\.\d\d %$")
        expect(figure(live, model, "apart")).to_have_text(apart)
    across = stages(live).locator("canvas").evaluate(MIDDLE_OF_GREEN)
    # The face is at a third of the frame, and so at two thirds of its mirror image.
    assert 0.58 < across < 0.75


def test_a_model_comes_and_goes_by_its_chip(live):
    start(live)
    for title, points in (("MediaPipe", 3 * 68 + 15), ("SimpleNet", 2 * 68 + 15)):
        choose(live, title, False)
        expect(stages(live)).to_have_attribute("data-points", str(points))
    expect(figure(live, "unet", "apart")).to_have_text("–")  # nothing to compare it with
    choose(live, "MediaPipe", True)
    expect(stages(live)).to_have_attribute("data-points", str(2 * 68 + 15 + 478))
    live.get_by_role("button", name="Class projects").last.click()
    live.get_by_label("Nose tip, Moore").check()
    expect(stages(live)).to_have_attribute("data-points", str(2 * 68 + 15 + 478 + 1))


def test_tiles_are_no_higher_than_half_the_window(live):
    start(live)
    live.get_by_label("Tiles").check()
    expect(stages(live)).to_have_count(5)
    for number, points in enumerate(("68", "68", "68", "15", "478")):
        expect(stages(live).nth(number)).to_have_attribute("data-points", points)
    for box in [tile.bounding_box() for tile in stages(live).all()]:
        assert box["height"] <= live.viewport_size["height"] / 2
    live.locator("#camera").get_by_label("Overlay").check()
    expect(stages(live)).to_have_count(1)
    assert stages(live).bounding_box()["height"] <= live.viewport_size["height"] / 2


def test_steady_points_are_switched_without_the_server(live):
    start(live)
    for column in ("jitter", "steadied"):
        expect(figure(live, "unet", column)).to_have_text(re.compile(r"^\d+\.\d\d %$"))
    # No answer comes any more: what changes now, the page does by itself.
    live.route("**/component_server/**", lambda route: None)
    with live.expect_request("**/component_server/**"):  # so the last answer is drawn
        pass
    steady = live.evaluate(PICTURES)
    live.get_by_label("Steady points").first.uncheck()
    raw = live.evaluate(PICTURES)
    live.get_by_label("Steady points").first.check()
    assert live.evaluate(PICTURES) == steady != raw
    live.get_by_label("Tiles").check()
    assert stages(live).nth(2).get_attribute("data-points") == "68"


def test_blink_smile_and_pose_are_read_while_they_are_shown(live):
    start(live)
    curves = live.locator(".kp-live-curves > div")
    assert curves.get_attribute("data-samples") is None
    live.locator(".kp-live-curves summary").click()
    expect(curves.locator("output").nth(0)).to_have_text(re.compile(r"^0\.[0-2]\d$"))  # eyes open
    expect(curves.locator("output").nth(3)).to_have_text(re.compile(r"^−?\d°$"))  # to the camera
    live.wait_for_function("document.querySelector('.kp-live-curves > div').dataset.samples > 3")
    requests = []
    live.on("request", lambda request: requests.append(request.post_data or ""))
    live.locator(".kp-live-curves summary").click()
    expect(curves).not_to_be_visible()
    # The frame that is on its way may still ask for it.
    frames = [text for text in wait_for_frames(live, requests, 3) if '"expression":' in text]
    assert '"expression":false' in frames[-1]


def wait_for_frames(page: Page, requests: list[str], count: int) -> list[str]:
    """The frames among the requests, once there are so many."""
    while len(frames := [text for text in requests if '"picture"' in text]) < count:
        page.wait_for_event("request")
    return frames


def test_a_frozen_frame_is_compared_and_never_on_the_disk(live, app_folder):
    before = {path for path in app_folder.rglob("*") if path.is_file()}
    expect(live.get_by_role("button", name="Freeze into Compare")).to_be_disabled()
    start(live)
    live.get_by_role("button", name="Freeze into Compare").click()
    expect(live.locator(".kp-panel").first).to_be_visible()
    live.wait_for_function("window.tracks.every((track) => track.readyState === 'ended')")
    expect(live.locator("#table tbody tr")).to_have_count(5)
    # Another model can join, though the frame has no file.
    live.locator("#more").get_by_role("button", name="Class projects").click()
    live.locator("#more-models").get_by_label("Nose tip, Moore").check()
    expect(live.locator("#table tbody tr")).to_have_count(6)
    assert not live.locator("#notice [role=alert]").count()
    after = {path for path in app_folder.rglob("*") if path.is_file()}
    assert {path.suffix for path in after - before} <= {".log", ""}


HIDE = """() => {
    Object.defineProperty(document, "hidden", { value: true });
    document.dispatchEvent(new Event("visibilitychange"));
}"""


def test_the_camera_goes_off_when_nobody_looks(live, subtests):
    sent: list[str] = []
    live.on("request", lambda request: sent.append(request.url))
    ways = {
        "button": lambda: live.get_by_role("button", name="Stop camera").click(),
        "tab": lambda: live.get_by_role("tab", name="Compare").click(),
        "hidden": lambda: live.evaluate(HIDE),
    }
    for way, stop in ways.items():
        with subtests.test(way):
            start(live)
            assert states(live)[-1] == "live"
            stop()
            live.wait_for_function("window.tracks.every((track) => track.readyState === 'ended')")
            sent.clear()
            live.wait_for_timeout(500)
            assert not [url for url in sent if "component_server" in url]
            live.get_by_role("tab", name="Live").click()
            expect(live.get_by_role("button", name="Start camera")).to_be_visible()
            expect(stages(live)).to_contain_text("The camera is off")
            expect(stages(live).locator("p")).to_be_visible()


def test_without_a_camera_one_sentence_says_so(live):
    for error, part in (("NotAllowedError", "allow it"), ("NotFoundError", "No camera was found")):
        live.evaluate(
            """(name) => {
                navigator.mediaDevices.getUserMedia = () =>
                    Promise.reject(new DOMException("refused", name));
            }""",
            error,
        )
        live.get_by_role("button", name="Start camera").click()
        expect(live.locator("#camera [role=alert]")).to_contain_text(part)
        expect(live.get_by_role("button", name="Start camera")).to_be_visible()


def film(path: Path, hopper: np.ndarray, count: int) -> Path:
    out = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"mp4v"), 10, camera.SIZE)
    for k in range(count):
        out.write(cv2.cvtColor(camera.frame(hopper, 10 + k), cv2.COLOR_RGB2BGR))
    out.release()
    return path


def upload(page: Page, path: Path) -> None:
    """Choose a video, and wait until the box lists it: it is on the server then."""
    page.locator("#video input[type=file]").set_input_files(path)
    # The list writes a name's stem and its suffix as two elements.
    expect(page.locator("#video td.filename")).to_have_attribute("aria-label", path.name)


def give(page: Page, path: Path) -> None:
    upload(page, path)
    page.get_by_role("button", name="Compare video").click()


def download(page: Page, kind: str) -> Path:
    with page.expect_download() as waiting:
        page.locator("#film").get_by_role("link", name=kind).click()
    return Path(waiting.value.path())


def test_a_video_comes_back_annotated_and_as_a_table(live, hopper, tmp_path):
    live.get_by_role("button", name="Compare video").click()
    expect(live.locator("#video-message [role=alert]")).to_contain_text("Choose a video first")

    give(live, film(tmp_path / "pan.mp4", hopper, 4))
    expect(live.locator("#film video")).to_be_visible()
    expect(live.locator("#video-message [role=status]")).to_contain_text("4 frames compared, 4 of")
    expect(live.locator("#video-message")).to_contain_text("Jitter from frame to frame")
    expect(live.locator("#video-preview img")).to_have_count(0)
    live.wait_for_function("document.querySelector('#film video').readyState >= 2")
    annotated = cv2.VideoCapture(str(download(live, "Video")))
    assert [annotated.read()[0] for _ in range(5)] == [True] * 4 + [False]
    with download(live, "CSV").open(encoding="utf-8", newline="") as table:
        rows = list(csv.DictReader(table))
    assert {(row["frame"], row["model"]) for row in rows} == {
        (str(k), model)
        for k in range(4)
        for model in ("simplenet", "resnet18", "unet", "keypoint-resnet", "mediapipe")
    }
    assert rows[0]["steady_x"] == rows[0]["x"] and rows[-1]["steady_x"] != rows[-1]["x"]

    (tmp_path / "text.mp4").write_text("no video at all\n" * 20)
    give(live, tmp_path / "text.mp4")
    expect(live.locator("#video-message [role=alert]")).to_contain_text("not a video")
    expect(live.locator("#film video")).to_be_visible()  # what was there stays


@pytest.mark.parametrize(
    ("name", "is_video", "part"),
    [
        ("IMG_1.MOV", True, "3 frames compared"),
        ("clip", True, "3 frames compared"),
        ("notes.txt", False, "not a video"),
    ],
)
def test_a_dropped_video_needs_no_suffix_and_no_type(live, hopper, tmp_path, name, is_video, part):
    data = film(tmp_path / "pan.mp4", hopper, 3).read_bytes() if is_video else b"no video at all"
    live.evaluate(
        """([name, bytes]) => {
            const data = new DataTransfer();
            data.items.add(new File([new Uint8Array(bytes)], name, { type: "" }));
            const place = document.querySelector("#video button");
            for (const kind of ["dragenter", "dragover", "drop"])
                place.dispatchEvent(new DragEvent(kind, { bubbles: true, dataTransfer: data }));
        }""",
        [name, list(data)],
    )
    expect(live.locator("#video td.filename")).to_have_attribute("aria-label", name)
    live.get_by_role("button", name="Compare video").click()
    expect(live.locator("#video-message")).to_contain_text(part)


def test_a_cancelled_video_lets_the_next_one_in(live, hopper, tmp_path):
    give(live, film(tmp_path / "long.mp4", hopper, 100))
    expect(live.locator("#video-message")).to_contain_text("Frame")
    live.get_by_role("button", name="Cancel").click()
    expect(live.locator("#video-message [role=status]")).to_contain_text("Cancelled")
    expect(live.get_by_role("button", name="Cancel")).to_be_hidden()
    give(live, film(tmp_path / "short.mp4", hopper, 2))
    expect(live.locator("#video-message [role=status]")).to_contain_text("2 frames compared")


def test_a_cancel_is_the_last_word_of_a_video(live, hopper, tmp_path):
    path = film(tmp_path / "long.mp4", hopper, 100)
    # Cancelled right when it says how far it is: what is on its way then must not be heard.
    live.evaluate("""() => {
      const said = document.querySelector("#video-message");
      const named = "button#video-cancel, #video-cancel button";
      new MutationObserver(() => {
        if (said.textContent.includes("Frame")) document.querySelector(named)?.click();
      }).observe(said, { childList: true, subtree: true, characterData: true });
    }""")
    for _ in range(2):
        upload(live, path)
        with answered(live):  # the stream of a run ends with its last word
            live.get_by_role("button", name="Compare video").click()
        expect(live.get_by_role("button", name="Compare video")).to_be_enabled()
        expect(live.locator("#video-message [role=status]")).to_contain_text("Cancelled")
        expect(live.locator("#video-message progress")).to_have_count(0)


def test_the_time_is_estimated_and_a_part_of_the_frames_may_do(live, hopper, tmp_path):
    upload(live, film(tmp_path / "pan.mp4", hopper, 9))
    expect(live.locator("#video-estimate")).to_contain_text(re.compile(r"9 frames, about \d+ s"))
    live.get_by_label("Every third").check()
    expect(live.locator("#video-estimate")).to_contain_text("3 frames, about")
    live.get_by_role("button", name="Compare video").click()
    expect(live.locator("#video-message [role=status]")).to_contain_text("3 frames compared")
    expect(live.locator("#video-estimate")).to_be_empty()


def test_a_file_that_is_no_video_is_told_when_it_is_chosen(live, tmp_path):
    (tmp_path / "text.mp4").write_text("no video at all\n" * 20)
    upload(live, tmp_path / "text.mp4")
    expect(live.locator("#video-estimate [role=alert]")).to_contain_text("not a video")


def test_frames_are_shown_while_a_video_runs(live, hopper, tmp_path):
    give(live, film(tmp_path / "long.mp4", hopper, 100))
    expect(live.get_by_alt_text("The frame compared last")).to_be_visible()
    expect(live.locator("#film .kp-empty")).to_be_hidden()
    live.get_by_role("button", name="Cancel").click()
    expect(live.get_by_alt_text("The frame compared last")).to_have_count(0)
    expect(live.locator("#film .kp-empty")).to_be_visible()


def test_a_cancel_that_comes_too_late_takes_the_result_away(live, hopper, tmp_path):
    give(live, film(tmp_path / "short.mp4", hopper, 30))
    expect(live.locator("#video-message")).to_contain_text("Frame")
    held = []

    def hold(route) -> None:
        """Let the cancel wait, and nothing after it."""
        if held:
            route.continue_()
        else:
            held.append(route)

    live.route("**/gradio_api/run/**", hold)
    live.get_by_role("button", name="Cancel").click()
    expect(live.locator("#video-message [role=status]")).to_contain_text("30 frames compared")
    expect(live.locator("#film video")).to_be_visible()
    held[0].continue_()
    expect(live.locator("#video-message [role=status]")).to_contain_text("Cancelled")
    expect(live.locator("#film .kp-empty")).to_be_visible()
    expect(live.locator("#film video")).to_be_hidden()


def test_two_visitors_may_have_the_same_video(open_page, hopper, tmp_path, app_folder):
    path = film(tmp_path / "same.mp4", hopper, 30)
    before = {*app_folder.rglob("*.mp4")}  # what other tests chose, and never had compared
    first, second = (only(open_live(open_page()), "SimpleNet") for _ in range(2))
    give(first, path)
    expect(first.locator("#video-message")).to_contain_text("Frame")
    give(second, path)
    expect(second.locator("#video-message")).to_contain_text("Waiting in the queue")
    for visitor in (first, second):
        expect(visitor.locator("#video-message [role=status]")).to_contain_text(
            "30 frames compared"
        )

    # Chosen by both before either presses: each has a file that the other's run does not delete.
    for visitor in (first, second):
        upload(visitor, path)
        expect(visitor.locator("#video-estimate")).to_contain_text("frames, about")
    for visitor in (first, second):
        visitor.get_by_role("button", name="Compare video").click()
        expect(visitor.locator("#video-message")).to_contain_text(re.compile("Frame|Waiting"))
        expect(visitor.locator("#video-message [role=status]")).to_contain_text(
            "30 frames compared"
        )
    assert {*app_folder.rglob("*.mp4")} <= before


def test_a_video_that_waits_can_be_cancelled_and_another_taken(open_page, hopper, tmp_path):
    first, second = (only(open_live(open_page()), "SimpleNet") for _ in range(2))
    give(first, film(tmp_path / "long.mp4", hopper, 60))
    expect(first.locator("#video-message")).to_contain_text("Frame")
    give(second, film(tmp_path / "other.mp4", hopper, 50))
    second.get_by_role("button", name="Cancel").click()
    expect(second.locator("#video-message [role=status]")).to_contain_text("Cancelled")
    give(second, film(tmp_path / "short.mp4", hopper, 2))
    expect(second.locator("#video-message [role=status]")).to_contain_text("2 frames compared")
    expect(first.locator("#video-message [role=status]")).to_contain_text("60 frames compared")


def test_nothing_scrolls_sideways_on_a_phone(open_page):
    page = open_live(open_page(390))
    start(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390


def test_without_the_browsers_runtimes_the_server_computes(live: Page) -> None:
    expect(live.locator("#camera .kp-place")).to_be_hidden()
    why = live.locator("#camera .kp-place-why")
    expect(why).to_contain_text("The models run on the server.")
    expect(why).to_contain_text("python -m kpdemo browser")
