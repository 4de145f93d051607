"""Runs that go to `weights/`, with weights or without."""

import json
from pathlib import Path

import pytest
import torch

from kpdemo.engine.store import model_folders
from kpdemo.models import checkpoint, model_folder, nets, onnx, onnx_graph
from kpdemo.zoo import WEIGHTS_DIR
from train.__main__ import main
from train.publish import release as shipping
from train.publish.release import ship

FILES = {"README.md", "config.json", "history.json", "metrics.json", "model.safetensors"}


@pytest.fixture
def run(tmp_path: Path) -> Path:
    """A run with the history and figures of a shipped model, and weights of its own."""
    folder = tmp_path / "runs/nosenet-fajardo"
    known = WEIGHTS_DIR / "nosenet-fajardo"
    config = checkpoint.read_config(known)
    checkpoint.save(folder, nets.build(config), config)
    for name in (model_folder.HISTORY, model_folder.METRICS):
        (folder / name).write_bytes((known / name).read_bytes())
    return folder


def test_a_shipped_run_is_one_of_the_models(run: Path, tmp_path: Path) -> None:
    folder, with_weights = ship(run, weights=tmp_path / "weights")
    assert with_weights
    assert {path.name for path in folder.iterdir()} == FILES
    assert folder in model_folders(tmp_path / "weights")
    before, after = checkpoint.load(run).net, checkpoint.load(folder).net
    for one, other in zip(before.parameters(), after.parameters(), strict=True):
        assert torch.equal(one, other)


def test_a_model_that_an_app_has_open_is_not_written_over(run: Path, tmp_path: Path) -> None:
    path = ship(run, weights=tmp_path / "weights")[0] / model_folder.WEIGHTS
    before = path.read_bytes()
    checkpoint.save(run, nets.build(checkpoint.read_config(run)), checkpoint.read_config(run))
    with path.open("rb") as open_in_an_app:
        ship(run, weights=tmp_path / "weights")
        assert open_in_an_app.read() == before != path.read_bytes()


def test_the_graph_for_browsers_follows_the_weights(run: Path, tmp_path: Path) -> None:
    for package in onnx.NEEDED:
        pytest.importorskip(package, reason="Export needs it")
    folder, _ = ship(run, weights=tmp_path / "weights")
    (folder / model_folder.GRAPH).write_bytes(b"of other weights")
    ship(run, weights=tmp_path / "weights")
    assert {path.name for path in folder.iterdir()} == {*FILES, "model.onnx"}
    assert (folder / model_folder.GRAPH).read_bytes() == onnx_graph.make(folder)


@pytest.mark.parametrize("why", ["not wanted", "too big"])
def test_without_weights_the_rest_goes_along_and_the_app_does_not_offer_it(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, why: str
) -> None:
    earlier, _ = ship(run, weights=tmp_path / "weights")  # of which no weights stay behind
    (earlier / model_folder.GRAPH).write_bytes(b"of those weights")
    if why == "too big":
        monkeypatch.setattr(shipping, "MAX_BYTES", 10)
    folder, with_weights = ship(run, why == "too big", tmp_path / "weights")
    assert not with_weights
    assert {path.name for path in folder.iterdir()} == {
        "README.md",
        "history.json",
        "metrics.json",
    }
    assert folder not in model_folders(tmp_path / "weights")
    assert "python -m train fit nosenet-fajardo" in (folder / "README.md").read_text()


@pytest.mark.parametrize("command", ["ship", "calibrate"])
def test_an_unfinished_run_is_refused(
    run: Path, capsys: pytest.CaptureFixture[str], command: str
) -> None:
    history = model_folder.read_history(run) | {"finished": False}
    (run / model_folder.HISTORY).write_text(json.dumps(history))
    assert main([command, str(run)]) == 1
    assert "is not finished" in capsys.readouterr().err


@pytest.mark.parametrize("name", [model_folder.METRICS, model_folder.WEIGHTS])
def test_a_run_that_is_not_complete_is_refused(
    run: Path, capsys: pytest.CaptureFixture[str], name: str
) -> None:
    (run / name).unlink()
    assert main(["ship", str(run)]) == 1
    assert f"has no {name}" in capsys.readouterr().err
