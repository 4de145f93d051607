"""A camera that films a portrait."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import cv2
import numpy as np

from kpdemo.benchmark import page as page_benchmark

if TYPE_CHECKING:  # without Playwright, the tests are skipped
    from playwright.sync_api import Browser

SIZE = WIDTH, HEIGHT = 320, 240


@contextmanager
def with_camera(browser: "Browser", portrait: np.ndarray, folder: Path) -> Iterator["Browser"]:
    """Another Chromium, whose camera shows a portrait `(H, W, 3)` uint8 RGB.

    The film that it shows is in `folder`.
    """
    film = folder / "portrait.y4m"
    frame = np.full((HEIGHT, WIDTH, 3), 120, np.uint8)
    frame[:, 60:260] = cv2.resize(portrait, (200, HEIGHT), interpolation=cv2.INTER_AREA)
    picture = cv2.cvtColor(frame, cv2.COLOR_RGB2YUV_I420).tobytes()
    header = f"YUV4MPEG2 W{WIDTH} H{HEIGHT} F10:1 Ip A1:1 C420jpeg\n".encode()
    film.write_bytes(header + 2 * (b"FRAME\n" + picture))
    with page_benchmark.chromium(browser.browser_type, film) as chromium:
        yield chromium
