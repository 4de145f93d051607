"""IMM: 40 people in 6 poses, 58 points (Nordstrøm et al. 2004), `.asf` beside each picture.

http://www2.imm.dtu.dk/pubdb/pubs/3160-full.html
"""

from pathlib import Path

import numpy as np
from PIL import Image

from train.datasets.common import (
    LabelledFace,
    first_number,
    folder,
    labelled_pictures,
    points_from,
)

COUNT = 58
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
            # Fractions run over the picture's outer edges: the labels lie on the pixel grid of
            # a magnified display whose first pixel sits half a picture pixel inside the edge.
            keypoints=read_asf(label) * _size(picture) - 0.5,
            picture=picture,
        )
        for label, picture in labelled_pictures(where, ".asf", "IMM")
        if first_number(label) in persons
    ]


def read_asf(path: Path) -> np.ndarray:
    """The points of an `.asf` file as fractions of the picture's size: `(58, 2)` float32.

    Lines that hold a point have seven columns in some files and ten in others; the third and
    fourth are always x and y.
    """
    lines = [line.split() for line in path.read_text(errors="replace").splitlines()]
    points = [line[2:4] for line in lines if len(line) in (7, 10) and not line[0].startswith("#")]
    return points_from([number for point in points for number in point], COUNT, path)


def train(root: Path) -> list[LabelledFace]:
    """Persons 1 to 32."""
    return read(root, TRAIN_PERSONS)


def validation(root: Path) -> list[LabelledFace]:
    """Persons 33 to 40."""
    return read(root, VALIDATION_PERSONS)


def _size(picture: Path) -> np.ndarray:
    """Width and height from the header alone; NaN if it is damaged, as `pixels()` will say."""
    try:
        with Image.open(picture) as opened:
            return np.array(opened.size, np.float32)
    except OSError:
        return np.full(2, np.nan, np.float32)
