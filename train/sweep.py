"""Sweeps: experiments that train one recipe with different values of a setting.

`sweeps/NAME.yaml` holds the recipe, the question, the runs (the settings that each changes, by
dotted path) and the number of `seeds` of each run. The run without changes is the recipe itself:
its first seed is shared with `fit`, the others with the other sweeps of that recipe. Where all
runs share settings that are not the recipe's, these are in `base`.
"""

import copy
import json
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from kpdemo.models import model_folder
from kpdemo.models.config import ConfigError, from_dict
from kpdemo.system import json_file
from kpdemo.zoo import WEIGHTS_DIR
from train import trainer, yaml_file
from train.errors import Diverged
from train.recipe import DESCRIPTION, Recipe, read

SWEEPS = Path(__file__).with_name("sweeps")
HISTORIES = WEIGHTS_DIR / "sweeps"


@dataclass(frozen=True)
class Sweep:
    """`runs` maps a run's name to its changes of the recipe with `base`'s changes, such as
    `{stages.0.lr: 0.001}`.

    Each runs with `seeds` consecutive seeds from the recipe's own on: these vary initial weights,
    order and augmentation of the faces, but not the validation faces.
    """

    question: str
    recipe: str
    runs: Mapping[str, Any]
    seeds: int = 1
    base: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.seeds < 1:
            raise ConfigError(f"a sweep needs at least 1 seed, not {self.seeds}.")


def names() -> list[str]:
    """The sweeps that ship with the project."""
    return sorted(path.stem for path in SWEEPS.glob("*.yaml"))


def load(name: str) -> tuple[Sweep, dict[str, Recipe]]:
    """A sweep and the recipe of each run; ConfigError says what is wrong with either."""
    path = SWEEPS / f"{name}.yaml"
    try:
        sweep = from_dict(Sweep, yaml_file.read(path), path.name)
    except FileNotFoundError:
        raise ConfigError(f"No sweep {name!r}; known are {', '.join(names())}.") from None
    settings = with_changes(read(sweep.recipe)[0], sweep.base)
    return sweep, {
        run: from_dict(Recipe, with_changes(settings, changes or {}), f"{path.name}: {run}")
        for run, changes in sweep.runs.items()
    }


def with_changes(settings: Any, changes: Mapping[str, Any]) -> Any:
    """A copy of nested settings with the values at dotted paths replaced or added.

    Raises ConfigError for a path that does not exist.
    """
    result = copy.deepcopy(settings)
    for path, value in changes.items():
        *parents, last = path.split(".")
        inner = result
        try:
            for key in parents:
                inner = inner[int(key) if isinstance(inner, list) else key]
            inner[int(last) if isinstance(inner, list) else last] = value
        except (KeyError, IndexError, TypeError, ValueError):
            raise ConfigError(f"A sweep changes {path}, which the recipe does not have.") from None
    return result


def run(name: str, folder: Path, workers: int = 1, precision: str | None = None) -> list[dict]:
    """Train the remaining runs of a sweep under `folder`; returns the histories of all runs.

    The history of each finished run is copied to `weights/sweeps/NAME/RUN-seedN.json`; an
    interrupted run is resumed. The first seed of every run comes before any second one. A run
    that diverges is a result, too: its history says so.
    """
    sweep, recipes = load(name)
    histories = []
    for number in range(sweep.seeds):
        for title, base in recipes.items():
            recipe = replace(base, seed=base.seed + number)
            changes = dict(sweep.runs[title] or {})
            where = place(folder, name, title, sweep.base or changes, recipe, number)
            history = finished_history(where, recipe)
            if history is None:
                try:
                    history = trainer.fit(recipe, where, workers, precision)
                except Diverged:
                    history = model_folder.read_history(where)
            origin = {"name": name, "run": title, "question": sweep.question, "changes": changes}
            origin |= _base(sweep)
            settings = {k: v for k, v in history["recipe"].items() if k not in DESCRIPTION}
            histories.append({"sweep": origin, **history, "recipe": settings})
            shipped = HISTORIES / name / f"{title}-seed{recipe.seed}.json"
            shipped.parent.mkdir(parents=True, exist_ok=True)
            model_folder.write_json(shipped, histories[-1])
    return histories


def place(
    folder: Path, name: str, title: str, changes: Mapping[str, Any], recipe: Recipe, number: int
) -> Path:
    """The folder of a sweep's run, for the seed of that number (from 0), under `folder`.

    Without `changes` of the recipe the run is the recipe's own.
    """
    if changes:
        return folder / "sweeps" / name / f"{title}-seed{recipe.seed}"
    return folder / (f"{recipe.name}-seed{recipe.seed}" if number else recipe.name)


def describe(histories: Path = HISTORIES) -> None:
    """Update questions and `base` in the histories of sweeps; damaged files are skipped.

    The recipe may have changed since, so that what was its own setting then is `base` now.
    """
    for name in names():
        sweep = from_dict(Sweep, yaml_file.read(SWEEPS / f"{name}.yaml"), name)
        current = {"question": sweep.question} | _base(sweep)
        for path in histories.glob(f"{name}/*.json"):
            try:
                history = json_file.read(path)
                before = history["sweep"]
                origin = {key: before[key] for key in before if key != "base"} | current
                if origin == before:
                    continue
            except (OSError, LookupError, TypeError, ValueError):
                continue
            model_folder.write_json(path, history | {"sweep": origin})


def _base(sweep: Sweep) -> dict[str, Any]:
    """The entry on `base` in a history, as JSON reads it; none where it is empty."""
    return {"base": json.loads(json.dumps(dict(sweep.base)))} if sweep.base else {}


def finished_history(folder: Path, recipe: Recipe) -> dict | None:
    """The history in `folder` if its run is finished or has diverged.

    Raises ConfigError if that run had other settings (descriptions do not count).
    """
    if not (folder / model_folder.HISTORY).exists():
        return None
    history = model_folder.read_history(folder)
    if not history["finished"] and "diverged" not in history:
        return None
    if others := recipe.differs_from(history["recipe"]):
        raise ConfigError(
            f"{folder} holds a finished run with another {', '.join(others)}; delete it to run it "
            "again."
        )
    return history
