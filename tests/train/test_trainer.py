import dataclasses
import json
import math
import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
import torch
import yaml
from helpers import pseudo_labels, writers
from safetensors.torch import load_file
from tqdm import tqdm

from kpdemo.models import checkpoint, model_folder, nets
from kpdemo.models.augment import Augment
from kpdemo.models.config import ConfigError, Framing, Input
from kpdemo.models.predict import predict
from train import recipe, trainer
from train.__main__ import main
from train.data.dataset import for_training
from train.data.sources import DataError
from train.errors import TrainingError
from train.recipe import Data, Loss, Recipe, Stage
from train.state import STATE

ROOT = Path(__file__).parents[2]
# Everything that could make an interrupted run differ: dropout, batch norm, a frozen stage, an
# average, moments of the optimiser, a schedule over all steps and random changes of the pictures.
TINY = Recipe(
    name="tiny",
    title="For tests",
    net="simplenet",
    markup="ibug-68",
    input=Input(24, 24),
    framing=Framing("keypoint-box", 1.3),
    data=Data(train=("300w",), test=("300w-common",), holdout=0.25),
    loss=Loss("wing", bend=5.0, curvature=1.0),
    stages=(
        Stage(2, 3e-3, freeze_backbone=True),
        Stage(3, 3e-3, weight_decay=0.01, schedule="onecycle"),
    ),
    batch_size=4,
    args={
        "blocks": [{"channels": 4, "norm": True, "pool": 4, "dropout": 0.2}],
        "hidden": [16],
        "dropout": 0.2,
    },
    augment=Augment(mirror=0.5, rotate=20.0, shift=0.05, scale=(0.9, 1.1), erase=0.3),
    ema=0.9,
    clip=5.0,
)
PLAIN_ARGS = {"blocks": [{"channels": 4, "pool": 4}]}  # nothing in it changes without a gradient


@pytest.fixture(scope="session")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("data")
    writers.write_300w(root, count=4)
    writers.write_300w_partial(root)
    writers.write_imm(root, count=5)
    writers.write_bioid(root)
    writers.write_ytf(root)
    writers.write_kaggle(root)
    return root


