"""Put a finished, evaluated run where the app looks: `weights/NAME`."""

import shutil
from pathlib import Path

from kpdemo.models import hub, model_folder
from kpdemo.models import model as checkpoint
from kpdemo.models.model_folder import CheckpointError
from kpdemo.zoo import WEIGHTS_DIR
from train.publish import model_card

BIGGEST = 25_000_000  # bytes of a weight file that a git repository bears


def ship(run: Path, with_weights: bool = True, weights: Path = WEIGHTS_DIR) -> tuple[Path, bool]:
    """Copy a run's folder under `weights`; returns the new folder and whether weights are in it.

    Weights that are too big for the repository, or not wanted, stay behind, and the config with
    them, so that the app offers no net that it cannot load; curves, figures and the card go along.
    Raises CheckpointError for a run that is not finished, was not evaluated or cannot be loaded.
    """
    finished(run)
    model_folder.read_metrics(run)
    if with_weights:
        checkpoint.load(run)
        with_weights = (run / model_folder.WEIGHTS).stat().st_size <= BIGGEST
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
            # Not in place: an app that runs may have the old weights mapped into its memory.
            scratch = folder / f"{name}.tmp"
            shutil.copy(run / name, scratch)
            scratch.replace(folder / name)
    model_card.write(folder)
    return folder, with_weights


def finished(run: Path) -> dict:
    """The history of a run; CheckpointError if it is not finished."""
    history = model_folder.read_history(run)
    if not history["finished"]:
        raise CheckpointError(f"{run} is not finished; `python -m train fit` goes on with it.")
    return history
