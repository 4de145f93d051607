"""The Leaderboard as a visitor meets it: every figure is compared with the files."""

import csv
import json
from pathlib import Path

import pytest
from helpers.visitor import open_tab

from kpdemo.keypoints import markups
from kpdemo.models import model_folder
from kpdemo.zoo import WEIGHTS_DIR

sync_api = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
expect = sync_api.expect
Page = sync_api.Page

RESULTS = json.loads((WEIGHTS_DIR / "results.json").read_text())
BOARDS = {
    "68 points, 300-W common": ("ibug-68",),
    "15 points, 300-W common": ("kaggle-15",),
    "Nose tip and 58 points, IMM": ("nose-1", "imm-58"),
}


def rows_on(board: str) -> list[dict]:
    rows = (*RESULTS["models"], *RESULTS["fifteen"])
    return [row for row in rows if row["markup"] in BOARDS[board]]


def open_leaderboard(page: Page) -> None:
    open_tab(page, "Leaderboard")
    page.locator("#leaderboard tbody tr").first.wait_for()


def cells(page: Page, column: str) -> list[float]:
    texts = page.locator(f'#leaderboard td[data-column="{column}"]').all_inner_texts()
    # A figure may have its interval beneath it.
    return [float(text.split()[0]) for text in texts if text != "–"]


def head(page: Page, name: str):
    return page.locator("#leaderboard thead th", has=page.get_by_role("button", name=name))


def test_every_row_of_the_results_has_its_figures_in_the_table(page):
    open_leaderboard(page)
    for board in BOARDS:
        page.get_by_label(board).check()
        rows = rows_on(board)
        expect(page.locator("#leaderboard tbody tr")).to_have_count(len(rows))
        for row in rows:
            line = page.locator(f'#leaderboard tr[data-model="{row["name"]}"]')
            for column, digits in (("nme", 2), ("nme_compare", 2), ("fr8", 1), ("auc8", 1)):
                value = "–" if row[column] is None else f"{row[column]:.{digits}f}"
                text = value
                if bounds := row.get(f"{column}_interval"):
                    text += "{:.2f}–{:.2f}".format(*bounds)
                expect(line.locator(f'[data-column="{column}"]')).to_have_text(text)


def test_a_heading_sorts_the_table_up_and_down_in_the_browser(page):
    open_leaderboard(page)
    expect(head(page, "NME, detected")).to_have_attribute("aria-sort", "ascending")
    assert cells(page, "nme_compare") == sorted(cells(page, "nme_compare"))
    requests = []
    page.on("request", lambda request: requests.append(request.url))
    expect(head(page, "Jaw")).to_be_hidden()
    page.get_by_label("All columns").check()
    for column, name, first in (("jaw", "Jaw", "ascending"), ("auc8", "AUC@8", "descending")):
        button = head(page, name).get_by_role("button")
        button.focus()
        for direction in (first, "ascending" if first == "descending" else "descending"):
            page.keyboard.press("Enter")
            expect(head(page, name)).to_have_attribute("aria-sort", direction)
            found = cells(page, column)
            assert found == sorted(found, reverse=direction == "descending")
    expect(head(page, "NME, detected")).to_have_attribute("aria-sort", "none")
    # Models without a figure come last whichever way it is sorted.
    for _ in range(2):
        head(page, "NME, ground-truth crop").get_by_role("button").click()
        last = page.locator('#leaderboard tbody tr td[data-column="nme"]').last
        expect(last).to_have_text("–")
    assert not requests
    # Another board keeps the choice.
    page.get_by_label("15 points, 300-W common").check()
    expect(head(page, "RMSE")).to_be_visible()
    expect(page.get_by_label("All columns")).to_be_checked()


def test_at_first_there_are_six_columns_and_both_files_can_be_saved(page):
    open_leaderboard(page)
    heads = page.locator("#leaderboard thead th").locator("visible=true")
    expect(heads).to_have_count(7)  # with the model's name
    expect(heads.last).to_contain_text("Licence")
    for row in rows_on("68 points, 300-W common"):
        cell = page.locator(f'#leaderboard tr[data-model="{row["name"]}"] [data-column="licence"]')
        own = row["net"] != "mediapipe"
        expect(cell).to_have_text("research only" if own else "Apache-2.0")
    for name, ending in (("CSV", "csv"), ("JSON", "json")):
        with page.expect_download() as download:
            page.locator("#leaderboard").get_by_role("link", name=name).click()
        assert download.value.suggested_filename == f"kpdemo-leaderboard-ibug-68.{ending}"
        text = Path(download.value.path()).read_text("utf-8")
        lines = list(csv.DictReader(text.splitlines())) if ending == "csv" else json.loads(text)
        unet = next(line for line in lines if line["name"] == "unet")
        (row,) = (row for row in RESULTS["models"] if row["name"] == "unet")
        assert float(unet["nme_compare"]) == row["nme_compare"]


