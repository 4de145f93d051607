"""The interface of face detectors."""

from typing import Protocol

import numpy as np

from kpdemo.structures import Face


class Detector(Protocol):
    """Finds faces in pictures; to be closed after use."""

    def find(self, pixels: np.ndarray) -> list[Face]:
        """The faces in `(H, W, 3)` uint8 RGB, in its pixels, biggest first."""

    def close(self) -> None:
        """Free what the detector holds."""
