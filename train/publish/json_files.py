"""Reading what training and evaluation left under a folder."""

import math
from pathlib import Path
from typing import Any

from kpdemo.system import json_file


class Files:
    """Reads JSON files under a folder; damaged ones are listed in `problems`."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.problems: list[str] = []

    def read(self, *parts: str) -> dict:
        """The object in a file; empty if it is missing or damaged. NaN becomes None."""
        path = self.root.joinpath(*parts)
        try:
            return json_file.read(path)
        except FileNotFoundError:
            return {}
        except (ValueError, OSError):
            self.problems.append("/".join(parts))
            return {}


def rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)


def minutes(epochs: list[dict]) -> float | None:
    """Total duration of the epochs."""
    return round(math.fsum(e.get("seconds") or 0 for e in epochs) / 60, 1) if epochs else None


def dig(data: Any, *keys: str | None) -> Any:
    """The value under nested keys, None where one is missing."""
    for key in keys:
        data = data.get(key) if isinstance(data, dict) else None
    return data
