"""Writing a WebM video that browsers play."""

import os
from pathlib import Path

import cv2
import numpy as np

# Of the videos that browsers play, OpenCV's wheel writes VP8 and VP9 only (H.264 and AV1 are not
# in it), and VP9 takes five times as long: 230 ms a frame of two panels, VP8 43 ms.
SUFFIX, _CODEC = ".webm", "VP80"


class VideoWriter:
    """The output video; a slot without a frame repeats the one before it."""

    def __init__(self, path: Path, rate: float) -> None:
        self._path, self._rate = path, rate
        self._writer: cv2.VideoWriter | None = None
        self._last: np.ndarray | None = None
        self._slots = 0

    def __enter__(self) -> "VideoWriter":
        return self

    def __exit__(self, *_: object) -> None:
        if self._writer is not None:
            self._writer.release()

    def write(self, pixels: np.ndarray, slot: int) -> None:
        picture = cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR)
        if self._writer is None:
            self._writer = cv2.VideoWriter(
                os.fspath(self._path),
                cv2.CAP_FFMPEG,
                cv2.VideoWriter.fourcc(*_CODEC),
                self._rate,
                pixels.shape[1::-1],
            )
            if not self._writer.isOpened():
                raise RuntimeError(f"This OpenCV cannot write {_CODEC} to {self._path}.")
        while self._slots < slot:
            self._writer.write(picture if self._last is None else self._last)
            self._slots += 1
        self._writer.write(picture)
        self._slots += 1
        self._last = picture
