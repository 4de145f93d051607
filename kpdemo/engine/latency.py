"""Medians of the models' recent latencies: one photo's alone are noise."""

import statistics
from collections import defaultdict, deque

from kpdemo.system.forks import Lock

RECENT = 9  # photos


class Latency:
    """Each model's milliseconds a face on the last photos, by the device that they ran on.

    The landmark step: from the face's box to its points. Safe to share between threads.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._recent: dict[tuple[str, str], deque[float]] = defaultdict(
            lambda: deque(maxlen=RECENT)
        )

    def add(self, model: str, device: str, milliseconds: float) -> None:
        """Note what a face took on one photo."""
        with self._lock:
            self._recent[model, device].append(milliseconds)

    def median(self, model: str, device: str) -> float | None:
        """The median over the last photos, None before the first."""
        with self._lock:
            recent = list(self._recent.get((model, device), ()))
        return statistics.median(recent) if recent else None
