"""MediaPipe's Face Landmarker as a `Predictor`: the baseline."""

import time
from collections.abc import Sequence

import numpy as np

from kpdemo.faces.crop import Crop
from kpdemo.faces.mediapipe_task import VisionTask, task_bytes
from kpdemo.faces.settings import LANDMARKER
from kpdemo.keypoints import markups
from kpdemo.media.images import Photo
from kpdemo.models import mesh_to_ibug
from kpdemo.structures import Face, Prediction
from kpdemo.zoo import BASELINE


class FaceLandmarker(VisionTask):
    """One Face Landmarker, safe to share between threads; close it or use it in a `with`.

    Building one raises `BaselineUnavailable` where MediaPipe or its model is missing.
    """

    name = BASELINE
    markup = "mediapipe-478"
    device = "cpu"

    def __init__(self) -> None:
        super().__init__("FaceLandmarker", task_bytes(), num_faces=LANDMARKER.faces_a_crop)

    def prepare(self, photo: Photo, faces: Sequence[Face]) -> list[Prediction | None]:
        """The predictions themselves, since MediaPipe needs the photo's pixels."""
        started = time.perf_counter()
        meshes = self.keypoints(photo.pixels, faces)
        each = 1000 * (time.perf_counter() - started) / len(faces)
        return [
            None if mesh is None else _prediction(photo.to_original(mesh), each) for mesh in meshes
        ]

    def predict(self, prepared: Sequence[list[Prediction | None]]) -> list[list[Prediction | None]]:
        """What was prepared."""
        return list(prepared)

    def keypoints(self, pixels: np.ndarray, faces: Sequence[Face]) -> list[np.ndarray | None]:
        """The mesh of each face: float32 `(478, 2)` in pixels of `pixels`, None if there is none.

        `pixels` is `(H, W, 3)` uint8 RGB, `faces` come from `FaceFinder.find` on it.
        """
        return [self._mesh(pixels, face) for face in faces]

    def _mesh(self, pixels: np.ndarray, face: Face) -> np.ndarray | None:
        x0, y0, x1, y1 = face.box
        side = LANDMARKER.crop * face.width
        crop = Crop((x0 + x1) / 2, (y0 + y1) / 2, side, side, face.roll)
        result = self.detect(crop.cut(pixels, LANDMARKER.pixels, LANDMARKER.pixels))
        meshes = [
            crop.to_photo(np.array([(p.x, p.y) for p in mesh]) * 2 - 1)
            for mesh in result.face_landmarks
        ]
        nearest = min(meshes, key=lambda mesh: _distance(mesh, face), default=None)
        if nearest is None or _distance(nearest, face) > LANDMARKER.too_far:
            return None
        return nearest


def _prediction(points: np.ndarray, milliseconds: float) -> Prediction:
    fitted = mesh_to_ibug.by_map(points)
    readings = {
        "ibug-68": mesh_to_ibug.by_index(points),
        # The fair comparison, since iBUG defines its points differently, and our nets learned
        # Kaggle's points from iBUG's.
        "ibug-68-fitted": fitted,
        "kaggle-15-fitted": markups.convert(fitted, "ibug-68", "kaggle-15"),
    }
    return Prediction(FaceLandmarker.markup, points, None, milliseconds, readings)


def _distance(mesh: np.ndarray, face: Face) -> float:
    """How far eyes, nose and mouth of a mesh are from a face's, in widths of its box."""
    points = np.stack([mesh[list(at)].mean(0) for at in LANDMARKER.eyes_nose_mouth])
    return float(np.linalg.norm(points - face.keypoints[:4], axis=1).mean()) / face.width
