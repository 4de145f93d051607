"""The side-by-side picture of a comparison, as the command line and the app's download give it."""

import cv2
import numpy as np

from kpdemo import draw
from kpdemo.compare import Comparison
from kpdemo.images import Photo

PANEL_SIDE = 900  # pixels; more makes the sheet heavy and shows nothing new
COLUMNS = 3


def side_by_side(photo: Photo, comparison: Comparison) -> np.ndarray:
    """One panel a model with its keypoints on every face: `(H, W, 3)` uint8 RGB.

    Without a face it is the photo alone, and says so.
    """
    height, width = photo.pixels.shape[:2]
    scale = min(1.0, PANEL_SIDE / max(height, width))
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    small = cv2.resize(photo.pixels, size, interpolation=cv2.INTER_AREA)
    ratio = np.array(size) / (comparison.width, comparison.height)
    names = dict.fromkeys(name for face in comparison.faces for name in face.answers)
    panels = []
    for name in names:
        answers = [face.answers[name] for face in comparison.faces if name in face.answers]
        known = [a.confidence for a in answers if a.confidence is not None]
        panels.append(
            (
                name,
                f"{len(answers[0].keypoints)} keypoints, {answers[0].milliseconds:.0f} ms a face",
                draw.overlay(
                    small,
                    [(a.keypoints + 0.5) * ratio - 0.5 for a in answers],
                    answers[0].markup,
                    draw.color_of(name),
                    known or None,
                ),
            )
        )
    return draw.contact_sheet(panels or [("No face found", "", small)], COLUMNS)
