"""Download archives into the data folder, atomically and without overwriting anything."""

import gzip
import shutil
import tarfile
import tempfile
import zipfile
import zlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

import httpx
from tqdm import tqdm

from train.data.sources.common import DataError

# Seconds without a byte until a download fails.
TIMEOUT = 30.0
# So that the progress bar shows the size of the file, not of a compressed transfer.
HEADERS = {"Accept-Encoding": "identity"}


BROKEN = (zipfile.BadZipFile, tarfile.TarError, gzip.BadGzipFile, zlib.error, EOFError)


@dataclass(frozen=True)
class Archive:
    """A `.zip` or `.tar.gz` file, and the `folder` under the data root for its content.

    Addresses are tried in turn: the publisher's first, then mirrors of the same file.
    """

    folder: str
    addresses: tuple[str, ...]


def fetch(archive: Archive, root: Path) -> None:
    """Download and unpack `archive` into `root / archive.folder`, which must be empty or missing.

    The folder appears in one step, once everything is received and checked; any failure before
    leaves nothing behind. DataError says what went wrong and what to do by hand.
    """
    target = root / archive.folder
    if is_filled(target):
        raise DataError(f"{target} is there already; move it away to download it again.")
    failures = []
    with _scratch_folder(root) as work:
        for address in archive.addresses:
            try:
                _receive(address, work / "archive")
                _unpack(work / "archive", work / "content", address)
            except DataError as error:
                failures.append(str(error))
                shutil.rmtree(work / "content", ignore_errors=True)
                continue
            target.parent.mkdir(parents=True, exist_ok=True)
            if target.is_dir():
                target.rmdir()
            _innermost(work / "content").rename(target)
            return
    raise DataError(
        f"{' '.join(failures)} Try again later, or get the file with a browser and unpack it into "
        f"{target}."
    )


def is_filled(folder: Path) -> bool:
    """Whether there is a file or a non-empty folder of that name."""
    return folder.exists() and not (folder.is_dir() and not any(folder.iterdir()))


@contextmanager
def _scratch_folder(root: Path) -> Iterator[Path]:
    # On the same file system as the data, so that the last step is an atomic rename.
    try:
        root.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(prefix=".download-", dir=root) as work:
            yield Path(work)
    except OSError as error:
        raise DataError(
            f"The download could not be written to {root}: {error}; make room there or "
            "name another folder with KPDEMO_DATA."
        ) from error


def _receive(address: str, path: Path) -> None:
    try:
        with httpx.stream(
            "GET", address, headers=HEADERS, timeout=TIMEOUT, follow_redirects=True
        ) as response:
            response.raise_for_status()
            total = int(response.headers.get("content-length", 0)) or None
            with (
                path.open("wb") as file,
                tqdm(total=total, unit="B", unit_scale=True, desc=address.split("/")[-1]) as bar,
            ):
                for chunk in response.iter_raw():
                    file.write(chunk)
                    bar.update(len(chunk))
    except httpx.HTTPStatusError as error:
        raise DataError(f"{address} answers {error.response.status_code}.") from error
    except httpx.HTTPError as error:
        raise DataError(f"{address} cannot be downloaded ({error}).") from error


def _unpack(archive: Path, destination: Path, address: str) -> None:
    """Unpack a zip or tar file; an entry that would land elsewhere refuses the whole archive."""
    destination.mkdir()
    try:
        if zipfile.is_zipfile(archive):
            with zipfile.ZipFile(archive) as file:
                for name in file.namelist():
                    # ZipFile would silently extract such an entry to another place.
                    if name.startswith(("/", "\\")) or ".." in PurePosixPath(name).parts:
                        raise DataError(f"{address} is refused: {name} would lie outside it.")
                file.extractall(destination)
        else:
            with tarfile.open(archive) as tar:
                tar.extractall(destination, filter="data")
    except tarfile.FilterError as error:
        raise DataError(f"{address} is refused: {error}.") from error
    except BROKEN as error:
        raise DataError(f"{address} is damaged or no archive at all.") from error


def _innermost(content: Path) -> Path:
    """The folder with the data itself, below folders that contain only one folder."""
    while True:
        entries = [path for path in content.iterdir() if path.name != "__MACOSX"]
        if len(entries) != 1 or not entries[0].is_dir():
            return content
        content = entries[0]