# What figures of faces show.
DRAWN = """(figures) => figures.map((figure) => ({
  text: figure.textContent,
  label: figure.querySelector("[role=img] title").textContent,
  truth: figure.querySelectorAll(".kp-face-truth circle").length,
  answer: figure.querySelectorAll(".kp-face-answer circle").length,
}))"""


def test_the_best_and_worst_faces_are_points_without_a_photo(page):
    open_leaderboard(page)
    for name, title in (("unet", "U-Net"), ("mediapipe-ridge", "MediaPipe, ridge map")):
        page.locator("#face-model input").click()
        page.get_by_role("option", name=title, exact=True).click()
        expect(page.locator(".kp-face-key")).to_contain_text(title)
        metrics = model_folder.read_metrics(WEIGHTS_DIR / name.split("-")[0])["300w-common"]
        told = metrics["ridge" if "ridge" in name else "ground_truth_box"]
        faces = told["best"] + told["worst"]
        figures = page.locator("#faces figure")
        expect(figures).to_have_count(len(faces))
        for face, shown in zip(faces, figures.evaluate_all(DRAWN), strict=True):
            for text in (face["face"], face["reason"], f"{face['error']:.1f} %"):
                assert text in shown["text"]
            assert title in shown["label"]
            assert shown["truth"] == shown["answer"] == len(markups.get("ibug-68"))
    assert page.locator("#faces image, #faces img").count() == 0


def test_curves_and_times_are_drawn_and_told_in_words(page):
    open_leaderboard(page)
    expect(page.locator("#curves .scatterlayer .trace")).to_have_count(4)
    # Three nets, MediaPipe and the Pareto line.
    expect(page.locator("#speed .scatterlayer .trace")).to_have_count(5)
    rows = [row for row in rows_on("68 points, 300-W common") if row["ms_1"]]
    near = [row for row in rows if row["nme_compare"] <= 8]
    requests = []
    page.on("request", lambda request: requests.append(request.url))
    page.locator("#speed-all").get_by_role("checkbox").check()
    expect(page.locator("#speed .scatterlayer .trace")).to_have_count(1 + len(near))
    page.locator("#speed-all").get_by_role("checkbox").uncheck()
    expect(page.locator("#speed .scatterlayer .trace")).to_have_count(5)
    assert not requests
    charts = (
        "Cumulative error distribution",
        "Error against latency",
        "Error by pose, mouth and size",
    )
    for name in charts:
        expect(page.get_by_role("group", name=name)).to_be_visible()
    page.locator("#curve-models").get_by_label("SimpleNet", exact=True).uncheck()
    expect(page.locator("#curves .scatterlayer .trace")).to_have_count(3)
    page.locator("#curve-crop").get_by_label("ground-truth crops").check()
    for chart in ("#curves", "#strata"):
        expect(page.locator(f"{chart} .scatterlayer .trace")).to_have_count(2)
    expect(page.get_by_role("group", name="Cumulative error distribution")).to_contain_text(
        "MediaPipe detects its faces itself"
    )


def test_robustness_has_every_condition_and_model_of_its_file(page):
    open_leaderboard(page)
    conditions = json.loads((WEIGHTS_DIR / "robustness.json").read_text())["conditions"]
    lines = page.locator("#robustness tbody tr")
    expect(lines).to_have_count(len(conditions))
    for k, row in enumerate(conditions.values()):
        for name, cell in row.items():
            place = lines.nth(k).locator(f'[data-model="{name}"]')
            expect(place).to_contain_text(f"{cell['nme']:.2f}")
            if cell.get("lost"):
                expect(place).to_contain_text(f"{cell['lost']:.1f} % lost")


def test_no_board_scrolls_sideways(open_page):
    page = open_page(390)
    open_leaderboard(page)
    for width in (390, 768):
        page.set_viewport_size({"width": width, "height": 900})
        for board in BOARDS:
            page.get_by_label(board).check()
            expect(page.locator("#leaderboard tbody tr")).to_have_count(len(rows_on(board)))
            expect(page.locator("#speed .scatterlayer .trace").first).to_be_visible()
            assert page.evaluate("document.documentElement.scrollWidth") <= width, board
