"""Read tables of labels, as published or as saved again by a spreadsheet or an editor.

Accepted are UTF-8 and UTF-16 with or without a byte-order mark, commas, semicolons, tabs or bars
between cells, any line end, decimal commas, columns in any order, and empty columns and rows at
the end.
"""

import csv
import json
import math
import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from pathlib import Path
from typing import TextIO

import numpy as np

from kpdemo.keypoints import annotations
from kpdemo.keypoints.annotations import TruthError

_SEPARATORS = (",", ";", "\t", "|")
# A spreadsheet truncates cells to this many characters.
CELL = 32_767
_MISSING = {"", "-", "?", "na", "n/a", "#n/a", "nan", "none", "null"}


class Row(Mapping[str, str]):
    """A row's cells by column, and their numbers; TruthError names file, row and column.

    `number` counts from 1 below the heading.
    """

    def __init__(self, path: Path, number: int, heading: list[str], cells: list[str]) -> None:
        self.path, self.number = path, number
        # Before padding: rows may be short.
        self.width = len(cells)
        cells = cells + [""] * (len(heading) - len(cells))
        # The first of several columns with one name counts.
        pairs = [*zip(heading, cells, strict=False)]
        self._cells = dict(reversed(pairs))

    def __getitem__(self, column: str) -> str:
        return self._cells[column]

    def __iter__(self) -> Iterator[str]:
        return iter(self._cells)

    def __len__(self) -> int:
        return len(self._cells)

    def error(self, what: str) -> TruthError:
        """A TruthError whose sentence begins with file and row."""
        return TruthError(f"{self.path}: row {self.number} {what}.")

    def value(self, column: str) -> float:
        """The number in a cell, NaN where it is missing."""
        text = self[column]
        if text.lower() in _MISSING:
            return math.nan
        try:
            # Decimal commas are common (66,03); only Python accepts 1_0.
            number = float(text.replace(",", ".").replace("_", "?"))
        except ValueError:
            raise self.error(f"has a broken coordinate: {text:.40} in column {column}") from None
        if not math.isfinite(number):
            raise self.error(f"has a coordinate that is no finite number in column {column}")
        return number

    def whole(self, column: str, what: str) -> int:
        """The whole number in a cell; 7.0 is one."""
        text = self[column]
        if not re.fullmatch(r"\d{1,18}([.,]0*)?", text):
            raise self.error(f"{text[:40]!r} is no number of {what} in column {column}")
        return int(re.split("[.,]", text)[0])

    def points(self, columns: Sequence[str], width: float, height: float) -> np.ndarray:
        """The coordinates in columns x y x y …: float32 `(K, 2)`, NaN where missing.

        They are in pixels of a picture of `width` × `height`; see `annotations.outside` for how far
        beyond it they may lie.
        """
        values = np.array([self.value(column) for column in columns]).reshape(-1, 2)
        # Values beyond the range of float32 stay outside the picture.
        points = annotations.mask_missing(np.clip(values, -1e9, 1e9))
        for k in annotations.outside(points, width, height)[:1]:
            x, y = columns[2 * k : 2 * k + 2]
            raise self.error(
                f"has a point outside the picture of {width:g} × {height:g} pixels: {self[x]:.40} "
                f"in column {x} and {self[y]:.40} in column {y}"
            )
        return points


def detect_encoding(path: Path) -> str:
    """UTF-8, UTF-16 or UTF-32, with or without a mark, of a file that begins with ASCII."""
    with path.open("rb") as file:
        return json.detect_encoding(file.read(4))


def rows(path: Path, columns: Sequence[str]) -> Iterator[Row]:
    """The rows of a table with at least these columns; empty ones are skipped.

    Raises TruthError for another table, for one without rows, and for a broken row.
    """
    try:
        with path.open(newline="", encoding=detect_encoding(path), errors="replace") as file:
            yield from _rows(file, path, columns)
    except OSError as error:
        raise TruthError(f"{path} cannot be read ({error.strerror}).") from error


def _rows(file: TextIO, path: Path, columns: Sequence[str]) -> Iterator[Row]:
    reader, heading = _heading(file, path, columns)
    number = count = 0
    while True:
        try:
            cells = next(reader, None)
        except csv.Error as error:
            raise TruthError(f"{path}: row {number + 1} is broken: {error}.") from error
        if cells is None:
            break
        number += 1
        cells = [cell.strip() for cell in cells]
        if not any(cells):
            continue
        count += 1
        if any(cells[len(heading) :]):
            raise TruthError(
                f"{path}: row {number} has {len(cells)} cells, and the heading {len(heading)} "
                "columns; save the table with another separator, or get it again."
            )
        yield Row(path, number, heading, cells)
    if not count:
        raise TruthError(f"{path} has no rows below its heading; get the table again.")


def _heading(
    file: TextIO, path: Path, columns: Sequence[str]
) -> tuple[Iterator[list[str]], list[str]]:
    """A reader of the rows below the heading, and the columns' names."""
    limit = csv.field_size_limit()
    line = file.readline(limit)
    # Excel's own hint at the separator in the first line.
    while line and (not line.strip() or re.fullmatch(r"sep=.", line.strip())):
        line = file.readline(limit)
    first_missing = columns[0]
    for separator in _SEPARATORS:
        # Strict, or an unclosed quotation mark would swallow the rest of the table.
        reader = csv.reader(chain([line], file), delimiter=separator, strict=True)
        try:
            heading = [name.strip() for name in next(reader, [])]
        except csv.Error:
            continue
        missing = [name for name in columns if name not in heading]
        if not missing:
            while not heading[-1] and heading.count("") > 1:
                heading.pop()
            if repeated := [name for name in columns if heading.count(name) > 1]:
                raise TruthError(f"{path} has the column {repeated[0]} twice; get the table again.")
            return reader, heading
        if len(heading) > 1:
            first_missing = missing[0]
    raise TruthError(f"{path} has no column {first_missing}; it is not the data set's table.")
