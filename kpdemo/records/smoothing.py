"""Smoothing of learning curves."""

import numpy as np


def smooth(values: np.ndarray, weight: float) -> np.ndarray:
    """A bias-corrected exponential moving average of `(E,)` values.

    Each result is the mean of all values so far, each value weighing `weight` times (0 to below
    1) as much as the one after it. NaN stays NaN and is skipped. Raises ValueError for another
    weight.
    """
    if not 0 <= weight < 1:
        raise ValueError(f"The weight of the past is {weight}; it can be from 0 to below 1.")
    total = mass = 0.0
    out = np.full(len(values), np.nan)
    for k in np.flatnonzero(np.isfinite(values)):
        total, mass = weight * total + values[k], weight * mass + 1
        out[k] = total / mass
    return out
