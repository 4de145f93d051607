"""Compare on the page with a server, with photos that the visitor's own browser compares."""

import json
import re
from base64 import b64encode
from collections.abc import Iterator
from io import BytesIO
from pathlib import Path

import numpy as np
import pytest
from helpers.visitor import PATIENCE, answered, wait_for_script
from PIL import Image

from kpdemo import compare
from kpdemo.engine import export
from kpdemo.structures import Prediction
from kpdemo.zoo import BASELINE

sync_api = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
expect = sync_api.expect
Page = sync_api.Page

# Requests for the engine's own files, and what needs no host.
ENGINE = re.compile(r"GET (http://[^/]+/(browser|scripts)/|blob:|data:)")
MODELS = ["keypoint-resnet", "simplenet", BASELINE]
# Notes which models the page draws, one after another.
WATCH = """() => {
  window.drawn = [];
  new MutationObserver(() => {
    const panels = [...document.querySelectorAll(".kp-panel[data-model]")];
    const names = panels.map((panel) => panel.dataset.model);
    if (names.join() !== drawn.at(-1)?.join()) drawn.push(names);
  }).observe(document.querySelector("#panels"), { childList: true, subtree: true });
}"""


@pytest.fixture
def page(browser, app_with_runtimes: str) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    context.set_default_timeout(1000 * PATIENCE)
    expect.set_options(timeout=1000 * PATIENCE)
    page = context.new_page()
    page.goto(f"{app_with_runtimes}#models={','.join(MODELS)}")
    for part in ("place", "panels", "examples"):
        wait_for_script(page, part)
    expect(page.locator(".kp-panel[data-model]")).to_have_count(len(MODELS))
    yield page
    context.close()


def choose_browser(page: Page) -> None:
    page.locator("#place").get_by_label("In this browser").check()
    expect(page.locator("#photo")).to_be_hidden()


def compared(page: Page, height: int) -> dict:
    """The result of the photo of that height, once this browser has it."""
    page.wait_for_function("height => kpdemo.result?.photo.height === height", arg=height)
    page.locator("body:not(.kp-busy)").wait_for()
    return json.loads(page.evaluate("JSON.stringify(kpdemo.result)"))


def hand_over(page: Page, path: Path, event: str, height: int) -> None:
    """Paste or drop the photo at that height."""
    file = BytesIO()
    Image.open(path).resize((300, height)).save(file, "PNG")
    page.evaluate(
        """([base64, event]) => {
          const bytes = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
          const data = new DataTransfer();
          data.items.add(new File([bytes], `${event}.png`, { type: "image/png" }));
          const options = { bubbles: true, cancelable: true };
          const happening = event === "paste"
            ? new ClipboardEvent(event, { ...options, clipboardData: data })
            : new DragEvent(event, { ...options, dataTransfer: data });
          const place = event === "paste" ? "body" : "#place .kp-drop";
          document.querySelector(place).dispatchEvent(happening);
        }""",
        [b64encode(file.getvalue()).decode(), event],
    )


def marks(folder: Path, answer: Prediction) -> Path:
    """A `.pts` file with the answer's points, each three pixels farther right."""
    path = folder / "face.pts"
    path.write_text(export.to_pts(answer.keypoints + np.float32([3, 0])))
    return path


