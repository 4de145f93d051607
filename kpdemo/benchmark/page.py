"""`python -m kpdemo.benchmark page OUT.json`: how long visitors wait for the page.

Needs Debian's `chromium` and `pip install playwright`. All times are from one run on one machine,
with the page and the browser on the same cores.
"""

import os
import re
import shutil
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np
from PIL import Image

from kpdemo import zoo
from kpdemo.benchmark.server import serve_page
from kpdemo.benchmark.speed import photo_640x480
from kpdemo.zoo import BASELINE, DEFAULT_MODELS

if TYPE_CHECKING:  # the app itself needs no Playwright
    from playwright.sync_api import Browser, BrowserType, Page

VISITS = 5
ROUNDS = 5  # of each switch, on and off
ANSWERS = 3  # to each slider
MOVES = 40  # of a dragged point
NOSE_TIP = 30  # of iBUG's points
CROWD = 4, 6  # rows and columns of faces
_NUMBER = re.compile(r"\d")
SETTLING, READINGS = 3, 7  # seconds of the camera with a model; a reading is over two seconds
CHROMIUM = shutil.which("chromium") or shutil.which("chromium-browser")
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--no-first-run",
)
# The frame after the next one: by then the browser has painted what was changed.
_AFTER_PAINT = """const painted = () => new Promise((done) => requestAnimationFrame(() => {
  const { port1, port2 } = new MessageChannel();
  port1.onmessage = done;
  port2.postMessage(0);
}));"""
_TIME_SWITCH = f"""async (box) => {{
  {_AFTER_PAINT}
  await painted();
  const started = performance.now();
  if (box.matches("select")) {{
    box.selectedIndex = (box.selectedIndex + 1) % box.options.length;
    box.dispatchEvent(new Event("change", {{ bubbles: true }}));
  }} else box.click();
  await painted();
  return performance.now() - started;
}}"""
# From a slider's release to the painted answer of all models.
_TIME_DEGRADATION = f"""async (slider, value) => {{
  {_AFTER_PAINT}
  await painted();
  const started = performance.now();
  slider.value = value;
  const emit = (type) => slider.dispatchEvent(new Event(type, {{ bubbles: true }}));
  ["input", "change"].forEach(emit);
  const picture = document.querySelector("#degrade svg");
  await new Promise((done) => {{
    const observer = new MutationObserver(() => done(observer.disconnect()));
    observer.observe(picture, {{ childList: true }});
  }});
  await painted();
  return performance.now() - started;
}}"""
# From the move of a pointer that drags a point to all errors, and to the painted frame.
_TIME_DRAG = f"""async (picture, [x, y]) => {{
  {_AFTER_PAINT}
  await painted();
  const started = performance.now();
  const at = {{ pointerId: 1, pointerType: "mouse", clientX: x, clientY: y, bubbles: true }};
  picture.dispatchEvent(new PointerEvent("pointermove", at));
  const errors = performance.now() - started;
  await painted();
  return [errors, performance.now() - started];
}}"""

_IS_COMPARED = """(before) => {
  const pictures = [...document.querySelectorAll(".kp-panel image")];
  return pictures.length && pictures[0].getAttribute("href") !== before
    && document.querySelector(".kp-points");
}"""


def measure() -> dict:
    """Seconds until the page and its first result are there, and until an example is compared;
    milliseconds of its switches with one face and with many, of another point on the heatmaps, of
    an answer to a degraded photo and of a dragged point's errors; frames a second of the fake
    camera by model.

    Raises RuntimeError where the browser is missing or the app does not answer.
    """
    check_chromium()
    from playwright.sync_api import sync_playwright

    with (
        tempfile.TemporaryDirectory(prefix="kpdemo-") as scratch,
        serve_page(Path(scratch)) as url,
        sync_playwright() as playwright,
    ):
        crowd, camera = Path(scratch) / "crowd.jpg", Path(scratch) / "camera.y4m"
        portrait = Path(scratch) / "portrait.png"
        Image.fromarray(photo_640x480()).save(portrait)
        rows, columns = CROWD
        # A portrait each, without the grey beside it.
        Image.fromarray(np.tile(photo_640x480()[:, 115:525], (rows, columns, 1))).save(crowd)
        write_camera_video(camera)
        with chromium(playwright.chromium) as browser:
            first, later = _examples(browser, url)
            visits = [_visit(browser, url) for _ in range(VISITS)]
            paints, ready, results = zip(*visits, strict=True)
            return {
                "browser": f"Chromium {browser.version}",
                "cores": os.cpu_count(),
                "first_paint_seconds": round(statistics.median(paints), 2),
                "examples_there_seconds": round(statistics.median(ready), 2),
                "opening_result_seconds": round(statistics.median(results), 2),
                "first_example_compared_seconds": round(first, 2),
                "next_example_compared_seconds": round(later, 2),
                "switch_milliseconds": {
                    "1": _switches(browser, url, None),
                    str(rows * columns): _switches(browser, url, crowd),
                },
                "heatmap_point_milliseconds": _heatmap_point(browser, url),
                "degrade_milliseconds": _degrade(browser, url, portrait),
                "drag_milliseconds": _drag(browser, url, portrait),
                "camera_frames_per_second": camera_rates(
                    playwright.chromium, url, camera, "server"
                ),
            }


