"""The Live tab with a camera that films the portrait, and with short videos of it."""

import csv
import re
from collections.abc import Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest
from helpers.visitor import answered, open_tab, wait_for_script

from kpdemo.benchmark import page as page_benchmark

sync_api = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
expect = sync_api.expect
Page = sync_api.Page

SIZE = WIDTH, HEIGHT = 320, 240

# Where a canvas has U-Net's colour, on average: 0 is its left edge, 1 its right.
MIDDLE_OF_GREEN = """(canvas) => {
    const { width, height } = canvas;
    const { data } = canvas.getContext("2d").getImageData(0, 0, width, height);
    const away = (at) => data[at] + Math.abs(data[at + 1] - 158) + Math.abs(data[at + 2] - 115);
    const found = [];
    for (let at = 0; at < data.length; at += 4) if (away(at) < 12) found.push((at / 4) % width);
    return found.reduce((sum, x) => sum + x, 0) / found.length / width;
}"""


def portrait(hopper: np.ndarray, left: int) -> np.ndarray:
    frame = np.full((HEIGHT, WIDTH, 3), 120, np.uint8)
    frame[:, left : left + 200] = cv2.resize(hopper, (200, HEIGHT), interpolation=cv2.INTER_AREA)
    return frame


@pytest.fixture(scope="session")
def browser(browser, hopper, tmp_path_factory) -> Iterator["sync_api.Browser"]:
    """Another Chromium, which allows the camera; its camera shows the portrait, on the left."""
    film = tmp_path_factory.mktemp("camera") / "portrait.y4m"
    picture = cv2.cvtColor(portrait(hopper, 10), cv2.COLOR_RGB2YUV_I420).tobytes()
    header = f"YUV4MPEG2 W{WIDTH} H{HEIGHT} F10:1 Ip A1:1 C420jpeg\n".encode()
    film.write_bytes(header + 2 * (b"FRAME\n" + picture))
    with page_benchmark.chromium(browser.browser_type, film) as chromium:
        yield chromium


@pytest.fixture
def live(page) -> Page:
    return open_live(page)


def open_live(page: Page) -> Page:
    open_tab(page, "Live")
    page.get_by_role("button", name="Start camera").wait_for()
    for part in ("camera", "video-said", "film"):
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


def stage(page: Page, side: str):
    return page.locator(f'.kp-live-stage[data-side="{side}"]')


def start(page: Page) -> None:
    page.get_by_role("button", name="Start camera").click()
    expect(stage(page, "model")).to_have_attribute("data-points", "68")
    expect(stage(page, "baseline")).to_have_attribute("data-points", "478")


def choose(page: Page, title: str) -> None:
    page.get_by_label("Model beside MediaPipe").click()
    page.get_by_role("option", name=title, exact=True).click()


def test_points_follow_the_camera_as_in_a_mirror(live):
    expect(stage(live, "model")).to_contain_text("The camera is off")
    assert not states(live)  # nobody asked for the camera yet
    start(live)
    expect(live.locator(".kp-live-rate")).to_contain_text("frames a second")
    expect(stage(live, "model")).to_contain_text("68 points ·")
    expect(stage(live, "model")).to_contain_text("% from MediaPipe")
    choose(live, "U-Net")
    expect(stage(live, "model").locator("figcaption strong")).to_have_text("U-Net")
    expect(stage(live, "model")).to_contain_text("68 points ·")
    across = stage(live, "model").locator("canvas").evaluate(MIDDLE_OF_GREEN)
    # The face is at a third of the frame, and so at two thirds of its mirror image.
    assert 0.58 < across < 0.75


@pytest.mark.parametrize("way", ["button", "tab", "hidden"])
def test_the_camera_goes_off_when_nobody_looks(live, way):
    start(live)
    assert states(live) == ["live"]
    if way == "button":
        live.get_by_role("button", name="Stop camera").click()
    elif way == "tab":
        live.get_by_role("tab", name="Compare").click()
    else:
        live.evaluate("""() => {
            Object.defineProperty(document, "hidden", { value: true });
            document.dispatchEvent(new Event("visibilitychange"));
        }""")
    live.wait_for_function("window.tracks.every((track) => track.readyState === 'ended')")
    sent = []
    live.on("request", lambda request: sent.append(request.url))
    live.wait_for_timeout(500)
    assert not [url for url in sent if "component_server" in url]
    live.get_by_role("tab", name="Live").click()
    expect(live.get_by_role("button", name="Start camera")).to_be_visible()
    expect(stage(live, "model").locator("p").first).to_be_visible()