@pytest.fixture(autouse=True)
def _data(data: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    monkeypatch.setenv("KPDEMO_DATA", str(data))
    with torch.random.fork_rng():
        yield


def fit(chosen: Recipe, folder: Path, workers: int = 0) -> dict:
    return trainer.fit(chosen, folder, workers=workers, precision="no")


def weights(folder: Path) -> dict[str, torch.Tensor]:
    return load_file(folder / model_folder.WEIGHTS)


def curves(history: dict) -> list[dict]:
    return [{k: v for k, v in epoch.items() if k != "seconds"} for epoch in history["epochs"]]


def assert_same_run(one: Path, other: Path) -> None:
    first, second = (json.loads((path / model_folder.HISTORY).read_text()) for path in (one, other))
    assert curves(first) == curves(second)
    assert first["best_epoch"] == second["best_epoch"]
    first, second = weights(one), weights(other)
    assert first.keys() == second.keys()
    for name, value in first.items():
        assert torch.equal(value, second[name]), name


@pytest.mark.parametrize("name", recipe.names())
def test_one_step_of_every_shipped_recipe(
    name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shipped = recipe.load(name)
    monkeypatch.chdir(tmp_path)
    pseudo_labels.write(shipped)
    chosen = dataclasses.replace(
        shipped,
        stages=tuple(dataclasses.replace(stage, epochs=1) for stage in shipped.stages),
        batch_size=4,
        start_from=None,
        imagenet=False,
    )
    folder = tmp_path / name
    history = fit(chosen, folder)
    assert json.loads(json.dumps(history)) == model_folder.read_history(folder)
    assert history["recipe"]["name"] == name
    assert history["finished"] is True
    assert [epoch["stage"] for epoch in history["epochs"]] == list(range(len(chosen.stages)))
    for epoch in history["epochs"]:
        assert math.isfinite(epoch["train_loss"])
        assert math.isfinite(epoch["validation_loss"])
        assert 0 < epoch["validation_nme"] < math.inf
        assert epoch["lr"] > 0
    assert history["faces"]["train"] >= 4
    assert history["faces"]["validation"] >= 1
    model = checkpoint.load(folder)
    assert model.config == shipped.config
    assert model.parameters == history["parameters"]
    size = shipped.input
    shape = (1, size.height, size.width) if size.channels == 1 else (1, size.height, size.width, 3)
    assert np.isfinite(predict(model, np.full(shape, 90, np.uint8)).keypoints).all()
    assert {path.name for path in folder.iterdir()} == {
        model_folder.WEIGHTS,
        model_folder.CONFIG,
        model_folder.HISTORY,
    }


def test_training_learns_and_keeps_the_best_epoch(tmp_path: Path) -> None:
    """A second stage that spoils the net must leave the first one's weights in the folder."""
    good = dataclasses.replace(TINY, args=PLAIN_ARGS, stages=(Stage(8, 3e-3),), ema=None)
    spoilt = dataclasses.replace(good, stages=(*good.stages, Stage(2, 1.0, optimizer="adam")))
    fit(good, tmp_path / "good")
    history = fit(spoilt, tmp_path / "spoilt")
    errors = [epoch["validation_nme"] for epoch in history["epochs"]]
    assert errors[7] < 0.5 * errors[0]
    assert min(errors[8:]) > 2 * errors[7]
    assert history["best_epoch"] == 1 + int(np.argmin(errors)) <= 8
    assert weights(tmp_path / "spoilt").keys() == weights(tmp_path / "good").keys()
    for name, value in weights(tmp_path / "good").items():
        assert torch.equal(weights(tmp_path / "spoilt")[name], value), name


def test_the_last_epoch_is_kept_where_the_recipe_says_so(tmp_path: Path) -> None:
    last = dataclasses.replace(
        TINY, args=PLAIN_ARGS, stages=(Stage(2, 3e-3), Stage(2, 1.0)), ema=None, keep="last"
    )
    history = fit(last, tmp_path / "last")
    assert history["best_epoch"] <= 2
    fit(dataclasses.replace(last, keep="best"), tmp_path / "best")
    kept = [weights(tmp_path / name)["head.0.weight"] for name in ("last", "best")]
    assert not torch.equal(*kept)
    model = checkpoint.load(tmp_path / "last")
    assert model_error(model) == pytest.approx(history["epochs"][-1]["validation_nme"], rel=2e-3)


def test_the_kept_weights_have_the_error_that_the_history_says(tmp_path: Path) -> None:
    """Validation goes through the average, and so must what is saved."""
    history = fit(dataclasses.replace(TINY, stages=(Stage(6, 2e-2),)), tmp_path / "model")
    best = min(epoch["validation_nme"] for epoch in history["epochs"])
    assert model_error(checkpoint.load(tmp_path / "model")) == pytest.approx(best, rel=2e-3)


def model_error(model: checkpoint.Model) -> float:
    """The NME of a model on TINY's validation faces, face by face."""
    _, validation = for_training(TINY)
    errors = []
    for number in range(len(validation)):
        picture, target, eyes = validation[0, number]
        with torch.inference_mode():
            answer = model.net(checkpoint.normalise(picture[None], TINY.input)).keypoints[0]
        errors.append(100 * (answer - target).norm(dim=1).mean().item() / eyes.item())
    return float(np.mean(errors))


def test_every_epoch_sees_every_face_changed_anew(tmp_path: Path) -> None:
    """Without a learning rate the loss differs from epoch to epoch only by what is seen."""
    # All nine faces in one batch: of smaller ones, the last and incomplete one is left out.
    still = dataclasses.replace(TINY, args=PLAIN_ARGS, ema=None, batch_size=9)
    two = (Stage(2, 0.0), Stage(2, 0.0))
    history = fit(dataclasses.replace(still, stages=two), tmp_path / "changed")
    assert len({epoch["train_loss"] for epoch in history["epochs"]}) == 4
    unchanged = dataclasses.replace(still, stages=two, augment=Augment())
    history = fit(unchanged, tmp_path / "unchanged")
    losses = [epoch["train_loss"] for epoch in history["epochs"]]
    assert losses == pytest.approx([losses[0]] * 4, rel=1e-5)


def test_same_seed_same_result_with_and_without_workers(tmp_path: Path) -> None:
    fit(TINY, tmp_path / "none", workers=0)
    fit(TINY, tmp_path / "one", workers=1)
    assert_same_run(tmp_path / "none", tmp_path / "one")


def test_another_seed_another_result(tmp_path: Path) -> None:
    short = dataclasses.replace(TINY, stages=TINY.stages[:1])
    one = fit(short, tmp_path / "one")
    other = fit(dataclasses.replace(short, seed=1), tmp_path / "other")
    assert curves(one) != curves(other)


def interrupt_report(monkeypatch: pytest.MonkeyPatch, epoch: int) -> None:
    """Stop the run when it reports an epoch: trained, but nothing of it on disk."""
    calls = iter(range(1, epoch + 1))

    def write(*_: object, **__: object) -> None:
        if next(calls) == epoch:
            raise KeyboardInterrupt

    monkeypatch.setattr(tqdm, "write", write)


def interrupt_save(monkeypatch: pytest.MonkeyPatch, epoch: int) -> None:
    """Stop the run while it writes what it would go on from: weights and history are newer."""
    calls, save = iter(range(1, epoch + 1)), torch.save

    def broken(state: object, path: Path) -> None:
        if next(calls) == epoch:
            path.write_bytes(b"half a fi")
            raise KeyboardInterrupt
        save(state, path)

    monkeypatch.setattr(torch, "save", broken)


@pytest.fixture(scope="module")
def uninterrupted(tmp_path_factory: pytest.TempPathFactory, data: Path) -> Path:
    folder = tmp_path_factory.mktemp("uninterrupted")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("KPDEMO_DATA", str(data))
        fit(TINY, folder)
    return folder


@pytest.mark.parametrize(
    ("interrupt", "epoch", "workers"),
    [
        (interrupt_report, 2, 0),
        (interrupt_report, 3, 1),
        (interrupt_save, 3, 0),
        (interrupt_save, 5, 1),
    ],
)
def test_an_interrupted_run_ends_as_without_the_interruption(
    tmp_path: Path,
    uninterrupted: Path,
    interrupt: Callable[[pytest.MonkeyPatch, int], None],
    epoch: int,
    workers: int,
) -> None:
    """Interrupted within the first stage, at the start of the second and at its end."""
    folder = tmp_path / "model"
    with pytest.MonkeyPatch.context() as patch:
        interrupt(patch, epoch)
        with pytest.raises(KeyboardInterrupt):
            fit(TINY, folder, workers)
    assert not model_folder.read_history(folder)["finished"]
    fit(TINY, folder, workers)
    assert_same_run(folder, uninterrupted)
    assert not list(folder.glob("state*"))


def test_a_killed_run_ends_as_without_the_kill(tmp_path: Path, uninterrupted: Path) -> None:
    folder = tmp_path / "model"
    path = write_recipe(TINY, tmp_path)
    kill_at_third = (
        "import os, signal, sys; from tqdm import tqdm; from train.__main__ import main\n"
        "seen = []\n"
        "def write(text, *rest, **more):\n"
        "    seen.append(text)\n"
        "    len(seen) == 3 and os.kill(os.getpid(), signal.SIGKILL)\n"
        "tqdm.write = write\n"
        "main(sys.argv[1:])"
    )
    arguments = ["fit", str(path), "--output", str(folder), "--precision", "no"]
    ended = subprocess.run([sys.executable, "-c", kill_at_third, *arguments], cwd=ROOT, check=False)
    assert ended.returncode == -signal.SIGKILL
    assert len(model_folder.read_history(folder)["epochs"]) == 2
    checkpoint.load(folder)
    fit(recipe.load(str(path)), folder)
    assert_same_run(folder, uninterrupted)


def test_a_run_of_another_recipe_is_not_resumed(tmp_path: Path) -> None:
    with pytest.MonkeyPatch.context() as patch:
        interrupt_report(patch, 2)
        with pytest.raises(KeyboardInterrupt):
            fit(TINY, tmp_path)
    before = (tmp_path / model_folder.WEIGHTS).read_bytes()
    with pytest.raises(ConfigError, match=r"other settings \(clip\).*--output"):
        fit(dataclasses.replace(TINY, clip=1.0), tmp_path)
    state = torch.load(tmp_path / STATE)
    elsewhere = {"precision": "bf16", "processes": 2}
    torch.save(state | {"history": state["history"] | elsewhere}, tmp_path / STATE)
    with pytest.raises(ConfigError, match=r"other settings \(precision bf16, processes 2\)"):
        fit(TINY, tmp_path)
    torch.save(state, tmp_path / STATE)
    assert (tmp_path / model_folder.WEIGHTS).read_bytes() == before
    # Descriptions of a recipe may change.
    history = fit(dataclasses.replace(TINY, notes="Reworded."), tmp_path)
    assert history["recipe"]["notes"] == "Reworded."
    assert len(history["epochs"]) == 5


def test_a_run_that_diverges_stops_and_says_where(tmp_path: Path) -> None:
    wild = dataclasses.replace(
        TINY,
        args=PLAIN_ARGS,
        loss=Loss("mse"),
        stages=(Stage(1, 1e-3), Stage(5, 1e30, optimizer="sgd")),
        ema=None,
        clip=None,
    )
    with pytest.raises(TrainingError, match=r"tiny diverged in epoch [23]: the loss is (nan|inf)"):
        fit(wild, tmp_path)
    # What was good before is still there.
    assert len(model_folder.read_history(tmp_path)["epochs"]) in (1, 2)
    assert all(value.isfinite().all() for value in weights(tmp_path).values())


@pytest.fixture
def start(tmp_path: Path) -> Path:
    """Weights to start from, with batch norm statistics that are not the initial ones."""
    torch.manual_seed(7)
    net = nets.build(TINY.config)
    for _ in range(5):
        net(torch.rand(4, 1, 24, 24))
    checkpoint.save(tmp_path / "start", net, TINY.config)
    return tmp_path / "start"


def test_a_frozen_backbone_does_not_move_and_the_head_does(tmp_path: Path, start: Path) -> None:
    frozen = dataclasses.replace(
        TINY,
        stages=(Stage(2, 1e-2, weight_decay=0.1, freeze_backbone=True),),
        start_from=str(start),
    )
    fit(frozen, tmp_path / "model")
    before, after = weights(start), weights(tmp_path / "model")
    assert any("running_var" in name for name in before)
    for name, value in before.items():
        if name.startswith("backbone."):
            assert torch.equal(after[name], value), name
        else:
            assert not torch.equal(after[name], value), name


def test_the_stage_after_a_frozen_one_moves_everything(tmp_path: Path, start: Path) -> None:
    fit(dataclasses.replace(TINY, start_from=str(start), ema=None), tmp_path / "model")
    before, after = weights(start), weights(tmp_path / "model")
    for name, value in before.items():
        assert not torch.equal(after[name], value), name


def test_start_from_takes_the_layers_that_fit(tmp_path: Path, start: Path) -> None:
    """15 points from a net of 68: the last layer is new, the rest is taken over."""
    fewer = dataclasses.replace(
        TINY,
        markup="kaggle-15",
        stages=(Stage(1, 0.0, freeze_backbone=True),),
        start_from=str(start),
    )
    fit(fewer, tmp_path / "model")
    before, after = weights(start), weights(tmp_path / "model")
    for name, value in before.items():
        if name.startswith("head.3."):
            assert after[name].shape[0] == 30
        else:
            assert torch.equal(after[name], value), name


def test_start_from_an_unusable_folder_is_refused(tmp_path: Path, start: Path) -> None:
    other = dataclasses.replace(
        TINY, net="unet", args={"base": 2, "depth": 1}, start_from=str(start)
    )
    with pytest.raises(ConfigError, match="shares no layer with unet"):
        fit(other, tmp_path / "model")


def test_a_start_that_is_not_there_is_told_at_once_and_only_missed_at_the_start(
    tmp_path: Path, start: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    chosen = dataclasses.replace(TINY, start_from=str(start))
    with pytest.MonkeyPatch.context() as patch:
        interrupt_report(patch, 2)
        with pytest.raises(KeyboardInterrupt):
            fit(chosen, tmp_path / "model")
    shutil.rmtree(start)
    assert fit(chosen, tmp_path / "model")["finished"]
    monkeypatch.setenv("KPDEMO_DATA", str(tmp_path / "nowhere"))  # not looked for any more
    with pytest.raises(ConfigError, match=r"`python -m train fit start` first"):
        fit(chosen, tmp_path / "other")


def test_patience_ends_a_stage_and_is_kept_over_an_interruption(tmp_path: Path) -> None:
    """Without a learning rate nothing improves after the first epoch."""
    chosen = dataclasses.replace(
        TINY,
        args=PLAIN_ARGS,
        stages=(Stage(9, 0.0, patience=2), Stage(2, 1e-3)),
        ema=None,
    )
    history = fit(chosen, tmp_path / "whole")
    assert [epoch["stage"] for epoch in history["epochs"]] == [0, 0, 0, 1, 1]
    with pytest.MonkeyPatch.context() as patch:
        interrupt_report(patch, 3)
        with pytest.raises(KeyboardInterrupt):
            fit(chosen, tmp_path / "interrupted")
    fit(chosen, tmp_path / "interrupted")
    assert_same_run(tmp_path / "interrupted", tmp_path / "whole")


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"net": "transformer"}, "transformer.*unet"),
        ({"markup": "ibug-86"}, "ibug-86.*ibug-68"),
        ({"loss": Loss("l2")}, "l2.*mse"),
        ({"loss": Loss(heatmaps="mse")}, "heatmaps.*none"),
        ({"stages": (Stage(1, 1e-3), Stage(1, 1e-3, optimizer="lion"))}, "lion.*adamw"),
        ({"stages": (Stage(1, 1e-3), Stage(1, 1e-3, schedule="linear"))}, "linear.*onecycle"),
        ({"framing": Framing("tight")}, "tight.*keypoint-box"),
        ({"markup": "nose-1", "data": Data(train=("bioid",), test=())}, "1 of the 1 .* nose-1"),
        ({"data": Data(train=("bioid",), test=())}, "no label for .* of the 68 .* ibug-68"),
        ({"data": Data(train=("300w",), test=(), incomplete="guess")}, "guess.*mask, drop"),
        ({"keep": "middle"}, "middle.*best or last"),
        ({"imagenet": True}, "no ImageNet weights for simplenet"),
        (
            {"net": "unet", "args": {"base": 2, "depth": 1, "decoding": "argmax"}},
            "highest cell.*softargmax",
        ),
        ({"batch_size": 0}, "batch"),
        ({"stages": ()}, "stages"),
    ],
)
def test_settings_that_cannot_work_are_told_before_anything_is_written(
    tmp_path: Path, changes: dict, words: str
) -> None:
    with pytest.raises(ConfigError, match=words):
        fit(dataclasses.replace(TINY, **changes), tmp_path / "model")
    assert not (tmp_path / "model").exists()


