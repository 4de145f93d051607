"""Faces from frame to frame: followed where they were, looked for anew now and then."""

import numpy as np

from kpdemo.faces.detector import FaceFinder, distinct
from kpdemo.faces.pyramid import Pyramid
from kpdemo.structures import Face

# Frames between two searches of the whole frame: a newcomer waits for a second at most.
_FRAMES = 15
# A face that scores less where it was may be another thing by now.
_SCORE = 0.6


class FaceTracker:
    """The faces of one film or one camera, frame after frame; for one thread at a time."""

    def __init__(self, finder: FaceFinder) -> None:
        self._finder = finder
        self._faces: list[Face] = []
        self._shape: tuple[int, ...] = ()
        self._until_search = 0

    def find(self, pixels: np.ndarray) -> list[Face]:
        """The faces in the next frame, `(H, W, 3)` uint8 RGB, biggest first.

        The whole frame is searched when a face is lost, when none is known, when frames change
        their size, and every so many frames; else each face is looked for where it was.
        """
        faces = None
        if self._faces and self._until_search > 0 and pixels.shape == self._shape:
            faces = self._followed(pixels)
        if faces is None:
            faces = self._finder.find(pixels)
            self._until_search = _FRAMES
        self._until_search -= 1
        self._faces, self._shape = faces, pixels.shape
        return faces

    def _followed(self, pixels: np.ndarray) -> list[Face] | None:
        """Every face of the frame before, None if one is lost."""
        photo = Pyramid(pixels)
        faces = [self._finder.follow(photo, face) for face in self._faces]
        if any(face is None or face.score < _SCORE for face in faces):
            return None
        faces = distinct(faces)
        return (
            sorted(faces, key=lambda face: -face.width) if len(faces) == len(self._faces) else None
        )
