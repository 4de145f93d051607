"""Resumable CSV or JSON Lines file: the results of many photos, written photo by photo.

Every photo leaves a trace of every model that was asked, so that the file alone says what is done:
where a model has no points, CSV has a row whose `note` says why, and each line of JSON says which
`models` were asked. The `digest` (in CSV in a photo's first row) is that of the photo's own file:
another photo under the same name is not taken for done. Files of earlier versions have no digest,
and their photos count as done.
"""

import csv
import os
from collections.abc import Collection, Iterator, Sequence
from io import StringIO
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, NamedTuple, Protocol

from kpdemo.engine import export
from kpdemo.system import files, json_file
from kpdemo.system.files import OutputError

try:
    import fcntl
except ImportError:  # Windows, where another run is not noticed
    fcntl = None

CSV_COLUMNS = (*export.CSV_COLUMNS, "digest")


class _Entry(NamedTuple):
    """A photo in the file: its name, its digest if known, the models of its rows, its bytes.

    `whole` is whether all of it is surely there, `padding` how many columns of now its rows lack.
    """

    name: str
    digest: str
    models: set[str]
    start: int
    end: int
    whole: bool
    padding: int = 0


class Results(Protocol):
    """Where the results of many photos go; `digests` has those that are there already, by name."""

    digests: dict[str, str]

    def drop(self, names: Collection[str]) -> None:
        """Take photos out."""

    def add(self, name: str, result: dict, digest: str = "") -> None:
        """Write a photo's result, `Comparison.to_dict()`."""


class StandardOutput:
    """The same CSV or JSON Lines on standard output, which cannot be resumed."""

    def __init__(self, kind: str, models: Sequence[str], bom: bool = False) -> None:
        self.digests: dict[str, str] = {}
        self._models = list(models)
        self._encode, _, self._head = _FORMATS[kind]
        if bom:
            self._head = export.BOM + self._head

    def drop(self, names: Collection[str]) -> None:
        """Nothing is there to take out."""

    def add(self, name: str, result: dict, digest: str = "") -> None:
        """Write a photo's result, `Comparison.to_dict()`."""
        data = self._encode(name, result, self._models, digest)
        files.write(files.STDOUT, self._head + data)
        self._head = b""


class GrowingFile:
    """The file at `path`, opened to resume it; `done` are the photos that it holds.

    `digests` are theirs, "" where unknown. `kind` is "csv" or "jsonl", `models` are those that are
    asked about every photo, `photos` those that can be looked at now: if one of them may be there
    in part, it is taken for missing. A new CSV begins with a byte-order mark if `bom` says so.
    Raises OutputError if the file cannot be written, is something else, holds other models, or is
    being written by another run.
    """

    def __init__(
        self,
        path: Path,
        kind: str,
        models: Sequence[str],
        photos: Collection[str],
        bom: bool = False,
    ) -> None:
        self._path, self._models = path, list(models)
        self._encode, self._entries, self._head = _FORMATS[kind]
        if bom:
            self._head = export.BOM + self._head
        self.digests: dict[str, str] = {}
        self._spans: list[tuple[str, int, int]] = []
        self._end = self._padding = 0
        files.check_outputs([path])
        self._open()
        try:
            self._read(photos)
        except BaseException:
            self._file.close()
            raise

    @property
    def done(self) -> set[str]:
        return set(self.digests)

    def _open(self) -> None:
        try:
            # Not "a+b", which writes at the end whatever a half-written photo is there.
            self._file = os.fdopen(os.open(self._path, os.O_RDWR | os.O_CREAT, 0o666), "r+b", 0)
        except OSError as error:
            raise OutputError(f"{self._path} cannot be written ({error.strerror}).") from error
        try:
            self._lock()
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
        if not os.path.samestat(os.fstat(self._file.fileno()), self._path.stat()):
            # Another run has put a new file in its place meanwhile.
            raise OutputError(f"{self._path} is being written by another run; wait for it.")

    def _read(self, photos: Collection[str]) -> None:
        try:
            with self._path.open("rb") as file:
                if file.read(len(export.BOM)) == export.BOM:
                    self._head = export.BOM + self._head.removeprefix(export.BOM)
                file.seek(0)
                for entry in self._entries(file):
                    if not entry.whole and entry.name in photos:
                        break
                    if entry.models != set(self._models):
                        raise OutputError(
                            f"{self._path} holds answers of {', '.join(sorted(entry.models))}, and "
                            f"{', '.join(sorted(self._models))} were asked for now; name the same "
                            "models or another file."
                        )
                    self.digests[entry.name] = entry.digest
                    self._spans.append((entry.name, entry.start, entry.end))
                    self._end, self._padding = entry.end, entry.padding
        except OSError as error:
            raise OutputError(f"{self._path} cannot be read ({error.strerror}).") from error
        except (ValueError, LookupError, TypeError, csv.Error, RecursionError) as error:
            if isinstance(error, OutputError):
                raise
            raise OutputError(
                f"{self._path} holds something that this program did not write; name another file."
            ) from error

    def drop(self, names: Collection[str]) -> None:
        """Take photos out; the file is replaced by one without them. Raises OutputError."""
        if names:
            self._rewrite(names)

    def _rewrite(self, without: Collection[str]) -> None:
        """Replace the file by one with the columns of now, and without some photos."""
        kept = [span for span in self._spans if span[0] not in without]
        spans: list[tuple[str, int, int]] = []

        def fill(new: BinaryIO) -> None:
            new.write(self._head)
            with self._path.open("rb") as old:
                for name, start, end in kept:
                    old.seek(start)
                    data, at = old.read(end - start), new.tell()
                    new.write(_padded(data, self._padding) if self._padding else data)
                    spans.append((name, at, new.tell()))

        try:
            files.replace(self._path, fill)
        except OSError as error:
            raise OutputError(f"{self._path} cannot be written ({error.strerror}).") from error
        self._file.close()
        self._open()
        self._spans, self._padding = spans, 0
        self._end = spans[-1][2] if spans else 0
        for name in without:
            self.digests.pop(name, None)

    def add(self, name: str, result: dict, digest: str = "") -> None:
        """Write a photo's result, `Comparison.to_dict()`; all of it or, with OutputError, none."""
        if self._padding:
            self._rewrite(())
        data = self._encode(name, result, self._models, digest)
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
        self._spans.append((name, self._end, self._end + len(data)))
        self._end += len(data)
        self.digests[name] = digest

    def __enter__(self) -> "GrowingFile":
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._file.close()


