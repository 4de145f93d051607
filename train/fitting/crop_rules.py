"""Measure, on training faces, where the nets' crops lie relative to a detected face."""

from collections.abc import Iterator, Sequence

import numpy as np
from tqdm import tqdm

from kpdemo.evaluation.matching import match_by_overlap
from kpdemo.faces.crop import Crop
from kpdemo.faces.detector import FaceFinder
from kpdemo.models import crop_rules, model_folder
from kpdemo.models.config import Framing
from kpdemo.structures import Face
from train.data.sources import DataError, LabelledFace, load
from train.fitting import ridge

# The training data that a reference is measured on; never a test set.
SOURCES = {"keypoint-box": ("300w",), "kaggle": ("300w", "bioid"), "imm-picture": ("imm",)}
RIDGE = 1e-2

# A labelled face, the detected face that covers it, and the picture's width and height.
Pair = tuple[LabelledFace, Face, tuple[int, int]]


def measure() -> dict[str, dict]:
    """Fit the linear maps of `kpdemo.models.crop_rules` and write them to `crop_rules.json`.

    Each comes with the number of faces and the root mean square of the residuals: of the centre in
    percent of the crop's width, and of the width in percent.
    """
    result = {}
    cache: dict[str, list[Pair]] = {}
    with FaceFinder() as finder:
        for reference, sources in SOURCES.items():
            for source in sources:
                if source not in cache:
                    cache[source] = list(detected_faces(finder, load(source), source))
            pairs = [pair for source in sources for pair in cache[source]]
            result[reference] = fit(reference, pairs)
    model_folder.write_json(crop_rules.MEASURED, result)
    return result


def detected_faces(finder: FaceFinder, faces: list[LabelledFace], name: str) -> Iterator[Pair]:
    """Each labelled face that is detected; `name` labels the progress bar."""
    for labelled in tqdm(faces, desc=name, disable=None):
        try:
            pixels = labelled.pixels(3)
        except DataError:
            continue
        face = match_by_overlap(finder.find(pixels), labelled.keypoints)
        if face is not None:
            yield labelled, face, (pixels.shape[1], pixels.shape[0])


def fit(reference: str, pairs: Sequence[Pair]) -> dict:
    """Ridge regression from `crop_rules.features` to `crop_rules.target`, outliers dropped once."""
    crops: list[Crop] = []
    for labelled, face, (width, height) in pairs:
        # A whole picture has no upright version of its own.
        roll = 0.0 if reference == "imm-picture" else face.roll
        crops.append(
            crop_rules.from_keypoints(
                Framing(reference), labelled.keypoints, labelled.markup, width, height, roll
            )
        )
    faces = [face for _, face, _ in pairs]
    x = np.array([crop_rules.features(face) for face in faces])
    y = np.array([crop_rules.target(face, crop) for face, crop in zip(faces, crops, strict=True)])
    keep = np.ones(len(x), bool)
    for _ in range(2):
        coefficients = ridge.solve(x[keep], y[keep], RIDGE)
        residual = y - x @ coefficients
        keep = (np.abs(residual) < 4 * residual[keep].std(0)).all(1)
    widths = 2 * np.exp(y[:, 2:])
    relative = residual / np.hstack([widths, widths, np.ones_like(widths)])
    rms = np.sqrt(np.mean(np.square(relative[keep]), 0))
    return {
        "coefficients": np.round(coefficients, 5).tolist(),
        "aspect": round(float(np.median([crop.height / crop.width for crop in crops])), 4),
        "faces": int(keep.sum()),
        "left_unexplained_percent": dict(
            zip(("x", "y", "width"), np.round(100 * rms, 2).tolist(), strict=True)
        ),
    }
