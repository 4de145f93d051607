"""The engine: what a comparison holds, and what happens when a part of it is broken."""

import csv
import io
import json
import re
import shutil
import threading
from dataclasses import replace
from pathlib import Path

import cv2
import numpy as np
import pytest
from helpers.faces import compared_face
from helpers.mirror import mirrored
from PIL import Image

from kpdemo import Engine, compare
from kpdemo.cli.compare import describe
from kpdemo.engine import export
from kpdemo.engine.batch import Predictors, compare_many
from kpdemo.engine.engine import engine
from kpdemo.engine.store import model_folders
from kpdemo.faces.settings import MAX_FACES
from kpdemo.keypoints import agreement, markups
from kpdemo.keypoints.metrics import eye_distance
from kpdemo.media.images import ImageError, load
from kpdemo.media.sheet import side_by_side
from kpdemo.structures import Comparison, Prediction
from kpdemo.ui.compare import messages, panels
from kpdemo.ui.session import PhotoResult
from kpdemo.zoo import BASELINE, DEFAULT_MODELS, WEIGHTS_DIR

GOLDEN = json.loads(Path(__file__).with_name("golden.json").read_text())
# In percent of the eye distance: bf16 and other processors move answers by much less.
TOLERANCE = 1.0


@pytest.fixture(scope="module")
def hopper(hopper_path):
    return compare(hopper_path)


def test_every_model_answers_on_the_face(hopper):
    (face,) = hopper.faces
    assert list(face.predictions) == [*DEFAULT_MODELS, BASELINE]
    assert not hopper.unavailable
    for prediction in face.predictions.values():
        assert prediction.keypoints.shape == (len(markups.get(prediction.markup)), 2)
        assert np.isfinite(prediction.keypoints).all()


@pytest.mark.parametrize("name", [*DEFAULT_MODELS, BASELINE])
def test_golden_keypoints(hopper, name):
    prediction = hopper.faces[0].predictions[name]
    golden = np.array(GOLDEN[name])
    distance = np.linalg.norm(prediction.keypoints - golden, axis=1)
    assert distance.max() < TOLERANCE / 100 * eye_distance(golden, prediction.markup)


@pytest.mark.parametrize("name", ["simplenet", "resnet18", "unet"])
def test_nets_agree_with_mediapipe_on_an_easy_face(hopper, name):
    """Independent of the golden file: a net that shipped broken would be far from MediaPipe."""
    predictions = hopper.faces[0].predictions
    fitted = predictions[BASELINE].converted["ibug-68-fitted"]
    distance = np.linalg.norm(predictions[name].keypoints - fitted, axis=1).mean()
    assert distance < 0.08 * eye_distance(fitted, "ibug-68")


def test_kaggles_points_are_held_against_fitted_ones_as_ibugs_are(hopper):
    """Held against the raw mesh, KeypointResNet is a third farther from MediaPipe than U-Net."""
    predictions = hopper.faces[0].predictions
    points = predictions[BASELINE].converted
    fitted = markups.convert(points["ibug-68-fitted"], "ibug-68", "kaggle-15")
    assert points["kaggle-15-fitted"] == pytest.approx(fitted)
    gaps = agreement.distances(predictions["keypoint-resnet"], predictions[BASELINE])
    assert gaps.theirs == pytest.approx(fitted)
    assert gaps.percent.mean() < 3.0


def test_to_dict_is_the_documented_schema(hopper):
    data = json.loads(json.dumps(hopper.to_dict()))
    assert set(data) == {
        *("photo", "faces", "timings", "unavailable", "faces_left_out", "devices", "notices"),
    }
    assert data["photo"] == {"width": 512, "height": 600}
    (face,) = data["faces"]
    assert set(face) == {"box", "score", "roll", "models", "missing", "confirmed"}
    assert face["confirmed"] is True
    assert (face["missing"], data["notices"], data["faces_left_out"]) == ({}, [], 0)
    unet, baseline = face["models"]["unet"], face["models"][BASELINE]
    assert set(unet) == {"markup", "keypoints", "confidence", "expected_error", "milliseconds"}
    assert all(0 < value < 100 for value in unet["expected_error"])
    assert data["devices"].keys() == {*DEFAULT_MODELS, BASELINE}
    assert data["devices"][BASELINE] == "cpu"
    assert len(unet["keypoints"]) == len(unet["confidence"]) == 68
    assert all(0 <= value <= 1 for value in unet["confidence"])
    assert baseline["markup"] == "mediapipe-478"
    assert len(baseline["keypoints"]) == 478
    assert len(baseline["ibug-68"]) == len(baseline["ibug-68-fitted"]) == 68
    assert len(baseline["kaggle-15-fitted"]) == 15
    assert {"load", "detect", "unet", "total"} <= set(data["timings"])


