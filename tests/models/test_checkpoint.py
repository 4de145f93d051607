import json
import pickle
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from safetensors.torch import load_file, save_file

from kpdemo.models import checkpoint, model_folder, nets
from kpdemo.models.config import Input, ModelConfig
from kpdemo.models.model_folder import CheckpointError

CONFIG = ModelConfig("unet", "kaggle-15", Input(16, 16), args={"base": 2, "depth": 1})


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    folder = tmp_path / "little"
    with torch.random.fork_rng():
        torch.manual_seed(0)
        checkpoint.save(folder, nets.build(CONFIG), CONFIG)
    return folder


def test_model_knows_its_name_and_size(folder: Path) -> None:
    model = checkpoint.load(folder)
    assert (model.name, model.config) == ("little", CONFIG)
    assert model.parameters == sum(p.numel() for p in nets.build(CONFIG).parameters())


def test_matrices_are_half_and_statistics_whole_on_disk(folder: Path) -> None:
    tensors = load_file(folder / model_folder.WEIGHTS)
    assert tensors["head.weight"].dtype == torch.float16
    assert tensors["down.0.1.running_var"].dtype == torch.float32
    assert tensors["down.0.1.num_batches_tracked"].dtype == torch.int64
    loaded = checkpoint.load(folder).net.state_dict()
    assert all(v.dtype in (torch.float32, torch.int64) for v in loaded.values())


def test_saving_again_replaces_and_leaves_nothing_else(folder: Path) -> None:
    (folder / model_folder.WEIGHTS).write_bytes(b"old")
    checkpoint.save(folder, nets.build(CONFIG), CONFIG)
    checkpoint.load(folder)
    assert {path.name for path in folder.iterdir()} == {model_folder.WEIGHTS, model_folder.CONFIG}


def test_what_cannot_be_written_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "history.json"
    model_folder.write_json(path, {"epochs": [1]})
    with pytest.raises(TypeError):
        model_folder.write_json(path, {"epochs": [object()]})
    assert json.loads(path.read_text()) == {"epochs": [1]}


def change_config(**changes: object) -> Callable[[Path], None]:
    def change(folder: Path) -> None:
        data = json.loads((folder / model_folder.CONFIG).read_text())
        (folder / model_folder.CONFIG).write_text(json.dumps(data | changes))

    return change


def change_tensors(change: Callable[[dict], object]) -> Callable[[Path], None]:
    def rewrite(folder: Path) -> None:
        tensors = load_file(folder / model_folder.WEIGHTS)
        change(tensors)
        save_file(tensors, folder / model_folder.WEIGHTS)

    return rewrite


def write(name: str, content: bytes) -> Callable[[Path], None]:
    return lambda folder: (folder / name).write_bytes(content) and None


