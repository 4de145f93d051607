"""The tabs' handlers, called without a browser."""

import json
import re
from base64 import b64encode
from pathlib import Path

import gradio as gr
import numpy as np
import pytest
from helpers import videos
from PIL import Image

from kpdemo.engine.engine import engine
from kpdemo.models.expressions import Expression
from kpdemo.records.histories import Histories
from kpdemo.ui.compare import degrade
from kpdemo.ui.compare import tab as compare_tab
from kpdemo.ui.filters import tab as filters_tab
from kpdemo.ui.heatmaps import tab as heatmaps_tab
from kpdemo.ui.heatmaps.state import SENSITIVITY, Choice, Request
from kpdemo.ui.leaderboard import tab as leaderboard_tab
from kpdemo.ui.live import video as live_video
from kpdemo.ui.live.camera import Cameras
from kpdemo.ui.live.one_time_files import OneTimeFiles
from kpdemo.ui.training import augmentation, mistakes
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
    assert list(json.loads(update.table)["models"]) == ["unet"]
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
    points = result.comparison.faces[0].predictions["unet"].keypoints + 1
    lines = "\n".join(f"{x} {y}" for x, y in points + 3)
    text = f"version: 1\nn_points: {len(points)}\n{{\n{lines}\n}}\n"
    update = compare_tab.load_truth(engine(), "hopper.pts", text, result)
    shown = json.loads(update.panels)
    assert shown["truth"] == "ibug-68"
    (face,) = shown["faces"]
    np.testing.assert_allclose(face["truth"], points + 2, atol=0.01)
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
    value = json.loads(first.view)
    assert not value["isChanged"] and value["before"] == value["after"]
    height, width = result.photo.pixels.shape[:2]
    assert value["before"]["photo"] == {"width": width, "height": height}
    turned = degrade.show(engine(), {"turn": 20}, result, first.untouched, ["simplenet"])
    (face,) = json.loads(turned.view)["after"]["faces"]
    assert 10 < face["roll"] < 30 and list(face["models"]) == ["simplenet"]
    assert turned.untouched is first.untouched
    expired = degrade.show(engine(), {"turn": 20}, None, turned.untouched, [])
    assert "Compare a photo first" in json.loads(expired.view)["empty"]
    assert expired.untouched is None


def drawn(result):
    """The choices, a session's request, and the update that shows what it asked for."""
    choices, request = heatmaps_tab.Choices.of(engine()), Request()
    request.set(Choice("unet"))
    (update,) = heatmaps_tab.show(engine(), choices, request, result, None)
    return choices, request, update


def test_heatmaps_draw_a_choice_and_keep_it(result):
    choices = heatmaps_tab.Choices.of(engine())
    request = Request()
    heatmaps_tab.request_opened(choices, request, None)
    assert request.choice == choices.first
    (update,) = heatmaps_tab.show(engine(), choices, request, result, None)
    assert len(json.loads(update.view)["panels"]) == len(choices.with_heatmaps)
    (again,) = heatmaps_tab.show(engine(), choices, request, result, update.display)
    assert again.view == UNCHANGED


def test_a_cancelled_sensitivity_leaves_the_last_drawing(result):
    choices, request, first = drawn(result)
    request.set(Choice("unet", view=SENSITIVITY))
    run = heatmaps_tab.show(engine(), choices, request, result, first.display)
    assert "Occluding one place after another" in next(run).message
    heatmaps_tab.request_cancel(request)
    (last,) = run
    assert last.view == first.view and last.message == ""


def test_a_tab_opened_after_a_cancel_shows_the_choice_that_is_drawn(result):
    choices, request, first = drawn(result)
    request.set(Choice("nosenet-moore", view=SENSITIVITY))
    run = heatmaps_tab.show(engine(), choices, request, result, first.display)
    next(run)
    heatmaps_tab.request_cancel(request)
    # Before the run notices, which then leaves the controls to the one that follows.
    heatmaps_tab.request_opened(choices, request, first.display)
    (last,) = run
    assert last.controls == UNCHANGED
    (opened,) = heatmaps_tab.show(engine(), choices, request, result, first.display)
    assert json.loads(opened.controls)["model"] == "unet"


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