def test_a_photo_stays_in_the_browser_once_that_is_chosen(
    page: Page, astronaut_path: Path, hopper_path: Path, tmp_path: Path
) -> None:
    # The server is on this machine, so it is the default.
    place = page.locator("#place")
    expect(place.get_by_label("On the server")).to_be_checked()
    expect(place.locator(".kp-place-why")).to_contain_text("which is your own machine")
    assert page.evaluate("kpdemo.engine") == "server"
    with answered(page):
        page.get_by_role("button", name="Grace Hopper").click()
    there = json.loads(page.evaluate("JSON.stringify(kpdemo.result)"))
    assert there["photo"] == {"width": 512, "height": 600}

    choose_browser(page)
    expect(place.locator(".kp-place-why")).to_contain_text("MB once.")
    requests: list[str] = []
    page.on("request", lambda request: requests.append(f"{request.method} {request.url}"))
    page.evaluate(WATCH)
    place.locator("input[type=file]").set_input_files(astronaut_path)
    here = compared(page, 512)
    assert page.evaluate("kpdemo.engine") == "wasm"
    assert not [request for request in requests if not ENGINE.match(request)]
    counts = [len(names) for names in page.evaluate("drawn")]
    assert min(counts) < counts[-1] == len(MODELS)  # model by model
    (face,) = compare(astronaut_path, MODELS).faces
    assert set(here) == set(there)
    assert set(here["faces"][0]["models"]) == set(MODELS)
    for name, answer in face.predictions.items():
        points = np.array(here["faces"][0]["models"][name]["keypoints"])
        assert np.abs(points - answer.keypoints).max() < 0.5, name
    # What works on a result works on this one, still without the server.
    requests.clear()
    expect(page.locator(".kp-finding")).to_contain_text("%")
    page.locator("#panels").get_by_text("All against all").click()
    expect(page.locator(".kp-matrix table")).to_contain_text("%")
    cells = page.locator("#table tr[data-model=simplenet] td")
    expect(cells.nth(0)).to_have_text("68")
    expect(cells.nth(3)).to_contain_text("%")
    expect(cells.last).to_contain_text("faces")
    expect(page.locator("#table thead")).to_contain_text("Milliseconds (WASM)")
    page.get_by_label("Reference", exact=True).select_option("SimpleNet")
    expect(cells.nth(3)).to_have_text("reference")
    expect(page.locator(".kp-meaning")).to_contain_text("mean distance to SimpleNet")
    page.locator("#models").get_by_label("SimpleNet").uncheck()
    expect(page.locator(".kp-panel[data-model=simplenet]")).to_have_count(0)
    expect(cells).to_have_count(0)
    page.locator("#models").get_by_label("SimpleNet").check()
    expect(page.locator(".kp-panel[data-model=simplenet]")).to_be_visible()
    page.get_by_role("button", name="Degrade this photo").click()
    drift = page.locator("#degrade tr[data-model=simplenet] td").first
    expect(drift).to_have_text("0.0 %")
    for slider, value in (("turn", 10), ("blur", 2), ("quality", 60)):
        page.locator(f"#degrade [name={slider}]").fill(str(value))
    expect(page.locator("#degrade [role=status]")).to_contain_text("drifts least")
    expect(drift).not_to_have_text("0.0 %")
    page.get_by_role("button", name="Edit points").click()
    page.locator("#drag [data-do=start]").click()
    expect(page.locator("#drag .kp-drag-picture circle").first).to_be_visible()
    page.get_by_role("button", name="Use as ground truth").click()
    page.locator("#ground-truth").get_by_role("button").first.click()
    says = page.locator("#truth [role=status]")
    expect(says).to_contain_text("edited-points.json belongs to face 1. These are")
    page.get_by_label("Reference", exact=True).select_option("Ground truth")
    expect(page.locator("#table thead")).to_contain_text("Error (pixels")
    page.locator("#truth input").set_input_files(marks(tmp_path, face.predictions["simplenet"]))
    expect(says).to_contain_text("face.pts belongs to face 1.")
    expect(page.locator("#table tr[data-model=simplenet] [data-key=pixels]")).to_have_text("3.0 px")
    page.locator("#truth input").set_input_files(__file__)
    expect(page.locator(".kp-local-message [role=alert]")).to_contain_text(".pts, .asf or .json")
    expect(says).to_contain_text("face.pts")
    page.get_by_role("button", name="Clear the ground truth").click()
    expect(page.locator("#table thead")).to_contain_text("Distance to")
    with page.expect_download() as download:
        page.get_by_role("button", name="JSON", exact=True).click()
    assert json.loads(Path(download.value.path()).read_text()) == here
    hand_over(page, astronaut_path, "paste", 300)
    compared(page, 300)
    hand_over(page, astronaut_path, "drop", 310)
    compared(page, 310)
    place.locator("input[type=file]").set_input_files([astronaut_path, hopper_path])
    expect(page.locator(".kp-sheet [role=status]")).to_have_text("2 photos compared")
    page.locator(".kp-sheet li", has_text=astronaut_path.name).get_by_role("button").click()
    compared(page, 512)
    assert not [request for request in requests if not ENGINE.match(request)]

    with answered(page):
        place.get_by_label("On the server").check()
    page.wait_for_function("kpdemo.result.photo.height === 600")  # the server's last photo
    assert page.evaluate("kpdemo.engine") == "server"
    result = page.evaluate("""async () => {
      const bitmap = await createImageBitmap(new ImageData(64, 64));
      return kpdemo.compare(bitmap, { models: ["simplenet"] });
    }""")
    assert result["faces"] == [] and result["photo"] == {"width": 64, "height": 64}


def test_a_broken_file_ends_with_the_server_chosen_and_the_photo_here(
    page: Page, astronaut_path: Path
) -> None:
    choose_browser(page)
    page.route("**/vision_wasm_module_internal.wasm", lambda route: route.fulfill(body="half"))
    uploads: list[str] = []
    page.on("request", lambda r: uploads.append(r.url) if "upload" in r.url else None)
    page.locator("#place input[type=file]").set_input_files(astronaut_path)
    message = page.locator(".kp-local-message [role=alert]")
    expect(message).to_contain_text("did not arrive whole")
    expect(message).to_contain_text("choose the photo again to send it there")
    expect(page.locator("#place").get_by_label("On the server")).to_be_checked()
    expect(page.locator("#photo")).to_be_visible()
    assert not uploads
    page.locator("#photo input[type=file]").set_input_files(astronaut_path)
    page.wait_for_function("kpdemo.result.photo.height === 512")
    assert uploads
