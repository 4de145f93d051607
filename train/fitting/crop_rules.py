"""Measure, on training faces, where the nets' crops lie relative to a found face."""

from collections.abc import Iterator

import numpy as np
from tqdm import tqdm

from kpdemo.faces.crop import Crop
from kpdemo.faces.detector import FaceFinder
from kpdemo.models import crop_rules, model_folder
from kpdemo.models.config import Framing
from kpdemo.structures import Face
from train.data.sources import DataError, LabelledFace, load

# Which training sides a reference is measured on; never a test set.
SOURCES = {"keypoint-box": ("300w",), "kaggle": ("300w", "bioid"), "imm-picture": ("imm",)}
RIDGE = 1e-2


def measure() -> dict[str, dict]:
    """Fit the linear maps of `kpdemo.models.crop_rules` and write them to `framing.json`.

    Beside the coefficients stand the number of faces and the root mean square of what the map
    leaves unexplained: the centre in percent of the crop's width, and the width in percent.
    """
    result = {}
    cache: dict[str, list[tuple[LabelledFace, Face, tuple[int, int]]]] = {}
    with FaceFinder() as finder:
        for reference, sources in SOURCES.items():
            for source in sources:
                if source not in cache:
                    cache[source] = list(found_faces(finder, load(source), source))
            found = [item for source in sources for item in cache[source]]
            result[reference] = fit(reference, found)
    model_folder.write_json(crop_rules.MEASURED, result)
    return result


def found_faces(
    finder: FaceFinder, faces: list[LabelledFace], name: str
) -> Iterator[tuple[LabelledFace, Face, tuple[int, int]]]:
    """Each labelled face with the found face that covers it, and its picture's width and height."""
    for labelled in tqdm(faces, desc=name, disable=None):
        try:
            pixels = labelled.pixels(3)
        except DataError:
            continue
        face = covering(finder.find(pixels), labelled.keypoints)
        if face is not None:
            yield labelled, face, (pixels.shape[1], pixels.shape[0])


def covering(found: list[Face], keypoints: np.ndarray) -> Face | None:
    """The found face whose box overlaps the labelled keypoints' box most, if by a third."""
    low, high = np.nanmin(keypoints, 0), np.nanmax(keypoints, 0)

    def overlap(face: Face) -> float:
        box = np.array(face.box)
        sides = np.minimum(high, box[2:]) - np.maximum(low, box[:2])
        common = float(np.prod(sides.clip(0)))
        return common / (float(np.prod(high - low) + np.prod(box[2:] - box[:2])) - common)

    best = max(found, key=overlap, default=None)
    return best if best is not None and overlap(best) > 1 / 3 else None


def fit(reference: str, found: list[tuple[LabelledFace, Face, tuple[int, int]]]) -> dict:
    """Ridge regression from `framing.features` to `framing.target`, outliers dropped once."""
    crops: list[Crop] = []
    for labelled, face, (width, height) in found:
        # A whole picture has no upright version of its own.
        roll = 0.0 if reference == "imm-picture" else face.roll
        crops.append(
            crop_rules.from_keypoints(
                Framing(reference), labelled.keypoints, labelled.markup, width, height, roll
            )
        )
    faces = [face for _, face, _ in found]
    x = np.array([crop_rules.features(face) for face in faces])
    y = np.array([crop_rules.target(face, crop) for face, crop in zip(faces, crops, strict=True)])
    keep = np.ones(len(x), bool)
    for _ in range(2):
        inner = x[keep].T @ x[keep] + RIDGE * np.diag([1.0] * (x.shape[1] - 1) + [0.0])
        coefficients = np.linalg.solve(inner, x[keep].T @ y[keep])
        residual = y - x @ coefficients
        keep = (np.abs(residual) < 4 * residual[keep].std(0)).all(1)
    width = 2 * np.exp(y[:, 2:])
    rms = np.sqrt(
        np.mean(np.square(residual[keep] / np.hstack([width, width, width * 0 + 1])[keep]), 0)
    )
    return {
        "coefficients": np.round(coefficients, 5).tolist(),
        "aspect": round(float(np.median([crop.height / crop.width for crop in crops])), 4),
        "faces": int(keep.sum()),
        "left_unexplained_percent": dict(
            zip(("x", "y", "width"), np.round(100 * rms, 2).tolist(), strict=True)
        ),
    }
