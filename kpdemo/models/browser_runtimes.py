"""The runtimes that run models in a browser: onnxruntime-web and MediaPipe's tasks-vision.

They are too large to be kept here and no Python package has them: `fetch` gets them once, by their
pinned sha256, into the user's cache.
"""

import hashlib
import json
import shutil
import subprocess
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from kpdemo.system.files import cache_folder

COMMAND = "python -m kpdemo browser"
_MANIFEST = Path(__file__).with_name("browser_runtimes.json")
_SECONDS = 600.0  # for a slow line; npm itself gives up on a dead one
_ARCHIVES = "*.tgz"


class RuntimesError(ValueError):
    """Runtimes that cannot be had; the message is one sentence."""


@dataclass(frozen=True)
class File:
    """A file of a runtime: its path below the folder, its npm package, its size and sha256."""

    path: str
    package: str
    bytes: int
    sha256: str

    @property
    def name(self) -> str:
        return self.path.rpartition("/")[2]


def _read_manifest() -> tuple[File, ...]:
    return tuple(
        File(f"{folder}/{name}", f"{runtime['package']}@{runtime['version']}", **file)
        for folder, runtime in json.loads(_MANIFEST.read_text(encoding="utf-8")).items()
        for name, file in runtime["files"].items()
    )


FILES = _read_manifest()
PACKAGES = tuple(dict.fromkeys(file.package for file in FILES))
BYTES = sum(file.bytes for file in FILES)


def folder() -> Path:
    """Where the runtimes of these versions lie in the user's cache, whether they do or not.

    Raises RuntimesError for a user without a home.
    """
    try:
        place = cache_folder()
    except RuntimeError as error:
        raise RuntimesError("There is no home folder; set XDG_CACHE_HOME.") from error
    digest = hashlib.sha256(repr(FILES).encode()).hexdigest()[:16]
    return place / f"browser-{digest}"


def missing() -> list[File]:
    """The files that are not in the cache, or damaged there."""
    return [file for file in FILES if not _is_genuine(folder() / file.path, file)]


def available() -> bool:
    """Whether the cache has all runtimes, whole."""
    with suppress(RuntimesError):
        return not missing()
    return False


def report() -> str:
    """One sentence: that the runtimes are there, their size and place; or what is missing."""
    absent = missing()
    if not absent:
        return f"{' and '.join(PACKAGES)}: {_megabytes(FILES)}, in {folder()}."
    names = ", ".join(file.name for file in absent)
    return f"Not in {folder()}: {names} ({_megabytes(absent)})."


def fetch(source: Path | None = None) -> None:
    """Put all runtimes into the cache: from a folder, or through the npm client.

    The folder may have the files themselves, in whatever folders below it, or the archives that
    `npm pack` writes. What the cache has stays as it is until all files are there. Raises
    RuntimesError.
    """
    place = folder()
    try:
        place.parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".browser-", dir=place.parent) as scratch:
            whole = Path(scratch) / "whole"
            if source is None:
                packed = Path(scratch) / "packed"
                packed.mkdir()
                _pack(packed)
                _collect(packed, whole, "What npm delivered")
            elif source.is_dir():
                _collect(source, whole, str(source))
            else:
                raise RuntimesError(f"{source} is not a folder.")
            if place.exists():  # with damaged files
                place.rename(Path(scratch) / "old")
            whole.rename(place)
    except OSError as error:
        raise RuntimesError(
            f"The runtimes could not be written to {place} ({error.strerror or error})."
        ) from error


def _pack(target: Path) -> None:
    npm = shutil.which("npm")
    if npm is None:
        raise RuntimesError(
            f"The runtimes come from npm, which is not installed: install Node.js, or name a "
            f"folder that has them with {COMMAND} --from FOLDER."
        )
    command = [npm, "pack", *PACKAGES, "--silent", "--pack-destination", str(target)]
    try:
        subprocess.run(command, check=True, capture_output=True, text=True, timeout=_SECONDS)
    except (subprocess.SubprocessError, OSError) as error:
        lines = (getattr(error, "stderr", "") or "").strip().splitlines()
        reason = lines[0] if lines else type(error).__name__
        raise RuntimesError(
            f"npm could not get {' and '.join(PACKAGES)} ({reason}); try again, or name a folder "
            f"that has them with {COMMAND} --from FOLDER."
        ) from error


def _collect(source: Path, target: Path, origin: str) -> None:
    """Copy the pinned files to `target`; RuntimesError unless all are in `source`."""
    wanted = {file.sha256: file for file in FILES}
    names = set()
    for name, data in _contents(source):
        names.add(name)
        file = wanted.pop(hashlib.sha256(data).hexdigest(), None)
        if file:
            path = target / file.path
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(data)
        if not wanted:
            return
    file = next(iter(wanted.values()))
    if file.name in names:
        raise RuntimesError(
            f"{origin} has another {file.name} than that of {file.package}: its sha256 differs; "
            "nothing was kept."
        )
    raise RuntimesError(f"{origin} lacks {file.name} of {file.package}; nothing was kept.")


def _contents(source: Path) -> Iterator[tuple[str, bytes]]:
    """Name and bytes of every file called as one of ours, in folders and in npm's archives."""
    names = {file.name for file in FILES}
    for path in sorted(source.rglob("*")):
        if path.name in names and path.is_file():
            yield path.name, path.read_bytes()
    for path in sorted(source.glob(_ARCHIVES)):
        with suppress(tarfile.TarError, EOFError), tarfile.open(path) as archive:
            for member in archive:
                name = member.name.rpartition("/")[2]
                content = archive.extractfile(member) if name in names else None
                if content:
                    yield name, content.read()


def _is_genuine(path: Path, file: File) -> bool:
    with suppress(OSError):
        status = path.stat()
        if status.st_size == file.bytes:
            return _sha256(path, status.st_mtime_ns) == file.sha256
    return False


@cache
def _sha256(path: Path, changed: int) -> str:
    """The sha256 of a file as it was when it was last `changed`."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _megabytes(files: tuple[File, ...] | list[File]) -> str:
    return f"{sum(file.bytes for file in files) / 1e6:.1f} MB"
