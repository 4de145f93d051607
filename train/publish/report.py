"""`python -m train report`: `weights/results.json`, and the documents' tables made from it."""

import re
from collections.abc import Iterable
from pathlib import Path

from kpdemo.models import model_folder
from kpdemo.models.model_folder import CheckpointError
from kpdemo.zoo import WEIGHTS_DIR
from train import sweep
from train.publish import accuracy_tables, experiment_tables, model_card, results, speed_tables
from train.recipe import with_descriptions

_ROOT = Path(__file__).parents[2]
README = _ROOT / "README.md"
DOCUMENTS = (README, _ROOT / "weights" / "README.md", _ROOT / "train" / "README.md")
TABLES = {
    "headline": accuracy_tables.headline,
    "results": accuracy_tables.results,
    "systems": accuracy_tables.systems,
    "claims": accuracy_tables.claims,
    "robustness": accuracy_tables.robustness,
    "speed": speed_tables.speed,
    "browser": speed_tables.browser,
    "sweeps": experiment_tables.sweeps,
    "trials": experiment_tables.trials,
}


def write(documents: Iterable[Path] = DOCUMENTS, weights: Path = WEIGHTS_DIR) -> None:
    """Update the descriptions in histories and cards, `weights/results.json`, and the tables in
    all documents."""
    for path in sorted(weights.glob(f"*/{model_folder.HISTORY}")):
        describe(path.parent)
    sweep.describe(weights / "sweeps")
    collected = results.collect(weights)
    results.write(collected, weights)
    for document in documents:
        text = document.read_text(encoding="utf-8")
        document.write_text(fill_tables(text, collected), encoding="utf-8")


def describe(folder: Path) -> None:
    """Update the recipe's descriptions in a history and its card; damaged files are skipped."""
    try:
        history = model_folder.read_history(folder)
        recipe = with_descriptions(history["recipe"])
    except (CheckpointError, LookupError, TypeError, ValueError):
        return
    if recipe != history["recipe"]:
        model_folder.write_json(folder / model_folder.HISTORY, history | {"recipe": recipe})
    if (folder / model_folder.CARD).exists():
        model_card.write(folder)


def fill_tables(text: str, collected: dict) -> str:
    """A document's text with its tables filled from `results.collect`."""
    for name, table in TABLES.items():
        pattern = rf"(<!-- {name} -->\n).*?(<!-- end {name} -->)"
        body = table(collected).replace("\\", r"\\")
        text = re.sub(pattern, rf"\1\n{body}\n\n\2", text, flags=re.S)
    return text
