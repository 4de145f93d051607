"""A model's crop of a face."""

import numpy as np

from kpdemo.faces.crop import Crop
from kpdemo.media.images import Photo
from kpdemo.models.config import ModelConfig
from kpdemo.models.face_crops import crop_faces
from kpdemo.structures import Face


def crop_face(config: ModelConfig, photo: Photo, face: Face) -> tuple[Crop, np.ndarray]:
    """A model's crop of a face on the photo's `pixels`, and its pixels `(H, W[, 3])` uint8."""
    crops = crop_faces(config, photo, [face.mapped(photo.to_work)])
    return crops.crops[0], crops.pixels[0]
