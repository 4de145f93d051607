"""`python -m train completeness`: label completeness of Kaggle's rows and of our faces."""

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
    """Write `weights/completeness.json` and return its content.

    "kaggle" counts the rows of Kaggle's own table. "recipes" counts, for every recipe that removes
    labels in the pattern of those rows, the training faces before gaps are filled or dropped.
    Raises DataError where a data set is missing.
    """
    result: dict[str, Any] = {
        "command": "python -m train completeness",
        "kaggle": counts(kaggle.missing_pattern(root())),
        "recipes": {},
    }
    for name in recipes.names():
        recipe = recipes.load(name)
        if recipe.data.missing:
            masked = replace(recipe, data=replace(recipe.data, incomplete="mask"))
            train, _ = for_training(masked)
            labelled = train.keypoints.isfinite().all(-1).numpy()
            result["recipes"][name] = counts(labelled)
    model_folder.write_json(weights / NAME, result)
    return result


def counts(labelled: np.ndarray) -> dict[str, Any]:
    """Of a mask `(rows, 15)`: rows that label each keypoint, rows by their number of labels."""
    per_row, rows = np.unique(labelled.sum(1), return_counts=True)
    return {
        "rows": len(labelled),
        "rows_by_keypoint": dict(zip(kaggle.NAMES, labelled.sum(0).tolist(), strict=True)),
        "rows_by_points_known": dict(zip(map(str, per_row), rows.tolist(), strict=True)),
    }
