"""Runs that start from another run's weights: both as one learning curve."""

from collections.abc import Sequence
from dataclasses import replace

import numpy as np

from kpdemo.records.histories import TRIALS, Library
from kpdemo.records.run import Run
from kpdemo.ui.training import curves


def join(run: Run, library: Library) -> Run:
    """The run with the epochs of the run that it starts from before its own.

    Only where both were validated on the same faces: otherwise the run as it is.
    """
    first = _start(run, library)
    if first is None:
        return run
    before = {key: first.curves[key][-1] for key in ("epoch", "minutes")}
    count = len(first.curves["epoch"])
    return replace(
        run,
        curves={
            key: np.concatenate([first.curves[key], values + before.get(key, 0)])
            for key, values in run.curves.items()
        },
        recipe={**run.recipe, "stages": [{"epochs": count}, *run.recipe["stages"]]},
    )


def note(runs: Sequence[Run], library: Library) -> str:
    """A sentence on which runs begin with the epochs of another one; empty if none does."""
    parts = [
        f"{curves.title(run)} begins with the {len(first.curves['epoch'])} epochs of "
        f"{first.name.split('/')[-1]}"
        for run in runs
        if (first := _start(run, library))
    ]
    return f"{'; '.join(parts)}." if parts else ""


def _start(run: Run, library: Library) -> Run | None:
    name = str(run.recipe.get("start_from") or "").split("/")[-1]
    first = library.models.get(name) or library.trials.get(f"{TRIALS}/{name}")
    if first is None or first is run or not len(first.curves["epoch"]):
        return None
    faces, own = first.validation_set[:3], run.validation_set[:3]
    return first if faces == own else None
