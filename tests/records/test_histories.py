"""What training left under `weights/`, as the app reads it."""

import copy
import json
import shutil
from pathlib import Path

import numpy as np
import pytest

from kpdemo.records.histories import Histories
from kpdemo.records.settings import settings
from kpdemo.records.smoothing import smooth
from kpdemo.ui.training import bars, curves
from kpdemo.ui.training.settings import table
from kpdemo.ui.training.tables import claims_html, reports_html, settings_html
from kpdemo.zoo import DEFAULT_MODELS, WEIGHTS_DIR


@pytest.fixture(scope="module")
def library():
    return Histories().read()


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A copy of a few real files."""
    for name in ("unet/history.json", "unet/metrics.json", "nosenet-moore/history.json"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        shutil.copy(WEIGHTS_DIR / name, tmp_path / name)
    source = min((WEIGHTS_DIR / "sweeps" / "nosenet-lr").glob("lr-1e-3*.json"))
    history = json.loads(source.read_text())
    for run, changes in (("lr-1e-3", {}), ("lr-5e-3", {"stages.0.lr": 0.005})):
        for seed in (0, 1, 2):
            told = copy.deepcopy(history)
            told["recipe"] |= {"seed": seed}
            told["recipe"]["stages"][0]["lr"] = changes.get("stages.0.lr", 0.001)
            told["sweep"] |= {"run": run, "changes": changes}
            for epoch in told["epochs"]:
                epoch["validation_nme"] = 20.0 + seed + (10 if changes else 0) + 1 / epoch["epoch"]
            path = tmp_path / f"sweeps/nosenet-lr/{run}-seed{seed}.json"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(json.dumps(told))
    return tmp_path


def test_the_projects_own_files_are_all_read(library):
    assert not library.problems
    assert list(library.runs)[: len(DEFAULT_MODELS)] == list(DEFAULT_MODELS)
    assert len(library.models) == len(list(WEIGHTS_DIR.glob("*/history.json")))
    assert len(library.trials) == len(list(WEIGHTS_DIR.glob("trials/*.json")))
    assert len(library.sweeps) == len([p for p in (WEIGHTS_DIR / "sweeps").iterdir() if p.is_dir()])
    for run in library.models.values():
        assert {len(curve) for curve in run.curves.values()} == {len(run.curves["epoch"])}
        epoch, lowest = run.best
        assert (
            run.curves["validation_nme"][epoch - 1] == lowest == min(run.curves["validation_nme"])
        )
        assert (np.diff(run.curves["minutes"]) > 0).all()


def test_errors_and_labels_are_in_the_order_of_the_markup(library):
    measured = library.errors["keypoint-resnet"]
    file = json.loads((WEIGHTS_DIR / "keypoint-resnet" / "metrics.json").read_text())
    named = file[measured.source]["ground_truth_box"]["rmse_96_by_keypoint"]
    assert measured.markup == "kaggle-15"
    assert measured.rmse_by_keypoint[10] == named["nose_tip"]
    table = library.labels["kaggle"]
    assert table.rows == 7049
    assert table.by_points_known[15] == 2140
    assert sum(table.by_points_known.values()) == table.rows
    assert "2,140 have all 15 labels" in bars.completeness_caption(library.labels)


RECIPE = '{"recipe": {"name": "x", "stages": [{"epochs": 1}]%s}, "epochs": [{"epoch": 1}]%s}'


@pytest.mark.parametrize(
    "damage",
    [
        "{",
        "[]",
        '{"recipe": {}, "epochs": 3}',
        '{"epochs": [[]]}',
        "[" * 100_000,
        '{"recipe":' * 100_000,
        RECIPE % ("", ', "parameters": 1' + "0" * 5000),
        RECIPE % ("", ', "parameters": "many"'),
        RECIPE % ("", ', "faces": {"train": []}'),
        RECIPE % ("", ', "faces": 3'),
        RECIPE % ("", ', "calibration": {"validation_nme": "x", "validation_nme_before": 1}'),
        RECIPE % ("", ', "sweep": ["question", "changes"]'),
        RECIPE % (', "data": {"train": [[1]]}', ""),
        RECIPE % (', "data": []', ""),
        RECIPE % (', "notes": 3', ""),
        RECIPE % (', "reported": {"figure": 3}', ""),
        RECIPE % (', "args": {"blocks": [1]}', ""),
        RECIPE % (', "loss": {"bend": [1]}', ""),
        RECIPE % (', "markup": ["ibug-68"]', ""),
    ],
    ids=range(19),
)
def test_a_damaged_file_is_left_out_and_named(folder, damage):
    histories = Histories(folder)
    whole = histories.read()
    (folder / "nosenet-moore" / "history.json").write_text(damage)
    (folder / "sweeps" / "nosenet-lr" / "lr-1e-3-seed0.json").write_text(damage)
    found = histories.read()
    assert found.problems == ["nosenet-moore/history.json", "sweeps/nosenet-lr/lr-1e-3-seed0.json"]
    assert list(found.models) == ["unet"]
    assert len(found.sweeps["nosenet-lr"].runs) == len(whole.sweeps["nosenet-lr"].runs) - 1


def test_the_tabs_show_what_the_least_history_has(folder):
    for place in ("unet/history.json", "least/history.json"):
        (folder / place).parent.mkdir(exist_ok=True)
        (folder / place).write_text(RECIPE % ("", ""))
    library = Histories(folder).read()
    assert not library.problems
    runs = [library.models["unet"], library.models["least"]]
    assert settings_html(runs) and reports_html(library)
    assert [curves.title(run) for run in runs] == ["U-Net", "least"]


@pytest.mark.parametrize("damage", ['{"300w-common": 3}', "[" * 100_000, '{"a": {"b": 1}, "a": 2}'])
def test_damaged_metrics_are_left_out_and_named(folder, damage):
    (folder / "unet" / "metrics.json").write_text(damage)
    library = Histories(folder).read()
    assert library.problems == ["unet/metrics.json"]
    assert "unet" in library.models and not library.errors


def test_new_files_are_seen_and_old_ones_not_read_again(folder):
    histories = Histories(folder)
    first = histories.read()
    assert histories.read() is first
    (folder / "resnet18").mkdir()
    shutil.copy(WEIGHTS_DIR / "resnet18" / "history.json", folder / "resnet18")
    second = histories.read()
    assert second.version > first.version
    assert set(second.models) == {"unet", "nosenet-moore", "resnet18"}
    assert second.models["unet"] is first.models["unet"]
    (folder / "unet" / "history.json").unlink()
    assert "unet" not in histories.read().models


def test_an_empty_folder_is_no_error(tmp_path):
    found = Histories(tmp_path).read()
    assert not (found.runs or found.sweeps or found.errors or found.labels or found.problems)


def test_smoothing_is_a_mean_that_forgets():
    assert smooth(np.array([3.0, 1.0, 2.0]), 0).tolist() == [3, 1, 2]
    assert smooth(np.full(5, 7.0), 0.9) == pytest.approx(7)
    # Weights 1, then 1/2 and 1, then 1/4, 1/2 and 1.
    planted = smooth(np.array([4.0, 1.0, 8.0]), 0.5)
    assert planted == pytest.approx([4, (2 + 1) / 1.5, (1 + 0.5 + 8) / 1.75])
    gap = smooth(np.array([4.0, np.nan, 1.0]), 0.5)
    assert np.isnan(gap[1]) and gap[2] == pytest.approx(2)
    with pytest.raises(ValueError, match="below 1"):
        smooth(np.ones(3), 1.0)


def test_settings_that_have_no_effect_are_left_out(library):
    unet = settings(library.models["unet"].recipe)
    assert unet["loss.sigma"] == 1.5
    assert "stages.0.momentum" not in unet  # AdamW has none
    assert "data.incomplete" not in unet  # no label is missing
    assert "loss.sigma" not in settings(library.models["simplenet"].recipe)  # no heatmaps
    cnn = settings(library.models["kaggle-cnn"].recipe)
    assert cnn["stages.1.momentum"] == 0.9


def test_differences_between_recipes_are_named(library):
    sweep = library.sweeps["facialpointsnet-lr"]
    differing, common = table([variant.recipe for variant in sweep.variants])
    assert differing == {"Learning rate": ["1e-5", "1e-4", "1e-3"]}
    assert common["Batch size"] == "8"
    differing, _ = table([library.models[name].recipe for name in ("unet", "kaggle-cnn")])
    assert differing["Learning rate"] == ["1e-3", "5e-4, then 1e-3"]
    assert differing["Input"] == ["128 × 128 px, grey", "96 × 96 px, grey"]


def test_a_sweep_names_its_setting_and_answers_its_question(library):
    sweep = library.sweeps["nosenet-batch"]
    titles = [title for title, *_ in curves.multiples(sweep, curves.NME)]
    assert titles == [f"batch size {size}" for size in (8, 16, 32, 64)]
    best = min(sweep.variants, key=lambda variant: variant.best.mean)
    assert curves.answer(sweep).startswith(
        f"Lowest validation error (NME): {best.best.text()} ({curves.setting_title(sweep, best)})"
    )
    charts = [chart for *_, chart in curves.multiples(sweep, curves.LOSS)]
    assert len({str(chart.layout.yaxis.range) for chart in charts}) == 1


def test_a_switch_that_a_sweep_changes_is_said_in_words(library):
    sweep = library.sweeps["kaggle-resnet-answers"]
    words = [curves.setting_title(sweep, variant) for variant in sweep.variants]
    assert words == ["predicts crop coordinates", "predicts pixels"]


def test_seeds_are_faint_curves_and_their_mean_a_strong_one(folder):
    sweep = Histories(folder).read().sweeps["nosenet-lr"]
    low, high = sweep.variants
    assert [len(variant.runs) for variant in sweep.variants] == [3, 3]
    assert (low.best.mean, low.best.deviation) == pytest.approx((21.04, 1.0), abs=0.01)
    epochs, mean = low.mean("validation_nme")
    assert mean == pytest.approx(21 + 1 / epochs)
    (_, outcome, chart), _ = curves.multiples(sweep, curves.NME)
    assert "21.04 ± 1.00 % (n = 3)" in outcome
    behind, *seeds, strong = chart.data
    assert len(seeds) == 3
    assert list(strong.y) == pytest.approx(list(mean))
    assert strong.line.width > max(trace.line.width for trace in seeds)
    assert list(behind.y) == pytest.approx(list(high.mean("validation_nme")[1]))
    answer = curves.answer(sweep)
    assert "higher by more than the seeds explain" in answer
    assert "3 seeds each" in answer


def test_a_run_that_diverged_is_named_so(folder):
    for seed in (0, 1, 2):
        path = folder / f"sweeps/nosenet-lr/lr-5e-3-seed{seed}.json"
        history = json.loads(path.read_text())
        history |= {"finished": False, "diverged": "The loss is no number any more."}
        history["epochs"] = history["epochs"][:2]
        history["epochs"][1] |= dict.fromkeys(
            ("train_loss", "validation_loss", "validation_nme"), np.nan
        )
        path.write_text(json.dumps(history))
    library = Histories(folder).read()
    assert not library.problems
    sweep = library.sweeps["nosenet-lr"]
    assert [variant.runs[0].experiment["run"] for variant in sweep.ranking] == ["lr-1e-3"]
    assert "Diverged: learning rate 5e-3." in curves.answer(sweep)
    outcomes = [outcome for _, outcome, _ in curves.multiples(sweep, curves.NME)]
    assert "Diverged" in outcomes[1]


def test_claims_are_cards_with_figures_and_a_verdict(folder):
    figure = {"what": "NME", "text": "7.70 %", "source": "unet/metrics.json"}
    claim = {
        "claim": "It is <best>.",
        "check": "On test faces.",
        "verdict": "does not hold",
        "because": "It is not.",
        "figures": [figure],
    }
    rows = [{"name": "unet", "claims": [claim]}, {"name": "simplenet", "claims": []}]
    (folder / "results.json").write_text(json.dumps({"models": rows}))
    library = Histories(folder).read()
    assert list(library.claims) == ["unet"]
    html = claims_html(library)
    assert "It is &lt;best&gt;." in html and "NME 7.70 %" in html
    assert 'data-verdict="does not hold"' in html and "1 does not hold" in html
    (folder / "results.json").write_text('{"models": 3}')
    broken = Histories(folder).read()
    assert broken.problems == ["results.json"] and not broken.claims
    assert "No claim is checked yet" in claims_html(broken)


def test_what_is_not_as_reported_stands_beside_the_figures(library):
    html = reports_html(library)
    row = html.split('data-model="unet-report"')[1].split("</tr>")[0]
    assert "not as reported: end of training" in row
    html = settings_html([library.models["facialpointsnet"], library.models["unet-report"]])
    assert "crops of the image in the report, shifts of up to 8 % here" in html
    assert '<th scope="row">Flip test</th><td>no</td>' in html


def test_losses_and_faces_that_do_not_compare_are_said(library):
    wing, huber = library.models["unet"], library.models["kaggle-cnn"]
    differs = "losses of different kinds"
    assert differs in curves.learning_caption([wing, huber], curves.LOSS, 0)
    assert differs not in curves.learning_caption([wing], curves.LOSS, 0)
    faces = "same faces and points"
    assert faces in curves.learning_caption([wing, huber], curves.NME, 0)
    assert faces not in curves.learning_caption(
        [library.models["simplenet"], library.models["resnet18"]], curves.NME, 0
    )
    assert "moving average" in curves.learning_caption([wing], curves.NME, 0.5)


def test_lines_of_one_colour_can_be_told_apart(library):
    alike = [run for run in library.runs.values() if run.model == "unet"][:4]
    many = list(library.models.values())[:9]
    assert len(alike) > 1 and len(many) == 9
    for runs in (alike, many):
        chart = curves.learning(runs, curves.NME, "epoch", True, 0)
        lines = [trace for trace in chart.data if "lines" in trace.mode]
        looks = {(each.mode, "markers" in each.mode and each.marker.symbol) for each in lines}
        assert len(looks) == len(lines) == len(runs)


def test_a_chart_brings_both_scales_with_it(library):
    runs = [library.models[name] for name in DEFAULT_MODELS]
    for log in (True, False):
        chart = curves.learning(runs, curves.LOSS, "minutes", log, 0.5)
        now = chart.layout.meta["log" if log else "linear"]
        assert chart.layout.yaxis.type == now["yaxis.type"]
        assert list(chart.layout.yaxis.range) == now["yaxis.range"]
        assert len(chart.layout.annotations) == len(now["annotations"]) == len(runs)
    assert chart.layout.meta["log"]["yaxis.tickvals"] and not now["yaxis.tickvals"]


def test_a_name_at_the_end_of_a_curve_covers_no_other_curve():
    x, flat = np.arange(1.0, 101), np.full(100, 4.0)
    scale = curves._scale([flat, np.array([1.0, 9.0])], log=False)
    ends = [("short", "red", 30.0, 4.0), ("long", "blue", 100.0, 4.0)]
    short, long = curves._labels(ends, [(x[:30], flat[:30]), (x, flat)], scale, 120.0)
    assert abs(short["yshift"]) >= 11 and long["yshift"] == 0


@pytest.mark.parametrize(
    ("low", "high"), [(3, 38), (1e-4, 400), (3.34, 3.5), (4.4, 4.6), (0.02, 0.9), (5, 5)]
)
def test_a_log_axis_has_some_round_ticks_and_not_too_many(low, high):
    ticks = curves.log_ticks(low, high)
    assert 1 <= len(ticks) <= 12
    assert all(low <= tick <= high for tick in ticks)