def test_points_are_in_pixels_of_the_original(hopper_path, hopper):
    """A photo that is shrunk for work answers in its own, larger pixels."""
    photo = load(hopper_path)
    factor = 5
    large = cv2.resize(photo.pixels, None, fx=factor, fy=factor, interpolation=cv2.INTER_CUBIC)
    prediction = compare(large, ["unet"]).faces[0].predictions["unet"].keypoints
    expected = (hopper.faces[0].predictions["unet"].keypoints + 0.5) * factor - 0.5
    distance = np.linalg.norm(prediction - expected, axis=1).mean()
    assert distance < 0.03 * eye_distance(expected, "ibug-68")


def test_moving_the_photo_moves_the_points(hopper_path, hopper):
    pixels = load(hopper_path).pixels
    moved = np.full((720, 640, 3), 127, np.uint8)
    moved[90 : 90 + pixels.shape[0], 70 : 70 + pixels.shape[1]] = pixels
    for name in DEFAULT_MODELS:
        prediction = compare(moved, [name]).faces[0].predictions[name].keypoints
        expected = hopper.faces[0].predictions[name].keypoints + (70, 90)
        unit = eye_distance(expected, hopper.faces[0].predictions[name].markup)
        assert np.linalg.norm(prediction - expected, axis=1).mean() < 0.04 * unit


def test_the_mirrored_photo_gives_the_mirrored_points(hopper_path, hopper):
    pixels = np.ascontiguousarray(load(hopper_path).pixels[:, ::-1])
    for name, prediction in compare(pixels).faces[0].predictions.items():
        before = hopper.faces[0].predictions[name]
        expected = mirrored(before.keypoints, before.markup, pixels.shape[1])
        unit = eye_distance(expected, before.markup)
        assert np.linalg.norm(prediction.keypoints - expected, axis=1).mean() < 0.06 * unit, name


def test_all_faces_go_through_a_net_in_one_batch_like_alone(hopper_path, hopper):
    pixels = load(hopper_path).pixels
    both = compare(np.hstack([pixels, pixels]), ["unet"]).faces
    assert len(both) == 2
    left, right = sorted(both, key=lambda face: face.box[0])
    alone = hopper.faces[0].predictions["unet"].keypoints
    unit = eye_distance(alone, "ibug-68")
    for face, moved in ((left, alone), (right, alone + (pixels.shape[1], 0))):
        distance = np.linalg.norm(face.predictions["unet"].keypoints - moved, axis=1).mean()
        assert distance < 0.04 * unit


def test_a_photo_without_a_face_is_an_empty_list():
    result = compare(np.full((480, 640, 3), 200, np.uint8))
    assert result.faces == []
    assert result.to_dict()["faces"] == []


def test_an_unusable_photo_is_an_image_error(tmp_path):
    path = tmp_path / "text.jpg"
    path.write_text("not a picture")
    with pytest.raises(ImageError):
        compare(path)


def test_an_unknown_model_is_refused_by_name(hopper_path):
    with pytest.raises(ValueError, match=r"nosuchnet.*simplenet"):
        compare(hopper_path, ["nosuchnet"])


@pytest.mark.parametrize(
    "text",
    [b"[" * 100_000, b'{"args":' * 100_000, b'{"version": 1' + b"0" * 5000 + b"}", b"[]", b"\xff"],
    ids=range(5),
)
@pytest.mark.parametrize("name", ["unet", "mine"])
def test_a_broken_config_leaves_the_others_working(tmp_path, text, name):
    for folder in ("simplenet", name):
        shutil.copytree(WEIGHTS_DIR / "simplenet", tmp_path / folder)
    (tmp_path / name / "config.json").write_bytes(text)
    with Engine(model_folders(tmp_path)) as engine:
        assert {"simplenet", BASELINE} <= set(engine.names)
        assert name not in engine.names
        assert "config.json" in engine.unavailable[name]
        engine.warm_up()


def test_a_damaged_model_leaves_the_others_working(tmp_path, hopper_path):
    for name in ("unet", "simplenet"):
        shutil.copytree(WEIGHTS_DIR / name, tmp_path / name)
    weights = tmp_path / "unet" / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:1000])
    with Engine(model_folders(tmp_path)) as engine:
        result = engine.compare(hopper_path)
    assert set(result.faces[0].predictions) == {"simplenet", BASELINE}
    assert set(result.unavailable) == {"unet", "resnet18", "keypoint-resnet"}
    assert "model.safetensors is damaged" in result.unavailable["unet"]


