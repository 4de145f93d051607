"""Evaluation, the model card and the README's tables, on tiny data and on the shipped folders."""

import copy
import dataclasses
import json
import math
from pathlib import Path

import numpy as np
import pytest
import torch
from helpers import writers
from huggingface_hub import ModelCard
from PIL import Image

from kpdemo import compare
from kpdemo.engine.engine import Engine
from kpdemo.evaluation.measures import measures
from kpdemo.faces.crop import Crop
from kpdemo.keypoints import markups
from kpdemo.keypoints.metrics import eye_distance
from kpdemo.models.model_folder import CheckpointError
from kpdemo.records import lineage
from kpdemo.zoo import DEFAULT_MODELS, WEIGHTS_DIR
from train import recipe, trainer
from train.__main__ import main
from train.data.sources import LabelledFace
from train.evaluation import face_attributes
from train.evaluation.evaluate import (
    by_facts,
    compare_face,
    evaluate,
    extremes,
    fifteen_points,
    rmse_96,
    variety,
)
from train.fitting import mesh_to_ibug
from train.publish import model_card
from train.recipe import Stage


def fitted(name, folder, **changes):
    """A model folder made by the real loop on tiny data, in one epoch."""
    short = {"stages": (Stage(epochs=1, lr=1e-4),), "batch_size": 4}
    trainer.fit(
        dataclasses.replace(recipe.load(name), **(short | changes)),
        folder,
        workers=0,
        precision="no",
    )
    return folder


@pytest.fixture
def trained(tmp_path, monkeypatch):
    """A tiny model folder made by the real loop on tiny data."""
    writers.write_300w(tmp_path / "data", 6)
    monkeypatch.setenv("KPDEMO_DATA", str(tmp_path / "data"))
    data = dataclasses.replace(recipe.load("simplenet").data, train=("300w",))
    return fitted("simplenet", tmp_path / "model", data=data, start_from=None)


@pytest.fixture
def imm(tmp_path, monkeypatch):
    """Tiny IMM data to train on and to validate on."""
    writers.write_imm(tmp_path / "data", 3)
    monkeypatch.setenv("KPDEMO_DATA", str(tmp_path / "data"))
    return tmp_path


def test_evaluate_writes_metrics_and_a_valid_card(trained, capsys):
    assert main(["evaluate", str(trained)]) == 0
    metrics = json.loads((trained / "metrics.json").read_text())["300w-common"]
    box = metrics["ground_truth_box"]
    assert box["faces"] == metrics["compare"]["faces"] > 0
    assert box["lost"] == 0
    assert set(box["groups"]) == {"jaw", "brows", "nose", "eyes", "mouth"}
    model_card = ModelCard.load(trained / "README.md")
    (result,) = model_card.data.eval_results
    assert result.metric_value == box["nme"]
    assert f"{box['nme']:.2f}" in model_card.text
    assert "not for commercial use" in model_card.text
    assert "300w-common" in capsys.readouterr().out
    assert len(box["errors"]) == box["faces"]
    assert np.mean(box["errors"]) == pytest.approx(box["nme"], abs=0.01)
    assert len(box["nme_by_keypoint"]) == 68
    assert box["spread"] > 0
    assert box["answers_mean"] == (box["spread"] < 0.3)
    assert box["mean_answer_nme"] > 0
    assert box["best"][0]["error"] == pytest.approx(min(box["errors"]), abs=0.01)
    assert box["worst"][0]["error"] == pytest.approx(max(box["errors"]), abs=0.01)
    assert "spread" not in metrics["compare"]


@pytest.mark.parametrize(("name", "points"), [("nosenet-moore", 1), ("facenet-moore", 58)])
def test_nets_that_see_whole_pictures_are_measured_too(imm, name, points):
    folder = fitted(name, imm / "model")
    box = evaluate(folder)["imm-validation"]["ground_truth_box"]
    assert box["faces"] == 3
    assert len(box["nme_by_keypoint"]) == points
    assert box["spread"] is not None
    for face in (*box["best"], *box["worst"]):
        assert face["face"].startswith("imm/3")
        assert len(face["truth"]) == len(face["keypoints"]) == points
        assert face["facts"]["size"] > 10  # of the full labels, whatever the net answers
    text = (folder / "README.md").read_text()
    assert "| the whole image |" in text
    assert f"{points} keypoint{'s' * (points > 1)} (" in text


