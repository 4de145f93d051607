"""Steady keypoints of a moving face, and how much keypoints jitter.

A face moves as a whole, and its points move within it. The face's own frame is the similarity
transform that maps its first points to the present ones: within it only expressions and jitter
remain, however fast the head moves. The frame comes from the points themselves, since a mean over
them jitters less than a detector's.
"""

import numpy as np

from kpdemo.keypoints.metrics import face_unit
from kpdemo.keypoints.one_euro import OneEuro

# Hz at rest, growth with each face width a second, Hz of the speed: for the whole face, and for
# points within it. At a steady pace the whole face lags by less than 1 / (2 pi 20) of its width.
_WHOLE, _WITHIN = (1.0, 20.0, 2.0), (0.7, 16.0, 3.0)


class FaceFilter:
    """Filters the K keypoints of one model on one face, frame by frame."""

    def __init__(self) -> None:
        self._shape: np.ndarray | None = None
        self._place, self._turn = OneEuro(*_WHOLE), OneEuro(*_WHOLE)
        self._within = OneEuro(*_WITHIN)
        self._angle = 0.0

    def __call__(self, points: np.ndarray, width: float, seconds: float) -> np.ndarray:
        """The steadied `(K, 2)` in the same pixels; `width` is that of the face.

        The first points come back as they are, and so do those whose time is not later than that
        of the last.
        """
        z = _complex(points)
        if self._shape is None:
            self._shape = (z - z.mean()) / width
        factor, center = _similarity(self._shape, z)
        within = self._within(_real((z - center) / factor), seconds)
        place = self._place(_real(np.array([center])), seconds, width)
        # Angles go on beyond half a turn, so that no mean of two is on the other side.
        self._angle += np.angle(factor * np.exp(-1j * self._angle))
        size, angle = self._turn(np.array([[np.log(abs(factor)), self._angle]]), seconds)[0]
        steady = np.exp(size + 1j * angle) * _complex(within) + _complex(place)
        return _real(steady).astype(points.dtype)


def jitter(before: np.ndarray, after: np.ndarray, markup: str) -> float | None:
    """How far points moved within the face from one frame to the next, on average.

    `before` and `after` are `(K, 2)` of one face; the result is in percent of its eye distance.
    Movement, turn and growth of the whole face are taken away first. None for a markup without
    eyes.
    """
    unit = face_unit(after, markup)
    a, b = _complex(before), _complex(after)
    factor, shift = _similarity(a, b)
    return float(100 * np.abs(b - factor * a - shift).mean() / unit) if unit > 0 else None


def _similarity(source: np.ndarray, target: np.ndarray) -> tuple[complex, complex]:
    """The factor and the shift that lay complex `(K,)` on another with the least squares.

    The factor is 1 where nothing tells it, as for a single point.
    """
    a, b = source - source.mean(), target - target.mean()
    power = np.vdot(a, a).real
    factor = (np.vdot(a, b) / power if power > 0 else 0) or 1.0
    return factor, target.mean() - factor * source.mean()


def _complex(points: np.ndarray) -> np.ndarray:
    return points.astype(np.float64) @ (1, 1j)


def _real(z: np.ndarray) -> np.ndarray:
    return np.stack([z.real, z.imag], -1)
