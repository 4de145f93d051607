"""Pseudo-labels: a model's own predictions on a source's pictures, to train other nets."""

from collections.abc import Iterator, Sequence
from pathlib import Path

import numpy as np
from tqdm import tqdm

from kpdemo.evaluation.matching import match_by_containment
from kpdemo.faces.crop import Crop
from kpdemo.faces.detector import FaceFinder
from kpdemo.models import checkpoint, crop_rules, hub, model_folder
from kpdemo.models.checkpoint import Model
from kpdemo.models.config import ModelConfig
from kpdemo.models.predict import predict
from train.data.sources import DataError, LabelledFace, load

BATCH = 32


def label(
    folder: Path, source: str, output: Path, fill: bool = False, least: float = 0.0
) -> tuple[Path, int, int]:
    """Write the predictions of the model in `folder` on the faces of a source, as a new source.

    The file, `output`/SOURCE.json, can stand in a recipe's `data.train`
    (`train.data.sources.pseudo_labels` has its layout). A face whose labels have the model's markup
    and no gap is cropped by them, any other one by its detected face. With `fill` the labels that a
    face has are kept, and only its gaps are filled; its markup must be the model's. Points of less
    than the `least` confidence, 0 to 1, count as unknown.
    Returns the file, the number of faces in it, and that of all faces of the source; faces that are
    damaged or not detected are left out. Raises DataError for settings that do not fit, and where
    no face is left.
    """
    if not 0 <= least <= 1:
        raise DataError(f"A least confidence of {least:g} is none; it runs from 0 to 1.")
    model = checkpoint.load(folder)
    faces = load(source)
    if fill and (others := {face.markup for face in faces} - {model.config.markup}):
        raise DataError(
            f"{source} has the labels of {min(others)} and {model.name} those of "
            f"{model.config.markup}: label it without --fill."
        )
    labels = {}
    for face, points, confidence in label_faces(model, faces):
        if fill:
            known = np.isfinite(face.keypoints).all(1)
            points = np.where(known[:, None], face.keypoints, points)
            confidence = np.where(known, 1.0, confidence)
        labels[face.name] = [
            [round(float(x), 2), round(float(y), 2), round(float(share), 3)]
            for (x, y), share in zip(points, confidence, strict=True)
        ]
    if not labels:
        raise DataError(f"{source}: {model.name} found none of its {len(faces)} faces.")
    output.mkdir(parents=True, exist_ok=True)
    path = output / f"{source.replace('/', '-')}.json"
    model_folder.write_json(
        path,
        {
            "model": model.name,
            "weights": hub.sha256(folder / model_folder.WEIGHTS),
            "source": source,
            "markup": model.config.markup,
            "least_confidence": least,
            "filled": fill,
            "faces": labels,
        },
    )
    return path, len(labels), len(faces)


def label_faces(
    model: Model, faces: Sequence[LabelledFace]
) -> Iterator[tuple[LabelledFace, np.ndarray, np.ndarray]]:
    """Each face that can be cropped, with the model's points and their confidence.

    Points are `(K, 2)` in pixels of the picture, confidence `(K,)`.
    """
    size = model.config.input
    with FaceFinder() as finder:
        for start in tqdm(range(0, len(faces), BATCH), desc=model.name, disable=None):
            cut = []
            for face in faces[start : start + BATCH]:
                try:
                    crop = crop_of(model.config, face, finder)
                    if crop is not None:
                        pixels = crop.cut(face.pixels(size.channels), size.height, size.width)
                        cut.append((face, crop, pixels))
                except DataError:
                    continue
            if cut:
                prediction = predict(model, np.stack([pixels for _, _, pixels in cut]))
                for row, (face, crop, _) in enumerate(cut):
                    points = crop.to_photo(prediction.keypoints[row])
                    yield face, points, prediction.confidence[row]


def crop_of(config: ModelConfig, face: LabelledFace, finder: FaceFinder) -> Crop | None:
    """The model's crop of a labelled face, by its labels or as the app has it; None if neither.

    Raises DataError for a damaged picture.
    """
    if face.markup == config.markup and np.isfinite(face.keypoints).all():
        height, width = face.pixels(1).shape
        return crop_rules.from_keypoints(config.framing, face.keypoints, face.markup, width, height)
    detected = match_by_containment(finder.find(face.pixels(3)), face.keypoints)
    return None if detected is None else crop_rules.from_face(config.framing, detected)