def test_mediapipe_is_measured_as_the_nets_are(tmp_path, monkeypatch, hopper):
    writers.write_300w(tmp_path / "data", 1)
    # A real face: the detector does not take drawn ones for faces.
    labelled = tmp_path / "data/300w/helen/testset/2000_1.jpg"
    points = compare(hopper, ["unet"]).faces[0].predictions["unet"].keypoints.round(3)
    Image.fromarray(hopper).save(labelled)
    writers.write_pts(labelled.with_suffix(".pts"), points + 1)
    broken = tmp_path / "data/300w/lfpw/testset/image_0001.png"
    broken.write_bytes(b"no picture")
    monkeypatch.setenv("KPDEMO_DATA", str(tmp_path / "data"))
    metrics = mesh_to_ibug.evaluate(tmp_path / "mediapipe")["300w-common"]
    assert json.loads((tmp_path / "mediapipe/metrics.json").read_text())["300w-common"] == metrics
    (sentence,) = metrics.pop("damaged")
    assert str(broken) in sentence
    read = metrics.pop("kaggle-15")
    assert set(metrics) == set(read) == {"index", "offsets", "ridge"}
    assert all(len(points["nme_by_keypoint"]) == 15 for points in read.values())
    for block in metrics.values():
        assert block["faces"] == 1
        assert len(block["nme_by_keypoint"]) == 68
        (face,) = block["best"]
        assert block["worst"] == [face]
        assert block["errors"] == [pytest.approx(face["error"], abs=0.01)]
        np.testing.assert_allclose(face["truth"], points, atol=0.051, rtol=0)


def test_an_unavailable_model_is_no_lost_face(trained, hopper, monkeypatch, capsys):
    with Engine([trained]) as engine:
        whole = engine.store.model("model")
        engine.store.models["model"] = dataclasses.replace(whole, calibration=torch.zeros(3, 2))
        with pytest.raises(CheckpointError, match="model failed on this photo"):
            compare_face(engine, ["model"], hopper, np.array([[200.0, 100], [330, 240]]))
    monkeypatch.setenv("KPDEMO_FACE_LANDMARKER", "/nonexistent")
    for name in (str(trained), "mediapipe"):
        assert main(["evaluate", name]) == 1
        (sentence,) = capsys.readouterr().err.splitlines()
        assert "/nonexistent" in sentence
    assert not (trained / "metrics.json").exists()


def test_evaluate_names_a_folder_that_is_none(capsys):
    assert main(["evaluate", "nosuchmodel"]) == 1
    assert "nosuchmodel is neither a model folder" in capsys.readouterr().err


def test_measures_against_a_hand_calculation():
    truth = np.zeros((2, 68, 2))
    truth[:, 36], truth[:, 45] = (0, 0), (100, 0)
    predicted = truth + (3, 4)  # every point 5 px off, the eyes 100 px apart
    predicted[1] = np.nan  # and one face lost
    result = measures(predicted, truth, np.array([100.0, 100.0]), "ibug-68")
    assert result["nme"] == result["nme_inner_51"] == result["groups"]["jaw"] == 5.0
    assert (result["faces"], result["lost"], result["fr8"]) == (2, 50.0, 50.0)
    assert result["auc8"] == pytest.approx(100 * (1 - 5 / 8) / 2, abs=1e-3)


def test_errors_are_sorted_and_those_of_each_keypoint_are_a_mean_over_found_faces():
    truth = np.zeros((4, 68, 2))
    predicted = truth.copy()
    predicted[0, :, 0], predicted[1, :, 0], predicted[2] = 7, 3, np.nan
    predicted[1, 5, 0] = 1
    truth[3, 6:] = np.nan
    truth[:3, 67] = np.nan  # labelled nowhere
    result = measures(predicted, truth, np.full(4, 100.0), "ibug-68")
    assert result["errors"] == [7.0, 2.9701, None, 0.0]
    by_keypoint = result["nme_by_keypoint"]
    assert by_keypoint[0] == pytest.approx(10 / 3, abs=1e-4)
    assert by_keypoint[5] == pytest.approx(8 / 3, abs=1e-4)
    assert by_keypoint[6] == 5.0
    assert by_keypoint[67] is None


