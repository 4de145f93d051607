"""The unit of distances on a face."""

import numpy as np

from kpdemo.faces.crop import Crop
from kpdemo.keypoints.metrics import face_unit


def distance_unit(
    keypoints: np.ndarray, markup_name: str, width: int, height: int
) -> tuple[float, bool]:
    """The unit of a face's distances, in pixels of a crop of `width` × `height`.

    `keypoints` `(K, 2)` are crop coordinates. The unit is the distance of the outer eye corners
    where the markup has them (and True is returned with it), else the crop's width (and False).
    """
    eyes = face_unit(Crop.whole(width, height).to_photo(keypoints), markup_name)
    return (eyes, True) if eyes > 0 else (float(width), False)
