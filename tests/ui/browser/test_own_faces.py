"""A zip of labelled faces in the Leaderboard."""

import zipfile

import pytest
from helpers import writers
from helpers.visitor import open_tab

from kpdemo import compare

sync_api = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
expect = sync_api.expect


def test_a_zip_gives_a_table_and_curves_and_a_bad_one_a_sentence(
    open_page, hopper, hopper_path, tmp_path
) -> None:
    writers.write_pts(
        tmp_path / "a.pts", compare(hopper, ["unet"]).faces[0].predictions["unet"].keypoints + 1
    )
    archive = tmp_path / "faces.zip"
    with zipfile.ZipFile(archive, "w") as file:
        file.write(hopper_path, "set/a.jpg")
        file.write(tmp_path / "a.pts", "set/a.pts")
    page = open_page(390)
    open_tab(page, "Leaderboard")
    page.get_by_role("button", name="Your own labelled faces").click()
    upload = page.locator("#own-faces-file input[type=file]")
    upload.set_input_files(archive)
    notice = page.locator("#own-faces-notice")
    expect(notice).to_contain_text("Measured: 1 labelled face.")
    row = page.locator("#own-faces").get_by_role("row", name="U-Net").first
    expect(row).to_contain_text("0.0")
    expect(page.locator("#own-curves .main-svg").first).to_be_visible()
    assert page.evaluate("document.documentElement.scrollWidth") <= 390
    bad = tmp_path / "bad.zip"
    bad.write_bytes(b"no zip")
    upload.set_input_files(bad)
    expect(notice).to_contain_text("This is no zip file, or it is damaged")
    expect(page.locator("#own-faces")).to_be_hidden()
