"""Files on this machine and in stores: one address, one listing."""

import os
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import BinaryIO, cast

import pyarrow as pa
from pyarrow.fs import FileSelector, FileSystem, FileType, LocalFileSystem

from kpdemo.engine.export import printable_name
from kpdemo.engine.photos import FolderError, in_folder


class PlaceError(ValueError):
    """A place that cannot be read or written; the message is one sentence."""


@dataclass(frozen=True)
class Place:
    """A folder or file on this machine, or one in a store, such as `s3://bucket/folder`."""

    filesystem: FileSystem
    path: str

    @classmethod
    def of(cls, word: str) -> "Place":
        """The place of a path or an address; raises PlaceError."""
        if "://" not in word:
            return cls(LocalFileSystem(), str(Path(word).expanduser().absolute()))
        try:
            return cls(*FileSystem.from_uri(word))
        except (OSError, ValueError, ImportError) as error:
            raise PlaceError(f"{word} cannot be opened ({error}).") from error

    def __truediv__(self, name: str) -> "Place":
        return Place(self.filesystem, f"{self.path.rstrip('/')}/{name}")

    def __str__(self) -> str:
        return self.path

    @property
    def is_local(self) -> bool:
        """Whether it is on this machine."""
        return isinstance(self.filesystem, LocalFileSystem)

    def files(self, suffixes: tuple[str, ...]) -> dict[str, str | None]:
        """The paths of the photos, and of files with these suffixes, by their names in it.

        None stands for what is called like a photo and cannot be opened. Hidden ones are left out.
        Raises PlaceError.
        """
        try:
            (here,) = self.filesystem.get_file_info([self.path])
            if here.is_file:
                return {printable_name(here.base_name): here.path}
            return self._local_files(suffixes) if self.is_local else self._stored_files()
        except (OSError, pa.ArrowException) as error:
            raise PlaceError(f"{self} cannot be read ({error}).") from error

    def _local_files(self, suffixes: tuple[str, ...]) -> dict[str, str | None]:
        folder = Path(self.path)
        shards = [path for path in sorted(folder.rglob("*")) if path.name.endswith(suffixes)]
        paths: dict[str, str | None] = {str(path): str(path) for path in shards}
        try:
            photos = in_folder(folder)
        except FolderError:
            if not paths:
                raise
            return paths
        paths |= dict.fromkeys(photos.bad)
        for name, path in photos.paths.items():
            # Names that are no UTF-8 cannot be handed to Ray.
            text = os.fsencode(path).decode(errors="replace")
            paths[name] = text if path.is_file() else None
        return paths

    def _stored_files(self) -> dict[str, str | None]:
        infos = self.filesystem.get_file_info(FileSelector(self.path, recursive=True))
        names = {PurePosixPath(info.path).relative_to(self.path): info for info in infos}
        return {
            printable_name(str(name)): info.path
            for name, info in sorted(names.items())
            if info.type == FileType.File and not any(part.startswith(".") for part in name.parts)
        }


@dataclass(frozen=True)
class _StoredFile:
    """A file in a store, opened when it is read."""

    filesystem: FileSystem
    path: str

    def read(self, size: int) -> bytes:
        with self.filesystem.open_input_stream(self.path) as file:
            return file.read(size)


def photo(filesystem: FileSystem | None, path: str) -> Path | BinaryIO:
    """What `images.load` takes for a file; it says so where there is none."""
    if isinstance(filesystem, LocalFileSystem):
        return Path(path)
    # All that is asked of an open file.
    return cast(BinaryIO, _StoredFile(filesystem, path))
