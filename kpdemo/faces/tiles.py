"""Candidates for faces from BlazeFace alone, in tiles of several sizes."""

from collections.abc import Callable

import numpy as np

from kpdemo.faces.candidates import Candidate, distinct
from kpdemo.faces.crop import Crop
from kpdemo.structures import Face

# BlazeFace sees 128x128 pixels, and hardly any face narrower than 13 % of them. Tiles get smaller
# by halves down to this many pixels.
_SMALLEST = 300
# Low, since faces on their side or upside down score low; each candidate is examined later.
_SCORE = 0.4


def candidates(detect: Callable[[Crop], list[Face]], width: int, height: int) -> list[Candidate]:
    """Where faces may be in a photo of that size, the likeliest first.

    `detect` finds the faces in a crop of the photo, in photo coordinates.
    """
    # A margin around the photo, for faces that fill it.
    margin = 1.5 * max(width, height)
    tiles = [Crop((width - 1) / 2, (height - 1) / 2, margin, margin)]
    side: float = max(width, height)
    while side >= _SMALLEST:
        tiles += [
            Crop(x, y, side, side) for y in _middles(height, side) for x in _middles(width, side)
        ]
        side /= 2
    faces = [face for tile in tiles for face in detect(tile)]
    return distinct(
        [
            Candidate(*face.center, face.width, face.score, face.roll)
            for face in faces
            if face.score >= _SCORE
        ]
    )


def _middles(length: int, side: float) -> list[float]:
    """Middles of tiles that overlap by half, so that a face of half a tile is whole in one."""
    if length <= side:
        return [(length - 1) / 2]
    steps = int(np.ceil(2 * (length - side) / side))
    return np.linspace(side / 2 - 0.5, length - side / 2 - 0.5, steps + 1).tolist()
