"""Untrusted JSON: an object, or an error of one sentence.

Guards against deep nesting, numbers of any length, duplicate keys, other encodings, and sizes that
would fill the memory.
"""

import json
import math
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

MAX_BYTES = 64_000_000
MAX_DEPTH = 64
_SHOWN = 80  # characters of a key in a message


class JsonError(ValueError):
    """JSON that cannot be used; the message goes on after the file's name: "is larger than …"."""


def read(path: Path) -> dict[str, Any]:
    """The object in a file, see `parse`; raises JsonError, and FileNotFoundError."""
    # Opening a named pipe would block.
    if path.exists() and not path.is_file():
        raise JsonError("is no file.")
    try:
        with path.open("rb") as file:
            return parse(file.read(MAX_BYTES + 1))
    except FileNotFoundError:
        raise
    except OSError as error:
        raise JsonError(f"cannot be read ({error.strerror}).") from error


def parse(text: str | bytes) -> dict[str, Any]:
    """The object in a JSON text; bytes may be UTF-8, UTF-16 or UTF-32, with or without a mark.

    NaN and the infinities, which Python writes and JSON lacks, become None. Raises JsonError for
    anything else than an object, and for one that is too large or nested too deeply, has a name
    twice, or a number that is too large.
    """
    if len(text) > MAX_BYTES:
        raise JsonError(f"is larger than {MAX_BYTES // 1_000_000} MB.")
    try:
        data = json.loads(
            text.removeprefix("\ufeff") if isinstance(text, str) else text,
            parse_constant=lambda name: None,
            parse_float=_float,
            parse_int=_int,
            object_pairs_hook=_object,
        )
    except JsonError:
        raise
    except RecursionError as error:
        raise JsonError("is nested too deeply.") from error
    except UnicodeDecodeError as error:
        raise JsonError("is not valid JSON (it is not UTF-8).") from error
    except ValueError as error:
        raise JsonError(f"is not valid JSON ({error}).") from error
    if not isinstance(data, dict):
        raise JsonError("is no JSON object, a mapping of names to values.")
    _check(data)
    return data


def _float(digits: str) -> float:
    number = float(digits)
    if not math.isfinite(number):
        raise JsonError("has a number that is too large.")
    return number


def _int(digits: str) -> int:
    # 2⁶³ has 19 digits; Python refuses to read more than 4,300.
    if len(digits) > 19:
        raise JsonError("has a number that is too large.")
    return int(digits)


def _object(pairs: Sequence[tuple[str, Any]]) -> dict[str, Any]:
    data = dict(pairs)
    if len(data) < len(pairs):
        (twice, _), *_ = Counter(name for name, _ in pairs).most_common(1)
        raise JsonError(f"has the name {twice[:_SHOWN]!r} twice.")
    return data


def _check(data: dict[str, Any]) -> None:
    """Raise JsonError for what is nested too deeply, and for halves of characters."""
    level: list[Any] = [data]
    for _ in range(MAX_DEPTH):
        inner: list[Any] = []
        for item in level:
            if isinstance(item, dict):
                inner += item
                inner += item.values()
            elif isinstance(item, list):
                inner += item
            elif isinstance(item, str) and not item.isascii():
                _check_text(item)
        if not inner:
            return
        level = inner
    raise JsonError("is nested too deeply.")


def _check_text(text: str) -> None:
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise JsonError("has a text that is no Unicode.") from error