def test_other_models_are_loaded_when_they_are_asked_for(tmp_path, hopper_path):
    for name in ("mine", "broken"):
        shutil.copytree(WEIGHTS_DIR / "unet", tmp_path / name)
    (tmp_path / "broken" / "model.safetensors").write_bytes(b"short")
    with Engine([tmp_path / "mine", tmp_path / "broken"]) as engine:
        assert engine.names == ["mine", "broken", BASELINE]
        assert not engine.store.models
        result = engine.compare(hopper_path, ["mine", "broken"])
    assert set(result.faces[0].predictions) == set(engine.store.models) == {"mine"}
    assert "model.safetensors is damaged" in result.unavailable["broken"]
    # Known from now on, and not tried again.
    assert engine.names == ["mine", BASELINE]


def test_without_mediapipe_the_nets_still_answer(tmp_path, hopper_path, monkeypatch):
    broken = tmp_path / "face_landmarker.task"
    broken.write_bytes(b"not a model")
    monkeypatch.setenv("KPDEMO_FACE_LANDMARKER", str(broken))
    with Engine([WEIGHTS_DIR / "unet"]) as engine:
        result = engine.compare(hopper_path)
    assert list(result.faces[0].predictions) == ["unet"]
    assert "whole photo is taken as one" in result.unavailable[BASELINE]


def test_a_model_that_fails_on_a_photo_takes_no_other_down(hopper_path):
    with Engine([WEIGHTS_DIR / "unet", WEIGHTS_DIR / "simplenet"]) as engine:
        engine.store.models["unet"].net.head = None
        result = engine.compare(hopper_path)
    assert "simplenet" in result.faces[0].predictions
    assert "unet" not in result.faces[0].predictions
    assert "unet failed" in result.unavailable["unet"]


