"""What a model sees of a face."""

import cv2
import numpy as np

from kpdemo import framing
from kpdemo.config import ModelConfig
from kpdemo.crops import Crop
from kpdemo.faces import Face
from kpdemo.images import Photo


def cut_of(config: ModelConfig, photo: Photo, face: Face) -> tuple[Crop, np.ndarray]:
    """A model's crop of a face on the photo's work pixels, and the cut `(H, W[, 3])` uint8."""
    crop, size = framing.from_face(config.framing, face), config.input
    pixels = photo.pixels
    if size.channels == 1:
        pixels = cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)
    return crop, crop.cut(pixels, size.height, size.width)