def truncate(folder: Path) -> None:
    content = (folder / model_folder.WEIGHTS).read_bytes()
    (folder / model_folder.WEIGHTS).write_bytes(content[: len(content) // 2])


def pickled(folder: Path) -> None:
    with (folder / model_folder.WEIGHTS).open("wb") as file:
        pickle.dump(checkpoint.load, file)


DAMAGE = {
    "no weights": (lambda f: (f / model_folder.WEIGHTS).unlink(), ["no model.safetensors"]),
    "no config": (lambda f: (f / model_folder.CONFIG).unlink(), ["no config.json"]),
    "empty weights": (write(model_folder.WEIGHTS, b""), ["model.safetensors", "damaged"]),
    "noise": (write(model_folder.WEIGHTS, bytes(range(256)) * 9), ["model.safetensors", "damaged"]),
    "truncated": (truncate, ["model.safetensors", "damaged"]),
    "pickle": (pickled, ["model.safetensors", "damaged"]),
    "torch file": (
        lambda f: torch.save({"head.bias": torch.zeros(15)}, f / model_folder.WEIGHTS),
        ["model.safetensors", "damaged"],
    ),
    "extra tensor": (
        change_tensors(lambda t: t.update(surprise=torch.zeros(1))),
        ["do not fit", "surprise"],
    ),
    "missing tensor": (change_tensors(lambda t: t.pop("head.bias")), ["do not fit", "head.bias"]),
    "other shape": (
        change_tensors(lambda t: t.update({"head.bias": torch.zeros(68)})),
        ["do not fit", "head.bias"],
    ),
    "other width": (change_config(args={"base": 4, "depth": 1}), ["do not fit", "size mismatch"]),
    "other net": (change_config(net="resnet18", args={}), ["do not fit", "Missing key"]),
    "unknown net": (change_config(net="transformer"), ["transformer", "unet"]),
    "unknown markup": (change_config(markup="ibug-86"), ["ibug-86", "ibug-68"]),
    "unknown framing": (
        change_config(framing={"reference": "ibug-box", "scale": 1.0}),
        ["config.json", "ibug-box", "keypoint-box"],
    ),
    "no scale": (change_config(framing={"scale": 0.0}), ["config.json: framing", "scale"]),
    "two channels": (
        change_config(input={"height": 8, "width": 8, "channels": 2}),
        ["config.json: input", "1 or 3 channels"],
    ),
    "std of zero": (
        change_config(input={"height": 8, "width": 8, "std": 0.0}),
        ["config.json: input", "std"],
    ),
    "from the future": (change_config(version=2), ["config.json", "version 2", "version 1"]),
    "unknown key": (change_config(colour="red"), ["config.json", "colour"]),
    "broken JSON": (write(model_folder.CONFIG, b'{"net": "un'), ["config.json", "JSON"]),
    "binary config": (write(model_folder.CONFIG, b"\x80\xff\x00"), ["config.json", "JSON"]),
    "list for config": (write(model_folder.CONFIG, b"[1]"), ["config.json", "mapping"]),
    "deep config": (write(model_folder.CONFIG, b"[" * 100_000), ["config.json", "too deeply"]),
    "deep arguments": (
        write(model_folder.CONFIG, b'{"args":' + b"[" * 300 + b"]" * 300 + b"}"),
        ["config.json", "too deeply"],
    ),
    "long number": (
        write(model_folder.CONFIG, b'{"version": 1' + b"0" * 9999 + b"}"),
        ["config.json", "too large"],
    ),
    "long version": (change_config(version="x" * 9999), ["config.json", "version 'xx"]),
    "same name twice": (
        write(model_folder.CONFIG, b'{"net": 1, "net": 2}'),
        ["config.json", "twice"],
    ),
    "huge input": (
        change_config(input={"height": 10**9, "width": 8}),
        ["config.json: input", "4096 pixels"],
    ),
    "infinite scale": (
        change_config(framing={"reference": "kaggle", "scale": float("inf")}),
        ["config.json: framing", "scale"],
    ),
    "huge argument": (change_config(args={"depth": 10**18}), ["config.json: args", "65536"]),
    # Petabytes, if they were made.
    "huge net": (change_config(args={"base": 60_000, "depth": 3}), ["do not fit"]),
    "deep weights": (
        write(model_folder.WEIGHTS, (10**5).to_bytes(8, "little") + b"[" * 10**5),
        ["model.safetensors", "damaged"],
    ),
    "deep metadata": (
        write(
            model_folder.WEIGHTS,
            (10**5 + 1).to_bytes(8, "little") + b'{"a":' * 20_000 + b"1",
        ),
        ["model.safetensors", "damaged"],
    ),
}


@pytest.mark.parametrize(("damage", "words"), DAMAGE.values(), ids=DAMAGE)
def test_damaged_folders_are_told(
    folder: Path, damage: Callable[[Path], object], words: list[str]
) -> None:
    damage(folder)
    with pytest.raises(CheckpointError) as caught:
        checkpoint.load(folder)
    message = str(caught.value)
    assert "\n" not in message
    assert len(message) < 1000
    for word in ("little", *words):
        assert word in message


def test_no_folder_is_told(tmp_path: Path) -> None:
    with pytest.raises(CheckpointError, match=r"nowhere has no config\.json"):
        checkpoint.load(tmp_path / "nowhere")


def test_history_that_is_missing_or_broken_is_told(folder: Path) -> None:
    with pytest.raises(CheckpointError, match=r"little has no history\.json"):
        model_folder.read_history(folder)
    (folder / model_folder.HISTORY).write_text('{"epochs": [')
    with pytest.raises(CheckpointError, match=r"little.history\.json is not valid JSON"):
        model_folder.read_history(folder)


@pytest.mark.parametrize("encoding", ["utf-8-sig", "utf-16"])
def test_a_config_that_an_editor_saved_again_is_read(folder: Path, encoding: str) -> None:
    path = folder / model_folder.CONFIG
    path.write_text(path.read_text(), encoding=encoding)
    assert checkpoint.load(folder).config == CONFIG


def test_normalise_scales_as_the_config_says() -> None:
    grey = torch.tensor([0, 51, 255], dtype=torch.uint8).reshape(1, 1, 1, 3)
    scaled = checkpoint.normalise(grey, Input(1, 3, mean=0.5, std=0.25))
    assert scaled.flatten().tolist() == pytest.approx([-2, -1.2, 2])


def test_json_keeps_its_content_with_lists_of_numbers_on_one_line(tmp_path):
    data = {
        "numbers": [1, -2.5, 1e-9, None],
        "pairs": [[1.25, 2.0], [3.0, None]],
        "texts": ["[\n 1 ]", "a [b  c] d"],
        "empty": [],
    }
    model_folder.write_json(tmp_path / "data.json", data)
    text = (tmp_path / "data.json").read_text()
    assert json.loads(text) == data
    assert ' "numbers": [1,-2.5,1e-09,null],\n' in text
    assert "  [1.25,2.0],\n" in text


def test_an_expected_error_that_does_not_fit_the_markup_is_refused(folder: Path) -> None:
    data = model_folder.read_json(folder, "config.json")
    data["expected_error"] = {"levels": [0.5, 0.5], "slopes": [0.1, 0.2]}
    model_folder.write_json(folder / "config.json", data)
    with pytest.raises(CheckpointError, match="expected_error has 2 levels for"):
        checkpoint.load(folder)