def check_chromium() -> None:
    """Raise RuntimeError, with what to install, where Chromium or Playwright is missing."""
    if CHROMIUM is None or find_spec("playwright") is None:
        raise RuntimeError("This needs Chromium (apt install chromium) and pip install playwright.")


def write_camera_video(path: Path) -> None:
    """What the fake camera shows, as Y4M: the portrait, 640×480, thirty frames a second."""
    picture = cv2.cvtColor(photo_640x480(), cv2.COLOR_RGB2YUV_I420).tobytes()
    path.write_bytes(b"YUV4MPEG2 W640 H480 F30:1 Ip A1:1 C420jpeg\n" + 2 * (b"FRAME\n" + picture))


@contextmanager
def chromium(browsers: "BrowserType", camera: Path | None = None) -> Iterator["Browser"]:
    """Debian's Chromium; with a `camera`, a video file, every page may use one that shows it."""
    fake = (
        "--use-fake-ui-for-media-stream",
        "--use-fake-device-for-media-stream",
        f"--use-file-for-fake-video-capture={camera}",
    )
    browser = browsers.launch(executable_path=CHROMIUM, args=[*FLAGS, *(fake if camera else ())])
    try:
        yield browser
    finally:
        browser.close()


def _open(browser: "Browser", url: str) -> "Page":
    page = browser.new_page(viewport={"width": 1440, "height": 900})
    page.set_default_timeout(60_000)
    page.goto(url)
    page.locator("#examples button").first.wait_for()
    return page


def _visit(browser: "Browser", url: str) -> tuple[float, float, float]:
    """Seconds to the first paint of a new visitor's page, until it can be used, and until the
    result that it opens with is there."""
    started = time.perf_counter()
    page = _open(browser, url)
    ready = time.perf_counter() - started
    page.locator(".kp-points").first.wait_for()
    result = time.perf_counter() - started
    paint = page.evaluate("performance.getEntriesByName('first-contentful-paint')[0].startTime")
    page.close()
    return paint / 1000, ready, result


def _examples(browser: "Browser", url: str) -> tuple[float, float]:
    """Seconds from a click on an example to its points, of two that the page did not open with."""
    page = _open(browser, url)
    page.locator(".kp-points").first.wait_for()
    seconds = []
    for button in page.locator("#examples button").all()[1:3]:
        before = page.locator(".kp-panel image").first.get_attribute("href")
        started = time.perf_counter()
        button.click()
        page.wait_for_function(_IS_COMPARED, arg=before)
        seconds.append(time.perf_counter() - started)
    page.close()
    return seconds[0], seconds[1]


def _switches(browser: "Browser", url: str, photo: Path | None) -> dict[str, float]:
    """Milliseconds of each switch of the Compare tab, the median of several.

    They are of the example that the page opens with, or else of the photo.
    """
    page = _compare(browser, url, photo)
    page.wait_for_timeout(1000)
    medians: dict[str, float] = {}
    switches = {
        str(box.get_attribute("name")): [box]
        for box in page.locator("#panels [type=checkbox]:visible").element_handles()
    }
    switches["reference"] = page.locator("#panels [name=reference]").element_handles()
    switches["mode"] = page.locator("#panels [name=mode]").element_handles()
    for name, boxes in switches.items():
        times = [box.evaluate(_TIME_SWITCH) for _ in range(2 * ROUNDS) for box in boxes]
        medians[name] = round(statistics.median(times), 1)
    page.get_by_text("Overlay", exact=True).click()
    chip = page.locator(".kp-chip").first
    times = [chip.evaluate(_TIME_SWITCH) for _ in range(2 * ROUNDS)]
    medians["chip"] = round(statistics.median(times), 1)
    page.close()
    return medians


