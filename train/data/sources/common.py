"""Shared by all readers: labelled faces, the data folder, DataError."""

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from kpdemo.keypoints import annotations
from kpdemo.keypoints.tables import detect_encoding

PICTURES = (".jpg", ".jpeg", ".png", ".pgm", ".bmp")


class DataError(ValueError):
    """Missing or broken data; the message is one sentence that says what to do."""


@dataclass(frozen=True, eq=False)
class LabelledFace:
    """One face of a data set.

    `keypoints` is `(K, 2)` float32 in photo coordinates, NaN where a label is missing. `picture`
    is a file, or the pixels themselves where the official layout keeps them in a table. Faces of
    one `group` (one photo, one person) must stay on one side of a split.
    """

    name: str
    group: str
    markup: str
    keypoints: np.ndarray
    picture: Path | np.ndarray

    def pixels(self, channels: int) -> np.ndarray:
        """`(H, W)` grey or `(H, W, 3)` RGB uint8; DataError names a picture that is damaged.

        EXIF orientation is ignored: the labels belong to the pixels as stored.
        """
        if isinstance(self.picture, np.ndarray):
            grey = self.picture
            return grey if channels == 1 else np.repeat(grey[..., None], 3, 2)
        mode = "L" if channels == 1 else "RGB"
        try:
            with Image.open(self.picture) as picture:
                # A JPEG's own grey channel needs no conversion from RGB and back.
                picture.draft(mode, picture.size)
                return np.asarray(picture.convert(mode))
        # A broken PNG raises SyntaxError, a huge picture DecompressionBombError.
        except (OSError, SyntaxError, ValueError, Image.DecompressionBombError) as error:
            what = "is damaged and cannot be decoded" if self.picture.exists() else "is missing"
            raise DataError(f"{self.picture} {what}; put a good copy in its place.") from error


def root() -> Path:
    """The data folder: `KPDEMO_DATA`, else `../shared/data` if it exists, else the user's own."""
    if configured := os.environ.get("KPDEMO_DATA"):
        return Path(configured).expanduser()
    shared = Path(__file__).parents[3].parent / "shared" / "data"
    return shared if shared.is_dir() else Path.home() / ".cache" / "kpdemo" / "data"


def folder(path: Path, what: str) -> Path:
    """`path` if it is a folder, else a DataError that says which data set is missing there."""
    if not path.is_dir():
        raise DataError(
            f"{what} is not there: {path} is no folder; `python -m train data` says where to get "
            "it, KPDEMO_DATA names the folder that holds the data sets."
        )
    return path


def labelled_pictures(where: Path, suffix: str, what: str) -> list[tuple[Path, Path]]:
    """Pairs of label file and picture with the same name anywhere under `where`, sorted by name.

    Archives differ in folders and letter case, so only the name counts. DataError if there is no
    label or a label has no picture.
    """
    labels, pictures = _by_name(where, (suffix,)), _by_name(where, PICTURES)
    if not labels:
        raise DataError(
            f"{what}: {where} holds no {suffix} file; `python -m train data` says what belongs."
        )
    if unmatched := [label for name, label in labels.items() if name not in pictures]:
        raise DataError(
            f"{what}: {len(unmatched)} of {len(labels)} label files under {where} have no picture "
            f"of their name, {unmatched[0].name} for one; unpack the data set again."
        )
    return [(labels[name], pictures[name]) for name in sorted(labels)]


def first_number(path: Path) -> int:
    """The first number in a file's name: in official names, that of the person or picture."""
    match = re.search(r"\d+", path.stem)
    if not match:
        raise DataError(f"{path} has no number in its name, as the files of its set have.")
    return int(match[0])


def read_pts(path: Path, count: int, first: int, picture: Path) -> np.ndarray:
    """A `.pts` file as `(count, 2)` float32, 0-based; `first` is the file's own first index.

    Missing points are NaN. DataError if one lies far outside the `picture`.
    """
    with as_data_error():
        points = annotations.read_pts(read_text(path), count, first, path)
    return inside(points, picture, path)


def inside(points: np.ndarray, picture: Path, label: Path) -> np.ndarray:
    """The points; DataError if one lies outside the picture, see `annotations.outside`."""
    width, height = picture_size(picture)
    for k in annotations.outside(points, width, height)[:1]:
        x, y = points[k]
        raise DataError(
            f"{label}: point {k + 1}, at ({x:g}, {y:g}), lies outside its picture of {width:g} × "
            f"{height:g} pixels; unpack the data set again."
        )
    return points


def picture_size(picture: Path) -> np.ndarray:
    """Width and height from the header alone; NaN if it is damaged, which `pixels()` reports."""
    try:
        with Image.open(picture) as image:
            return np.array(image.size, np.float32)
    except (OSError, SyntaxError, ValueError, Image.DecompressionBombError):
        return np.full(2, np.nan, np.float32)


def read_text(path: Path) -> str:
    """The text of a label file in UTF-8 or UTF-16; DataError if it cannot be read."""
    try:
        return path.read_text(encoding=detect_encoding(path), errors="replace")
    except OSError as error:
        raise DataError(f"{path} cannot be read ({error.strerror}).") from error


@contextmanager
def as_data_error() -> Iterator[None]:
    """Within it, errors in annotations are raised as DataError."""
    try:
        yield
    except annotations.TruthError as error:
        raise DataError(str(error)) from error


def _by_name(where: Path, suffixes: tuple[str, ...]) -> dict[str, Path]:
    # macOS archives carry a "._NAME" beside each file.
    return {
        path.stem.lower(): path
        for path in sorted(where.rglob("*"))
        if path.suffix.lower() in suffixes and not path.name.startswith("._")
    }
