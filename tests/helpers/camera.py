"""What the browser's camera films: a portrait, in the left half of its pictures."""

from pathlib import Path

import cv2
import numpy as np

SIZE = WIDTH, HEIGHT = 320, 240


def frame(portrait: np.ndarray, left: int = 10) -> np.ndarray:
    """One picture, of a portrait `(H, W, 3)` uint8 RGB that begins `left` pixels from its edge."""
    picture = np.full((HEIGHT, WIDTH, 3), 120, np.uint8)
    picture[:, left : left + 200] = cv2.resize(
        portrait, (200, HEIGHT), interpolation=cv2.INTER_AREA
    )
    return picture


def write(path: Path, portrait: np.ndarray) -> None:
    """The endless film that Chromium takes for a camera."""
    picture = cv2.cvtColor(frame(portrait), cv2.COLOR_RGB2YUV_I420).tobytes()
    header = f"YUV4MPEG2 W{WIDTH} H{HEIGHT} F10:1 Ip A1:1 C420jpeg\n".encode()
    path.write_bytes(header + 2 * (b"FRAME\n" + picture))
