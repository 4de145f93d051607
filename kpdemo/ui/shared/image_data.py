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


def photo(uri: str) -> images.Photo:
    """The photo in a data URI; raises ImageError for one that cannot be used."""
    return images.load(b64decode(uri.partition(",")[2]))
