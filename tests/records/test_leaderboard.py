"""What the Leaderboard reads, from the real files under `weights/` and from damaged copies."""

import csv
import io
import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from kpdemo import zoo
from kpdemo.explain import architecture
from kpdemo.keypoints import markups
from kpdemo.models import checkpoint, model_folder
from kpdemo.models.predict import predict
from kpdemo.records import leaderboard
from kpdemo.records import table as figures
from kpdemo.records.standings import BOARDS, BY_APP, BY_LABEL, Standing, shares_below
from kpdemo.ui.about import diagrams
from kpdemo.ui.leaderboard import charts, downloads, latency, strata, tables
from kpdemo.ui.leaderboard import faces as drawn_faces
from kpdemo.zoo import BASELINE, DEFAULT_MODELS, WEIGHTS_DIR


@pytest.fixture(scope="module")
def results() -> dict:
    return json.loads((WEIGHTS_DIR / leaderboard.RESULTS).read_text())


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    """The measurements of all models, without their weights, to be damaged."""
    for name in (leaderboard.RESULTS, leaderboard.ROBUSTNESS):
        shutil.copy(WEIGHTS_DIR / name, tmp_path)
    for path in WEIGHTS_DIR.glob(f"*/{model_folder.METRICS}"):
        (tmp_path / path.parent.name).mkdir()
        shutil.copy(path, tmp_path / path.parent.name)
    return tmp_path


def row_of(name: str, weights: Path = WEIGHTS_DIR) -> Standing:
    return next(row for row in leaderboard.read(weights).rows if row.name == name)


def test_every_row_of_the_results_is_on_one_board_with_its_figures(results):
    found = leaderboard.read()
    assert not found.problems
    assert [row.name for row in found.rows] == [row["name"] for row in results["models"]]
    on_boards = [row.name for board in (*BOARDS, None) for row in found.on(board)]
    assert sorted(on_boards) == sorted(row.name for row in (*found.rows, *found.fifteen))
    for row, told in zip(found.rows, results["models"], strict=True):
        for key in ("nme", "nme_compare", "fr8", "auc8", "parameters", "ms_1"):
            assert row.figures.get(key) == told[key]


def test_groups_and_inner_points_are_those_of_the_app_for_nets_and_mediapipe_alike():
    for name, source in (("unet", BY_APP), ("mediapipe-ridge", "ridge")):
        folder = name.split("-")[0]
        told = model_folder.read_metrics(WEIGHTS_DIR / folder)["300w-common"][source]
        assert row_of(name).groups == told["groups"]
        assert row_of(name).figures["nme_inner_51"] == told["nme_inner_51"]


def test_error_curves_agree_with_the_failure_rate_and_count_lost_faces():
    for row in leaderboard.read().rows:
        if BY_APP in row.errors:
            (share,) = shares_below(row.errors[BY_APP], row.faces, np.array([8.0]))
            # A face whose error is rounded to the limit may count on either side of it.
            assert 100 - share == pytest.approx(row.figures["fr8"], abs=101 / row.faces)
    lost = shares_below(np.array([1.0, 2.0]), 4, np.array([0.5, 1.0, 99.0]))
    assert lost.tolist() == [0, 25, 50]


@pytest.mark.parametrize(
    ("name", "crop"), [("unet", BY_APP), ("unet", BY_LABEL), ("mediapipe-ridge", BY_APP)]
)
def test_strata_are_means_of_the_same_faces(name, crop):
    row = row_of(name)
    by_fact: dict[str, list] = {}
    for part in row.strata[crop]:
        by_fact.setdefault(part.fact, []).append(part)
    for fact, parts in by_fact.items():
        assert len(parts) == 3, fact
        faces = [part.faces for part in parts]
        mean = np.average([part.nme for part in parts], weights=faces)
        assert sum(faces) == len(row.errors[crop])
        assert mean == pytest.approx(row.errors[crop].mean(), abs=1e-3)
    chart, words = strata.figure([row], crop)
    assert list(chart.data[0].y) == [part.nme for part in row.strata[crop]]
    assert f"{max(part.nme for part in row.strata[crop]):.2f} %" in words


def test_extremes_have_as_many_labels_and_answers_as_the_markup():
    for row in leaderboard.read().rows:
        for face in (*row.best, *row.worst):
            assert face.truth.shape == face.answer.shape == (len(markups.get(row.markup)), 2)
            apart = np.nanmean(np.linalg.norm(face.truth - face.answer, axis=1))
            assert 100 * apart / face.eyes == pytest.approx(face.error, abs=0.2)


def test_mediapipe_has_no_errors_in_the_label_box():
    row = row_of(f"{BASELINE}-index")
    assert row.baseline and set(row.errors) == {BY_APP}
    assert set(row_of("unet").errors) == {BY_APP, BY_LABEL}


