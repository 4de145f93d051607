"""Evaluation, the model card and the README's tables, on tiny data and on the shipped folders."""

import dataclasses
import json
import math

import numpy as np
import pytest
import writers
from huggingface_hub import ModelCard

from kpdemo.compare import DEFAULT_MODELS, WEIGHTS
from train import loop, recipe, report
from train.__main__ import main
from train.evaluate import measures
from train.recipe import Stage


@pytest.fixture
def trained(tmp_path, monkeypatch):
    """A tiny model folder made by the real loop on tiny data."""
    writers.write_300w(tmp_path / "data", 6)
    monkeypatch.setenv("KPDEMO_DATA", str(tmp_path / "data"))
    tiny = dataclasses.replace(
        recipe.load("simplenet"), stages=(Stage(epochs=1, lr=1e-4),), batch_size=4
    )
    loop.fit(tiny, tmp_path / "model", workers=0, precision="no")
    return tmp_path / "model"


def test_evaluate_writes_metrics_and_a_valid_card(trained, capsys):
    assert main(["evaluate", str(trained)]) == 0
    metrics = json.loads((trained / "metrics.json").read_text())["300w-common"]
    box = metrics["ground_truth_box"]
    assert box["faces"] == metrics["compare"]["faces"] > 0
    assert box["lost"] == 0
    assert set(box["groups"]) == {"jaw", "brows", "nose", "eyes", "mouth"}
    card = ModelCard.load(trained / "README.md")
    (result,) = card.data.eval_results
    assert result.metric_value == box["nme"]
    assert f"{box['nme']:.2f}" in card.text
    assert "not for commercial use" in card.text
    assert "300w-common" in capsys.readouterr().out


def test_evaluate_names_a_folder_that_is_none(capsys):
    assert main(["evaluate", "nosuchmodel"]) == 1
    assert "nosuchmodel is no model folder" in capsys.readouterr().err


def test_measures_against_a_hand_calculation():
    truth = np.zeros((2, 68, 2))
    truth[:, 36], truth[:, 45] = (0, 0), (100, 0)
    predicted = truth + (3, 4)  # every point 5 px off, the eyes 100 px apart
    predicted[1] = np.nan  # and one face lost
    result = measures(predicted, truth, np.array([100.0, 100.0]), "ibug-68")
    assert result["nme"] == result["nme_inner_51"] == result["groups"]["jaw"] == 5.0
    assert (result["faces"], result["lost"], result["fr8"]) == (2, 50.0, 50.0)
    assert result["auc8"] == pytest.approx(100 * (1 - 5 / 8) / 2, abs=1e-3)


def test_rmse_is_in_pixels_of_kaggles_crop():
    truth = np.random.default_rng(0).uniform(0, 300, (1, 15, 2))
    predicted = truth + (2.0, 0.0)  # in photo pixels; Kaggle's crop is 192 of those wide
    result = measures(predicted, truth, np.array([80.0]), "kaggle-15", np.array([192.0]))
    assert result["rmse_96"] == pytest.approx(math.sqrt(0.5), abs=1e-3)
    assert set(result["rmse_96_by_keypoint"].values()) == {0.7071}


def test_nothing_found_is_no_number():
    truth = np.ones((1, 68, 2))
    result = measures(np.full_like(truth, np.nan), truth, np.array([1.0]), "ibug-68")
    assert result["nme"] is None
    assert result["lost"] == 100.0
    json.dumps(result, allow_nan=False)


@pytest.mark.parametrize("name", DEFAULT_MODELS)
def test_a_shipped_card_says_what_its_files_say(name):
    metrics = json.loads((WEIGHTS / name / "metrics.json").read_text())["300w-common"]
    card = ModelCard.load(WEIGHTS / name / "README.md")
    values = {result.metric_type: result.metric_value for result in card.data.eval_results}
    assert values["nme"] == metrics["ground_truth_box"]["nme"]


def test_shipped_models_never_saw_the_test_faces():
    for name in DEFAULT_MODELS:
        data = json.loads((WEIGHTS / name / "history.json").read_text())["recipe"]["data"]
        assert not set(data["train"] + data["validate"]) & set(data["test"])


def test_the_readmes_tables_are_up_to_date():
    text = report.README.read_text()
    assert report.filled(text) == text, "run `python -m train report`"


def test_a_card_names_the_data_of_the_weights_that_a_run_started_from():
    text = ModelCard.load(WEIGHTS / "keypoint-resnet" / "README.md").text
    assert "BioID" in text.split("## Limits and licence")[1]
