import dataclasses
import json
from pathlib import Path
from typing import Any

import pytest
import torch
import yaml

from kpdemo.models import crop_rules, nets
from kpdemo.models.augment import Augmenter
from kpdemo.models.config import ConfigError
from train import recipe
from train.data.sources import SOURCES, pseudo_labels
from train.losses import KeypointLoss
from train.optim import Schedule, optimizer
from train.publish.results import SYSTEMS

DEVIATION = {"what": "size", "report": "224", "ours": "64", "why": "time"}
CLAIM = {"claim": "It works.", "check": "None.", "verdict": "holds", "because": "It was seen."}
PLAIN = yaml.safe_load((recipe.RECIPES / "simplenet.yaml").read_text())


def write(tmp_path: Path, data: Any) -> str:
    path = tmp_path / "mine.yaml"
    path.write_text(yaml.safe_dump(data))
    return str(path)


@pytest.mark.parametrize("name", recipe.names())
def test_every_shipped_recipe_can_be_built(name: str) -> None:
    chosen = recipe.load(name)
    assert chosen.name == name
    assert chosen.title
    nets.build(chosen.config)
    KeypointLoss(chosen.loss, chosen.input.width, chosen.input.height)
    Augmenter(chosen.augment, chosen.input, chosen.markup)
    assert chosen.framing.reference in crop_rules.REFERENCES
    sources = {*chosen.data.train, *chosen.data.validate, *chosen.data.test}
    assert set(map(pseudo_labels.data_set, sources)) <= set(SOURCES)
    assert chosen.stages
    for stage in chosen.stages:
        Schedule(stage, optimizer(stage, [torch.nn.Parameter(torch.zeros(1))]), 10)


@pytest.mark.parametrize("name", recipe.names())
def test_no_shipped_recipe_trains_or_selects_on_the_test_set(name: str) -> None:
    chosen = recipe.load(name)
    data = chosen.data
    assert not {*data.train} & {*data.test, "300w-common"}
    assert "300w-common" not in data.validate
    # Test faces may draw a validation curve only where no epoch is chosen by it.
    assert not {*data.validate} & {*data.test} or chosen.keep == "last"


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (b"[" * 100_000, "nested too deeply"),
        (b"a: &a [1]\nb: *a\n", "aliases"),
        (b"name: x\nname: y\n", "'name' occurs twice"),
        (b"name: \xff\n", "not valid YAML"),
        (b"name: 1" + b"0" * 5000, "not valid YAML"),
        (b"#" * 1_000_001, "larger than 1 MB"),
        (b"- a\n- b\n", "expected a mapping"),
        (b"", "expected a mapping"),
    ],
    ids=range(8),
)
def test_a_file_that_holds_no_recipe_is_refused(tmp_path: Path, text: bytes, words: str) -> None:
    path = tmp_path / "mine.yaml"
    path.write_bytes(text)
    with pytest.raises(ConfigError, match=words):
        recipe.load(str(path))


