"""The photos that a user names by files, folders and globs, each with a name of its own."""

import glob
import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from PIL import Image

from kpdemo.engine.export import printable_name
from kpdemo.media import images
from kpdemo.system import files
from kpdemo.system.files import OutputError

# Listed among the bad files where no decoder is installed.
_HEIC = {".heic", ".heif", ".hif"}


class FolderError(ValueError):
    """A folder that cannot be used; the message is one sentence."""


@dataclass
class Photos:
    """Photos by the name that a table gives them, and the folders that were searched for them.

    `bad` has a sentence for each word and part of a folder that cannot be used.
    """

    paths: dict[str, Path] = field(default_factory=dict)
    bad: dict[str, str] = field(default_factory=dict)
    folders: list[Path] = field(default_factory=list)

    def check_outputs(self, outputs: Sequence[Path]) -> None:
        """Raise OutputError for an output that cannot be written, or is, or would become, a photo
        of these."""
        files.check_outputs(outputs, self.paths.values())
        for out in outputs:
            place = Path(os.path.realpath(out)).parent
            if is_photo(out.name) and any(
                place.is_relative_to(os.path.realpath(folder)) for folder in self.folders
            ):
                raise OutputError(
                    f"{out} would be one of the photos; name a file outside the folder, or one "
                    "that is not called like a photo."
                )


def in_folder(folder: Path) -> Photos:
    """The picture files below a folder, named by their path in it.

    Hidden files and folders are left out. Raises FolderError if there is no photo at all.
    """
    photos = Photos(folders=[folder])

    def name(path: Path) -> str:
        return printable_name(path.relative_to(folder).as_posix())

    def add_unreadable(error: OSError) -> None:
        place = name(Path(error.filename))
        photos.bad[place] = f"The folder cannot be read ({error.strerror})."

    paths = []
    for place, inner, names in os.walk(folder, onerror=add_unreadable):
        inner[:] = [name for name in inner if not name.startswith(".")]
        paths += [
            Path(place, name) for name in names if is_photo(name) and not name.startswith(".")
        ]
    if not paths:
        why = photos.bad.get(".", f"There is no photo in it; it takes {images.KINDS} files.")
        raise FolderError(f"{folder}: {why}")
    photos.paths = {name(path): path for path in sorted(paths)}
    return photos


def select(words: Sequence[str]) -> Photos:
    """The photos of several files, folders and globs, named by their paths as they are given."""
    photos = Photos()
    for word in words:
        matches = [word] if os.path.lexists(word) else sorted(glob.glob(word, recursive=True))  # noqa: PTH207
        if not matches:
            what = "that matches this" if glob.has_magic(word) else "of this name"
            photos.bad[printable_name(word)] = f"There is no file or folder {what}."
        for match in map(Path, matches):
            if match.is_dir():
                _add_folder(photos, match)
            else:
                photos.paths[printable_name(match.as_posix())] = match
    return photos


def _add_folder(photos: Photos, folder: Path) -> None:
    photos.folders.append(folder)
    try:
        inside = in_folder(folder)
    except FolderError as error:
        photos.bad[printable_name(folder.as_posix())] = str(error)
        return
    photos.paths |= {printable_name(path.as_posix()): path for path in inside.paths.values()}
    photos.bad |= {
        printable_name((folder / name).as_posix()): why for name, why in inside.bad.items()
    }


def is_photo(name: str) -> bool:
    """Whether a file is called like a picture of a kind that is read."""
    kinds = Image.registered_extensions()
    suffix = Path(name).suffix.lower()
    return suffix in _HEIC or kinds.get(suffix) in images.FORMATS
