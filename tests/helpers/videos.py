"""Short videos for tests: written, changed in their bytes, and read."""

import struct
from collections.abc import Sequence
from pathlib import Path

import cv2
import numpy as np

STEP = 6  # pixels that the portrait moves from frame to frame
WIDTH, HEIGHT = 400, 300


def write(path: Path, frames: list[np.ndarray], rate: float = 10, codec: str = "mp4v") -> Path:
    size = frames[0].shape[1::-1]
    out = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*codec), rate, size)
    for frame in frames:
        out.write(cv2.cvtColor(frame, cv2.COLOR_RGB2BGR))
    out.release()
    return path


def pan(hopper: np.ndarray, count: int) -> list[np.ndarray]:
    """The portrait on grey, `STEP` pixels farther right in every frame."""
    portrait = cv2.resize(hopper, (256, HEIGHT), interpolation=cv2.INTER_AREA)
    frames = []
    for k in range(count):
        frame = np.full((HEIGHT, WIDTH, 3), 120, np.uint8)
        frame[:, 40 + STEP * k : 296 + STEP * k] = portrait
        frames.append(frame)
    return frames


def plain(count: int, width: int = 64, height: int = 48) -> list[np.ndarray]:
    return [np.full((height, width, 3), 40 + k % 200, np.uint8) for k in range(count)]


def read(path: Path) -> list[np.ndarray]:
    capture = cv2.VideoCapture(str(path))
    frames = []
    while (frame := capture.read())[0]:
        frames.append(frame[1])
    capture.release()
    return frames


def transform(path: Path, a: int, b: int, c: int, d: int) -> Path:
    """Give an MP4 a matrix in 16.16 fixed point, by which players show its pixels."""
    data = bytearray(path.read_bytes())
    struct.pack_into(">9i", data, data.index(b"tkhd") + 44, a, b, 0, c, d, 0, 0, 0, 1 << 30)
    path.write_bytes(data)
    return path


def retime(source: Path, target: Path, milliseconds: Sequence[int]) -> Path:
    """The first frames of a VP8 video, each at its time; the header names 1000 frames a second."""
    packets = cv2.VideoCapture(str(source), cv2.CAP_FFMPEG, [cv2.CAP_PROP_FORMAT, -1])
    size = [int(packets.get(p)) for p in (cv2.CAP_PROP_FRAME_WIDTH, cv2.CAP_PROP_FRAME_HEIGHT)]
    out = cv2.VideoWriter(
        str(target),
        cv2.CAP_FFMPEG,
        cv2.VideoWriter_fourcc(*"VP80"),
        1000,
        size,
        [cv2.VIDEOWRITER_PROP_RAW_VIDEO, 1],
    )
    for time in milliseconds:
        out.set(cv2.VIDEOWRITER_PROP_PTS, time)
        out.write(packets.read()[1])
    out.release()
    return target