def test_threads_share_one_engine(hopper_path, hopper):
    predictions = []

    def ask():
        predictions.append(compare(hopper_path, ["unet"]).faces[0].predictions["unet"].keypoints)

    threads = [threading.Thread(target=ask) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(predictions) == 4
    for prediction in predictions:
        np.testing.assert_allclose(
            prediction, hopper.faces[0].predictions["unet"].keypoints, atol=0.5
        )


def test_only_the_largest_faces_are_compared_and_it_is_said(hopper_path):
    cells = [cv2.resize(load(hopper_path).pixels[20:420, 80:480], (110, 110))] * 13
    crowd = np.vstack([np.hstack(cells)] * 4)
    with Engine([WEIGHTS_DIR / "simplenet"]) as engine:
        faces = engine.detector.find(crowd)
        result = engine.compare(crowd, ["simplenet"], find=lambda _: faces)
        (batched,) = compare_many(engine, [as_file(crowd)], Predictors(engine, ["simplenet"]))
    count = len(faces)
    assert count > MAX_FACES
    sentence = f"{count} faces were found; only the {MAX_FACES} largest are compared."
    for comparison in (result, batched.comparison):
        assert len(comparison.faces) == MAX_FACES
        assert comparison.to_dict()["faces_left_out"] == count - MAX_FACES
        assert comparison.to_dict()["notices"] == [sentence]
    assert sentence in describe(result)
    assert sentence in export.to_csv(result.to_dict())
    assert sentence in messages.of(result)


def test_a_face_without_a_mesh_is_said_in_every_output(half_face, tmp_path, capsys):
    path = tmp_path / "half.png"
    Image.fromarray(half_face).save(path)
    (batched,) = compare_many(engine(), [path], Predictors(engine(), ["simplenet", BASELINE]))
    result = compare(path, ["simplenet", BASELINE])
    for comparison in (result, batched.comparison):
        (face,) = comparison.to_dict()["faces"]
        assert face["missing"] == {BASELINE: "no face here"}
        assert list(face["models"]) == ["simplenet"]
    rows = list(csv.DictReader(export.to_csv(result.to_dict()).splitlines()))
    (row,) = [row for row in rows if row["model"] == BASELINE]
    assert (row["face"], row["x"], row["note"]) == ("0", "", "no face here")
    assert re.search(r"mediapipe +no face here", describe(result))
    markups = {name: engine().markup(name) for name in result.models}
    shown = json.loads(panels.value(PhotoResult("half.png", load(path), result), markups))
    assert [panel["name"] for panel in shown["panels"]] == [BASELINE, "simplenet"]
    assert shown["panels"][0]["faces"] == [None] and not shown["panels"][0]["pts"]
    assert shown["faces"][0]["confirmed"] is False
    photo = load(path)
    alone = side_by_side(photo, compare(path, ["simplenet"]))
    assert side_by_side(photo, result).shape[1] > 1.5 * alone.shape[1]


def test_what_mediapipe_does_not_confirm_is_said_in_every_output(half_face, tmp_path):
    path = tmp_path / "half.png"
    Image.fromarray(half_face).save(path)
    (batched,) = compare_many(engine(), [path], Predictors(engine(), ["unet", BASELINE]))
    result = compare(path, ["unet", BASELINE])
    score = round(100 * result.faces[0].score)
    sentence = (
        f"MediaPipe does not confirm this face (detector {score} %); the points may mean nothing."
    )
    for comparison in (result, batched.comparison):
        assert comparison.notices == [sentence]
        assert comparison.to_dict()["faces"][0]["confirmed"] is False
    assert sentence in describe(result)
    assert sentence in export.to_csv(result.to_dict())
    assert sentence in messages.of(result)
    assert messages.of(result).count("MediaPipe") == 1
    # In the picture its points are hollow: less is hidden than by full ones.
    without = compare(path, ["unet"])
    assert without.notices == [] and without.faces[0].confirmed is None
    photo = load(path)
    full, hollow = (side_by_side(photo, c)[:, :512] for c in (without, result))
    assert (hollow != full).any()


def test_faces_without_a_mesh_are_counted_on_the_page():
    nose = Prediction("nose-1", np.array([[1.5, 2.0]]), None, 1.0)
    box = (0.0, 0.0, 9.0, 9.0)
    faces = [
        compared_face(box, {"unet": nose} | mesh, missing)
        for mesh, missing in (
            ({BASELINE: nose}, {}),
            ({}, {BASELINE: "no face here"}),
            ({}, {BASELINE: "no face here"}),
        )
    ]
    faces[2] = replace(faces[2], detection=replace(faces[2].detection, score=0.7))
    words = messages.of(Comparison(99, 99, faces, {}, {}))
    assert "MediaPipe does not confirm 2 of the 3 faces (detector 70 to 90 %); their" in words
    assert "MediaPipe: no face here (face 2, 3 of 3)." in words


def test_models_are_warm_before_they_are_timed(tmp_path, hopper_path):
    for name in ("unet", "mine", "broken"):
        shutil.copytree(WEIGHTS_DIR / "unet", tmp_path / name)
    (tmp_path / "broken" / "model.safetensors").write_bytes(b"short")
    with Engine([tmp_path / name for name in ("unet", "mine", "broken")]) as engine:
        calls = []
        engine.store.model("mine").net.register_forward_pre_hook(lambda *_: calls.append("mine"))
        engine.store.model("unet").net.register_forward_pre_hook(lambda *_: calls.append("unet"))
        engine.warm_up(["mine", "broken"])
        assert set(calls) == {"mine"}
        calls.clear()
        engine.warm_up(["mine", "unet"])
        assert set(calls) == {"unet"}
        # One that fails on every photo takes no other down, now or later.
        engine.store.model("unet").net.head = None
        engine.warm_up()
        assert "mine" in engine.compare(hopper_path, ["unet", "mine"]).faces[0].predictions


def as_file(pixels: np.ndarray) -> io.BytesIO:
    file = io.BytesIO()
    Image.fromarray(pixels).save(file, "PNG")
    file.seek(0)
    return file


@pytest.mark.parametrize("names", ["unet", ("unet", "unet"), {"unet"}, {"unet": 1}.keys()], ids=str)
def test_one_name_and_any_collection_of_names_are_taken(hopper_path, names):
    (face,) = compare(hopper_path, names).faces
    assert list(face.predictions) == ["unet"]
    assert engine().choose(names)[0] == Predictors(engine(), names).names == ["unet"]


def test_names_may_come_one_by_one(hopper_path):
    (face,) = compare(hopper_path, (name for name in ("unet", BASELINE))).faces
    assert list(face.predictions) == ["unet", BASELINE]


@pytest.mark.parametrize("names", [5, b"unet", [None], ["unet", 3], [["unet"]], {"unet": 1}])
def test_what_are_no_names_is_refused_in_one_sentence(hopper_path, names):
    for call in (
        lambda: compare(hopper_path, names),
        lambda: engine().choose(names),
        lambda: Predictors(engine(), names),
    ):
        with pytest.raises(ValueError, match=r"^Pass models as a list of names, .* its name.$"):
            call()


@pytest.mark.parametrize("name", ["nosuchnet", None, ["unet"]])
def test_a_model_that_there_is_not(name):
    with pytest.raises(ValueError, match=r"Unknown model .*; known are simplenet"):
        engine().store.model(name)


def test_folders_of_models_may_be_given_as_text():
    with Engine(str(WEIGHTS_DIR / "unet")) as own:
        assert own.names == ["unet", BASELINE]


def test_many_photos_of_any_kind(hopper_path):
    nets = Predictors(engine(), "unet")
    with Image.open(hopper_path) as picture:
        photos = [str(hopper_path), None, picture, hopper_path.read_bytes(), load(hopper_path)]
        results = list(compare_many(engine(), photos, nets))
    bad = results.pop(1)
    assert bad.comparison is None and "is not a photo" in bad.error
    assert [len(result.comparison.faces) for result in results] == [1, 1, 1, 1]
    (result,) = compare_many(engine(), str(hopper_path), nets)
    assert len(result.comparison.faces) == 1
