"""Blink, smile and head pose of a face, as MediaPipe's blendshapes and face geometry tell them."""

from typing import Any, NamedTuple

import numpy as np

from kpdemo.faces.crop import Crop
from kpdemo.faces.mediapipe_task import VisionTask, task_bytes
from kpdemo.faces.settings import EXPRESSION
from kpdemo.structures import Face


class Expression(NamedTuple):
    """Blendshapes from 0 to 1, left and right the subject's, and the head's pose in degrees.

    `yaw` is positive where the face looks to the right of the picture, `pitch` where it looks up,
    `roll` where the head is turned clockwise in the picture.
    """

    blink_right: float
    blink_left: float
    smile: float
    yaw: float
    pitch: float
    roll: float


class Expressions(VisionTask):
    """Reads expressions of faces, safe to share between threads; close it or use it in a `with`.

    Building one raises `BaselineUnavailable` where MediaPipe or its model is missing.
    """

    def __init__(self) -> None:
        super().__init__(
            "FaceLandmarker",
            task_bytes(),
            num_faces=EXPRESSION.faces_a_crop,
            output_face_blendshapes=True,
            output_facial_transformation_matrixes=True,
        )

    def read(self, pixels: np.ndarray, face: Face) -> Expression | None:
        """The expression of a face in `(H, W, 3)` uint8 RGB; None where MediaPipe has no mesh."""
        side = EXPRESSION.crop * face.width
        crop = Crop(*face.center, side, side, face.roll)
        result = self.detect(crop.cut(pixels, EXPRESSION.pixels, EXPRESSION.pixels))
        if not result.face_landmarks:
            return None
        nearest = min(range(len(result.face_landmarks)), key=lambda k: _off_center(result, k))
        scores = {c.category_name: float(c.score) for c in result.face_blendshapes[nearest]}
        yaw, pitch, roll = _angles(np.array(result.facial_transformation_matrixes[nearest]))
        return Expression(
            scores["eyeBlinkRight"],
            scores["eyeBlinkLeft"],
            (scores["mouthSmileRight"] + scores["mouthSmileLeft"]) / 2,
            yaw,
            pitch,
            (roll + face.roll + 180) % 360 - 180,
        )


def _off_center(result: Any, number: int) -> float:
    nose = result.face_landmarks[number][EXPRESSION.nose_tip]
    return float(np.hypot(nose.x - 0.5, nose.y - 0.5))


def _angles(matrix: np.ndarray) -> tuple[float, float, float]:
    """Yaw, pitch and roll of MediaPipe's `(4, 4)`: x right, y up, z out of the picture."""
    right, forward = matrix[:3, 0], matrix[:3, 2]
    forward = forward / np.linalg.norm(forward)
    yaw = np.arctan2(forward[0], forward[2])
    pitch = np.arcsin(np.clip(forward[1], -1, 1))
    roll = -np.arctan2(right[1], right[0])
    return tuple(np.degrees([yaw, pitch, roll]).tolist())
