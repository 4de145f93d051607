"""Face crops: where a net's input is cut out of a photo."""

import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from kpdemo.faces.crop import Crop
from kpdemo.media.images import Photo
from kpdemo.models import crop_rules
from kpdemo.models.config import ModelConfig
from kpdemo.structures import Face


@dataclass(frozen=True, eq=False)
class FaceCrops:
    """The `crops` of F faces, and their `pixels` `(F, H, W[, C])` uint8 at a net's input size.

    `photo` maps the crops' points to the original; it holds no pixels.
    """

    photo: Photo
    crops: list[Crop]
    pixels: np.ndarray
    milliseconds: float


def crop_faces(config: ModelConfig, photo: Photo, faces: Sequence[Face]) -> FaceCrops:
    """Crop faces, in pixels of `photo.pixels`, for a net of that config."""
    started = time.perf_counter()
    size = config.input
    crops = [crop_rules.from_face(config.framing, face) for face in faces]
    source = photo.grey if size.channels == 1 else photo.pixels
    pixels = np.stack([crop.cut(source, size.height, size.width) for crop in crops])
    milliseconds = 1000 * (time.perf_counter() - started)
    return FaceCrops(photo.without_pixels(), crops, pixels, milliseconds)


def crop_face(config: ModelConfig, photo: Photo, face: Face) -> tuple[Crop, np.ndarray]:
    """One crop on `photo.pixels`, and its pixels `(H, W[, 3])`; `face` is in photo coordinates."""
    crops = crop_faces(config, photo, [face.mapped(photo.to_work)])
    return crops.crops[0], crops.pixels[0]
