"""The 1€ filter: little jitter where points rest, little lag where they move.

Casiez, Roussel and Vogel, "1€ Filter: A Simple Speed-based Low-pass Filter for Noisy Input in
Interactive Systems", CHI 2012.
"""

import numpy as np


class OneEuro:
    """Filters N points in D dimensions, each by its own speed, from one moment to the next.

    The cut-off frequency is `min_cutoff` in Hz for a point at rest and grows by `beta` Hz for each
    unit a second of its speed. Speeds are smoothed at `speed_cutoff` in Hz.
    """

    def __init__(self, min_cutoff: float, beta: float, speed_cutoff: float = 1.0) -> None:
        self._min_cutoff, self._beta, self._speed_cutoff = min_cutoff, beta, speed_cutoff
        self._seconds = 0.0
        self._raw: np.ndarray | None = None

    def __call__(self, points: np.ndarray, seconds: float, unit: float = 1.0) -> np.ndarray:
        """The filtered `(N, D)` at a time later than the last; `unit` is that of speeds.

        The first points come back as they are, and so do those of a time that is not later.
        """
        step = seconds - self._seconds
        if self._raw is None or step <= 0:
            self._velocity, self._filtered = np.zeros_like(points), points
        else:
            rate = _share(self._speed_cutoff, step)
            self._velocity = self._velocity + rate * (
                (points - self._raw) / step / unit - self._velocity
            )
            speed = np.linalg.norm(self._velocity, axis=-1, keepdims=True)
            share = _share(self._min_cutoff + self._beta * speed, step)
            self._filtered = self._filtered + share * (points - self._filtered)
        self._raw, self._seconds = points, seconds
        return self._filtered


def _share(cutoff: np.ndarray | float, step: float) -> np.ndarray | float:
    """How much of a new value a low-pass filter takes, `step` seconds after the last."""
    angle = 2 * np.pi * cutoff * step
    return angle / (angle + 1)
