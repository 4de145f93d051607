import dataclasses
import json
from typing import Any

import pytest

from kpdemo.models import nets
from kpdemo.models.config import ConfigError, Framing, Input, ModelConfig, from_dict

PLAIN = {
    "net": "unet",
    "markup": "ibug-68",
    "input": {"height": 96, "width": 128, "channels": 3},
    "framing": {"reference": "imm-picture", "scale": 1.3},
    "args": {"base": 4, "depth": 2},
}


def without(key: str) -> dict[str, Any]:
    return {name: value for name, value in PLAIN.items() if name != key}


def test_config_survives_json() -> None:
    config = from_dict(ModelConfig, PLAIN, "config.json")
    assert config.input == Input(96, 128, 3)
    assert config.framing == Framing("imm-picture", 1.3)
    text = json.dumps(dataclasses.asdict(config))
    assert from_dict(ModelConfig, json.loads(text), "config.json") == config


def test_whole_numbers_are_floats_where_floats_are_asked_for() -> None:
    scale = from_dict(ModelConfig, PLAIN | {"framing": {"scale": 2}}, "x").framing.scale
    assert scale == 2.0
    assert isinstance(scale, float)


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (PLAIN | {"colour": "red"}, ["unknown key colour", "markup"]),
        (PLAIN | {"input": {"height": 9, "width": 9, "depth": 9}}, ["input", "unknown key depth"]),
        (without("markup"), ["missing markup"]),
        (PLAIN | {"input": {"height": 96}}, ["input", "missing width"]),
        (PLAIN | {"input": 96}, ["input", "mapping", "96"]),
        (PLAIN | {"input": {"height": "96", "width": 96}}, ["height", "'96'", "int"]),
        (PLAIN | {"input": {"height": True, "width": 96}}, ["height", "True", "int"]),
        (PLAIN | {"input": {"height": 96.0, "width": 96}}, ["height", "96.0", "int"]),
        (PLAIN | {"framing": {"scale": "1e-3"}}, ["scale", "'1e-3'", "float"]),
        (PLAIN | {"net": None}, ["net", "None", "str"]),
        (PLAIN | {"args": ["base"]}, ["args", "Mapping"]),
        ([], ["mapping", "[]"]),
        (None, ["mapping", "None"]),
    ],
)
def test_bad_settings_are_told_in_one_sentence(data: object, words: list[str]) -> None:
    with pytest.raises(ConfigError) as caught:
        from_dict(ModelConfig, data, "unet/config.json")
    message = str(caught.value)
    assert message.startswith("unet/config.json")
    assert message.endswith(".")
    assert "\n" not in message
    for word in words:
        assert word in message


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"net": "transformer"}, ["transformer", "unet", "resnet18"]),
        ({"markup": "ibug-86"}, ["ibug-86", "ibug-68"]),
        ({"args": {"bass": 4}}, ["unet", "bass"]),
        ({"args": {"base": "four"}}, ["unet"]),
        ({"args": {"decoding": "guess"}}, ["guess", "softargmax"]),
        ({"input": {"height": 8, "width": 8}, "args": {}}, ["8x8", "small"]),
        ({"net": "simplenet", "args": {}}, ["simplenet", "blocks"]),
        ({"net": "simplenet", "args": {"blocks": [{"chanels": 4}]}}, ["blocks[0]", "chanels"]),
        ({"net": "simplenet", "args": {"blocks": [{"channels": 4}], "activation": "x"}}, ["x"]),
        ({"net": "simplenet", "args": {"blocks": [{"channels": 4, "kernel": 200}]}}, ["simplenet"]),
        ({"net": "keypoint-resnet", "args": {"stages": []}}, ["keypoint-resnet"]),
        ({"net": "keypoint-resnet", "args": {"stages": ["a"]}}, ["keypoint-resnet"]),
        ({"net": "resnet18", "args": {"dropout": 7.0}}, ["resnet18", "dropout"]),
    ],
)
def test_nets_that_cannot_be_built_are_told_in_one_sentence(change: dict, words: list[str]) -> None:
    config = from_dict(ModelConfig, PLAIN | change, "config.json")
    with pytest.raises(ConfigError) as caught:
        nets.build(config)
    for word in words:
        assert word in str(caught.value)
