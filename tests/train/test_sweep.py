"""Sweeps: the changes of every shipped one, and runs on tiny data."""

import dataclasses
import json
from pathlib import Path

import pytest
import torch
import yaml
from helpers import writers

from kpdemo.models import checkpoint, model_folder
from kpdemo.models.config import ConfigError
from train import recipe, sweep
from train.__main__ import main
from train.data.dataset import for_training

PLAIN = {
    "name": "plain",
    "title": "For tests",
    "net": "simplenet",
    "markup": "ibug-68",
    "input": {"height": 24, "width": 24},
    "framing": {"reference": "keypoint-box", "scale": 1.3},
    "data": {"train": ["300w"], "test": ["300w-common"], "holdout": 0.25},
    "loss": {"coordinates": "mse"},
    "stages": [{"epochs": 2, "lr": 0.001}],
    "batch_size": 4,
    "args": {"blocks": [{"channels": 4, "pool": 4}]},
}


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Tiny data, a recipe, and one sweep over it: `question`."""
    writers.write_300w(tmp_path / "data", 4)
    monkeypatch.setenv("KPDEMO_DATA", str(tmp_path / "data"))
    monkeypatch.setattr(recipe, "RECIPES", tmp_path)
    monkeypatch.setattr(sweep, "SWEEPS", tmp_path / "sweeps")
    monkeypatch.setattr(sweep, "HISTORIES", tmp_path / "histories")
    monkeypatch.chdir(tmp_path)
    (tmp_path / "plain.yaml").write_text(yaml.safe_dump(PLAIN))
    (tmp_path / "sweeps").mkdir()
    write(tmp_path, {"as-it-is": {}, "slow": {"stages.0.lr": 1e-5, "ema": 0.9}})
    return tmp_path


def write(place: Path, runs: dict, **more: object) -> None:
    settings = {"question": "How fast?", "recipe": "plain", "runs": runs} | more
    (place / "sweeps/question.yaml").write_text(yaml.safe_dump(settings, sort_keys=False))


@pytest.mark.parametrize("name", sweep.names())
def test_a_shipped_sweep_changes_what_it_says_and_nothing_else(name: str) -> None:
    shipped, recipes = sweep.load(name)
    base = recipe.load(shipped.recipe)
    assert len(recipes) > 1
    assert shipped.question.endswith("?")
    for run, chosen in recipes.items():
        if shipped.runs[run]:
            assert chosen != base, run
            assert (chosen.name, chosen.markup, chosen.net) == (base.name, base.markup, base.net)
        else:
            assert (chosen == base) == (not shipped.base)


def test_every_run_leaves_a_history_that_says_what_was_changed(place: Path) -> None:
    assert main(["sweep", "question", "--workers", "0", "--precision", "no"]) == 0
    slow = json.loads((place / "histories/question/slow-seed0.json").read_text())
    plain = json.loads((place / "histories/question/as-it-is-seed0.json").read_text())
    assert slow["sweep"] == {
        "name": "question",
        "run": "slow",
        "question": "How fast?",
        "changes": {"stages.0.lr": 1e-5, "ema": 0.9},
    }
    assert (slow["recipe"]["stages"][0]["lr"], slow["recipe"]["ema"]) == (1e-5, 0.9)
    assert (plain["recipe"]["stages"][0]["lr"], plain["recipe"]["ema"]) == (1e-3, None)
    assert len(slow["epochs"]) == len(plain["epochs"]) == 2
    assert slow["finished"]
    # The run that changes nothing is the recipe's own, where `fit` leaves it.
    assert checkpoint.load(place / "runs/plain").parameters == plain["parameters"]


def test_every_setting_runs_with_every_seed_on_the_same_validation_faces(place: Path) -> None:
    write(place, {"as-it-is": {}, "slow": {"stages.0.lr": 1e-5}}, seeds=2)
    histories = sweep.run("question", Path("runs"), workers=0, precision="no")
    order = [(history["sweep"]["run"], history["recipe"]["seed"]) for history in histories]
    assert order == [("as-it-is", 0), ("slow", 0), ("as-it-is", 1), ("slow", 1)]
    names = sorted(path.name for path in (place / "histories/question").iterdir())
    assert names == [f"{run}-seed{k}.json" for run in ("as-it-is", "slow") for k in (0, 1)]
    first, _, second, _ = histories
    assert first["epochs"][0]["train_loss"] != second["epochs"][0]["train_loss"]
    assert first["faces"] == second["faces"]
    faces = [
        {
            face.name
            for face in for_training(dataclasses.replace(recipe.load("plain"), seed=k))[1].sources
        }
        for k in (0, 1)
    ]
    assert faces[0] == faces[1]
    # The recipe's own first seed is where `fit` leaves it; what was said of it is not repeated.
    assert (place / "runs/plain" / model_folder.WEIGHTS).exists()
    assert "title" not in first["recipe"]


def test_a_sweep_has_at_least_one_seed(place: Path) -> None:
    write(place, {"as-it-is": {}}, seeds=0)
    with pytest.raises(ConfigError, match="at least 1 seed, not 0"):
        sweep.load("question")


def test_only_faces_of_the_judging_sources_validate(place: Path) -> None:
    writers.write_ytf(place / "data", 8)
    both = recipe.Data(train=("300w", "ytf"), test=("300w-common",), holdout=0.25)
    chosen = dataclasses.replace(recipe.load("plain"), data=both)
    train, everything = for_training(chosen)
    judged = dataclasses.replace(chosen, data=dataclasses.replace(both, judge=("300w",)))
    again, faces = for_training(judged)
    assert len(again) == len(train), "held-out faces of the others are not trained on either"
    assert {face.name for face in faces.sources} == {
        face.name for face in everything.sources if not face.name.startswith("ytf")
    }
    assert 0 < len(faces) < len(everything)


def test_settings_that_all_runs_share_may_differ_from_the_recipe(place: Path) -> None:
    runs = {"as-it-was": {}, "slow": {"stages.0.lr": 1e-5}}
    write(place, runs, base={"stages.0.epochs": 1, "args.blocks": [{"channels": 2, "pool": 4}]})
    assert main(["sweep", "question", "--workers", "0", "--precision", "no"]) == 0
    for run in runs:
        history = json.loads((place / f"histories/question/{run}-seed0.json").read_text())
        assert len(history["epochs"]) == 1
        assert history["recipe"]["args"]["blocks"] == [{"channels": 2, "pool": 4}]
        assert history["sweep"]["base"]["stages.0.epochs"] == 1
        assert (place / f"runs/sweeps/question/{run}-seed0").is_dir()
    assert not (place / "runs/plain").exists()  # these are not the recipe's own
    # The recipe is again what they have, and another question is asked of them.
    write(place, runs, question="How far?")
    sweep.describe(place / "histories")
    history = json.loads((place / "histories/question/slow-seed0.json").read_text())
    assert history["sweep"]["question"] == "How far?" and "base" not in history["sweep"]
    assert history["sweep"]["changes"] == {"stages.0.lr": 1e-5}


def test_an_interrupted_sweep_goes_on(place: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A sweep that was stopped in its second run does not repeat its first."""
    done = []
    fit = sweep.trainer.fit

    def once(chosen: recipe.Recipe, *rest: object) -> dict:
        if done:
            raise KeyboardInterrupt
        done.append(chosen.name)
        return fit(chosen, *rest)

    with monkeypatch.context() as patch:
        patch.setattr(sweep.trainer, "fit", once)
        assert main(["sweep", "question", "--workers", "0", "--precision", "no"]) == 130
    first = (place / "runs/plain" / model_folder.WEIGHTS).stat().st_mtime_ns
    assert not (place / "histories/question/slow-seed0.json").exists()
    histories = sweep.run("question", Path("runs"), workers=0, precision="no")
    assert [history["sweep"]["run"] for history in histories] == ["as-it-is", "slow"]
    assert (place / "runs/plain" / model_folder.WEIGHTS).stat().st_mtime_ns == first
    assert (place / "histories/question/slow-seed0.json").exists()


