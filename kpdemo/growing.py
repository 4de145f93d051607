"""A CSV or JSON Lines file that grows by one photo at a time, and can be gone on with.

Every photo leaves a trace of every model that was asked, so that the file alone says what is done:
where a model has no points (no face was found, or not by MediaPipe), CSV has a row of empty cells,
and each line of JSON says which `models` were asked.
"""

import csv
import json
import os
from collections.abc import Callable, Collection, Iterator, Sequence
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
    """A photo in the file: its name, the models of its rows, the byte where it ends.

    `whole` is whether all of it is surely there.
    """

    name: str
    models: set[str]
    end: int
    whole: bool


class GrowingFile:
    """The file at `path`, opened to go on with it; `done` are the photos that it holds.

    `kind` is "csv" or "jsonl", `models` are those that are asked about every photo, `photos` those
    that can be looked at now: if one of them may be there in part, it is taken for missing. Raises
    OutputError if the file cannot be written, is something else, holds other models, or is being
    written by another run.
    """

    def __init__(
        self, path: Path, kind: str, models: Sequence[str], photos: Collection[str]
    ) -> None:
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
            self._read(entries, photos)
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

    def _read(
        self, entries: Callable[[BinaryIO], Iterator[_Entry]], photos: Collection[str]
    ) -> None:
        try:
            with self._path.open("rb") as file:
                for entry in entries(file):
                    if not entry.whole and entry.name in photos:
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
    """The photos of a table. Nothing says where the last one ends, so it never counts as whole.

    A row that was cut off goes with it: its file name may be cut off too.
    """
    read = 0

    def lines() -> Iterator[str]:
        nonlocal read
        for line in file:
            if not line.endswith(b"\n"):
                return
            read += len(line)
            yield line.decode()

    rows = csv.reader(lines())
    head = next(rows, None)
    if head is None:
        file.seek(0)
        if not _CSV_HEAD.startswith(file.read(len(_CSV_HEAD))):
            raise ValueError("another file")
        return
    if tuple(head) != export.CSV_COLUMNS:
        raise ValueError("another table")
    name, models, end = None, set(), read
    for row in rows:
        if row[0] != name:
            if name is not None:
                yield _Entry(name, models, end, True)
            name, models = row[0], set()
        models.add(row[2])
        end = read
    if name is not None:
        yield _Entry(name, models, end, False)


def _to_json(name: str, result: dict, models: Sequence[str]) -> bytes:
    return (export.to_json({"file": name, "models": models} | result) + "\n").encode()


def _json_entries(file: BinaryIO) -> Iterator[_Entry]:
    """The photos of a file of lines; one is whole if its line ends."""
    end = 0
    for line in file:
        if not line.endswith(b"\n"):
            if not line.startswith(_JSON_HEAD[: len(line)]):
                raise ValueError("another file")
            return
        end += len(line)
        data = json.loads(line)
        yield _Entry(str(data["file"]), set(data["models"]), end, True)


_CSV_HEAD = (",".join(export.CSV_COLUMNS) + "\n").encode()
_JSON_HEAD = b'{"file": "'
_FORMATS = {
    "csv": (_to_csv, _csv_entries, _CSV_HEAD),
    "jsonl": (_to_json, _json_entries, b""),
}