def test_a_constant_answer_is_called_the_mean():
    rng = np.random.default_rng(0)
    crops = [Crop(*rng.uniform(100, 200, 2), 160, 120) for _ in range(30)]
    in_crop = rng.normal(0, 0.2, (30, 58, 2))
    truth = np.stack([crop.to_photo(points) for crop, points in zip(crops, in_crop, strict=True)])
    constant = np.stack([crop.to_photo(np.full((58, 2), 0.1)) for crop in crops])
    eyes = np.full(30, 50.0)
    lazy = variety(constant, truth, eyes, crops)
    assert lazy["spread"] == pytest.approx(0, abs=1e-4)
    assert lazy["answers_mean"] is True
    real = variety(truth + 1, truth, eyes, crops)
    assert real["spread"] == pytest.approx(1, abs=1e-4)
    assert real["answers_mean"] is False
    # The best constant is the labels' own mean, so no other constant does better.
    best = np.stack([crop.to_photo(in_crop.mean(0)) for crop in crops])
    expected = measures(best, truth, eyes, "imm-58")["nme"]
    assert lazy["mean_answer_nme"] == real["mean_answer_nme"] == pytest.approx(expected, abs=1e-3)
    assert lazy["mean_answer_nme"] < measures(constant, truth, eyes, "imm-58")["nme"]


def test_one_face_tells_nothing_of_variety():
    crop, truth = Crop(50, 50, 100, 100), np.full((1, 1, 2), 40.0)
    result = variety(truth, truth, np.array([10.0]), [crop])
    assert (result["spread"], result["answers_mean"]) == (None, False)
    json.dumps(result, allow_nan=False)


def test_best_and_worst_faces_leave_out_those_that_were_lost():
    picture = np.full((160, 160), 90, np.uint8)
    faces = [
        LabelledFace(
            f"a/{k}", f"a/{k}", "ibug-68", writers.face("ibug-68", 160, 160, f"{k}"), picture
        )
        for k in range(6)
    ]
    truth = np.stack([markups.convert(f.keypoints, f.markup, "kaggle-15") for f in faces])
    away = np.array([3, 1, np.nan, 5, 2, 4])  # pixels; the eyes are 50 apart
    predicted = truth + np.stack([away, 0 * away], 1)[:, None]
    truth[3, 0] = np.nan
    known = face_attributes.of_faces(faces)
    result = extremes(faces, known, predicted, truth, np.full(6, 50.0))
    assert [face["face"] for face in result["best"]] == ["a/1", "a/4"]
    assert [face["face"] for face in result["worst"]] == ["a/3", "a/5"]
    assert [face["error"] for face in result["worst"]] == [10.0, 8.0]
    worst = result["worst"][0]
    assert worst["facts"] == known[3]
    assert worst["reason"] == face_attributes.reason(known[3], known)
    assert worst["truth"][0] is None
    assert worst["truth"][1] == np.round(truth[3, 1].astype(float), 1).tolist()
    assert worst["keypoints"][1] == np.round(predicted[3, 1].astype(float), 1).tolist()
    json.dumps(result, allow_nan=False)


def test_68_points_read_as_15_have_no_error_where_they_are_the_labels():
    shape = np.random.default_rng(0).random((68, 2)) * 150
    faces = [
        LabelledFace(f"a/{k}", f"a/{k}", "ibug-68", shape + 3 * k, np.zeros((200, 200), np.uint8))
        for k in range(3)
    ]
    truth = np.stack([face.keypoints for face in faces])
    eyes = np.array([eye_distance(face.keypoints, "ibug-68") for face in faces])
    exact = fifteen_points(truth, faces, eyes)
    assert (exact["nme"], exact["rmse_96"], exact["faces"]) == (0.0, 0.0, 3)
    # One pixel to the right is the same share of every face's eye distance.
    moved = fifteen_points(truth + (1, 0), faces, eyes)
    assert moved["nme"] == pytest.approx(100 / eyes[0], abs=1e-3)
    lost = fifteen_points(np.full_like(truth, np.nan), faces, eyes)
    assert (lost["nme"], lost["lost"]) == (None, 100.0)


