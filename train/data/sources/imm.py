"""IMM: 40 people in 6 poses, 58 points (Nordstrøm et al. 2004), `.asf` beside each picture.

http://www2.imm.dtu.dk/pubdb/pubs/3160-full.html
"""

from pathlib import Path

import numpy as np

from kpdemo.keypoints import annotations
from train.data.sources.common import (
    LabelledFace,
    as_data_error,
    first_number,
    folder,
    inside,
    labelled_pictures,
    picture_size,
    read_text,
)

TRAIN_PERSONS = range(1, 33)
VALIDATION_PERSONS = range(33, 41)


def read(root: Path, persons: range) -> list[LabelledFace]:
    """The faces of some persons, grouped by person."""
    where = folder(root / "imm", "IMM")
    return [
        LabelledFace(
            name=f"imm/{label.stem}",
            group=f"imm/{first_number(label)}",
            markup="imm-58",
            keypoints=_read(label, picture),
            picture=picture,
        )
        for label, picture in labelled_pictures(where, ".asf", "IMM")
        if first_number(label) in persons
    ]


def train(root: Path) -> list[LabelledFace]:
    """Persons 1 to 32."""
    return read(root, TRAIN_PERSONS)


def validation(root: Path) -> list[LabelledFace]:
    """Persons 33 to 40."""
    return read(root, VALIDATION_PERSONS)


def _read(label: Path, picture: Path) -> np.ndarray:
    with as_data_error():
        fractions = annotations.read_asf(read_text(label), label)
    return inside(annotations.to_pixels(fractions, *picture_size(picture)), picture, label)
