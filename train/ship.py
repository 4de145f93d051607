"""Put a finished, evaluated run where the app looks: `weights/NAME`."""

import shutil
from pathlib import Path

from kpdemo import checkpoint
from kpdemo.checkpoint import CheckpointError
from kpdemo.compare import WEIGHTS
from train import card

BIGGEST = 25_000_000  # bytes of a weight file that a git repository bears


def ship(run: Path, with_weights: bool = True, weights: Path = WEIGHTS) -> tuple[Path, bool]:
    """Copy a run's folder under `weights`; returns the new folder and whether weights are in it.

    Weights that are too big for the repository, or not wanted, stay behind, and the config with
    them, so that the app offers no net that it cannot load; curves, figures and the card go along.
    Raises CheckpointError for a run that is not finished or was not evaluated.
    """
    if not checkpoint.read_history(run)["finished"]:
        raise CheckpointError(f"{run} is not finished; `python -m train fit` goes on with it.")
    checkpoint.read_metrics(run)
    with_weights &= (run / checkpoint.WEIGHTS).stat().st_size <= BIGGEST
    folder = weights / run.name
    folder.mkdir(parents=True, exist_ok=True)
    names = [checkpoint.CONFIG, checkpoint.HISTORY, checkpoint.METRICS]
    for name in [*names, checkpoint.WEIGHTS] if with_weights else names:
        shutil.copy(run / name, folder / name)
    if not with_weights:
        (folder / checkpoint.WEIGHTS).unlink(missing_ok=True)
    card.write(folder)
    if not with_weights:
        (folder / checkpoint.CONFIG).unlink()
    return folder, with_weights
