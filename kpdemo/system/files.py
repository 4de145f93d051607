"""User-named files: inputs opened without blocking, outputs written atomically."""

import os
import secrets
import stat
import sys
import tempfile
import unicodedata
from collections.abc import Callable, Hashable, Iterable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import BinaryIO

# As an output: standard output.
STDOUT = Path("-")

_KINDS = {
    stat.S_IFIFO: "a pipe",
    stat.S_IFSOCK: "a socket",
    stat.S_IFCHR: "a device",
    stat.S_IFBLK: "a device",
}


class OutputError(ValueError):
    """A file that cannot be written or resumed; the message is one sentence."""


class SpecialFileError(OSError):
    """A pipe, socket or device in place of a file; the message is one sentence."""


def open_regular(path: str | os.PathLike[str]) -> BinaryIO:
    """Open a file to read its bytes; never blocks on a pipe.

    Raises SpecialFileError for a pipe, socket or device, and OSError and ValueError as `open` does.
    """
    # Checked before opening, which some devices act on, and again after.
    _refuse_special(Path(path).stat())
    file = open(path, "rb", opener=_open_without_waiting)  # noqa: SIM115
    try:
        _refuse_special(os.fstat(file.fileno()))
    except BaseException:
        file.close()
        raise
    return file


def check_outputs(outputs: Sequence[Path], inputs: Iterable[Path] = ()) -> None:
    """Check before any work that each output can be written and is none of the inputs.

    Raises OutputError for an output that is an input under whatever name (a link, another
    spelling), for two outputs that are one file, for a folder, pipe, socket or device, and for a
    file that may not be written or whose folder is missing.
    """
    by_identity: dict[Hashable, Path] = {}
    for path in inputs if outputs else ():
        with suppress(OSError, ValueError):  # reported when it is read
            by_identity[_identity(path)] = path
    checked: dict[Hashable, Path] = {}
    for path in outputs:
        identity = _stdout_identity() if is_stdout(path) else _checked_identity(path)
        if identity in by_identity:
            raise OutputError(
                f"{path} would overwrite the input {by_identity[identity]}; name another output."
            )
        if identity in checked:
            raise OutputError(f"The outputs {checked[identity]} and {path} are one file; name two.")
        checked[identity] = path


def is_stdout(path: Path) -> bool:
    """Whether a path names standard output: `-`, or `/dev/stdout` and the like."""
    if path == STDOUT:
        return True
    try:
        return os.path.samestat(path.stat(), os.fstat(sys.stdout.fileno()))
    except (OSError, ValueError):
        return False


def write(path: Path, data: bytes) -> None:
    """Write a file whole or not at all, or to standard output. Raises OutputError.

    Where `path` is a link, its target is replaced.
    """
    try:
        if is_stdout(path):
            sys.stdout.flush()
            sys.stdout.buffer.write(data)
            sys.stdout.buffer.flush()
        else:
            replace(path, lambda file: file.write(data))
    except BrokenPipeError:  # the reader has closed standard output
        raise
    except OSError as error:
        raise OutputError(f"{path} cannot be written ({error.strerror}).") from error


def replace(path: Path, fill: Callable[[BinaryIO], object]) -> None:
    """Replace `path` by a new file, filled by `fill`, once it is whole."""
    target = Path(os.path.realpath(path))
    part = target.with_name(f".kpdemo-{secrets.token_hex(8)}.part")
    try:
        with part.open("xb") as file:
            fill(file)
        if target.exists():
            part.chmod(stat.S_IMODE(target.stat().st_mode))
        part.replace(target)
    except BaseException:
        part.unlink(missing_ok=True)
        raise


def cache_folder() -> Path:
    """The program's folder in the user's cache; RuntimeError for a user without a home."""
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "kpdemo"


def _open_without_waiting(path: str, flags: int) -> int:
    return os.open(path, flags | getattr(os, "O_NONBLOCK", 0))


def _refuse_special(status: os.stat_result) -> None:
    if kind := _special_kind(status):
        raise SpecialFileError(f"This is {kind}, not a file; name a file.")


def _special_kind(status: os.stat_result) -> str | None:
    kind = stat.S_IFMT(status.st_mode)
    return None if kind in (stat.S_IFREG, stat.S_IFDIR) else _KINDS.get(kind, "a special file")


def _checked_identity(path: Path) -> Hashable:
    """`_identity` of an output that can be written; OutputError for another."""
    try:
        folder = Path(os.path.realpath(path)).parent
        if path.is_dir():
            raise OutputError(f"{path} cannot be written (Is a directory); name a file.")
        if not folder.is_dir():
            raise OutputError(
                f"{path} cannot be written (No such file or directory): there is no folder "
                f"{folder}."
            )
        if os.path.lexists(os.path.realpath(path)):
            if kind := _special_kind(path.stat()):
                raise OutputError(f"{path} cannot be written: it is {kind}; name a file.")
            if not os.access(path, os.W_OK):
                raise OutputError(f"{path} cannot be written (Permission denied).")
        # Only an attempt shows whether the folder takes a file.
        with tempfile.TemporaryFile(dir=folder):
            pass
        return _identity(path)
    except OutputError:
        raise
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) else error
        raise OutputError(f"{path} cannot be written ({reason}).") from error


def _identity(path: Path) -> Hashable:
    """Equal for two paths of one file, whether it exists or not.

    Names of files that do not exist are equal if only case or Unicode's composition tells them
    apart, which not every file system does. Raises OSError for a path that no file can have.
    """
    try:
        return _of_status(path.stat())
    except FileNotFoundError:
        target = Path(os.path.realpath(path))
        name = unicodedata.normalize("NFC", target.name).casefold()
        return (*_of_status(target.parent.stat()), name)


def _stdout_identity() -> Hashable:
    try:
        return _of_status(os.fstat(sys.stdout.fileno()))
    except (OSError, ValueError):  # a stand-in for standard output
        return STDOUT


def _of_status(status: os.stat_result) -> tuple[int, int]:
    return status.st_dev, status.st_ino
