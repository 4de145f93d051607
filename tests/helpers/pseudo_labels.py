"""Pseudo-labels of tiny data sets, for recipes that train with them."""

import json
from pathlib import Path

import numpy as np

from train.data.sources import load, pseudo_labels
from train.recipe import Recipe


def write(recipe: Recipe) -> None:
    """The files that a recipe reads, as `python -m train label` writes them, in the current folder.

    They have the labels that the data sets have themselves.
    """
    for source in filter(pseudo_labels.is_file, recipe.data.train):
        _write(Path(source))


def _write(path: Path) -> None:
    source = pseudo_labels.data_set(str(path))
    faces = load(source)
    labels = {
        face.name: [None if np.isnan(x) else [float(x), float(y), 1.0] for x, y in face.keypoints]
        for face in faces
    }
    path.parent.mkdir(parents=True, exist_ok=True)
    data = {"source": source, "markup": faces[0].markup, "least_confidence": 0.5, "faces": labels}
    path.write_text(json.dumps(data))
