"""The page that `kpdemo evaluate` writes, opened from the disk."""

import shutil
from pathlib import Path

import numpy as np
import pytest
from helpers import writers
from helpers.visitor import PATIENCE

from kpdemo import compare
from kpdemo.__main__ import main

pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")


@pytest.fixture
def evaluation(tmp_path: Path, hopper_path: Path) -> Path:
    """The page of SimpleNet on one portrait, labelled 3 pixels beside its own points."""
    folder = tmp_path / "faces"
    folder.mkdir()
    shutil.copy(hopper_path, folder / "hopper.jpg")
    points = compare(hopper_path, ["simplenet"]).faces[0].predictions["simplenet"].keypoints
    writers.write_pts(folder / "hopper.pts", points + np.array([4, 1]))
    page = tmp_path / "page.html"
    assert main(["evaluate", str(folder), "--models", "simplenet", "--html", str(page)]) == 0
    return page


@pytest.mark.parametrize(("width", "scheme"), [(1440, "light"), (390, "dark")])
def test_the_page_draws_itself_and_asks_nobody(browser, evaluation, width, scheme):
    context = browser.new_context(
        viewport={"width": width, "height": 900}, color_scheme=scheme, offline=True
    )
    context.set_default_timeout(1000 * PATIENCE)
    complaints: list[str] = []
    context.on("console", lambda m: complaints.append(m.text) if m.type == "error" else None)
    context.on("weberror", lambda error: complaints.append(str(error.error)))
    requests: list[str] = []
    context.on("request", lambda request: requests.append(request.url))
    page = context.new_page()
    page.goto(evaluation.as_uri())
    page.locator("#curves .scatterlayer .trace").wait_for()
    assert page.locator("svg.face circle").count() == 2 * 68
    assert page.get_by_role("row", name="SimpleNet").count() == 1
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    assert requests == [evaluation.as_uri()] and not complaints
    context.close()
