"""Kaggle's Facial Keypoints Detection: https://www.kaggle.com/c/facial-keypoints-detection

`training.csv` has one row for each face: 30 columns of coordinates in a 96×96 grey picture, empty
where the label is missing, and `Image`, the 9216 pixel values. `test.csv` has `ImageId` and
`Image`. `IdLookupTable.csv` lists the coordinates of a submission. `training_labels_only.csv`, the
same columns without the pictures, is enough for the pattern of missing labels. Labels may lie
outside the picture by up to a quarter of it (Kaggle's own are all inside).
"""

import csv
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np

from kpdemo.keypoints import markups, tables
from kpdemo.keypoints.tables import Row
from train.data.sources.common import DataError, LabelledFace, as_data_error, folder

SIDE = 96
NAMES = markups.get("kaggle-15").names
COLUMNS = tuple(f"{name}_{axis}" for name in NAMES for axis in "xy")
LABELS_ONLY = "training_labels_only.csv"


@as_data_error()
def train(root: Path) -> list[LabelledFace]:
    """The 7,049 rows of `training.csv` with their missing labels as NaN."""
    path = folder(root / "kaggle", "Kaggle") / "training.csv"
    return [
        LabelledFace(
            name=f"kaggle/{number}",
            group=f"kaggle/{number}",
            markup="kaggle-15",
            keypoints=_labels(row),
            picture=_pixels(row),
        )
        for number, row in enumerate(_rows(path, (*COLUMNS, "Image")))
    ]


@as_data_error()
def test_pictures(root: Path) -> dict[int, np.ndarray]:
    """The pictures of `test.csv` by their `ImageId`: `(96, 96)` uint8 each."""
    path = folder(root / "kaggle", "Kaggle") / "test.csv"
    return {
        row.whole("ImageId", "a picture"): _pixels(row) for row in _rows(path, ("ImageId", "Image"))
    }


@as_data_error()
def missing_pattern(root: Path) -> np.ndarray:
    """Which labels Kaggle's rows have: bool `(rows, 15)`, true where labelled.

    Read from `training.csv`, or from `training_labels_only.csv` where the former is missing.
    """
    where = folder(root / "kaggle", "Kaggle")
    path = where / "training.csv"
    if not path.exists():
        path = where / LABELS_ONLY
    return np.array([np.isfinite(_labels(row)).all(1) for row in _rows(path, COLUMNS)])


@as_data_error()
def write_submission(lookup: Path, predictions: Mapping[int, np.ndarray], destination: Path) -> int:
    """Write a submission in Kaggle's `RowId,Location` format; returns its number of rows.

    `lookup` is `IdLookupTable.csv`, `predictions` maps an `ImageId` to `(15, 2)` pixels of the
    96×96 picture. Coordinates are clipped to the picture, as Kaggle's own labels are.
    """
    rows = []
    for row in _rows(lookup, ("RowId", "ImageId", "FeatureName")):
        name, image = row["FeatureName"], row.whole("ImageId", "a picture")
        if name not in COLUMNS:
            raise row.error(f"{name[:40]!r} is not a coordinate of the 15 points")
        if image not in predictions:
            raise DataError(f"{lookup} lists picture {image}, which has no prediction.")
        point, axis = divmod(COLUMNS.index(name), 2)
        number = row.whole("RowId", "a row")
        rows.append((number, float(np.clip(predictions[image][point, axis], 0, SIDE))))
    with destination.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(("RowId", "Location"))
        writer.writerows((number, f"{value:.4f}") for number, value in rows)
    return len(rows)


def _rows(path: Path, columns: tuple[str, ...]) -> Iterator[Row]:
    if not path.exists():
        raise DataError(
            f"Kaggle: {path} is missing; `python -m train data` says how to get it with an "
            "account at Kaggle."
        )
    return tables.rows(path, columns)


def _labels(row: Row) -> np.ndarray:
    return row.points(COLUMNS, SIDE, SIDE)


def _pixels(row: Row) -> np.ndarray:
    try:
        pixels = np.array(row["Image"].split(), np.uint8)
    except (ValueError, OverflowError) as error:
        raise row.error(f"has a broken pixel in column Image: {error}") from error
    if pixels.size != SIDE * SIDE:
        cut = "; a spreadsheet has cut the cell" if len(row["Image"]) == tables.CELL else ""
        raise row.error(f"has {pixels.size} pixels, not {SIDE * SIDE}, in column Image{cut}")
    return pixels.reshape(SIDE, SIDE)