def test_every_augmentation_is_drawn_on_the_photo_each_time_anew(result):
    histories = Histories()
    names = augmentation.recipes(histories.read())
    assert {"unet", "keypoint-resnet", "facenet-fajardo", "facenet-moore"} <= set(names)
    assert "nosenet-moore" not in names
    shown = {}
    for name in names:
        html = augmentation.show(engine(), histories, name, result)
        shown[name] = re.findall(r'src="(data:image/jpeg;base64,[^"]+)"', html)
        assert len(shown[name]) == 1 + augmentation.COUNT, name
        assert "In place of labels" in html
    pictures = shown["unet"]  # which changes every picture
    again = augmentation.show(engine(), histories, "unet", result)
    others = re.findall(r'src="(data:image/jpeg;base64,[^"]+)"', again)
    assert others[0] == pictures[0] and not set(others[1:]) & set(pictures[1:])


def test_an_augmentation_without_a_photo_a_face_or_a_recipe_says_so(tmp_path):
    histories, path = Histories(), tmp_path / "grey.png"
    Image.new("RGB", (200, 200), "grey").save(path)
    no_face = compare_tab.compare(engine(), str(path), ["unet"], None, gr.Progress()).result
    for name, result, sentence in (
        ("unet", None, "Compare a photo on the first tab"),
        ("unet", no_face, "No face found"),
        ("nosenet-moore", no_face, "No recipe with an augmentation"),
        (None, no_face, "No recipe with an augmentation"),
    ):
        assert sentence in augmentation.show(engine(), histories, name, result)


def test_two_mistakes_are_made_with_the_points_on_the_photo(result):
    html = mistakes.show(engine(), Histories(), result)
    assert html.count('src="data:image/jpeg;base64,') == 2
    assert "a factor of 40" in html and "points of U-Net" in html
    assert "Compare a photo with a face" in mistakes.show(engine(), Histories(), None)


def video_start(upload: Path, models: tuple[str, ...] = ("simplenet",), every: int = 1):
    return live_video.start(str(upload), live_video.claim(str(upload)), models, every, True)


def short_video(folder: Path, hopper) -> Path:
    return videos.write(folder / "pan.mp4", videos.pan(hopper, 4))


def test_a_cancelled_video_is_deleted_without_being_read(tmp_path: Path):
    upload = tmp_path / "face.webm"
    upload.write_bytes(b"video")
    start = video_start(upload)
    assert "Cancelled" in live_video.stop(start.request).message
    assert not list(tmp_path.iterdir())
    (update,) = live_video.run(engine(), OneTimeFiles(), start.request)
    assert update.message == UNCHANGED
    nothing = live_video.start(None, None, ["unet"], 1, True)
    assert "Choose a video first" in nothing.message
    nothing = live_video.start(str(upload), None, [], 1, True)
    assert "at least one model" in nothing.message


def test_a_video_gives_files_and_tells_the_jitter(tmp_path, hopper):
    downloads, request = OneTimeFiles(), video_start(short_video(tmp_path, hopper)).request
    *_, last = live_video.run(engine(), downloads, request)
    assert "4 frames compared, 4 of them with a face" in last.message
    assert re.search(r"SimpleNet \d\.\d\d → \d\.\d\d\.", last.message)
    assert set(downloads.take(last.player)) == {"video", "csv"}
    assert live_video.end(request) == live_video.Update()
    assert not list(tmp_path.iterdir())


def test_a_cancel_before_or_after_the_end_takes_the_result_away(tmp_path, hopper):
    for late in (False, True):
        request = video_start(short_video(tmp_path, hopper)).request
        list(live_video.run(engine(), OneTimeFiles(), request))  # whose result is on its way
        steps = [live_video.stop, live_video.end]
        updates = [step(request) for step in (reversed(steps) if late else steps)]
        assert updates[0] == live_video.Update()
        assert "Cancelled" in updates[1].message and updates[1].player is None


