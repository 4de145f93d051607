"""`python -m train completeness`: which of the 15 labels Kaggle's rows and our faces have."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from kpdemo.models import model_folder
from kpdemo.zoo import WEIGHTS_DIR
from train import recipe as recipes
from train.data.dataset import for_training
from train.data.sources import kaggle, root

NAME = "completeness.json"


def write(weights: Path = WEIGHTS_DIR) -> dict[str, Any]:
    """Write `weights/completeness.json` and return what is in it.

    "kaggle" counts the rows of Kaggle's own table. "recipes" counts, for every recipe that takes
    labels away as those rows lack them, the training faces as they are before the gaps are
    filled or dropped. Raises DataError where a data set is not there.
    """
    found: dict[str, Any] = {
        "command": "python -m train completeness",
        "kaggle": counted(kaggle.missing_pattern(root())),
        "recipes": {},
    }
    for name in recipes.names():
        recipe = recipes.load(name)
        if recipe.data.missing:
            masked = replace(recipe, data=replace(recipe.data, incomplete="mask"))
            train, _ = for_training(masked)
            known = train.keypoints.isfinite().all(-1).numpy()
            found["recipes"][name] = counted(known)
    model_folder.write_json(weights / NAME, found)
    return found


def counted(known: np.ndarray) -> dict[str, Any]:
    """Counts of `known`, bool `(rows, 15)`: rows that know each keypoint, rows by known points."""
    per_row, rows = np.unique(known.sum(1), return_counts=True)
    return {
        "rows": len(known),
        "rows_by_keypoint": dict(zip(kaggle.NAMES, known.sum(0).tolist(), strict=True)),
        "rows_by_points_known": dict(zip(map(str, per_row), rows.tolist(), strict=True)),
    }
