"""Colours of models and pixels as the browser takes them."""

from base64 import b64encode

import cv2
import numpy as np

from kpdemo import zoo

_OPTIONS = {"png": [], "jpeg": [cv2.IMWRITE_JPEG_QUALITY, 88]}


def css_color(model: str) -> str:
    """A model's colour as CSS."""
    return "#{:02x}{:02x}{:02x}".format(*zoo.color(model))


def swatch(model: str) -> str:
    """HTML of a small patch of a model's colour."""
    return f'<i class="kp-swatch" style="background:{css_color(model)}"></i>'


def data_uri(pixels: np.ndarray, media: str) -> str:
    """Grey `(H, W)` or RGB `(H, W, 3)` as a "png" or "jpeg" data URI: pixels only, no metadata."""
    order = pixels if pixels.ndim == 2 else cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR)
    _, file = cv2.imencode(f".{media}", order, _OPTIONS[media])
    return f"data:image/{media};base64," + b64encode(file.tobytes()).decode()
