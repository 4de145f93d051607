"""The tabs' handlers, called without a browser."""

import json
from pathlib import Path

import gradio as gr
import pytest
from PIL import Image

from kpdemo.engine.engine import engine
from kpdemo.ui.compare import degrade
from kpdemo.ui.compare import tab as compare_tab
from kpdemo.ui.filters import tab as filters_tab
from kpdemo.ui.heatmaps import tab as heatmaps_tab
from kpdemo.ui.heatmaps.state import SENSITIVITY, Choice, Request
from kpdemo.ui.leaderboard import tab as leaderboard_tab
from kpdemo.ui.live import tab as live_tab
from kpdemo.ui.live.handover import Handover
from kpdemo.ui.training import tab as training_tab
from kpdemo.zoo import DEFAULT_MODELS, WEIGHTS_DIR

UNCHANGED = gr.skip()


@pytest.fixture(scope="module")
def result(hopper_path):
    update = compare_tab.compare(engine(), str(hopper_path), ["unet"], None, gr.Progress())
    return update.result


def test_a_comparison_fills_the_tab(result, hopper_path):
    update = compare_tab.display(engine(), result)
    assert result.path == str(hopper_path)
    assert [panel["name"] for panel in json.loads(update.panels)["panels"]] == ["unet"]
    assert [row["name"] for row in json.loads(update.table)["rows"]] == ["unet"]
    assert update.message == "" and update.truth is None


def test_without_a_photo_or_a_model_one_sentence_says_what_to_do(hopper_path):
    for path, models, sentence in (
        (None, ["unet"], "Choose a photo first"),
        (str(hopper_path), [], "Choose at least one model"),
    ):
        update = compare_tab.compare(engine(), path, models, None, gr.Progress())
        assert sentence in update.message
        assert update.panels == update.table == update.result == UNCHANGED


def test_a_bad_photo_leaves_the_last_result(result, tmp_path):
    path = tmp_path / "text.png"
    path.write_text("no photo")
    update = compare_tab.compare(engine(), str(path), ["unet"], result, gr.Progress())
    assert 'role="alert"' in update.message
    assert update.photo == result.path and update.result == UNCHANGED


def test_ground_truth_gives_errors_until_it_is_cleared(result):
    points = result.comparison.faces[0].answers["unet"].keypoints + 1
    lines = "\n".join(f"{x} {y}" for x, y in points + 3)
    text = f"version: 1\nn_points: {len(points)}\n{{\n{lines}\n}}\n"
    update = compare_tab.load_truth(engine(), "hopper.pts", text, result)
    assert json.loads(update.panels)["truth"]
    (row,) = json.loads(update.table)["rows"]
    assert row["cells"]["pixels"][1] == pytest.approx(3 * 2**0.5, abs=0.01)
    cleared = compare_tab.clear_truth(engine(), update.result)
    assert cleared.truth is None and not json.loads(cleared.panels)["truth"]
    assert "no longer in memory" in compare_tab.choose_truth(engine(), "", None).message


def test_a_large_photo_is_degraded_as_the_session_keeps_it(hopper_path, tmp_path):
    with Image.open(hopper_path) as hopper:
        hopper.resize((2048, 2400)).save(tmp_path / "large.jpg")
    large = str(tmp_path / "large.jpg")
    result = compare_tab.compare(engine(), large, ["simplenet"], None, gr.Progress()).result
    assert result.photo.scale < 1
    first = degrade.show(engine(), {}, result, None, ["simplenet"])
    (row,) = json.loads(first.view)["models"]
    assert (row["percent"], row["lost"], row["faces"]) == (0, 0, 1)
    turned = degrade.show(engine(), {"turn": 20}, result, first.untouched, ["simplenet"])
    (row,) = json.loads(turned.view)["models"]
    assert 0 < row["percent"] < 10
    assert turned.untouched is first.untouched
    expired = degrade.show(engine(), {"turn": 20}, None, turned.untouched, [])
    assert "Compare a photo first" in json.loads(expired.view)["empty"]
    assert expired.untouched is None


def test_heatmaps_draw_a_choice_and_keep_it(result):
    choices = heatmaps_tab.Choices.of(engine())
    request = Request()
    heatmaps_tab.request_opened(choices, request, None)
    assert request.choice == choices.first
    (update,) = heatmaps_tab.show(engine(), choices, request, result, None)
    assert len(json.loads(update.view)["panels"]) == 1
    (again,) = heatmaps_tab.show(engine(), choices, request, result, update.display)
    assert again.view == UNCHANGED


def test_a_cancelled_sensitivity_leaves_the_last_drawing(result):
    choices = heatmaps_tab.Choices.of(engine())
    request = Request()
    request.set(Choice("unet"))
    (first,) = heatmaps_tab.show(engine(), choices, request, result, None)
    request.set(Choice("unet", view=SENSITIVITY))
    run = heatmaps_tab.show(engine(), choices, request, result, first.display)
    assert "Occluding one place after another" in next(run).message
    heatmaps_tab.request_cancel(request)
    (last,) = run
    assert last.view == first.view and last.message == ""


def test_filters_have_kernels_without_a_photo_and_feature_maps_with_one(result):
    store = filters_tab.Layers(engine())
    start = filters_tab.show_layer(store, "unet", None, 0, None, None)
    assert json.loads(start.kernels)["answers"] is None
    update = filters_tab.show_layer(store, "unet", None, 0, result, start.displayed)
    assert json.loads(update.kernels)["answers"]["cells"]
    same = filters_tab.show_layer(
        store, "unet", update.displayed.layer, 0, result, update.displayed
    )
    assert same.kernels == UNCHANGED
    assert "not available" in filters_tab.show_layer(store, "nothing", None, 0, None, None).message


def test_the_leaderboard_is_read_again_only_when_files_change():
    stamp, *parts = leaderboard_tab.refresh(None, "ibug-68", "compare")
    assert stamp and all(part != UNCHANGED for part in parts)
    same, *rest = leaderboard_tab.refresh(stamp, "ibug-68", "compare")
    assert same == stamp and rest == [UNCHANGED] * len(parts)


def test_training_draws_what_is_chosen():
    update = training_tab.refresh(0, None, None)
    assert all(part != UNCHANGED for part in update)
    assert training_tab.refresh(update.version, None, None).reports == UNCHANGED
    chart, caption, settings = training_tab.draw_curves(DEFAULT_MODELS, "nme", "epoch", True, 0)
    assert chart and "U-Net: validation error" in caption
    for word in ("LR schedule", "EMA", "Gradient clipping", "Trainable layers"):
        assert word in settings
    assert training_tab.draw_curves([], "nme", "epoch", True, 0)[0] is None


def test_a_cancelled_video_is_deleted_without_being_read(tmp_path: Path):
    upload = tmp_path / "face.webm"
    upload.write_bytes(b"video")
    start = live_tab.start(str(upload), live_tab.claim(str(upload)), "unet")
    assert "Cancelled" in live_tab.stop(start.request).message
    assert not list(tmp_path.iterdir())
    (update,) = live_tab.run(engine(), Handover(), start.request)
    assert update.message == UNCHANGED
    assert "Choose a video first" in live_tab.start(None, None, "unet").message


def test_the_about_text_promises_what_was_measured():
    about = (Path(live_tab.__file__).parents[1] / "about" / "about.md").read_text("utf-8")
    measured = json.loads((WEIGHTS_DIR / "face_benchmark.json").read_text())
    assert measured["proposals"] == "CenterFace" and measured["recall_percent_from_40_px"] >= 97
    assert "CenterFace" in about and "40 pixels" in about and "97 %" in about
