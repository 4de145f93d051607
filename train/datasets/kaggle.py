"""Kaggle's Facial Keypoints Detection: https://www.kaggle.com/c/facial-keypoints-detection

`training.csv` has a row a face: 30 columns of coordinates in a 96×96 grey picture, empty where
the label is missing, and `Image`, the 9216 pixel values. `test.csv` has `ImageId` and `Image`.
`IdLookupTable.csv` lists which coordinates a submission must hold. `training_labels_only.csv`,
the same columns without the pictures, is enough for the pattern of missing labels.
"""

import csv
from collections.abc import Iterator, Mapping
from pathlib import Path

import numpy as np

from kpdemo import markup
from train.datasets.common import DataError, LabelledFace, folder

SIDE = 96
NAMES = markup.get("kaggle-15").names
COLUMNS = tuple(f"{name}_{axis}" for name in NAMES for axis in "xy")
LABELS_ONLY = "training_labels_only.csv"


def train(root: Path) -> list[LabelledFace]:
    """The 7,049 rows of `training.csv` with their missing labels as NaN."""
    path = folder(root / "kaggle", "Kaggle") / "training.csv"
    return [
        LabelledFace(
            name=f"kaggle/{number}",
            group=f"kaggle/{number}",
            markup="kaggle-15",
            keypoints=_labels(row, path, number),
            picture=_pixels(row, path, number),
        )
        for number, row in enumerate(_rows(path, (*COLUMNS, "Image")))
    ]


def test_pictures(root: Path) -> dict[int, np.ndarray]:
    """The pictures of `test.csv` by their `ImageId`: `(96, 96)` uint8 each."""
    path = folder(root / "kaggle", "Kaggle") / "test.csv"
    return {
        _image_id(row, path): _pixels(row, path, number)
        for number, row in enumerate(_rows(path, ("ImageId", "Image")))
    }


def missing_pattern(root: Path) -> np.ndarray:
    """Which labels real rows have: bool `(rows, 15)`, from `training.csv` or its labels alone."""
    where = folder(root / "kaggle", "Kaggle")
    path = where / "training.csv"
    if not path.exists():
        path = where / LABELS_ONLY
    rows = _rows(path, COLUMNS)
    return np.array([np.isfinite(_labels(row, path, i)).all(1) for i, row in enumerate(rows)])


def write_submission(lookup: Path, predictions: Mapping[int, np.ndarray], destination: Path) -> int:
    """Write the `RowId,Location` file that Kaggle takes; returns its number of rows.

    `lookup` is `IdLookupTable.csv`, `predictions` maps an `ImageId` to `(15, 2)` pixels of the
    96×96 picture. Coordinates are kept inside the picture, as Kaggle's own labels are.
    """
    rows = []
    for row in _rows(lookup, ("RowId", "ImageId", "FeatureName")):
        name, image = row["FeatureName"], _image_id(row, lookup)
        if name not in COLUMNS:
            raise DataError(f"{lookup}: {name!r} is not a coordinate of the 15 points.")
        if image not in predictions:
            raise DataError(f"{lookup} asks for picture {image}, which has no prediction.")
        point, axis = divmod(COLUMNS.index(name), 2)
        rows.append((row["RowId"], float(np.clip(predictions[image][point, axis], 0, SIDE))))
    with destination.open("w", newline="", encoding="utf-8") as file:
        writer = csv.writer(file)
        writer.writerow(("RowId", "Location"))
        writer.writerows((number, f"{value:.4f}") for number, value in rows)
    return len(rows)


def _rows(path: Path, columns: tuple[str, ...]) -> Iterator[dict[str, str]]:
    if not path.exists():
        raise DataError(
            f"Kaggle: {path} is missing; `python -m train data` says how to get it with an "
            "account at Kaggle."
        )
    with path.open(newline="", encoding="utf-8", errors="replace") as file:
        reader = csv.DictReader(file, restval="")
        if absent := [name for name in columns if name not in (reader.fieldnames or ())]:
            raise DataError(f"{path} has no column {absent[0]}; it is not the competition's file.")
        yield from reader


def _image_id(row: Mapping[str, str], path: Path) -> int:
    try:
        return int(row["ImageId"])
    except ValueError as error:
        raise DataError(f"{path}: {row['ImageId']!r} is no number of a picture.") from error


def _labels(row: Mapping[str, str], path: Path, number: int) -> np.ndarray:
    try:
        values = [float(row[name]) if row[name] else np.nan for name in COLUMNS]
    except ValueError as error:
        raise DataError(f"{path}: row {number + 1} has a broken coordinate: {error}.") from error
    return np.array(values, np.float32).reshape(-1, 2)


def _pixels(row: Mapping[str, str], path: Path, number: int) -> np.ndarray:
    try:
        pixels = np.array(row["Image"].split(), np.uint8)
    except (ValueError, OverflowError) as error:
        raise DataError(f"{path}: row {number + 1} has a broken pixel: {error}.") from error
    if pixels.size != SIDE * SIDE:
        raise DataError(f"{path}: row {number + 1} has {pixels.size} pixels, not {SIDE * SIDE}.")
    return pixels.reshape(SIDE, SIDE)
