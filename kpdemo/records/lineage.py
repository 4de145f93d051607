"""A model's training data: its own and that of the runs that it started from."""

from dataclasses import dataclass
from pathlib import Path

from kpdemo.models import model_folder
from kpdemo.records.run import TRIALS
from kpdemo.system import json_file
from kpdemo.zoo import WEIGHTS_DIR


@dataclass(frozen=True)
class Stage:
    """One training run: its data sets, and the number of their faces.

    `sources` is empty for a run that left no record.
    """

    run: str
    sources: tuple[str, ...]
    faces: int | None


def stages(name: str, weights: Path = WEIGHTS_DIR) -> list[Stage]:
    """The runs that made a model's weights, the first one first; empty without any record."""
    newest_first: list[Stage] = []
    history = _history(weights / name / model_folder.HISTORY)
    while history is not None and name not in {stage.run for stage in newest_first}:
        try:
            recipe, faces = history["recipe"], history["faces"]["train"]
            sources = tuple(source for source in recipe["data"]["train"] if isinstance(source, str))
            # Runs that others started from were kept beside the trials.
            start = Path(recipe["start_from"]).name if recipe["start_from"] else None
        except (KeyError, TypeError):
            break
        newest_first.append(Stage(name, sources, faces if isinstance(faces, int) else None))
        if recipe.get("imagenet"):
            newest_first.append(Stage("imagenet", ("imagenet",), None))
        if start is None:
            break
        name = start
        history = _history(weights / TRIALS / f"{name}.json") or _history(
            weights / name / model_folder.HISTORY
        )
        if history is None:
            newest_first.append(Stage(name, (), None))
    return newest_first[::-1]


def parameters(name: str, weights: Path = WEIGHTS_DIR) -> int | None:
    """The number of a model's trainable parameters; None without a record."""
    history = _history(weights / name / model_folder.HISTORY) or {}
    return history.get("parameters")


def _history(path: Path) -> dict | None:
    try:
        return json_file.read(path)
    except (OSError, ValueError):
        return None