def test_unknown_or_missing_data_is_reported(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with pytest.raises(DataError, match=r"'aflw'.*300w"):
        fit(dataclasses.replace(TINY, data=Data(train=("aflw",), test=())), tmp_path / "model")
    monkeypatch.setenv("KPDEMO_DATA", str(tmp_path / "nowhere"))
    with pytest.raises(DataError, match=r"300-W.*nowhere.*python -m train data"):
        fit(TINY, tmp_path / "model")


def test_damaged_pictures_are_named_and_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, data: Path
) -> None:
    copy = tmp_path / "data"
    shutil.copytree(data / "300w", copy / "300w")
    (damaged,) = (copy / "300w" / "afw").glob("1000_1.jpg")
    damaged.write_bytes(damaged.read_bytes()[:10])
    monkeypatch.setenv("KPDEMO_DATA", str(copy))
    history = fit(dataclasses.replace(TINY, stages=TINY.stages[:1]), tmp_path / "model")
    assert sum(history["faces"].values()) == 11
    (sentence,) = history["damaged"]
    assert "1000_1.jpg" in sentence


def test_a_folder_that_cannot_be_written_is_told_before_the_first_epoch(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "model").write_text("a file")
    # Accelerate allows one precision a process, and the other tests' is "no".
    command = ["fit", str(write_recipe(TINY, tmp_path)), "--precision", "no"]
    assert main([*command, "--output", str(tmp_path / "model"), "--workers", "0"]) == 1
    (sentence,) = capsys.readouterr().err.splitlines()
    assert sentence == f"{tmp_path / 'model'} could not be read or written (File exists)."
    assert main([*command, "--workers", "-1"]) == 1
    assert "--workers starts at 0" in capsys.readouterr().err


