"""A comparison as one picture: a panel a model, for the command line and the download."""

from collections.abc import Sequence

import cv2
import numpy as np

from kpdemo import zoo
from kpdemo.media import draw
from kpdemo.media.images import Photo
from kpdemo.structures import NO_FACE_HERE, ComparedFace, Comparison

PANEL_SIDE = 900  # pixels; larger files would show no more
COLUMNS = 3


def side_by_side(photo: Photo, comparison: Comparison) -> np.ndarray:
    """One panel a model with its keypoints on every face: `(H, W, 3)` uint8 RGB.

    Doubtful points are hollow, and all points on faces that MediaPipe does not confirm.
    Without a face it is the photo alone, titled so.
    """
    height, width = photo.pixels.shape[:2]
    scale = min(1.0, PANEL_SIDE / max(height, width))
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    small = cv2.resize(photo.pixels, size, interpolation=cv2.INTER_AREA)
    ratio = np.array(size) / (comparison.width, comparison.height)
    panels = []
    for name in comparison.models:
        faces = [face for face in comparison.faces if name in face.predictions]
        predictions = [face.predictions[name] for face in faces]
        if not predictions:
            panels.append((name, NO_FACE_HERE, small))
            continue
        hollow = [
            prediction.doubtful | (face.confirmed is False)
            for face, prediction in zip(faces, predictions, strict=True)
        ]
        panels.append(
            (
                name,
                _subtitle(name, faces, comparison),
                draw.overlay(
                    small,
                    [(each.keypoints + 0.5) * ratio - 0.5 for each in predictions],
                    predictions[0].markup,
                    zoo.color(name),
                    hollow,
                ),
            )
        )
    return draw.contact_sheet(panels or [("No face found", "", small)], COLUMNS)


def _subtitle(name: str, faces: Sequence[ComparedFace], comparison: Comparison) -> str:
    """What there is to say on a model, and on the faces that it has points on."""
    count = len(comparison.faces)
    words = f"{len(faces[0].predictions[name].keypoints)} keypoints"
    if (took := comparison.landmark_milliseconds(name)) is not None:
        words += f", {took:.0f} ms a face"
    if comparison.faces_left_out:
        words += f", the {count} largest of {count + comparison.faces_left_out} faces"
    if len(faces) < count:
        words += f", {NO_FACE_HERE} on {count - len(faces)} of {count}"
    if any(face.confirmed is False for face in faces):
        words += ", hollow where MediaPipe finds no face"
    return words
