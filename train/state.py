"""The checkpoint of an unfinished training run, `state.pt`; deleted when the run is complete."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch

from kpdemo.models import model_folder
from kpdemo.models.config import ConfigError
from train.recipe import Recipe

STATE = "state.pt"


def save_state(folder: Path, state: Mapping[str, Any]) -> None:
    """Write the state atomically: a kill at any moment loses one epoch at most."""
    scratch = folder / f"{STATE}.tmp"
    torch.save(state, scratch)
    scratch.replace(folder / STATE)


def load_state(folder: Path, device: torch.device) -> dict[str, Any]:
    """The state of an interrupted run, empty for a new one; ConfigError for a finished run."""
    path = folder / STATE
    if path.exists():
        return torch.load(path, map_location=device, weights_only=True)
    history = folder / model_folder.HISTORY
    if history.exists() and model_folder.read_history(folder).get("finished"):
        raise ConfigError(f"{folder} holds a finished run; delete it or choose another --output.")
    return {}


def delete_state(folder: Path) -> None:
    (folder / STATE).unlink(missing_ok=True)


def check_same_run(
    folder: Path, recipe: Recipe, before: Mapping[str, Any], now: Mapping[str, Any]
) -> None:
    """ConfigError if the history `before` is of a run with other settings than `now`."""
    differences = recipe.differs_from(before["recipe"])
    differences += [f"{k} {before[k]}" for k in ("precision", "processes") if before[k] != now[k]]
    if differences:
        raise ConfigError(
            f"{folder / STATE} belongs to a run with other settings ({', '.join(differences)}); "
            "use those, delete it or choose another --output."
        )