@pytest.mark.parametrize(
    "text",
    [
        "{",
        "[1, 2]",
        '{"300w-common": {"ground_truth_box": {"best": 1}}}',
        "[" * 100_000,
        '{"a":' * 100_000,
        '{"a": 1' + "0" * 5000 + "}",
        '{"300w-common": {"ground_truth_box": {"errors": [[1, 2], [3, 4]]}}}',
        '{"300w-common": {"ground_truth_box": {"errors": {"a": 1}}}}',
        '{"300w-common": {"ground_truth_box": {"by": {"yaw": [1, 2]}}}}',
    ],
    ids=range(9),
)
def test_a_damaged_file_is_left_out_and_named(copy, text):
    (copy / "unet" / model_folder.METRICS).write_text(text)
    found = leaderboard.read(copy)
    assert [p for p in found.problems if "damaged" in p] == ["unet/metrics.json is damaged"]
    damaged = row_of("unet", copy)
    assert damaged.figures["nme"] == row_of("unet").figures["nme"] and not damaged.best
    assert len(row_of("resnet18", copy).best) == 2
    assert tables.html(found.on(BOARDS[0])) and drawn_faces.html(damaged)


def test_without_any_file_there_is_nothing_and_it_is_said(tmp_path):
    found = leaderboard.read(tmp_path)
    assert not found.rows and found.robustness is None
    assert found.problems == ["results.json is missing", "robustness.json is missing"]
    assert tables.html([]) == "" == tables.robustness(None, [])
    for chart, words in (
        charts.curves([], BY_APP),
        strata.figure([], BY_APP),
        latency.scatter([]),
    ):
        assert words and not chart.data


def test_the_pareto_line_has_what_no_other_model_beats():
    rows = [
        Standing(name, None, "ibug-68", None, 1, True, False, {"ms_1": ms, "nme_compare": nme})
        for name, ms, nme in (("a", 9, 3.0), ("b", 3, 5.0), ("c", 4, 5.0), ("d", 9, 4.0))
    ]
    assert [row.name for row in latency.pareto(rows)] == ["b", "a"]


def test_the_scatter_has_both_views_and_names_what_is_outside():
    rows = leaderboard.read().on(BOARDS[0])
    chart, words = latency.scatter(rows)
    few, both = (chart.layout.meta[view]["visible"] for view in (latency.FEW, latency.ALL))
    assert len(few) == len(both) == len(chart.data)
    assert [trace.visible for trace in chart.data] == list(few)
    timed = [row for row in rows if row.figures.get("ms_1")]
    names = [trace.text[0] for trace in chart.data if trace.visible and trace.text]
    assert names == ["SimpleNet", "ResNet-18", "U-Net", "MediaPipe, ridge map"]
    outside = [row for row in timed if row.figures["nme_compare"] > 8]
    assert sum(both) == 1 + len(timed) - len(outside) and outside
    for row in outside:
        assert f"{zoo.title(row.name)} ({row.figures['nme_compare']:.0f} %)" in words
    # Without our own nets, nothing is left out.
    rows = leaderboard.read().on(BOARDS[2])
    chart, words = latency.scatter(rows)
    timed = [row for row in rows if row.figures.get("ms_1") and "nme_compare" in row.figures]
    assert sum(chart.layout.meta[latency.FEW]["visible"]) == 1 + len(timed)
    assert "outside" not in words


def test_labels_of_the_first_view_hide_no_other():
    for board in BOARDS[:2]:
        chart, _ = latency.scatter(leaderboard.read().on(board))
        shown = [t for t in chart.data if t.visible and t.mode == "markers+text"]
        x, y = chart.layout.xaxis.range, chart.layout.yaxis.range
        places = []
        for t in shown:
            at = np.array(
                [(np.log10(v[0]) - low) / (high - low) for v, (low, high) in ((t.x, x), (t.y, y))]
            )
            places.append(latency._sides(at, t.text[0], t.marker.size)[t.textposition])
        for k, one in enumerate(places):
            assert latency._hidden(one, [*places[:k], *places[k + 1 :]]) == 0, shown[k].text


def test_downloads_hold_every_figure_of_the_board():
    rows = leaderboard.read().on(BOARDS[0])
    records = figures.records(rows)
    unet = next(record for record in records if record["name"] == "unet")
    assert unet["nme_compare"] == row_of("unet").figures["nme_compare"]
    assert unet["licence"] == "research only"
    table = list(csv.DictReader(io.StringIO(figures.csv_text(rows))))
    assert [line["name"] for line in table] == [row.name for row in rows]
    line = next(line for line in table if line["name"] == "mediapipe-ridge")
    assert line["licence"] == "Apache-2.0" and line["nme"] == ""
    low, high = row_of("mediapipe-ridge").intervals["nme_compare"]
    assert (line["nme_compare_low"], line["nme_compare_high"]) == (str(low), str(high))
    html = downloads.links(rows, "ibug-68")
    assert html.count("<a ") == 2 and 'download="kpdemo-leaderboard-ibug-68.csv"' in html


