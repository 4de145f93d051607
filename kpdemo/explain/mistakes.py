"""Two mistakes of the class projects, made with a face's keypoints."""

from collections.abc import Callable

import numpy as np

from kpdemo.faces.crop import Crop
from kpdemo.models import crop_rules
from kpdemo.models.config import Framing


def scaled_by_photo(keypoints: np.ndarray, crop: Crop, width: int, height: int) -> np.ndarray:
    """Where keypoints `(K, 2)` land that are scaled by the photo's size instead of the crop's.

    A net predicts them as shares of the crop's sides; here these are taken for shares of the
    photo's `width` and `height`. Takes and returns photo coordinates.
    """
    return Crop.whole(width, height).to_photo(crop.to_crop(keypoints))


def mean_face_prediction(
    face: np.ndarray, markup_name: str, framing: Framing
) -> Callable[[Crop], np.ndarray]:
    """What a net predicts for every crop that has learned no more than the mean `face` `(K, 2)`.

    The function takes a crop and returns photo coordinates.
    """
    at = crop_rules.from_keypoints(framing, face, markup_name, 0, 0).to_crop(face)
    return lambda crop: crop.to_photo(at)
