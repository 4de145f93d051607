"""The benchmark's structure and sizes; times are not tested, only that there are some."""

import json

import pytest
import torch

from kpdemo.benchmark import speed
from kpdemo.models import checkpoint, model_folder, nets
from kpdemo.models.checkpoint import Model
from kpdemo.models.config import Input, ModelConfig
from kpdemo.models.device import describe, pick
from kpdemo.zoo import BASELINE, DEFAULT_MODELS, WEIGHTS_DIR

ARGS = {"blocks": [{"channels": 4, "pool": 4}], "hidden": [16]}


@pytest.fixture(scope="module")
def small(tmp_path_factory):
    """A folder with a small model, which none of the default ones is."""
    folder = tmp_path_factory.mktemp("weights") / "small"
    config = ModelConfig("simplenet", "ibug-68", Input(24, 24), args=ARGS)
    checkpoint.save(folder, nets.build(config), config)
    return folder


@pytest.fixture(scope="module")
def measured(small):
    return speed.measure([WEIGHTS_DIR / "unet", small, small.with_name("gone")], rounds=1)


def test_every_model_and_mediapipe_has_its_size_and_times(measured, small):
    models = measured["models"]
    assert list(models) == ["unet", "small", BASELINE]
    assert models["small"]["bytes"] == (small / model_folder.WEIGHTS).stat().st_size
    assert models["small"]["parameters"] == checkpoint.load(small).parameters
    assert models["unet"]["multiply_adds"] > models["small"]["multiply_adds"] > 0
    assert models[BASELINE]["multiply_adds"] is None
    assert models[BASELINE]["bytes"] == 3_758_596
    assert models[BASELINE]["times_mediapipe"] == 1
    for row in models.values():
        assert row["ms_1"] > 0
        assert row["ms_8"] > 0
    ratio = models["unet"]["ms_1"] / models[BASELINE]["ms_1"]
    assert models["unet"]["times_mediapipe"] == pytest.approx(ratio, rel=0.02)
    assert json.loads(json.dumps(measured, allow_nan=False)) == measured


def test_a_folder_that_cannot_be_used_is_named(measured):
    assert measured["unavailable"] == {"gone": "gone has no config.json."}


def test_the_comparison_is_set_against_the_default_models_alone(measured):
    forward = measured["forward_milliseconds"]
    assert set(forward) == {"unet", BASELINE}
    assert set(forward) <= {*DEFAULT_MODELS, BASELINE}
    assert measured["device"] == describe(pick())
    whole = measured["compare_milliseconds"] / sum(forward.values())
    assert measured["compare_to_forward_ratio"] == pytest.approx(whole, rel=0.02)


def test_multiply_adds_against_a_hand_calculation():
    """A convolution counts its output times its kernel, a linear layer its matrix."""
    net = torch.nn.Sequential(
        torch.nn.Conv2d(1, 2, 3, padding=1), torch.nn.Flatten(), torch.nn.Linear(2 * 6 * 6, 10)
    )
    model = Model("plain", ModelConfig("simplenet", "nose-1", Input(6, 6)), net)
    assert speed.multiply_adds(model) == 6 * 6 * 2 * 9 + 2 * 6 * 6 * 10


def test_actions_take_turns():
    calls = []
    actions = {name: lambda name=name: calls.append(name) for name in "ab"}
    assert set(speed.milliseconds(actions, 2)) == {"a", "b"}
    assert calls == list("aabb" * 2)


def test_the_folder_is_set_against_calls_photo_by_photo():
    rates = speed.folder_rates(count=3, rounds=1)
    assert set(rates) == {
        "folder_photos_per_second",
        "compare_photos_per_second",
        "endpoint_photos_per_second",
        "folder_to_compare_ratio",
        "folder_to_endpoint_ratio",
    }
    assert min(rates.values()) > 0