def test_errors_by_yaw_mouth_and_size_are_means_of_those_faces():
    truth = np.zeros((6, 3, 2))
    predicted = truth + np.arange(1.0, 7.0)[:, None, None] * (1, 0)
    face_attributes = [
        {"yaw": angle, "mouth_open": opening, "size": size}
        for angle, opening, size in zip(
            (-30, -20, 0, 5, 15, None), (6, 5, 4, 3, 2, 1), (1, 2, 3, 4, 5, None), strict=True
        )
    ]
    by = by_facts(predicted, truth, np.full(6, 100.0), face_attributes)
    assert {name: part["nme"] for name, part in by["yaw"].items()} == {
        "left": 1.5,
        "front": 3.5,
        "right": 5.0,
    }
    assert by["yaw"]["left"]["faces"] == 2 and by["yaw"]["right"]["interval"] is None
    assert by["mouth_open"]["closed"]["nme"] == 5.5
    assert by["size"]["large"]["nme"] == 5.0


def test_rmse_is_in_pixels_of_kaggles_crop():
    truth = np.random.default_rng(0).uniform(0, 300, (1, 15, 2))
    predicted = truth + (2.0, 0.0)  # in photo pixels; Kaggle's crop is 192 of those wide
    result = rmse_96(predicted, truth, "kaggle-15", np.array([192.0]))
    assert result["rmse_96"] == pytest.approx(math.sqrt(0.5), abs=1e-3)
    assert set(result["rmse_96_by_keypoint"].values()) == {0.7071}


def test_nothing_found_is_no_number():
    truth = np.ones((1, 68, 2))
    result = measures(np.full_like(truth, np.nan), truth, np.array([1.0]), "ibug-68")
    assert result["nme"] is None
    assert result["lost"] == 100.0
    json.dumps(result, allow_nan=False)


@pytest.mark.parametrize(
    "path", sorted(WEIGHTS_DIR.glob("*/README.md")), ids=lambda p: p.parent.name
)
def test_a_shipped_card_says_what_its_files_say(path):
    assert path.read_text(encoding="utf-8") == str(model_card.make(path.parent))


def test_shipped_models_never_saw_the_test_faces():
    for name in DEFAULT_MODELS:
        data = json.loads((WEIGHTS_DIR / name / "history.json").read_text())["recipe"]["data"]
        assert not set(data["train"] + data["validate"]) & set(data["test"])
        # Nor did those that they started from.
        seen = {source for stage in lineage.stages(name) for source in stage.sources}
        assert seen and "300w-common" not in seen


def test_a_card_names_the_data_of_the_weights_that_a_run_started_from():
    text = ModelCard.load(WEIGHTS_DIR / "resnet18" / "README.md").text
    assert "YouTube Faces" in text.split("## Limits and licence")[1]


METRICS = {
    "faces": 3,
    "nme": 12.5,
    "fr8": 80.0,
    "auc8": 3.0,
    "lost": 0.0,
    "spread": 0.12,
    "answers_mean": True,
    "mean_answer_nme": 11.0,
}


@pytest.fixture
def folder(tmp_path):
    """A shipped folder without weights and config, for another recipe than it was made with."""
    target = tmp_path / "tiny"
    target.mkdir()
    (target / "history.json").write_bytes((WEIGHTS_DIR / "simplenet/history.json").read_bytes())
    (target / "metrics.json").write_text(
        json.dumps({"imm-validation": {"ground_truth_box": METRICS, "compare": METRICS}})
    )
    return target