def write_recipe(chosen: Recipe, folder: Path) -> Path:
    path = folder / "tiny.yaml"
    path.write_text(yaml.safe_dump(json.loads(json.dumps(dataclasses.asdict(chosen)))))
    return path


@pytest.mark.skipif(
    not (torch.distributed.is_available() and torch.distributed.is_gloo_available()),
    reason="this PyTorch has no gloo",
)
def test_two_processes_train_one_model(tmp_path: Path) -> None:
    """Two halves of every batch give the gradient of the whole, in both kinds of stage."""
    stages = (Stage(1, 3e-3, freeze_backbone=True), Stage(2, 3e-3, schedule="onecycle"))
    chosen = dataclasses.replace(TINY, args=PLAIN_ARGS, stages=stages)
    path, folder = write_recipe(chosen, tmp_path), tmp_path / "model"
    ended = subprocess.run(
        [
            *(sys.executable, "-m", "accelerate.commands.launch"),
            # Its own `--cpu` starts a single process; this is the launcher that starts several.
            *("--multi_gpu", "--num_processes", "2", "--main_process_port", "0"),
            *("-m", "train", "fit", str(path), "--output", str(folder), "--precision", "no"),
        ],
        cwd=ROOT,
        env=os.environ | {"ACCELERATE_USE_CPU": "true", "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        check=False,
        timeout=300,
    )
    assert ended.returncode == 0, ended.stderr
    together, alone = model_folder.read_history(folder), fit(chosen, tmp_path / "alone")
    assert (together["processes"], alone["processes"]) == (2, 1)
    assert together["finished"]
    for one, other in zip(curves(together), curves(alone), strict=True):
        assert one == pytest.approx(other, rel=1e-4)
    for name, value in weights(tmp_path / "alone").items():
        torch.testing.assert_close(weights(folder)[name], value, rtol=1e-2, atol=1e-3)
    assert not list(folder.glob("state*"))


def test_a_finished_run_is_not_overwritten(tmp_path):
    fit(TINY, tmp_path)
    weights = (tmp_path / model_folder.WEIGHTS).read_bytes()
    with pytest.raises(ConfigError, match="finished run"):
        fit(TINY, tmp_path)
    assert (tmp_path / model_folder.WEIGHTS).read_bytes() == weights
