"""Fit and evaluate the baseline: MediaPipe's mesh against iBUG's 68 labels."""

from pathlib import Path

import numpy as np
from safetensors.numpy import save_file
from tqdm import tqdm

from kpdemo.evaluation.matching import match_by_overlap
from kpdemo.evaluation.measures import measures
from kpdemo.faces.detector import FaceFinder
from kpdemo.keypoints.metrics import eye_distance
from kpdemo.models import mesh_to_ibug, model_folder
from kpdemo.models.face_landmarker import FaceLandmarker
from kpdemo.records.standings import FIFTEEN
from kpdemo.zoo import BASELINE, WEIGHTS_DIR
from train.data.sources import DataError, LabelledFace, load, split
from train.evaluation import face_attributes
from train.evaluation.evaluate import by_facts, extremes, fifteen_points, readable
from train.fitting import ridge

SOURCE, TEST = "300w", "300w-common"
SEED = 0


def meshes(faces: list[LabelledFace]) -> list[np.ndarray | None]:
    """MediaPipe's mesh `(478, 2)` for each labelled face, None where it detects none."""
    result: list[np.ndarray | None] = []
    with FaceFinder() as finder, FaceLandmarker() as baseline:
        for labelled in tqdm(faces, desc=BASELINE, disable=None):
            try:
                pixels = labelled.pixels(3)
            except DataError:
                result.append(None)
                continue
            face = match_by_overlap(finder.find(pixels), labelled.keypoints)
            result.append(None if face is None else baseline.keypoints(pixels, [face])[0])
    return result


def fit() -> dict:
    """Fit the map from mesh to iBUG on training faces; the ridge is chosen on held-out photos.

    Writes `kpdemo/models/mesh_to_ibug.safetensors` and returns the held-out error of each ridge
    strength, in percent of the eye distance.
    """
    faces = load(SOURCE)
    pairs = [(f, mesh) for f, mesh in zip(faces, meshes(faces), strict=True) if mesh is not None]
    held_out = {face.name for face in split([face for face, _ in pairs], 0.1, SEED)[1]}
    training = np.array([face.name not in held_out for face, _ in pairs])
    x = np.array([mesh_to_ibug.features(mesh) for _, mesh in pairs])
    offsets = []
    for face, mesh in pairs:
        frame = mesh_to_ibug.eye_frame(mesh)
        offsets.append(frame.to_crop(face.keypoints) - frame.to_crop(mesh_to_ibug.by_index(mesh)))
    y = np.array(offsets).reshape(len(pairs), -1)
    errors = {}
    for strength in ridge.STRENGTHS:
        predicted = x @ ridge.solve(x[training], y[training], strength)
        residuals = (y - predicted)[~training].reshape(-1, 68, 2)
        errors[strength] = float(100 * np.linalg.norm(residuals, axis=-1).mean())
    best = min(errors, key=errors.__getitem__)
    save_file(
        {
            "matrix": ridge.solve(x, y, best).astype(np.float16),
            "offsets": y.mean(0).reshape(68, 2).astype(np.float32),
        },
        mesh_to_ibug.FITTED,
    )
    mesh_to_ibug.FITTED.chmod(0o644)
    return {"faces": len(pairs), "held_out_error": errors, "ridge": best}


def evaluate(folder: Path = WEIGHTS_DIR / BASELINE) -> dict:
    """NME of MediaPipe on the test faces, for each map from its mesh to 68 points.

    Writes `metrics.json` in `folder`.
    """
    faces, damaged = readable(load(TEST))
    predictions = meshes(faces)
    facts = face_attributes.of_faces(faces)
    truth = np.stack([face.keypoints for face in faces])
    eyes = eye_distance(truth, "ibug-68")
    metrics: dict = {TEST: {"damaged": damaged, FIFTEEN: {}}}
    for name, convert in mesh_to_ibug.MAPS.items():
        points = np.stack(
            [np.full((68, 2), np.nan) if mesh is None else convert(mesh) for mesh in predictions]
        )
        groups = [face.group for face in faces]
        metrics[TEST][name] = (
            measures(points, truth, eyes, "ibug-68", groups=groups)
            | {"by": by_facts(points, truth, eyes, facts)}
            | extremes(faces, facts, points, truth, eyes)
        )
        metrics[TEST][FIFTEEN][name] = fifteen_points(points, faces, eyes)
    folder.mkdir(parents=True, exist_ok=True)
    model_folder.write_json(folder / model_folder.METRICS, metrics)
    return metrics
