"""Figures from JSON files: nested keys, rounding, durations."""

import math
from typing import Any


def rounded(value: float | None) -> float | None:
    return None if value is None else round(value, 4)


def minutes(epochs: list[dict]) -> float | None:
    """Total duration of the epochs."""
    return round(math.fsum(e.get("seconds") or 0 for e in epochs) / 60, 1) if epochs else None


def nested(data: Any, *keys: str | None) -> Any:
    """The value under nested keys, None where one is missing."""
    for key in keys:
        data = data.get(key) if isinstance(data, dict) else None
    return data
