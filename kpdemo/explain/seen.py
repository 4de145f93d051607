"""What a model sees of a face."""

import numpy as np

from kpdemo.config import ModelConfig
from kpdemo.crops import Crop
from kpdemo.cuts import by_channels, cut
from kpdemo.faces import Face
from kpdemo.images import Photo


def cut_of(config: ModelConfig, photo: Photo, face: Face) -> tuple[Crop, np.ndarray]:
    """A model's crop of a face on the photo's `pixels`, and the cut `(H, W[, 3])` uint8."""
    cuts = cut(config, by_channels(photo.pixels), [face.mapped(photo.to_work)])
    return cuts.crops[0], cuts.pixels[0]
