"""What nets see of the faces of a photo."""

import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from kpdemo.faces.crop import Crop
from kpdemo.models import crop_rules
from kpdemo.models.config import ModelConfig
from kpdemo.structures import Face


def by_channels(pixels: np.ndarray) -> dict[int, np.ndarray]:
    """A photo `(H, W, 3)` by the channels that nets take: the grey one is made once for all."""
    return {3: pixels, 1: cv2.cvtColor(pixels, cv2.COLOR_RGB2GRAY)}


@dataclass(frozen=True, eq=False)
class Cuts:
    """What a net sees of each face: `pixels` `(F, H, W[, C])` uint8, and the crops they are of."""

    crops: list[Crop]
    pixels: np.ndarray
    milliseconds: float


def cut(config: ModelConfig, pictures: Mapping[int, np.ndarray], faces: Sequence[Face]) -> Cuts:
    """Cut faces out of a photo, given as `by_channels` has it, for a net of that config."""
    started = time.perf_counter()
    size = config.input
    crops = [crop_rules.from_face(config.framing, face) for face in faces]
    photo = pictures[size.channels]
    pixels = np.stack([crop.cut(photo, size.height, size.width) for crop in crops])
    return Cuts(crops, pixels, 1000 * (time.perf_counter() - started))
