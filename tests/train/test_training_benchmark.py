"""The training benchmark on tiny data: what it writes, and that it times the real loop."""

import dataclasses
import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import torch
import yaml
from accelerate.state import AcceleratorState
from helpers import writers

from train import benchmark, recipe
from train.data.dataset import Faces
from train.data.sources import DataError

ROUNDS = 2


@pytest.fixture(autouse=True)
def _own_precision() -> Iterator[None]:
    """Accelerate allows one precision a process; other tests train with another."""
    AcceleratorState._reset_state(reset_partial_state=True)
    yield
    AcceleratorState._reset_state(reset_partial_state=True)


@pytest.fixture
def tiny(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A recipe's file; its data is so small that every round crosses the ends of epochs."""
    writers.write_300w(tmp_path / "data", 4)
    monkeypatch.setenv("KPDEMO_DATA", str(tmp_path / "data"))
    settings = {
        "name": "tiny",
        "title": "For tests",
        "net": "simplenet",
        "markup": "ibug-68",
        "input": {"height": 24, "width": 24},
        "framing": {"reference": "keypoint-box", "scale": 1.3},
        "data": {"train": ["300w"], "test": ["300w-common"], "holdout": 0.25},
        "loss": {"coordinates": "smooth_l1"},
        "stages": [
            {"epochs": 1, "lr": 1e-3, "freeze_backbone": True},
            {"epochs": 3, "lr": 1e-3, "schedule": "onecycle", "patience": 1},
        ],
        "batch_size": 4,
        "args": {"blocks": [{"channels": 4, "pool": 4}], "hidden": [16]},
        "start_from": "runs/nowhere",
    }
    path = tmp_path / "tiny.yaml"
    path.write_text(yaml.safe_dump(settings))
    return path


def test_it_writes_both_rates_of_every_recipe(tiny: Path, tmp_path: Path) -> None:
    output = tmp_path / "training_benchmark.json"
    with torch.random.fork_rng():
        result = benchmark.measure([str(tiny)], output, ROUNDS, 0.05, 1)
    assert json.loads(output.read_text()) == result
    assert result["workers"] == 1
    assert result["threads"] == torch.get_num_threads()
    assert result["device"]
    assert result["precision"] in ("no", "bf16")
    rates = result["recipes"]["tiny"]
    loaded, in_memory = rates["faces_per_second"], rates["faces_per_second_in_memory"]
    assert loaded > 0
    # Rates are rounded to a tenth, which is much of the few faces a second of a busy machine.
    rounding = 0.001 + loaded / in_memory * (0.05 / loaded + 0.05 / in_memory)
    assert rates["share"] == pytest.approx(loaded / in_memory, abs=1.1 * rounding)


def test_both_sides_train_the_real_net_on_whole_batches(tiny: Path, tmp_path: Path) -> None:
    with torch.random.fork_rng():
        run = benchmark.TimedRun(recipe.load(str(tiny)), tmp_path / "run", ROUNDS, 0.05, 0)
        before = {name: value.clone() for name, value in run.net.state_dict().items()}
        run.run()
    assert len(run.loaded) == len(run.in_memory) == ROUNDS
    assert any(not torch.equal(value, before[name]) for name, value in run.net.named_parameters())
    assert len(run.history["epochs"]) == 1


def test_the_longest_stage_is_timed_as_it_is(tiny: Path) -> None:
    loaded = recipe.load(str(tiny))
    timed = benchmark.one_epoch(loaded)
    (stage,) = timed.stages
    assert stage.freeze_backbone is False
    assert timed.start_from is None
    assert timed == dataclasses.replace(loaded, stages=timed.stages, start_from=None)


def test_a_slow_loader_shows(tiny: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A picture that takes 0.2 s to prepare must cost far more than the small net's step."""
    prepared = Faces.__getitem__

    def slowly(self: Faces, index: tuple[int, int]) -> tuple[torch.Tensor, ...]:
        time.sleep(0.2)
        return prepared(self, index)

    monkeypatch.setattr(Faces, "__getitem__", slowly)
    with torch.random.fork_rng():
        result = benchmark.measure([str(tiny)], tmp_path / "out.json", 1, 0.01, 1)
    assert result["recipes"]["tiny"]["share"] < 0.7


def test_missing_data_is_said(tiny: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("KPDEMO_DATA", str(tmp_path / "nothing"))
    with pytest.raises(DataError):
        benchmark.measure([str(tiny)], tmp_path / "out.json")
    assert not (tmp_path / "out.json").exists()