def test_a_recipe_by_its_path(tmp_path: Path) -> None:
    assert recipe.load(write(tmp_path, PLAIN)) == recipe.load("simplenet")


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"colour": "red"}, ["unknown key colour"]),
        ({"stages": [{"epochs": 1}]}, ["stages[0]", "missing lr"]),
        ({"stages": [{"epochs": 1, "lr": 1, "patients": 3}]}, ["stages[0]", "patients"]),
        ({"stages": [{"epochs": 1, "lr": "1e-3"}]}, ["stages[0]", "lr", "'1e-3'"]),
        ({"stages": {"epochs": 1, "lr": 1}}, ["stages", "tuple"]),
        ({"augment": {"scale": [0.8]}}, ["augment", "scale"]),
        ({"augment": {"scale": 0.8}}, ["augment", "scale"]),
        ({"augment": {"flip": 0.5}}, ["augment", "flip", "mirror"]),
        ({"loss": {"coordinates": 3}}, ["loss", "coordinates"]),
        ({"data": {"train": ["300w"]}}, ["data", "missing test"]),
        ({"data": {"train": "300w", "test": []}}, ["data", "train"]),
        ({"batch_size": 16.5}, ["batch_size", "16.5"]),
        ({"ema": "much"}, ["ema", "'much'"]),
        ({"clip": [1]}, ["clip"]),
        (
            {"deviations": [{"what": "size", "ours": "64"}]},
            ["deviations[0]", "missing report, why"],
        ),
        ({"deviations": [DEVIATION | {"since": "x"}]}, ["deviations[0]", "unknown key since"]),
        ({"claims": [CLAIM | {"verdict": "perhaps"}]}, ["claims[0]", "'perhaps'", "holds"]),
        ({"claims": [CLAIM | {"because": ""}]}, ["claims[0]", "figures"]),
        ({"claims": [CLAIM | {"figures": [{"what": "NME"}]}]}, ["figures[0]", "missing source"]),
        ({"claims": [CLAIM | {"value": 3.0}]}, ["claims[0]", "unknown key value"]),
    ],
)
def test_bad_recipes_are_told_in_one_sentence(
    tmp_path: Path, change: dict[str, Any], words: list[str]
) -> None:
    with pytest.raises(ConfigError) as caught:
        recipe.load(write(tmp_path, PLAIN | change))
    message = str(caught.value)
    assert message.startswith("mine.yaml")
    assert "\n" not in message
    for word in words:
        assert word in message


def test_an_empty_recipe_is_reported(tmp_path: Path) -> None:
    (tmp_path / "empty.yaml").write_text("")
    with pytest.raises(ConfigError, match=r"empty\.yaml.*mapping"):
        recipe.load(str(tmp_path / "empty.yaml"))


def test_no_such_recipe_names_the_shipped_ones() -> None:
    with pytest.raises(ConfigError, match=r"'u-net'.*resnet18.*unet"):
        recipe.load("u-net")


def test_a_folder_is_no_recipe(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"is no readable recipe.*resnet18.*unet"):
        recipe.load(str(tmp_path))


@pytest.mark.parametrize("content", [b"stages: [", b"\xff\xfe\x00"])
def test_what_is_no_yaml_is_reported(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "broken.yaml").write_bytes(content)
    with pytest.raises(ConfigError, match=r"broken\.yaml is not valid YAML"):
        recipe.load(str(tmp_path / "broken.yaml"))


@pytest.mark.parametrize("name", SYSTEMS)
def test_the_fourteen_answer_with_one_pass(name: str) -> None:
    chosen = recipe.load(name)
    assert not chosen.flip_test and not chosen.config.flip_test
    assert chosen.claims


@pytest.mark.parametrize("name", ["simplenet", "resnet18", "unet", "keypoint-resnet"])
def test_the_apps_own_models_keep_the_flip_test(name: str) -> None:
    assert recipe.load(name).config.flip_test


def test_what_a_recipe_says_of_itself_can_change_after_training(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(recipe, "RECIPES", tmp_path)
    stored = json.loads(json.dumps(dataclasses.asdict(recipe.load(write(tmp_path, PLAIN)))))
    stored["name"] = "mine"
    now = PLAIN | {"name": "mine", "notes": "Other words.", "deviations": [DEVIATION]}
    write(tmp_path, now)
    told = recipe.with_descriptions(stored)
    assert (told["notes"], told["deviations"]) == ("Other words.", [DEVIATION])
    assert not recipe.load("mine").differs_from(stored)
    write(tmp_path, now | {"batch_size": 2})
    assert recipe.with_descriptions(stored) == stored, (
        "another recipe than the one that was trained"
    )
    assert recipe.load("mine").differs_from(stored) == ["batch_size"]
    assert recipe.with_descriptions(stored | {"name": "gone"}) == stored | {"name": "gone"}


def test_config_has_all_that_the_recipe_says_of_the_net() -> None:
    chosen = recipe.load("unet")
    config = chosen.config
    for name in ("net", "markup", "input", "framing", "args", "flip_test"):
        assert getattr(config, name) == getattr(chosen, name)
