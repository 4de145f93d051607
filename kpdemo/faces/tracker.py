"""Face tracking from frame to frame, with a full search at intervals."""

import numpy as np

from kpdemo.faces.detector import FaceFinder, distinct
from kpdemo.faces.pyramid import Pyramid
from kpdemo.faces.settings import TRACKER
from kpdemo.structures import Face


class FaceTracker:
    """A `Detector` for the frames of one video or camera, in order; for one thread at a time."""

    def __init__(self, finder: FaceFinder) -> None:
        """`finder` is not closed with the tracker."""
        self._finder = finder
        self._faces: list[Face] = []
        self._shape: tuple[int, ...] = ()
        self._until_search = 0

    def find(self, pixels: np.ndarray) -> list[Face]:
        """The faces in the next frame, `(H, W, 3)` uint8 RGB, biggest first.

        The whole frame is searched when a face is lost, when there is none, when frames change
        their size, and every `TRACKER.frames` frames; else each face is searched for around its
        last place.
        """
        faces = None
        if self._faces and self._until_search > 0 and pixels.shape == self._shape:
            faces = self._track(pixels)
        if faces is None:
            faces = self._finder.find(pixels)
            self._until_search = TRACKER.frames
        self._until_search -= 1
        self._faces, self._shape = faces, pixels.shape
        return faces

    def close(self) -> None:
        """Do nothing: the caller closes the finder."""

    def _track(self, pixels: np.ndarray) -> list[Face] | None:
        """The faces of the last frame in this one, None if one is lost."""
        photo = Pyramid(pixels)
        tracked = [self._finder.follow(photo, face) for face in self._faces]
        faces = distinct(
            face for face in tracked if face is not None and face.score >= TRACKER.score
        )
        if len(faces) < len(self._faces):
            return None
        return sorted(faces, key=lambda face: -face.width)