def written(folder: Path, metrics=None, **changes):
    """The card's text after changes to the recipe in the history, and to the metrics."""
    history = json.loads((folder / "history.json").read_text())
    changed = copy.deepcopy(history)
    changed["recipe"] |= changes
    (folder / "history.json").write_text(json.dumps(changed))
    if metrics:
        both = {"ground_truth_box": METRICS | metrics, "compare": METRICS | metrics}
        (folder / "metrics.json").write_text(json.dumps({"imm-validation": both}))
    model_card.write(folder)
    (folder / "history.json").write_text(json.dumps(history))
    return ModelCard.load(folder / "README.md").text


def test_a_card_tells_of_the_last_linear_step_only_where_there_is_one(folder):
    path = folder / "history.json"
    history = json.loads(path.read_text())
    history.pop("calibration", None)
    for ridge, told in ((0.1, True), (None, False)):
        step = {"ridge": ridge, "validation_nme_before": 3.456, "validation_nme": 3.123}
        path.write_text(json.dumps(history | {"calibration": step}))
        model_card.write(folder)
        text = ModelCard.load(folder / "README.md").text
        assert ("from 3.46 to 3.12 %" in text) == told


def test_a_card_without_weights_says_how_to_train_them(folder):
    text = written(folder)
    assert "python -m train fit simplenet" in text
    assert "import kpdemo" not in text
    (folder / "model.safetensors").touch()
    assert "import kpdemo" in written(folder)


def test_a_card_compares_with_the_mean_face(folder):
    text = written(folder)
    assert "predicts nearly the same for every face" in text
    assert "vary 0.12 times as much as the ground truth" in text
    assert "an NME of 11.00 %" in text
    text = written(folder, {"spread": 0.9, "answers_mean": False})
    assert "predicts nearly the same for every face" not in text
    assert "vary 0.90 times" in text


def test_a_card_names_what_the_author_reported(folder):
    assert "Reported by its author" not in written(folder, reported=None)
    told = {"figure": "MAE", "value": 14.02, "unit": "px", "comparable": "Other faces.\n"}
    assert "Reported by its author: MAE 14.02 px. Other faces.\n" in written(folder, reported=told)


UNTOUCHED = "The test faces were not used in training or to choose the epoch."
STAGE = {"patience": None, "schedule": "constant"}


def run(keep="best", train=("imm",), validate=(), stage=None):
    data = {"train": list(train), "validate": list(validate), "test": ["imm-validation"]}
    return {"keep": keep, "data": data, "stages": [STAGE | (stage or {})]}


def test_cards_say_whether_test_faces_were_used():
    assert model_card.independence([run()]) == UNTOUCHED
    assert model_card.independence([run(validate=("300w",))]) == UNTOUCHED
    old = run()
    del old["keep"]  # as in histories from before recipes had it
    assert model_card.independence([old]) == UNTOUCHED
    same = ("imm-validation",)
    assert "used to choose the epoch" in model_card.independence([run(validate=same)])
    last = model_card.independence([run("last", validate=same)])
    assert "nor was an epoch chosen: the last was kept" in last
    for stage in ({"patience": 3}, {"schedule": "plateau"}):
        assert "or to control the run" in model_card.independence(
            [run("last", validate=same, stage=stage)]
        )
    assert "memorisation" in model_card.independence([run(train=("imm", *same))])
    # Earlier runs count as well.
    assert "used to choose the epoch" in model_card.independence([run("last"), run(validate=same)])
    assert "memorisation" in model_card.independence([run("last"), run(train=same)])


def test_a_card_says_which_weights_were_kept(folder):
    history = json.loads((folder / "history.json").read_text())
    best, count = history["best_epoch"], history["faces"]["validation"]
    sentence = f"The weights are those of epoch {best}, the best on {count} held-out faces"
    assert sentence in written(folder)
    data = {"train": ["imm"], "test": ["imm-validation"], "validate": ["imm-validation"]}
    text = written(folder, keep="last", data=data)
    assert "The weights are those of the last epoch" in text
    assert f"validation was on {count} faces of IMM, persons 33 to 40." in text
    assert UNTOUCHED not in text
