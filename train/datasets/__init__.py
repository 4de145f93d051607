"""One reader an official layout, and the names under which recipes ask for them."""

from collections import Counter

import numpy as np

from train.datasets import bioid, ibug, imm, kaggle, ytf
from train.datasets.common import DataError, LabelledFace, root

SOURCES = {
    "300w": ibug.train,
    "300w-common": ibug.common,
    "imm": imm.train,
    "imm-validation": imm.validation,
    "bioid": bioid.read,
    "ytf": ytf.train,
    "kaggle": kaggle.train,
}

__all__ = ["SOURCES", "DataError", "LabelledFace", "load", "root", "split"]


def load(name: str) -> list[LabelledFace]:
    """The faces of one source; DataError if there is no such source or its files are not there."""
    if name not in SOURCES:
        raise DataError(f"Unknown data set {name!r}; known are {', '.join(SOURCES)}.")
    return SOURCES[name](root())


def split(
    faces: list[LabelledFace], fraction: float, seed: int
) -> tuple[list[LabelledFace], list[LabelledFace]]:
    """Training and validation faces: whole groups, about `fraction` of the faces held out."""
    groups = sorted({face.group for face in faces})
    order = np.random.default_rng(seed).permutation(len(groups))
    sizes = Counter(face.group for face in faces)
    held_out: set[str] = set()
    count = 0
    for number in order:
        if count >= fraction * len(faces):
            break
        held_out.add(groups[number])
        count += sizes[groups[number]]
    return (
        [face for face in faces if face.group not in held_out],
        [face for face in faces if face.group in held_out],
    )
