"""Resumable CSV or JSON Lines writer: one record per photo, see `formats`."""

import csv
import os
import sys
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import BinaryIO, Protocol

from kpdemo.engine import export, formats
from kpdemo.system import files
from kpdemo.system.files import OutputError

if sys.platform != "win32":
    import fcntl


class ResultWriter(Protocol):
    """Where the results of many photos go, a context manager.

    `digests` are those of the photos that the output already has, by name, "" where unknown.
    """

    digests: dict[str, str]

    def drop(self, names: Collection[str]) -> None:
        """Take photos out."""

    def add(self, name: str, result: dict, digest: str = "") -> None:
        """Write a photo's result, `Comparison.to_dict()`."""

    def __enter__(self) -> "ResultWriter": ...

    def __exit__(self, *exception: object) -> None: ...


def open_writer(
    out: Path, kind: str, models: Sequence[str], photos: Collection[str], bom: bool = False
) -> ResultWriter:
    """The writer for a path, which may name standard output; arguments as of `ResumableFile`."""
    if files.is_stdout(out):
        return StandardOutput(kind, models, bom)
    return ResumableFile(out, kind, models, photos, bom)


class StandardOutput:
    """A `ResultWriter` to standard output, which cannot be resumed."""

    def __init__(self, kind: str, models: Sequence[str], bom: bool = False) -> None:
        self.digests: dict[str, str] = {}
        self._models = list(models)
        self._format = formats.FORMATS[kind]
        self._header = (export.BOM if bom else b"") + self._format.header

    def __enter__(self) -> "StandardOutput":
        return self

    def __exit__(self, *exception: object) -> None:
        """Nothing: standard output stays open."""

    def drop(self, names: Collection[str]) -> None:
        """Nothing: the output never holds a photo already."""

    def add(self, name: str, result: dict, digest: str = "") -> None:
        """Write a photo's result, `Comparison.to_dict()`."""
        data = self._format.encode(name, result, self._models, digest)
        files.write(files.STDOUT, self._header + data)
        self._header = b""


class ResumableFile:
    """A `ResultWriter` to the file at `path`, which is resumed if it exists.

    `kind` is "csv" or "jsonl", `models` are those that every photo is compared by, `photos` those
    of this run: one of them that may be incomplete in the file counts as missing. A new CSV begins
    with a byte-order mark if `bom` says so. Raises OutputError if the file cannot be written, is of
    another kind, holds other models, or is being written by another run.
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
        self._format = formats.FORMATS[kind]
        self._header = (export.BOM if bom else b"") + self._format.header
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
        """The photos in the file, by name."""
        return set(self.digests)

    def _open(self) -> None:
        try:
            # Not "a+b", which cannot overwrite a half-written record.
            self._file = os.fdopen(os.open(self._path, os.O_RDWR | os.O_CREAT, 0o666), "r+b", 0)
        except OSError as error:
            raise OutputError(f"{self._path} cannot be written ({error.strerror}).") from error
        try:
            self._lock()
        except BaseException:
            self._file.close()
            raise

    def _lock(self) -> None:
        """Lock the file for this run, until it is closed."""
        if sys.platform == "win32":  # another run is not noticed there
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
            # Another run has replaced the file meanwhile.
            raise OutputError(f"{self._path} is being written by another run; wait for it.")

    def _read(self, photos: Collection[str]) -> None:
        try:
            with self._path.open("rb") as file:
                if file.read(len(export.BOM)) == export.BOM:
                    self._header = export.BOM + self._header.removeprefix(export.BOM)
                file.seek(0)
                for entry in self._format.entries(file):
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
        """Take photos out, by replacing the file. Raises OutputError."""
        if names:
            self._rewrite(names)

    def _rewrite(self, without: Collection[str]) -> None:
        """Replace the file by one with today's columns, and without some photos."""
        kept = [span for span in self._spans if span[0] not in without]
        spans: list[tuple[str, int, int]] = []

        def fill(new: BinaryIO) -> None:
            new.write(self._header)
            with self._path.open("rb") as old:
                for name, start, end in kept:
                    old.seek(start)
                    data, position = old.read(end - start), new.tell()
                    new.write(formats.pad(data, self._padding) if self._padding else data)
                    spans.append((name, position, new.tell()))

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
        data = self._format.encode(name, result, self._models, digest)
        if not self._end:
            data = self._header + data
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

    def __enter__(self) -> "ResumableFile":
        return self

    def __exit__(self, *exception: object) -> None:
        self._file.close()
