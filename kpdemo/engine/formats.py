"""CSV and JSON Lines with the results of many photos: a record a photo, written and found again.

Each record names every model that was run, so that the file alone tells which photos are complete:
where a model has no points, CSV has a row whose `note` says why, and each line of JSON lists its
`models`. The `digest` (in CSV in a photo's first row) is that of the photo's own file: another
photo under the same name does not count as done. Files of earlier versions have no digest, and
their photos count as done.
"""

import csv
from collections.abc import Callable, Iterator, Sequence
from io import StringIO
from typing import BinaryIO, NamedTuple

from kpdemo.engine import export
from kpdemo.system import json_file

_DIGEST = export.CSV_COLUMNS.index("digest")


class Entry(NamedTuple):
    """A photo in a file: its name, its digest if known, the models of its rows, its byte range.

    `whole` is whether it is known to be complete, `padding` how many columns its rows lack.
    """

    name: str
    digest: str
    models: set[str]
    start: int
    end: int
    whole: bool
    padding: int = 0


class Format(NamedTuple):
    """A kind of file: how a photo's result is encoded, how its entries are read, and its header.

    `encode` takes the photo's name, `Comparison.to_dict()`, the models and the digest. `entries`
    raises one of several errors for a file of another kind.
    """

    encode: Callable[[str, dict, Sequence[str], str], bytes]
    entries: Callable[[BinaryIO], Iterator[Entry]]
    header: bytes


def pad(rows: bytes, columns: int) -> bytes:
    """Rows of a CSV with as many empty cells appended."""
    return b"".join(row.rstrip(b"\r\n") + columns * b"," + b"\n" for row in rows.splitlines(True))


def _to_csv(name: str, result: dict, models: Sequence[str], digest: str) -> bytes:
    notices = result.get("notices", [])
    if result["faces"]:
        rows = list(export.csv_rows(result))
        rows += [export.note_row(None, None, notice) for notice in notices]
    else:
        rows = [export.note_row(None, model, " ".join(notices)) for model in models]
    for number, face in enumerate(result["faces"]):
        present = {*face["models"], *face.get("missing", ())}
        rows += [export.note_row(number, model, "") for model in models if model not in present]
    out = StringIO()
    writer = csv.writer(out, lineterminator="\n")
    for number, row in enumerate(rows):
        writer.writerow(export.csv_row(name, row, "" if number else digest))
    return out.getvalue().encode()


def _csv_entries(file: BinaryIO) -> Iterator[Entry]:
    """The photos of a table. Nothing marks the end of the last one, so it never counts as whole.

    A truncated row is dropped whole: its file name may be truncated too.
    """
    position = 0

    def lines() -> Iterator[str]:
        nonlocal position
        for line in file:
            if not line.endswith(b"\n"):
                return
            first = not position
            position += len(line)
            yield (line.removeprefix(export.BOM) if first else line).decode()

    rows = csv.reader(lines())
    header = next(rows, None)
    if header is None:
        file.seek(0)
        beginning = file.read(len(export.BOM + _CSV_HEADER))
        if not any(h.startswith(beginning) for h in (_CSV_HEADER, export.BOM + _CSV_HEADER)):
            raise ValueError("another file")
        return
    # Earlier versions had fewer columns.
    padding = len(export.CSV_COLUMNS) - len(header)
    if tuple(header) != export.CSV_COLUMNS[: len(header)] or "confidence" not in header:
        raise ValueError("another table")
    entry: Entry | None = None
    end = position
    for row in rows:
        if entry is None or row[0] != entry.name:
            if entry is not None:
                yield entry._replace(whole=True)
            entry = Entry(row[0], "", set(), end, end, False, padding)
        if row[2]:  # a notice is of no model
            entry.models.add(row[2])
        end = position
        digest = entry.digest or "".join(row[_DIGEST : _DIGEST + 1])
        entry = entry._replace(digest=digest, end=end)
    if entry is not None:
        yield entry


def _to_json(name: str, result: dict, models: Sequence[str], digest: str) -> bytes:
    line = {"file": name, "models": models, "digest": digest} | result
    return (export.to_json(line) + "\n").encode()


def _json_entries(file: BinaryIO) -> Iterator[Entry]:
    """The photos of a JSON Lines file; one is whole if its line ends."""
    end = 0
    for line in file:
        if not line.endswith(b"\n"):
            if not line.startswith(_JSON_BEGINNING[: len(line)]):
                raise ValueError("another file")
            return
        start, end = end, end + len(line)
        data = json_file.parse(line)
        digest = str(data.get("digest", ""))
        yield Entry(str(data["file"]), digest, set(data["models"]), start, end, True)


_CSV_HEADER = (",".join(export.CSV_COLUMNS) + "\n").encode()
_JSON_BEGINNING = b'{"file": "'
FORMATS = {
    "csv": Format(_to_csv, _csv_entries, _CSV_HEADER),
    "jsonl": Format(_to_json, _json_entries, b""),
}
