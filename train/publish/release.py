"""Release a finished, evaluated run to `weights/NAME`, for the app."""

import shutil
from pathlib import Path

from kpdemo.models import checkpoint, model_folder, onnx_graph
from kpdemo.models.model_folder import CheckpointError
from kpdemo.zoo import WEIGHTS_DIR
from train.publish import model_card

MAX_BYTES = 25_000_000  # of a weight file in the git repository
WITH_WEIGHTS = (model_folder.WEIGHTS, model_folder.CONFIG, model_folder.GRAPH)


def ship(run: Path, with_weights: bool = True, weights: Path = WEIGHTS_DIR) -> tuple[Path, bool]:
    """Copy a run's folder under `weights`; returns the new folder and whether weights are in it.

    Weights that are too large for the repository, or excluded, are left out together with the
    config, so that the app offers no net that it cannot load; curves, metrics and card are copied.
    The browser's graph of a model that has one is made anew from the run's weights. Raises
    CheckpointError for a run that is not finished, was not evaluated or cannot be loaded, and
    ExportError where the graph cannot be made.
    """
    finished_history(run)
    model_folder.read_metrics(run)
    if with_weights:
        checkpoint.load(run)
        with_weights = (run / model_folder.WEIGHTS).stat().st_size <= MAX_BYTES
    folder = weights / run.name
    if with_weights and any((place / model_folder.GRAPH).exists() for place in (run, folder)):
        onnx_graph.write(run)
    folder.mkdir(parents=True, exist_ok=True)
    names = [model_folder.HISTORY, model_folder.METRICS]
    if with_weights:
        names += [name for name in WITH_WEIGHTS if (run / name).exists()]
    for name in names:
        # Not in place: a running app may have the old weights memory-mapped.
        scratch = folder / f"{name}.tmp"
        shutil.copy(run / name, scratch)
        scratch.replace(folder / name)
    for name in set(WITH_WEIGHTS) - set(names):
        (folder / name).unlink(missing_ok=True)
    model_card.write(folder)
    return folder, with_weights


def finished_history(run: Path) -> dict:
    """The history of a run; CheckpointError if it is not finished."""
    history = model_folder.read_history(run)
    if not history["finished"]:
        raise CheckpointError(f"{run} is not finished; `python -m train fit` resumes it.")
    return history