def _to_csv(name: str, result: dict, models: Sequence[str], digest: str) -> bytes:
    notices = result.get("notices", [])
    if result["faces"]:
        rows = list(export.csv_rows(result))
        rows += [export.note_row(None, None, notice) for notice in notices]
    else:
        rows = [export.note_row(None, model, " ".join(notices)) for model in models]
    for number, face in enumerate(result["faces"]):
        there = {*face["models"], *face.get("missing", ())}
        rows += [export.note_row(number, model, "") for model in models if model not in there]
    out = StringIO()
    writer = csv.writer(out, lineterminator="\n")
    for number, row in enumerate(rows):
        writer.writerow((name, *row, "" if number else digest))
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
            first = not read
            read += len(line)
            yield (line.removeprefix(export.BOM) if first else line).decode()

    rows = csv.reader(lines())
    head = next(rows, None)
    if head is None:
        file.seek(0)
        start = file.read(len(export.BOM + _CSV_HEAD))
        if not any(whole.startswith(start) for whole in (_CSV_HEAD, export.BOM + _CSV_HEAD)):
            raise ValueError("another file")
        return
    # Earlier versions had fewer columns, and the table of a single photo has no digest.
    padding = len(CSV_COLUMNS) - len(head)
    if tuple(head) != CSV_COLUMNS[: len(head)] or "confidence" not in head:
        raise ValueError("another table")
    name, digest, models = None, "", set()
    start = end = read
    for row in rows:
        if row[0] != name:
            if name is not None:
                yield _Entry(name, digest, models, start, end, True, padding)
            name, digest, models, start = row[0], "", set(), end
        if row[2]:  # a notice is of no model
            models.add(row[2])
        digest = digest or ("" if padding else row[-1])
        end = read
    if name is not None:
        yield _Entry(name, digest, models, start, end, False, padding)


def _padded(rows: bytes, columns: int) -> bytes:
    """Rows of a table with so many empty cells more."""
    return b"".join(row.rstrip(b"\r\n") + columns * b"," + b"\n" for row in rows.splitlines(True))


def _to_json(name: str, result: dict, models: Sequence[str], digest: str) -> bytes:
    line = {"file": name, "models": models, "digest": digest} | result
    return (export.to_json(line) + "\n").encode()


def _json_entries(file: BinaryIO) -> Iterator[_Entry]:
    """The photos of a file of lines; one is whole if its line ends."""
    end = 0
    for line in file:
        if not line.endswith(b"\n"):
            if not line.startswith(_JSON_HEAD[: len(line)]):
                raise ValueError("another file")
            return
        start, end = end, end + len(line)
        data = json_file.parse(line)
        digest = str(data.get("digest", ""))
        yield _Entry(str(data["file"]), digest, set(data["models"]), start, end, True)


_CSV_HEAD = (",".join(CSV_COLUMNS) + "\n").encode()
_JSON_HEAD = b'{"file": "'
_FORMATS = {
    "csv": (_to_csv, _csv_entries, _CSV_HEAD),
    "jsonl": (_to_json, _json_entries, b""),
}
