"""Release a finished, evaluated run to `weights/NAME`, for the app."""

import shutil
from pathlib import Path

from kpdemo.models import hub, model_folder
from kpdemo.models import model as checkpoint
from kpdemo.models.model_folder import CheckpointError
from kpdemo.zoo import WEIGHTS_DIR
from train.publish import model_card

MAX_BYTES = 25_000_000  # of a weight file in the git repository


def ship(run: Path, with_weights: bool = True, weights: Path = WEIGHTS_DIR) -> tuple[Path, bool]:
    """Copy a run's folder under `weights`; returns the new folder and whether weights are in it.

    Weights that are too large for the repository, or excluded, are left out together with the
    config, so that the app offers no net that it cannot load; curves, metrics and card are copied.
    Raises CheckpointError for a run that is not finished, was not evaluated or cannot be loaded.
    """
    finished(run)
    model_folder.read_metrics(run)
    if with_weights:
        checkpoint.load(run)
        with_weights = (run / model_folder.WEIGHTS).stat().st_size <= MAX_BYTES
    folder = weights / run.name
    folder.mkdir(parents=True, exist_ok=True)
    for name in (
        model_folder.HISTORY,
        model_folder.METRICS,
        model_folder.WEIGHTS,
        model_folder.CONFIG,
    ):
        if name in hub.FILES and not with_weights:
            (folder / name).unlink(missing_ok=True)
        else:
            # Not in place: a running app may have the old weights memory-mapped.
            scratch = folder / f"{name}.tmp"
            shutil.copy(run / name, scratch)
            scratch.replace(folder / name)
    model_card.write(folder)
    return folder, with_weights


def finished(run: Path) -> dict:
    """The history of a run; CheckpointError if it is not finished."""
    history = model_folder.read_history(run)
    if not history["finished"]:
        raise CheckpointError(f"{run} is not finished; `python -m train fit` resumes it.")
    return history
