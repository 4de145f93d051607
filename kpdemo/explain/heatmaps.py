"""Statistics of heatmaps: their peaks and their spread."""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class Spread:
    """The ellipse of one standard deviation of each map: its mean and its half-axes.

    `centre` is `(K, 2)` in crop coordinates. `radii` is `(K, 2)`, the longer half-axis first, in
    units of half the crop's width; `angle` `(K,)` is the direction of the longer one in degrees
    from -90 to 90, clockwise on the screen. All three are NaN for a map that is zero everywhere.
    """

    centre: np.ndarray
    radii: np.ndarray
    angle: np.ndarray


def peaks(maps: np.ndarray) -> np.ndarray:
    """The centre of each map's highest cell: `(K, h, w)` -> `(K, 2)` in crop coordinates.

    NaN for a map that is zero everywhere.
    """
    h, w = maps.shape[-2:]
    at = maps.reshape(len(maps), -1).argmax(-1)
    centres = np.stack([_centres(w)[at % w], _centres(h)[at // w]], -1)
    centres[maps.max((-2, -1)) <= 0] = np.nan
    return centres


def spread(maps: np.ndarray, aspect: float = 1.0) -> Spread:
    """The spread of each map `(K, h, w)`, on a crop that is `aspect` times as high as wide.

    Maps are not negative and need not sum to 1.
    """
    h, w = maps.shape[-2:]
    x, y = _centres(w), _centres(h) * aspect
    mass = maps.astype(np.float64).sum((-2, -1))
    mass[mass <= 0] = np.nan
    across, down = maps.sum(-2) / mass[:, None], maps.sum(-1) / mass[:, None]
    centre = np.stack([across @ x, down @ y], -1)
    dx, dy = x - centre[:, :1], y - centre[:, 1:]
    xx, yy = (across * dx**2).sum(-1), (down * dy**2).sum(-1)
    xy = np.einsum("khw,kh,kw->k", maps, dy, dx) / mass
    # The eigenvalues of the covariance [[xx, xy], [xy, yy]] and the direction of the greater one.
    middle, half = (xx + yy) / 2, np.hypot((xx - yy) / 2, xy)
    variances = np.stack([middle + half, middle - half], -1)
    angle = np.degrees(np.arctan2(2 * xy, xx - yy)) / 2
    return Spread(centre / (1, aspect), np.sqrt(variances.clip(0)), angle)


def _centres(count: int) -> np.ndarray:
    """Crop coordinates of the centres of `count` cells in a row."""
    return (2 * np.arange(count) + 1) / count - 1
