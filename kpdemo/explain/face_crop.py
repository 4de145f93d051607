"""What a model sees of a face."""

import numpy as np

from kpdemo.faces.crop import Crop
from kpdemo.media.images import Photo
from kpdemo.models.config import ModelConfig
from kpdemo.models.face_crops import by_channels, cut
from kpdemo.structures import Face


def cut_of(config: ModelConfig, photo: Photo, face: Face) -> tuple[Crop, np.ndarray]:
    """A model's crop of a face on the photo's `pixels`, and the cut `(H, W[, 3])` uint8."""
    cuts = cut(config, by_channels(photo.pixels), [face.mapped(photo.to_work)])
    return cuts.crops[0], cuts.pixels[0]