@pytest.mark.parametrize(
    ("error", "part"), [("NotAllowedError", "allow it"), ("NotFoundError", "No camera was found")]
)
def test_without_a_camera_one_sentence_says_so(live, error, part):
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
    out = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*"mp4v"), 10, SIZE)
    for k in range(count):
        out.write(cv2.cvtColor(portrait(hopper, 10 + k), cv2.COLOR_RGB2BGR))
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
    expect(live.locator("#video-said [role=alert]")).to_contain_text("Choose a video first")

    give(live, film(tmp_path / "pan.mp4", hopper, 4))
    expect(live.locator("#film video")).to_be_visible()
    expect(live.locator("#video-said [role=status]")).to_contain_text("4 frames compared, 4 of")
    live.wait_for_function("document.querySelector('#film video').readyState >= 2")
    annotated = cv2.VideoCapture(str(download(live, "Video")))
    assert [annotated.read()[0] for _ in range(5)] == [True] * 4 + [False]
    with download(live, "CSV").open(encoding="utf-8", newline="") as table:
        rows = list(csv.DictReader(table))
    assert {(row["frame"], row["model"]) for row in rows} == {
        (str(k), model) for k in range(4) for model in ("resnet18", "mediapipe")
    }

    (tmp_path / "text.mp4").write_text("no video at all\n" * 20)
    give(live, tmp_path / "text.mp4")
    expect(live.locator("#video-said [role=alert]")).to_contain_text("not a video")
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
    expect(live.locator("#video-said")).to_contain_text(part)


def test_a_cancelled_video_lets_the_next_one_in(live, hopper, tmp_path):
    give(live, film(tmp_path / "long.mp4", hopper, 100))
    expect(live.locator("#video-said")).to_contain_text("Frame")
    live.get_by_role("button", name="Cancel").click()
    expect(live.locator("#video-said [role=status]")).to_contain_text("Cancelled")
    expect(live.get_by_role("button", name="Cancel")).to_be_hidden()
    give(live, film(tmp_path / "short.mp4", hopper, 2))
    expect(live.locator("#video-said [role=status]")).to_contain_text("2 frames compared")


def test_a_cancel_is_the_last_word_of_a_video(live, hopper, tmp_path):
    path = film(tmp_path / "long.mp4", hopper, 100)
    # Cancelled right when it says how far it is: what is on its way then must not be heard.
    live.evaluate("""() => {
      const said = document.querySelector("#video-said");
      const named = "button#video-cancel, #video-cancel button";
      new MutationObserver(() => {
        if (said.textContent.includes("Frame")) document.querySelector(named)?.click();
      }).observe(said, { childList: true, subtree: true, characterData: true });
    }""")
    for _ in range(3):
        upload(live, path)
        with answered(live):  # the stream of a run ends with its last word
            live.get_by_role("button", name="Compare video").click()
        expect(live.get_by_role("button", name="Compare video")).to_be_enabled()
        expect(live.locator("#video-said [role=status]")).to_contain_text("Cancelled")
        expect(live.locator("#video-said progress")).to_have_count(0)


def test_two_visitors_may_have_the_same_video(open_page, hopper, tmp_path, app_folder):
    path = film(tmp_path / "same.mp4", hopper, 30)
    first, second = open_live(open_page()), open_live(open_page())
    give(first, path)
    expect(first.locator("#video-said")).to_contain_text("Frame")
    give(second, path)
    expect(second.locator("#video-said")).to_contain_text("Waiting in the queue")
    for visitor in (first, second):
        expect(visitor.locator("#video-said [role=status]")).to_contain_text("30 frames compared")

    # Chosen by both before either presses: each has a file that the other's run does not delete.
    for visitor in (first, second):
        upload(visitor, path)
    for visitor in (first, second):
        visitor.get_by_role("button", name="Compare video").click()
        expect(visitor.locator("#video-said")).to_contain_text(re.compile("Frame|Waiting"))
        expect(visitor.locator("#video-said [role=status]")).to_contain_text("30 frames compared")
    assert not [*app_folder.rglob("*.mp4")]


def test_a_video_that_waits_can_be_cancelled_and_another_taken(open_page, hopper, tmp_path):
    first, second = open_live(open_page()), open_live(open_page())
    give(first, film(tmp_path / "long.mp4", hopper, 60))
    expect(first.locator("#video-said")).to_contain_text("Frame")
    give(second, film(tmp_path / "other.mp4", hopper, 50))
    second.get_by_role("button", name="Cancel").click()
    expect(second.locator("#video-said [role=status]")).to_contain_text("Cancelled")
    give(second, film(tmp_path / "short.mp4", hopper, 2))
    expect(second.locator("#video-said [role=status]")).to_contain_text("2 frames compared")
    expect(first.locator("#video-said [role=status]")).to_contain_text("60 frames compared")


def test_nothing_scrolls_sideways_on_a_phone(open_page):
    page = open_live(open_page(390))
    start(page)
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
