"""Images as data URIs: pixels only, no metadata."""

from base64 import b64decode, b64encode

import cv2
import numpy as np

from kpdemo.media import images

_OPTIONS = {"png": [], "jpeg": [cv2.IMWRITE_JPEG_QUALITY, 88]}


def data_uri(pixels: np.ndarray, media: str) -> str:
    """Greyscale `(H, W)` or RGB `(H, W, 3)` uint8 as a "png" or "jpeg" data URI."""
    image = pixels if pixels.ndim == 2 else cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR)
    _, file = cv2.imencode(f".{media}", image, _OPTIONS[media])
    return f"data:image/{media};base64," + b64encode(file.tobytes()).decode()


def shrunk_uri(pixels: np.ndarray, side: int) -> str:
    """RGB `(H, W, 3)` uint8, shrunk to `side` at most, as a JPEG data URI."""
    height, width = pixels.shape[:2]
    scale = min(1.0, side / max(height, width))
    size = max(1, round(width * scale)), max(1, round(height * scale))
    return data_uri(cv2.resize(pixels, size, interpolation=cv2.INTER_AREA), "jpeg")


def photo(uri: str) -> images.Photo:
    """The photo in a data URI; raises ImageError for one that cannot be used."""
    return images.load(b64decode(uri.partition(",")[2]))
