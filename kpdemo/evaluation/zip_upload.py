"""A visitor's zip of labelled pictures, unpacked where it can do no harm."""

import zipfile
from pathlib import Path, PurePosixPath

from PIL import Image

from kpdemo.keypoints.annotations import TruthError
from kpdemo.media import images

MAX_PHOTOS = 300
MAX_BYTES = 1_000_000_000  # unpacked
_MAX_ENTRIES = 10_000
_LABELS = {".pts", ".json", ".csv"}
_CHUNK = 1 << 20
_KINDS = "pictures with a .pts file beside each, or with one COCO file (.json) or table (.csv)"


def unpack(archive: Path, folder: Path) -> Path | None:
    """Write the pictures and labels of a zip into an empty folder.

    Whatever else is in it stays out, and so do names that lead outside. What comes back is the file
    with the labels, or None where they are `.pts` files. Raises TruthError, with one sentence, for
    a file that is no zip, damaged, encrypted or too large, or has no labels or several kinds.
    """
    try:
        with zipfile.ZipFile(archive) as zipped:
            entries = _entries(zipped)
            left = MAX_BYTES
            for name, entry in entries.items():
                left -= _write(zipped, entry, folder / name, left)
    except FileNotFoundError as error:  # another visitor with the same zip was done with it
        raise TruthError("The zip is no longer there; choose it again.") from error
    except RuntimeError as error:  # as zipfile calls what needs a password
        raise TruthError("The zip is encrypted; make one without a password.") from error
    except (zipfile.BadZipFile, NotImplementedError, EOFError, OSError, ValueError) as error:
        if isinstance(error, TruthError):
            raise
        raise TruthError("This is no zip file, or it is damaged; make it again.") from error
    return _labels(folder, list(entries))


def _entries(zipped: zipfile.ZipFile) -> dict[str, zipfile.ZipInfo]:
    """The pictures and labels in a zip by their names in it."""
    if len(zipped.infolist()) > _MAX_ENTRIES:
        raise TruthError(f"The zip has more than {_MAX_ENTRIES:,} files; make it smaller.")
    pictures = Image.registered_extensions()
    entries: dict[str, zipfile.ZipInfo] = {}
    photos = 0
    for entry in zipped.infolist():
        path = PurePosixPath(entry.filename.replace("\\", "/"))
        suffix = path.suffix.lower()
        is_photo = pictures.get(suffix) in images.FORMATS
        # Hidden files, such as "__MACOSX/._photo.jpg", are none of the visitor's.
        hidden = any(part.startswith((".", "__")) for part in path.parts)
        if entry.is_dir() or hidden or not (is_photo or suffix in _LABELS):
            continue
        if path.is_absolute() or ":" in path.parts[0]:
            raise TruthError("The zip has names that lead outside of it; make it anew.")
        entries[path.as_posix()] = entry
        photos += is_photo
    if photos > MAX_PHOTOS:
        raise TruthError(
            f"The zip has {photos} pictures, and the page takes {MAX_PHOTOS}; for more there is "
            "`kpdemo evaluate FOLDER`."
        )
    if not photos:
        raise TruthError(f"There is no picture in the zip; it takes {_KINDS}.")
    return entries


def _write(zipped: zipfile.ZipFile, entry: zipfile.ZipInfo, path: Path, limit: int) -> int:
    """Write one file, `limit` bytes at most whatever size the zip states; returns its size."""
    path.parent.mkdir(parents=True, exist_ok=True)
    size = 0
    with zipped.open(entry) as source, path.open("xb") as target:
        while chunk := source.read(_CHUNK):
            size += len(chunk)
            if size > min(limit, images.MAX_BYTES):
                raise TruthError(
                    f"The zip unpacks to more than {MAX_BYTES // 1_000_000:,} MB, or a file in it "
                    f"to more than {images.MAX_BYTES // 1_000_000}; make it smaller."
                )
            target.write(chunk)
    return size


def _labels(folder: Path, names: list[str]) -> Path | None:
    suffixes = {PurePosixPath(name).suffix.lower() for name in names}
    if ".pts" in suffixes:
        return None
    files = [name for name in names if PurePosixPath(name).suffix.lower() in _LABELS]
    if not files:
        raise TruthError(f"There are no labels in the zip; it takes {_KINDS}.")
    if len(files) > 1:
        listed = " and ".join(PurePosixPath(name).name for name in files[:2])
        raise TruthError(f"The zip has several files of labels, {listed}; leave one.")
    return folder / files[0]
