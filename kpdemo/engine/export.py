"""A comparison's result as files: JSON, CSV, 300-W `.pts`, PNG.

Coordinates are photo coordinates of the upright original, 0-based with pixel centres on integers,
except in `.pts`, which counts from 1.
"""

import csv
import json
import math
import os
import unicodedata
from collections.abc import Iterator, Sequence
from io import BytesIO, StringIO

import numpy as np
from PIL import Image

from kpdemo.keypoints import markups
from kpdemo.structures import Prediction

# Only ever longer: tables of earlier versions are resumed.
CSV_COLUMNS = (
    *("file", "face", "model", "markup", "index", "name", "x", "y", "confidence", "note"),
    *("digest", "expected_error"),
)
# Those of `csv_rows`.
ROW_COLUMNS = tuple(name for name in CSV_COLUMNS if name not in ("file", "digest"))
# Makes spreadsheets read a CSV as UTF-8.
BOM = "\ufeff".encode()
_DECIMALS = 3
# Full-width ones too: spreadsheets in East Asian languages treat them alike.
_FORMULA_STARTS = ("=", "+", "-", "@", "＝", "＋", "－", "＠")


def to_json(result: dict, decimals: int = _DECIMALS) -> str:
    """The result as strict JSON: numbers with few decimals, what is not finite as null.

    Arrays and NumPy scalars may stand anywhere in it. TypeError for values that JSON lacks.
    """
    return json.dumps(_plain(result, decimals), ensure_ascii=False, allow_nan=False)


def to_csv(result: dict, file: str = "") -> str:
    """The result as a table with a header, one row a point; `file` names the photo in each row.

    Faces and points are counted from 0, as in the JSON. MediaPipe has rows for its mesh and for
    each way to read it as iBUG's and Kaggle's points (`ibug-68`, `ibug-68-fitted`,
    `kaggle-15-fitted`). What is unknown is an empty cell. A model without points on a face has one
    row, whose `note` says why; so has a model that is unavailable and each of the result's notices,
    without a face. `expected_error` is in percent of the eye distance; `digest` is for tables of
    many photos (`kpdemo.engine.formats`). `file` is written as `printable_name`.
    """
    file = printable_name(file)
    out = StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(CSV_COLUMNS)
    writer.writerows(csv_row(file, row) for row in csv_rows(result))
    for model, why in result.get("unavailable", {}).items():
        writer.writerow(csv_row(file, note_row(None, model, why)))
    notices = [note_row(None, None, notice) for notice in result.get("notices", ())]
    writer.writerows(csv_row(file, row) for row in notices)
    return out.getvalue()


def csv_rows(result: dict) -> Iterator[tuple]:
    """The faces' rows of `to_csv`, with the cells `ROW_COLUMNS`."""
    for number, face in enumerate(result["faces"]):
        for model, prediction in face["models"].items():
            for *row, expected in _rows(prediction):
                yield number, model, *row, None, expected
        for model, why in face.get("missing", {}).items():
            yield note_row(number, model, why)


def note_row(face: int | None, model: str | None, note: str) -> tuple:
    """A row without a point, with the cells `ROW_COLUMNS`."""
    cells = {"face": face, "model": model, "note": note}
    return tuple(cells.get(column) for column in ROW_COLUMNS)


def csv_row(file: str, row: Sequence, digest: str = "") -> tuple:
    """A row with all `CSV_COLUMNS`, of one with the cells `ROW_COLUMNS`."""
    *cells, expected_error = row
    return file, *cells, digest, expected_error


def printable_name(name: str) -> str:
    """A file's name as text for tables and messages, different for different names.

    Bytes that are no UTF-8, control characters, line separators and the backslash are spelt byte
    by byte as in `\\xff`. A name that a spreadsheet would take for a formula gets `./` before it,
    which no name of a file in a folder has.
    """
    text = os.fsencode(name).decode("utf-8", "surrogateescape")
    spelling = "".join(map(_printable_letter, text))
    return f"./{spelling}" if spelling.startswith(_FORMULA_STARTS) else spelling


def _printable_letter(letter: str) -> str:
    if letter != "\\" and unicodedata.category(letter) not in ("Cc", "Cs", "Zl", "Zp"):
        return letter
    return "".join(f"\\x{byte:02x}" for byte in letter.encode("utf-8", "surrogateescape"))


def to_pts(keypoints: np.ndarray | Sequence) -> str:
    """Keypoints `(K, 2)` in photo coordinates as the text of a 300-W `.pts` file, which is 1-based.

    Raises ValueError where a point is unknown, because the format has no way to leave one out.
    """
    points = np.asarray(keypoints, np.float64)
    if not np.isfinite(points).all():
        raise ValueError(
            "A .pts file must name every point, and some are unknown; export JSON or CSV instead."
        )
    lines = [f"{x:.{_DECIMALS}f} {y:.{_DECIMALS}f}" for x, y in points + 1]
    return "\n".join(["version: 1", f"n_points: {len(points)}", "{", *lines, "}", ""])


def ibug_points(prediction: Prediction) -> np.ndarray | None:
    """The `(68, 2)` iBUG points that `.pts` files hold; None if the prediction has no such points.

    A mesh is read as iBUG's by the map that was fitted to their definition.
    """
    if prediction.markup == "ibug-68":
        return prediction.keypoints
    return prediction.converted.get("ibug-68-fitted")


def png_bytes(pixels: np.ndarray) -> bytes:
    """A picture `(H, W, 3)` uint8 RGB as a PNG file: pixels only, no metadata."""
    file = BytesIO()
    # The default level takes four times as long, for a file that is a sixth smaller.
    Image.fromarray(pixels).save(file, "PNG", compress_level=1)
    return file.getvalue()


def _rows(prediction: dict) -> Iterator[tuple]:
    """`(markup, index, name, x, y, confidence, expected error)` of every point of one model."""
    own = prediction["keypoints"], prediction.get("confidence"), prediction.get("expected_error")
    tables = [(prediction["markup"], *own)]
    tables += [
        (name, points, None, None)
        for name, points in prediction.items()
        if name.removesuffix("-fitted") in markups.MARKUPS
    ]
    for name, points, *figures in tables:
        names, count = markups.get(name.removesuffix("-fitted")).names, len(points)
        x, y = map(_column, np.asarray(points, np.float64).T)
        columns = [[None] * count if figure is None else _column(figure) for figure in figures]
        yield from zip([name] * count, range(count), names, x, y, *columns, strict=True)


def _column(values: Sequence | np.ndarray) -> list[float | None]:
    """`(K,)` numbers or None as `_plain` has them, which takes twice as long for a whole table."""
    column = np.asarray(values, np.float64).round(_DECIMALS)
    if np.isfinite(column).all():
        return column.tolist()
    return [value if math.isfinite(value) else None for value in column.tolist()]


def _plain(value: object, decimals: int) -> object:
    """The value in JSON's own types, floats rounded, NaN and infinity as None."""
    if isinstance(value, np.ndarray | np.generic):
        value = value.tolist()
    if isinstance(value, float):
        return round(value, decimals) if math.isfinite(value) else None
    if isinstance(value, dict):
        return {key: _plain(item, decimals) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_plain(item, decimals) for item in value]
    return value
