"""A CSV or JSON Lines file that grows by one photo at a time, and can be gone on with.

Every photo leaves a trace of every model that was asked, so that the file alone says what is done:
where a model has no points (no face was found, or not by MediaPipe), CSV has a row of empty cells,
and each line of JSON says which `models` were asked.
"""

import csv
import json
import os
from collections.abc import Callable, Iterator, Sequence
from io import StringIO
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, NamedTuple

from kpdemo import export

try:
    import fcntl
except ImportError:  # Windows, where another run is not noticed
    fcntl = None


class OutputError(ValueError):
    """A file that cannot be written or gone on with; the message is one sentence."""


class _Entry(NamedTuple):
    """A photo in the file: its name, the models of its rows, the bytes where it starts and ends.

    `whole` is whether all of it is surely there.
    """

    name: str
    models: set[str]
    start: int
    end: int
    whole: bool


class GrowingFile:
    """The file at `path`, opened to go on with it; `done` are the photos that it holds.

    `kind` is "csv" or "jsonl", `models` are those that are asked about every photo. Raises
    OutputError if the file cannot be written, is something else, holds other models, or is being
    written by another run.
    """

    def __init__(self, path: Path, kind: str, models: Sequence[str]) -> None:
        self._path, self._models = path, list(models)
        self._encode, entries, self._head = _FORMATS[kind]
        self.done: set[str] = set()
        self._end = 0
        try:
            # Not "a+b", which writes at the end whatever a half-written photo is there.
            self._file = os.fdopen(os.open(path, os.O_RDWR | os.O_CREAT, 0o666), "r+b", 0)
        except OSError as error:
            raise OutputError(f"{path} cannot be written ({error.strerror}).") from error
        try:
            self._lock()
            self._read(entries)
        except BaseException:
            self._file.close()
            raise

    def _lock(self) -> None:
        """Keep the file for this run; the lock goes when the file is closed."""
        if fcntl is None:
            return
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise OutputError(
                f"{self._path} is being written by another run; wait for it, or name another file."
            ) from None
        except OSError:  # a file system without locks
            return

    def _read(self, entries: Callable[[BinaryIO], Iterator[_Entry]]) -> None:
        try:
            with self._path.open("rb") as file:
                for entry in entries(file):
                    if not entry.whole:
                        break
                    if entry.models != set(self._models):
                        raise OutputError(
                            f"{self._path} holds answers of {', '.join(sorted(entry.models))}, and "
                            f"{', '.join(sorted(self._models))} were asked for now; name the same "
                            "models or another file."
                        )
                    self.done.add(entry.name)
                    self._end = entry.end
        except OSError as error:
            raise OutputError(f"{self._path} cannot be read ({error.strerror}).") from error
        except (ValueError, LookupError, TypeError, csv.Error) as error:
            if isinstance(error, OutputError):
                raise
            raise OutputError(
                f"{self._path} holds something that this program did not write; name another file."
            ) from error

    def add(self, name: str, result: dict) -> None:
        """Write a photo's result, `Comparison.to_dict()`; all of it or, with OutputError, none."""
        data = self._encode(name, result, self._models)
        if not self._end:
            data = self._head + data
        try:
            self._file.seek(self._end)
            rest = memoryview(data)
            while rest:
                rest = rest[self._file.write(rest) :]
            self._file.truncate()
        except OSError as error:
            self._file.truncate(self._end)
            raise OutputError(
                f"{self._path} cannot be written any further ({error.strerror}); it holds "
                f"{len(self.done)} photos, and the same command goes on from there."
            ) from error
        self._end += len(data)
        self.done.add(name)

    def __enter__(self) -> "GrowingFile":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._file.close()


def _to_csv(name: str, result: dict, models: Sequence[str]) -> bytes:
    out = StringIO()
    out.write(export.to_csv(result, name).partition("\n")[2])
    writer = csv.writer(out, lineterminator="\n")
    nothing = [""] * (len(export.CSV_COLUMNS) - 3)
    # A photo without faces counts as one face without a number, on which no model has points.
    faces = list(enumerate(result["faces"])) or [("", {"models": {}})]
    for number, face in faces:
        for model in models:
            if model not in face["models"]:
                writer.writerow((name, number, model, *nothing))
    return out.getvalue().encode()


def _csv_entries(file: BinaryIO) -> Iterator[_Entry]:
    """The photos of a table. Nothing says where the last one ends, so it never counts as whole."""
    read = 0

    def lines() -> Iterator[str]:
        nonlocal read
        for line in file:
            read += len(line)
            yield line.decode(errors="replace")

    rows = csv.reader(lines())
    head = next(rows, None)
    if head is None or (read < len(_CSV_HEAD) and _CSV_HEAD.startswith(_first(file, read))):
        return
    if tuple(head) != export.CSV_COLUMNS:
        raise ValueError("another table")
    name, models, start, end = None, set(), read, read
    for row in rows:
        if row[:1] != [name]:
            if name is not None:
                yield _Entry(name, models, start, end, True)
            name, models, start = row[0], set(), end
        # A row that was cut off is the last, and goes with its photo.
        models |= set(row[2:3])
        end = read
    if name is not None:
        yield _Entry(name, models, start, end, False)


def _first(file: BinaryIO, count: int) -> bytes:
    file.seek(0)
    return file.read(count)


def _to_json(name: str, result: dict, models: Sequence[str]) -> bytes:
    return (export.to_json({"file": name, "models": models} | result) + "\n").encode()


def _json_entries(file: BinaryIO) -> Iterator[_Entry]:
    """The photos of a file of lines; one is whole if its line ends."""
    end = 0
    for line in file:
        start, end = end, end + len(line)
        if not line.endswith(b"\n"):
            return
        data = json.loads(line)
        yield _Entry(str(data["file"]), set(data["models"]), start, end, True)


_CSV_HEAD = (",".join(export.CSV_COLUMNS) + "\n").encode()
_FORMATS = {
    "csv": (_to_csv, _csv_entries, _CSV_HEAD),
    "jsonl": (_to_json, _json_entries, b""),
}