def test_a_new_figure_is_read_as_soon_as_its_file_changes(copy, results):
    assert len(leaderboard.read(copy).rows) == len(results["models"])
    results = results | {"models": [{"name": "mine", "markup": "ibug-68", "nme": 1.25}]}
    (copy / leaderboard.RESULTS).write_text(json.dumps(results))
    (mine,) = leaderboard.read(copy).rows
    assert mine.figures == {"nme": 1.25} and BOARDS[0].has(mine)


def test_the_best_figure_of_a_column_is_bold_among_the_same_points():
    rows = leaderboard.read().on(BOARDS[2])
    html = tables.html(rows)
    for scheme in {row.markup for row in rows}:
        same = [row for row in rows if row.markup == scheme and "nme_compare" in row.figures]
        best = min(row.figures["nme_compare"] for row in same)
        assert f'data-column="nme_compare" data-value="{best}"><b>{best:.2f}</b>' in html


def test_a_row_says_how_it_was_measured_and_what_is_not_as_reported(copy, results):
    for row in results["models"]:
        if row["name"] == "unet-report":
            row["deviations"] = [{"what": "input <size>"}, {"what": "epochs"}, {"ours": "64"}, 3]
            row |= {
                "flip_test": False,
                "nme_interval": [20.0, 23.456],
                "nme_compare_interval": None,
            }
        if row["name"] == "unet":
            row |= {"flip_test": True, "nme_interval": ["low", 3.0]}
    (copy / leaderboard.RESULTS).write_text(json.dumps(results))
    row = row_of("unet-report", copy)
    assert (row.deviations, row.flip_test) == (("input <size>", "epochs"), False)
    assert row.intervals == {"nme": (20.0, 23.456)}
    html = tables.html([row])
    assert "not as reported: input &lt;size&gt;, epochs" in html and "one pass" in html
    assert "<small>20.00–23.46</small>" in html
    own = row_of("unet", copy)
    assert not own.deviations and "nme" not in own.intervals
    assert ">flip test<" in tables.html([own])


def test_a_net_that_answers_the_mean_is_called_that(copy, results):
    for row in results["models"]:
        row["answers_mean"] = row["name"] == "nosenet-moore"
    (copy / leaderboard.RESULTS).write_text(json.dumps(results))
    html = tables.html(leaderboard.read(copy).on(BOARDS[2]))
    assert html.count(">predicts the mean face<") == 1


@pytest.mark.parametrize("name", DEFAULT_MODELS)
def test_the_picture_of_a_net_has_the_sizes_of_the_real_one(name):
    model = checkpoint.load(WEIGHTS_DIR / name)
    size = model.config.input
    net = architecture.of(model.config)
    cut = np.zeros((1, size.height, size.width, size.channels), np.uint8)
    answer = predict(model, cut, heatmaps=True)
    assert net.keypoints == answer.keypoints.shape[1]
    assert net.maps == (None if answer.heatmaps is None else answer.heatmaps.shape[1:])
    assert net.parameters == model.parameters
    weights = {tuple(p.shape[:2]) for p in model.net.parameters() if p.ndim > 1}
    for shape in net.down:
        assert shape[0] in {out for out, _ in weights}
    if net.layers:
        assert (net.layers[0], int(np.prod(net.down[-1]))) in weights
    # Each part's convolution has as many kernels as the part has maps.
    modules = dict(model.net.named_modules())
    ends = net.convolutions
    for convolution, shape in zip((*ends.down, *ends.up), (*net.down, *net.up), strict=True):
        assert modules[convolution].out_channels == shape[0]
    if net.stem:
        assert modules[ends.stem].out_channels == net.stem[0]
    if net.maps:
        assert modules[ends.maps].out_channels == net.maps[0]
    buttons = diagrams.svg(name, name, net, {ends.down[0]: "Title <1>"})
    assert buttons.count('role="button"') == 1
    assert f'data-layer="{ends.down[0]}" aria-label="Title &lt;1&gt;, {net.down[0][0]}' in buttons
    drawn = diagrams.svg(name, name, net)
    assert "button" not in drawn
    for shape in (*net.down, *net.up):
        assert f">{shape[0]}</tspan>" in drawn and f">{shape[1]}×{shape[2]}</tspan>" in drawn
    assert f"{net.keypoints} points" in drawn
