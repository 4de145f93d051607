"""The Training tab as a visitor meets it: real files under `weights/`, real charts."""

import pytest
from helpers.visitor import open_tab

from kpdemo.records.histories import Histories
from kpdemo.ui.training import continued_runs
from kpdemo.zoo import DEFAULT_MODELS

sync_api = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
expect = sync_api.expect
Page = sync_api.Page

# A chart's own data: what Plotly keeps at the element that it draws into.
TRACES = """(id) => {
  const plot = document.querySelector(`#${id} .js-plotly-plot`);
  return plot?.data ? plot.data.map((trace) => [trace.mode, trace.line?.dash ?? ""]) : [];
}"""
AXIS = "document.querySelector('#training-curves .js-plotly-plot')?._fullLayout?.yaxis?.type"
PLOT = "document.querySelector('#training-curves .js-plotly-plot')"
WIDTHS = """(id) => {
  const box = document.querySelector("#" + id);
  return [box.querySelector(".main-svg").getBoundingClientRect().width, box.clientWidth];
}"""


@pytest.fixture(scope="module")
def library():
    return Histories().read()


def open_training(page: Page) -> None:
    open_tab(page, "Training")
    for name in ("training-curves", "training-run-0", "training-errors", "training-labels"):
        page.locator(f"#{name} .main-svg").first.wait_for()


def expect_lines(page: Page, solid: int, dashed: int) -> None:
    page.wait_for_function(
        f"([solid, dashed]) => {{ const traces = ({TRACES})('training-curves');"
        "const count = (dash) => traces.filter(([m, d]) => m.includes('lines') && d === dash)"
        ".length; return count('solid') === solid && count('dash') === dashed; }",
        arg=[solid, dashed],
    )


def expect_chart_fits(page: Page, name: str, width: int) -> None:
    """Wait until a chart is as wide as its place, on a page of this width."""
    page.wait_for_function(
        f"([name, width]) => {{ const [chart, room] = ({WIDTHS})(name);"
        "return room > 0 && room <= width && Math.abs(chart - room) <= 1; }",
        arg=[name, width],
    )


def test_curves_follow_what_is_chosen(page, library):
    open_training(page)
    count = len(DEFAULT_MODELS)
    expect_lines(page, count, 0)
    expect(page.locator("#training-curves-says")).to_contain_text("U-Net: validation error from")
    expect(page.locator("#training-settings thead th")).to_have_count(count)
    # The ring at the last model's best epoch.
    ring = page.locator("#training-curves .scatterlayer .points path").last
    box = ring.bounding_box()
    page.mouse.move(box["x"] + box["width"] / 2, box["y"] + box["height"] / 2)
    expect(page.locator("#training-curves .hovertext")).to_contain_text("best epoch")
    assert page.evaluate(AXIS) == "log"
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    page.get_by_label("Logarithmic scale").uncheck()
    page.wait_for_function(f"{AXIS} === 'linear'")
    assert not asked
    page.get_by_label("Loss", exact=True).first.check()
    expect_lines(page, count, count)
    expect(page.locator("#training-curves-says")).to_contain_text("losses of different kinds")
    page.locator("#training-recipes input").fill("Kaggle CNN")
    page.get_by_role("option", name="Kaggle CNN", exact=True).click()
    expect_lines(page, count + 1, count + 1)
    expect(page.locator("#training-settings thead th")).to_have_count(count + 1)
    expect(page.locator("#training-settings tbody")).to_contain_text("Huber")


def test_training_is_played_through_without_a_request(page, library):
    open_training(page)
    slider = page.get_by_role("slider", name="Whole training")
    runs = {name: continued_runs.join(library.runs[name], library) for name in DEFAULT_MODELS}
    epochs = max(len(run.curves["epoch"]) for run in runs.values())
    expect(slider).to_have_attribute("max", str(epochs))
    requests = []
    page.on("request", lambda request: requests.append(request.url))
    page.get_by_role("button", name="Play", exact=True).click()
    values = page.locator("#training-play output")
    expect(values).to_contain_text("U-Net")
    # It ends at the whole training, and can be played again.
    expect(page.get_by_role("button", name="Play", exact=True)).to_be_visible()
    expect(values).to_be_empty()
    assert page.evaluate(f"{PLOT}.layout.shapes.length") == 0
    # By hand: the values are those of the epoch.
    page.locator("#training-play input").fill("10")
    curve = runs["unet"].curves
    (at,) = (k for k, epoch in enumerate(curve["epoch"]) if epoch == 10)
    error = float(format(curve["validation_nme"][at], ".3g"))
    expect(values).to_contain_text(f"U-Net {error:g}")
    assert page.evaluate(f"{PLOT}.layout.shapes[0].x0") == 10
    page.locator("#training-play input").press("ArrowRight")
    expect(page.locator("#training-play")).to_contain_text(f"Epoch 11 of {epochs}")
    assert not requests


