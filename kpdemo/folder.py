"""`python -m kpdemo FOLDER --csv OUT.csv`: all photos of a folder into one file."""

import os
import time
from dataclasses import dataclass, field
from pathlib import Path

from PIL import Image
from tqdm import tqdm

from kpdemo import export, images
from kpdemo.batch import Nets, compare_many
from kpdemo.compare import Engine
from kpdemo.growing import GrowingFile
from kpdemo.images import ImageError

# Pillow does not know them by itself. Unread they are named among the bad files.
_HEIC = {".heic", ".heif", ".hif"}


class FolderError(ValueError):
    """A folder that cannot be used; the message is one sentence."""


@dataclass
class Summary:
    """What a run did: photos and faces looked at now, photos without a face, photos that the file
    held already, a sentence for each photo that could not be used and each model that is left out,
    and the seconds."""

    photos: int = 0
    faces: int = 0
    without: int = 0
    before: int = 0
    bad: dict[str, str] = field(default_factory=dict)
    unavailable: dict[str, str] = field(default_factory=dict)
    seconds: float = 0.0


def photos(folder: Path) -> tuple[dict[str, Path], dict[str, str]]:
    """The picture files below a folder, by their path in it, and why parts cannot be read.

    Hidden files and folders are left out. Raises FolderError if there is no photo at all.
    """
    bad: dict[str, str] = {}

    def unreadable(error: OSError) -> None:
        bad[_name(Path(error.filename), folder)] = f"The folder cannot be read ({error.strerror})."

    suffixes = _suffixes()
    found = []
    for place, inner, files in os.walk(folder, onerror=unreadable):
        inner[:] = [name for name in inner if not name.startswith(".")]
        found += [
            Path(place, name)
            for name in files
            if Path(name).suffix.lower() in suffixes and not name.startswith(".")
        ]
    if not found:
        why = bad.get(".", f"There is no photo in it; it takes {images.KINDS} files.")
        raise FolderError(f"{folder}: {why}")
    return {_name(path, folder): path for path in sorted(found)}, bad


def run(engine: Engine, folder: Path, out: Path, kind: str, models: list[str] | None) -> Summary:
    """Compare models on all photos of a folder that the file `out` does not hold yet.

    `kind` is "csv" or "jsonl". Shows its progress where standard error is a terminal. Raises
    FolderError, OutputError, or ValueError for an unknown model; what was written until then
    stays, and the next run goes on from there.
    """
    started = time.perf_counter()
    found, bad = photos(folder)
    nets = Nets(engine, models)
    summary = Summary(bad=bad, unavailable=dict(nets.unavailable))
    with GrowingFile(out, kind, nets.names, found) as file:
        todo = {name: path for name, path in found.items() if name not in file.done}
        summary.before = len(found) - len(todo)
        results = compare_many(engine, todo.values(), nets)
        bar = tqdm(total=len(found), initial=summary.before, unit="photo", disable=None)
        with bar:
            for name, result in zip(todo, results, strict=True):
                bar.update()
                if isinstance(result, ImageError):
                    summary.bad[name] = str(result)
                elif failed := [w for n, w in result.unavailable.items() if n in nets.names]:
                    # Not in the file, where it would count as done: the next run asks again.
                    summary.bad[name] = " ".join(failed)
                else:
                    file.add(name, result.to_dict())
                    summary.photos += 1
                    summary.faces += len(result.faces)
                    summary.without += not result.faces
    summary.seconds = time.perf_counter() - started
    return summary


def _suffixes() -> set[str]:
    known = Image.registered_extensions().items()
    return _HEIC | {suffix for suffix, kind in known if kind in images.FORMATS}


def _name(path: Path, folder: Path) -> str:
    return export.spelt(path.relative_to(folder).as_posix())
