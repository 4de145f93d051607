"""Fetch an archive into the data folder: all of it or nothing, and never over what is there."""

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

# Seconds without a byte before a download is given up.
TIMEOUT = 30.0
# The length that the bar shows is that of the file, not of a compressed transfer.
HEADERS = {"Accept-Encoding": "identity"}


BROKEN = (zipfile.BadZipFile, tarfile.TarError, gzip.BadGzipFile, zlib.error, EOFError)


@dataclass(frozen=True)
class Archive:
    """A `.zip` or `.tar.gz` file: the `folder` of the data root that it fills, and where it lies.

    Addresses are tried in turn: the publisher's first, then mirrors of the same file.
    """

    folder: str
    addresses: tuple[str, ...]


def fetch(archive: Archive, root: Path) -> None:
    """Download and unpack `archive` into `root / archive.folder`, which must not hold anything.

    The folder appears in one step, when everything has been received and checked; whatever stops
    it before leaves nothing behind. DataError says what went wrong and what to do by hand.
    """
    target = root / archive.folder
    if is_filled(target):
        raise DataError(f"{target} is there already; move it away to download it again.")
    failures = []
    with _workshop(root) as work:
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
            _without_wrapping(work / "content").rename(target)
            return
    raise DataError(
        f"{' '.join(failures)} Try again later, or get the file with a browser and unpack it into "
        f"{target}."
    )


def is_filled(folder: Path) -> bool:
    """Whether there is a folder (or a file) of that name that is not empty."""
    return folder.exists() and not (folder.is_dir() and not any(folder.iterdir()))


@contextmanager
def _workshop(root: Path) -> Iterator[Path]:
    # Beside the data, so that the last step is a renaming and not a copy that can break.
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
            with zipfile.ZipFile(archive) as packed:
                for name in packed.namelist():
                    # ZipFile would quietly put such an entry somewhere else inside.
                    if name.startswith(("/", "\\")) or ".." in PurePosixPath(name).parts:
                        raise DataError(f"{address} is refused: {name} would lie outside it.")
                packed.extractall(destination)
        else:
            with tarfile.open(archive) as packed:
                packed.extractall(destination, filter="data")
    except tarfile.FilterError as error:
        raise DataError(f"{address} is refused: {error}.") from error
    except BROKEN as error:
        raise DataError(f"{address} is damaged or no archive at all.") from error


def _without_wrapping(content: Path) -> Path:
    """The folder that holds the data itself, inside folders that hold nothing but a folder."""
    while True:
        entries = [path for path in content.iterdir() if path.name != "__MACOSX"]
        if len(entries) != 1 or not entries[0].is_dir():
            return content
        content = entries[0]
