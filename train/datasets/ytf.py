"""YouTube Faces frames as in a well-known course project: machine-made labels of 68 points.

Layout: `{training,test}/*.jpg` and `{training,test}_frames_keypoints.csv` with the picture's name
and 136 numbers. Wolf et al. 2011, https://www.cs.tau.ac.il/~wolf/ytfaces/
"""

import csv
from pathlib import Path

from kpdemo import truth
from train.datasets.common import DataError, LabelledFace, folder, told


def read(root: Path, part: str) -> list[LabelledFace]:
    """The frames of `part` ("training" or "test"), grouped by person."""
    table = _table(folder(root / "ytf", "YouTube Faces"), f"{part}_frames_keypoints.csv")
    where = folder(table.parent / part, f"YouTube Faces ({part})")
    there = {path.name for path in where.iterdir()}
    faces = []
    with table.open(newline="", encoding="utf-8", errors="replace") as file:
        rows = csv.reader(file)
        next(rows, None)
        for name, *numbers in filter(None, rows):
            if name not in there:
                raise DataError(
                    f"YouTube Faces: {where} lacks the picture {name} that {table.name} lists; "
                    "unpack the data set again."
                )
            stem = Path(name).stem
            with told():
                keypoints = truth.points_from(numbers, 68, f"{table}: {name}")
            faces.append(
                LabelledFace(
                    name=f"ytf/{part}/{stem}",
                    group=f"ytf/{stem.rsplit('_', 1)[0]}",
                    markup="ibug-68",
                    keypoints=keypoints,
                    picture=where / name,
                )
            )
    if not faces:
        raise DataError(f"YouTube Faces: {table} lists no face; unpack the data set again.")
    return faces


def train(root: Path) -> list[LabelledFace]:
    """Both parts: the given test part shows the people of the training part, so it is no test."""
    return read(root, "training") + read(root, "test")


def _table(where: Path, name: str) -> Path:
    # The course's archive puts everything into a folder `data`.
    for table in (where / name, where / "data" / name):
        if table.exists():
            return table
    raise DataError(
        f"YouTube Faces: {where} holds no {name}; `python -m train data` says what belongs there."
    )
