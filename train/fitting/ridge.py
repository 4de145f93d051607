"""Ridge regression, as calibration, MediaPipe's map to iBUG and the crop rules use it."""

import numpy as np

# Strengths to choose from on validation faces.
STRENGTHS = (0.01, 0.03, 0.1, 0.3, 1.0, 3.0, 10.0)


def solve(x: np.ndarray, y: np.ndarray, strength: float) -> np.ndarray:
    """Coefficients `(N, M)` from features `(F, N)` to targets `(F, M)`.

    The last feature is the constant, which is not penalised.
    """
    penalty = strength * np.eye(x.shape[1])
    penalty[-1, -1] = 0
    return np.linalg.solve(x.T @ x + penalty, x.T @ y)
