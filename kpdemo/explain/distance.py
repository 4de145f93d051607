"""The length that distances on a face are told in."""

import numpy as np

from kpdemo.faces.crop import Crop
from kpdemo.keypoints.metrics import eye_distance


def eyes_or_width(
    keypoints: np.ndarray, markup_name: str, width: int, height: int
) -> tuple[float, bool]:
    """The unit of a face's distances, in pixels of a cut of `width` × `height`.

    `keypoints` `(K, 2)` are crop coordinates. The unit is the distance of the outer eye corners
    where the markup has them (then True comes with it), else the cut's width (False).
    """
    try:
        eyes = float(eye_distance(Crop.whole(width, height).to_photo(keypoints), markup_name))
    except KeyError:
        return float(width), False
    return (eyes, True) if eyes > 0 else (float(width), False)