def _heatmap_point(browser: "Browser", url: str) -> float:
    """Milliseconds until all heatmaps show another point, the median of several."""
    page = _compare(browser, url, None)
    page.get_by_role("tab", name="Heatmaps").click()
    page.locator("#heatmaps .kp-facts b").first.wait_for()
    page.wait_for_timeout(1000)
    points = page.locator("#heatmaps").get_by_label("Point or group").element_handle()
    assert points
    times = [points.evaluate(_TIME_SWITCH) for _ in range(2 * ROUNDS)]
    page.close()
    return round(statistics.median(times), 1)


def _compare(browser: "Browser", url: str, photo: Path | None) -> "Page":
    """A page with the result of the photo, or else with the one that it opens with."""
    page = _open(browser, url)
    page.locator(".kp-points").first.wait_for()
    if photo:
        before = page.locator(".kp-panel image").first.get_attribute("href")
        page.locator("#photo input[type=file]").set_input_files(photo)
        page.wait_for_function(_IS_COMPARED, arg=before)
    return page


def _degrade(browser: "Browser", url: str, photo: Path) -> dict[str, float]:
    """Milliseconds from a slider's release to all models' answers, by slider, with all at the end
    the way they were; the median of several."""
    page = _compare(browser, url, photo)
    page.get_by_role("button", name="Degrade this photo").click()
    page.locator("#degrade tbody tr").first.wait_for()
    medians: dict[str, float] = {}
    for slider in page.locator("#degrade [type=range]").element_handles():
        neutral, high, step = (
            float(str(slider.get_attribute(name))) for name in ("value", "max", "step")
        )
        way = step if neutral < high else -step
        values = [neutral + way * (1 + k % 2) for k in range(ANSWERS)]
        times = [slider.evaluate(_TIME_DEGRADATION, value) for value in values]
        slider.evaluate(_TIME_DEGRADATION, neutral)
        medians[str(slider.get_attribute("name"))] = round(statistics.median(times), 1)
    page.close()
    return medians


def _drag(browser: "Browser", url: str, photo: Path) -> dict[str, float]:
    """Milliseconds from a pointer's move to all models' errors, and to the painted frame."""
    page = _compare(browser, url, photo)
    page.get_by_role("button", name="Edit points").click()
    page.get_by_role("button", name="Start editing").click()
    picture = page.locator("#drag .kp-drag-picture")
    picture.scroll_into_view_if_needed()
    box = picture.locator("circle").nth(NOSE_TIP).bounding_box()
    assert box
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    page.mouse.move(x, y)
    page.mouse.down()
    times = [picture.evaluate(_TIME_DRAG, [x + k, y - k]) for k in range(1, MOVES)]
    page.mouse.up()
    page.close()
    errors, frames = map(statistics.median, zip(*times, strict=True))
    return {"errors": round(errors, 2), "painted": round(frames, 1)}


def camera_rates(browsers: "BrowserType", url: str, camera: Path, where: str) -> dict[str, float]:
    """Frames a second that the Live tab says, by the model beside MediaPipe.

    `where` the models run: "browser" or "server".
    """
    rates = {}
    with chromium(browsers, camera) as browser:
        page = _open(browser, url)
        page.get_by_role("tab", name="Live").click()
        mounted = page.locator("#camera[data-mounted], #camera [data-mounted]")
        mounted.wait_for(state="attached")
        page.locator(f"[name=live-place][value={where}]").evaluate("(radio) => radio.click()")
        page.get_by_role("button", name="Start camera").click()
        for model in DEFAULT_MODELS:
            for name in (*DEFAULT_MODELS, BASELINE):
                box = page.locator("#live-models").get_by_label(zoo.title(name), exact=True)
                box.set_checked(name in (model, BASELINE))
            row = page.locator(f"#camera tr[data-model={model}]")
            # Its milliseconds, once it has been loaded.
            row.locator("td", has_text=_NUMBER).first.wait_for()
            page.wait_for_timeout(1000 * SETTLING)
            rates[zoo.title(model)] = statistics.median(_rate(page) for _ in range(READINGS))
    return rates


def _rate(page: "Page") -> float:
    page.wait_for_timeout(1000)
    return float(page.locator(".kp-live-rate").inner_text().split()[0])