def test_the_time_of_a_video_is_estimated_until_it_starts(tmp_path, hopper):
    upload = short_video(tmp_path, hopper)
    claim = live_video.claim(str(upload))
    text = live_video.estimate(engine(), claim, ["simplenet"], 2)
    assert re.search(r"2 frames, about \d+ s", text)
    assert live_video.estimate(engine(), claim, [], 2) == ""
    assert live_video.estimate(engine(), None, ["simplenet"], 2) == ""
    live_video.start(str(upload), claim, ["simplenet"], 2, True)
    assert live_video.estimate(engine(), claim, ["simplenet"], 2) == ""


def frame(photo: Path, seconds: float, **more) -> dict:
    picture = f"data:image/jpeg;base64,{b64encode(photo.read_bytes()).decode()}"
    return {"picture": picture, "camera": "a", "seconds": seconds, "models": ["unet"]} | more


def test_a_camera_answers_with_points_jitter_and_expression(hopper_path):
    cameras = Cameras(engine())
    first = cameras.look(frame(hopper_path, 0.0, models=["unet", "mediapipe"]))
    assert "expression" not in first and first["models"]["unet"]["jitter"] is None
    points = first["faces"][0]["answers"]["unet"]
    assert len(points["raw"]) == 68 and points["raw"] == points["steady"]
    assert 0 < first["models"]["unet"]["apart"] < 10
    second = cameras.look(frame(hopper_path, 0.1, expression=True))
    raw, steady = second["models"]["unet"]["jitter"]  # since a followed face is cut a bit otherwise
    assert 0 <= steady <= raw < 2
    assert second["models"]["unet"]["apart"] is None
    assert set(second["expression"]) == set(Expression._fields)
    other = cameras.look(frame(hopper_path, 0.2, camera="b"))
    assert other["models"]["unet"]["jitter"] is None
    with pytest.raises(ValueError, match="Unknown model"):
        cameras.look(frame(hopper_path, 0.3, models=["nothing"]))
    with pytest.raises(ValueError):
        cameras.look(frame(hopper_path, 0.3) | {"picture": "data:image/jpeg;base64,AAAA"})


def test_a_frozen_frame_is_a_photo_without_a_file(hopper_path):
    picture = frame(hopper_path, 0.0)["picture"]
    update = compare_tab.compare_frame(engine(), picture, ["unet"], None, gr.Progress())
    assert update.photo is None and len(update.result.comparison.faces) == 1
    again = compare_tab.compare(engine(), None, ["simplenet"], update.result, gr.Progress())
    assert again.result.comparison.models == ["simplenet"]
    assert "at least one model" in (
        compare_tab.compare_frame(engine(), picture, [], None, gr.Progress()).message
    )
    broken = compare_tab.compare_frame(engine(), "data:,AAAA", ["unet"], None, gr.Progress())
    assert 'role="alert"' in broken.message and broken.result == UNCHANGED


def test_the_about_text_promises_what_was_measured():
    about = (Path(live_video.__file__).parents[1] / "about" / "about.md").read_text("utf-8")
    measured = json.loads((WEIGHTS_DIR / "face_benchmark.json").read_text())
    assert measured["proposals"] == "CenterFace" and measured["recall_percent_from_40_px"] >= 97
    assert "CenterFace" in about and "40 pixels" in about and "97 %" in about


def test_a_choice_that_was_overtaken_on_its_way_does_not_count():
    request = Request()
    for at, name in ((10, "unet"), (30, "simplenet"), (20, "resnet18")):
        choice = {"model": name, "face": 0, "view": "heatmap", "at": at}
        heatmaps_tab.request_choice(request, gr.EventData(None, choice))
    assert request.choice == Choice("simplenet")


def test_a_video_that_another_visitor_uploads_meanwhile_is_kept(tmp_path):
    upload, again = tmp_path / "film.mp4", tmp_path / "again.mp4"
    upload.write_bytes(b"film")
    first = live_video.claim(str(upload))
    again.write_bytes(b"film")
    again.rename(upload)  # Gradio has one place for the same content
    first.delete()
    second = live_video.claim(str(upload))
    assert second.path.read_bytes() == b"film"
    second.delete()
    assert not [*tmp_path.iterdir()]
