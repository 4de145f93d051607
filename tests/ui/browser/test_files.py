"""Files whose type the browser does not know, or knows wrongly, reach the check of their bytes."""

import io
from base64 import b64encode

import pytest
from helpers.visitor import answered, open_tab, take_example, wait_for_script
from PIL import Image

sync_api = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
pillow_heif = pytest.importorskip("pillow_heif", reason="pillow-heif is not installed")
expect = sync_api.expect
Page = sync_api.Page

HAND_OVER = """([box, way, name, type, base64]) => {
  const bytes = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
  const files = new DataTransfer();
  files.items.add(new File([bytes], name, { type }));
  const photo = document.querySelector(`${box} .image-frame img`);
  const place = photo ?? document.querySelector(`${box} button.upload-container`);
  if (way === "choose") {
    const input = document.querySelector(`${box} input[type=file]`);
    input.files = files.files;
    input.dispatchEvent(new Event("change", { bubbles: true }));
  } else if (way === "drop") {
    for (const kind of ["dragenter", "dragover", "drop"]) {
      const all = { bubbles: true, cancelable: true, dataTransfer: files };
      place.dispatchEvent(new DragEvent(kind, all));
    }
  } else {
    const all = { bubbles: true, cancelable: true, clipboardData: files };
    document.body.dispatchEvent(new ClipboardEvent("paste", all));
  }
}"""
NOTICES = {"#photo": "notice", "#video": "video-message"}
WAYS = ["choose", "drop", "paste"]


def hand_over(page: Page, box: str, way: str, name: str, kind: str, data: bytes) -> None:
    page.locator(f"{box} input[type=file]").wait_for(state="attached")
    wait_for_script(page, NOTICES[box])
    page.evaluate(HAND_OVER, [box, way, name, kind, b64encode(data).decode()])


@pytest.mark.tidy
@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize(
    ("name", "kind"),
    [("IMG_1.HEIC", ""), ("photo", ""), ("photo.jpg", "application/octet-stream")],
)
def test_what_is_no_picture_ends_in_our_own_sentence(page, way, name, kind):
    with answered(page):
        hand_over(page, "#photo", way, name, kind, b"no picture at all\n" * 20)
    expect(page.locator("#notice [role=alert] p")).to_contain_text("not a picture that can be read")
    expect(page.locator(".toast-body")).to_have_count(0)


@pytest.mark.parametrize("way", WAYS)
def test_a_heic_photo_without_a_type_is_compared(page, hopper_path, way):
    file = io.BytesIO()
    with Image.open(hopper_path) as hopper:
        pillow_heif.from_pillow(hopper).save(file, quality=90)
    hand_over(page, "#photo", way, "IMG_1.HEIC", "", file.getvalue())
    expect(page.locator('.kp-panel[data-model="unet"] .kp-points')).to_have_count(1)


@pytest.mark.parametrize("way", ["drop", "paste"])
def test_a_photo_without_a_type_takes_the_place_of_another(page, hopper_path, way):
    take_example(page, "Two people")
    expect(page.locator('.kp-panel[data-model="unet"] .kp-points')).to_have_count(2)
    hand_over(page, "#photo", way, "photo", "", hopper_path.read_bytes())
    expect(page.locator('.kp-panel[data-model="unet"] .kp-points')).to_have_count(1)


def test_a_pasted_photo_that_is_too_large_is_refused(page):
    hand_over(page, "#photo", "paste", "big.jpg", "image/jpeg", bytes(1))
    expect(page.locator("#notice [role=alert]")).to_contain_text("not a picture")
    page.evaluate(
        """(size) => {
          const clipboardData = new DataTransfer();
          clipboardData.items.add(new File([new Uint8Array(size)], "big.png", {type: "image/png"}));
          const all = { bubbles: true, cancelable: true, clipboardData };
          document.body.dispatchEvent(new ClipboardEvent("paste", all));
        }""",
        50_000_001,
    )
    expect(page.locator("#notice [role=alert]")).to_contain_text("larger than 50 MB")


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("name", ["IMG_1.MOV", "clip"])
def test_a_video_without_a_type_reaches_our_own_check(page, way, name):
    open_tab(page, "Live")
    hand_over(page, "#video", way, name, "", b"no video at all\n" * 20)
    expect(page.locator("#video .file-preview, #video table")).to_be_visible()
    page.get_by_role("button", name="Compare video").click()
    expect(page.locator("#video-message [role=alert]")).to_contain_text("not a video")
    expect(page.locator(".toast-body")).to_have_count(0)