def test_the_commands_stand_beside_the_curves(page):
    open_training(page)
    settings = page.locator("#training-settings")
    expect(settings).to_contain_text("python -m train fit unet-start && python -m train fit unet")
    expect(page.locator("#training-answer code")).to_contain_text("python -m train sweep ")


def test_a_sweep_shows_its_runs_and_its_answer(page, library):
    open_training(page)
    sweep = library.sweeps["nosenet-batch"]
    page.locator("#training-sweep input").click()
    page.get_by_role("option", name=sweep.question).click()
    expect(page.locator("#training-answer h3")).to_have_text(sweep.question)
    expect(page.locator("#training-answer")).to_contain_text("Lowest validation error")
    expect(page.locator(".kp-run")).to_have_count(len(sweep.variants))
    expect(page.locator(".kp-run").first).to_have_text("batch size 8")
    page.locator(f"#training-run-{len(sweep.variants) - 1} .main-svg").first.wait_for()


def test_errors_labels_and_reports_are_those_of_the_files(page, library):
    open_training(page)
    page.get_by_label("Kaggle 15 points").check()
    chart = page.locator("#training-errors")
    expect(chart.locator(".ytick text")).to_have_count(15)
    expect(page.locator("#training-errors-says")).to_contain_text("KeypointResNet: ")
    expect(page.locator("#training-labels .ytick text")).to_have_count(15)
    expect(page.locator("#training-labels")).to_have_attribute("role", "figure")
    expect(page.locator("#training-labels-says")).to_contain_text("7,049 rows")
    for name, errors in library.errors.items():
        if errors.markup == "kaggle-15" and name in ("keypoint-resnet", "kaggle-cnn"):
            face = page.locator(f'#training-faces [data-model="{name}"]')
            expect(face.locator("circle")).to_have_count(15)
            expect(face).to_contain_text(f"{errors.nme:.2f} %")
    rows = page.locator("#training-reports tbody tr")
    folded = page.locator("#training-reports details tbody tr")
    expect(folded.first).to_be_hidden()
    projects = set(library.models) - set(DEFAULT_MODELS)
    expect(rows).to_have_count(len(projects))
    claim = library.models["kaggle-cnn"].recipe["reported"]
    row = page.locator('#training-reports tr[data-model="kaggle-cnn"]')
    expect(row).to_contain_text(f"{claim['figure']} {claim['value']:g} {claim['unit']}")
    expect(row).to_contain_text(f"RMSE {library.errors['kaggle-cnn'].rmse:.2f} px")


def test_charts_fit_a_narrow_page(open_page):
    page = open_page(390)
    open_training(page)
    for width in (390, 768):
        page.set_viewport_size({"width": width, "height": 900})
        for name in ("training-curves", "training-run-0", "training-errors", "training-labels"):
            expect_chart_fits(page, name, width)
        assert page.evaluate("document.documentElement.scrollWidth") <= width


def test_a_chart_takes_the_width_that_came_while_it_was_hidden(page):
    open_training(page)
    page.get_by_role("tab", name="About").click()
    page.set_viewport_size({"width": 1000, "height": 900})
    page.get_by_role("tab", name="Training").click()
    expect_chart_fits(page, "training-labels", 1000)


def test_every_finding_of_a_report_is_a_card_with_a_verdict(page, library):
    open_training(page)
    cards = page.locator("#training-claims article")
    expect(cards).to_have_count(sum(map(len, library.claims.values())))
    claim = library.claims["unet-report"][0]
    card = page.locator("#training-claims [data-model=unet-report] article").first
    expect(card).to_contain_text(claim.claim)
    expect(card).to_contain_text(claim.figures[0])
    expect(card.locator(".kp-verdict")).to_have_text(claim.verdict)
    row = page.locator('#training-reports [data-model="unet-report"]')
    expect(row.locator(".kp-badge")).to_contain_text("end of training")


def test_an_augmentation_is_drawn_on_the_photo_and_drawn_again(page):
    open_tab(page, "Training")
    pictures = page.locator("#training-augment img")
    expect(pictures).to_have_count(9)
    last = pictures.last.get_attribute("src")
    page.get_by_role("button", name="Draw eight others").click()
    expect(pictures.last).not_to_have_attribute("src", last)
    page.locator("#training-augment-recipe input").click()
    page.get_by_role("option", name="58 points, Moore").click()
    caption = page.locator("#training-augment .kp-small")
    expect(caption).to_contain_text("rotation ±10°, shift ±4.17 % (probability 0.3)")
    expect(caption).to_contain_text("240 × 180 pixels")
    expect(pictures).to_have_count(9)


def test_two_mistakes_are_shown_on_the_photo(page):
    open_tab(page, "Training")
    mistakes = page.locator("#training-mistakes figure")
    expect(mistakes).to_have_count(2)
    expect(mistakes.first).to_contain_text("of the eye distance away")