def test_a_finished_run_with_other_settings_is_not_taken_for_this_one(place: Path) -> None:
    sweep.run("question", Path("runs"), workers=0, precision="no")
    (place / "plain.yaml").write_text(yaml.safe_dump(PLAIN | {"notes": "Only said otherwise."}))
    sweep.run("question", Path("runs"), workers=0, precision="no")
    (place / "plain.yaml").write_text(yaml.safe_dump(PLAIN | {"batch_size": 2}))
    with pytest.raises(ConfigError, match="finished run with another batch_size"):
        sweep.run("question", Path("runs"), workers=0, precision="no")


def test_a_run_that_diverges_is_an_answer_and_the_next_one_runs(place: Path) -> None:
    wild = {"stages.0.lr": 1e30, "stages.0.optimizer": "sgd"}
    write(place, {"wild": wild, "as-it-is": {}})
    with torch.random.fork_rng():
        wild_history, plain = sweep.run("question", Path("runs"), workers=0, precision="no")
    assert "diverged in epoch" in wild_history["diverged"]
    assert wild_history["recipe"]["stages"][0]["lr"] == 1e30
    assert "diverged" not in plain
    again, _ = sweep.run("question", Path("runs"), workers=0, precision="no")
    assert again == wild_history


@pytest.mark.parametrize(
    ("runs", "words"),
    [
        ({"a": {"stages.3.lr": 1.0}}, r"stages\.3\.lr, which the recipe does not have"),
        ({"a": {"nets.depth": 1}}, "nets.depth"),
        ({"a": {"loss.curve": 1.0}}, "unknown key curve"),
        ({"a": {"batch_size": "eight"}}, "batch_size.*eight"),
    ],
)
def test_a_change_that_does_not_fit_is_refused_before_the_first_run(
    place: Path, runs: dict, words: str
) -> None:
    write(place, {"good": {}} | runs)
    with pytest.raises(ConfigError, match=words):
        sweep.run("question", place / "runs", workers=0)
    assert not (place / "runs").exists()


def test_an_unknown_sweep_is_named_with_the_known_ones(
    place: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["sweep", "answer"]) == 1
    assert "No sweep 'answer'; known are question." in capsys.readouterr().err


def test_changes_leave_the_settings_that_they_start_from_alone() -> None:
    before = {"stages": [{"lr": 1.0}], "args": {"blocks": [{"kernel": 7}]}}
    after = sweep.with_changes(before, {"stages.0.lr": 2.0, "args.blocks.0.padding": 1, "ema": 0.5})
    assert before == {"stages": [{"lr": 1.0}], "args": {"blocks": [{"kernel": 7}]}}
    assert after == {
        "stages": [{"lr": 2.0}],
        "args": {"blocks": [{"kernel": 7, "padding": 1}]},
        "ema": 0.5,
    }
