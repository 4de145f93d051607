"""Readers, one for each official layout, and the names that recipes use for them."""

from collections import Counter
from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import Any

from train.data.sources import bioid, ibug, imm, kaggle, pseudo_labels, ytf
from train.data.sources.common import DataError, LabelledFace, root

SOURCES = {
    "300w": ibug.train,
    "300w-common": ibug.common,
    "imm": imm.train,
    "imm-validation": imm.validation,
    "bioid": bioid.read,
    "ytf": ytf.train,
    "kaggle": kaggle.train,
    "300w-partial": ibug.partial,
}

__all__ = ["SOURCES", "DataError", "LabelledFace", "load", "own_labels", "root", "split"]


def load(name: str) -> list[LabelledFace]:
    """The faces of one source; DataError if it is unknown or its files are missing.

    A source has a name, or is a file of pseudo-labels (`train.data.sources.pseudo_labels`).
    """
    if pseudo_labels.is_file(name):
        return pseudo_labels.read(Path(name), load)
    if name not in SOURCES:
        raise DataError(f"Unknown data set {name!r}; known are {', '.join(SOURCES)}.")
    return SOURCES[name](root())


def own_labels(data: Mapping[str, Any]) -> list[str]:
    """The training sources that have all labels of their own, of a recipe's `data`.

    Not those that the recipe drops labels of, nor pseudo-labels.
    """
    return [
        name
        for name in data["train"]
        if name not in data["missing"] and not pseudo_labels.is_file(name)
    ]


def split(
    faces: list[LabelledFace], fraction: float, seed: int = 0
) -> tuple[list[LabelledFace], list[LabelledFace]]:
    """Training and validation faces: whole groups, about `fraction` of each data set held out.

    Groups are ranked by a hash within their own data set, so that a face is on the same side
    whatever other sets a recipe adds: a run that starts from another never validates on faces
    that the other was trained on. The split does not depend on a recipe's seed, so that runs with
    different seeds are validated on the same faces.
    """
    sets: dict[str, Counter[str]] = {}
    for face in faces:
        sets.setdefault(face.group.split("/")[0], Counter())[face.group] += 1
    held_out: set[str] = set()
    for sizes in sets.values():
        count = 0
        for group in sorted(sizes, key=lambda name: sha256(f"{seed} {name}".encode()).digest()):
            if count >= fraction * sizes.total():
                break
            held_out.add(group)
            count += sizes[group]
    return (
        [face for face in faces if face.group not in held_out],
        [face for face in faces if face.group in held_out],
    )
