"""Keypoints on the visitor's photo that stand in for labels: the best available model's."""

import numpy as np

from kpdemo.engine.engine import Engine
from kpdemo.models.face_crops import crop_face
from kpdemo.models.predict import predict
from kpdemo.records.histories import Library
from kpdemo.ui.session import PhotoResult


def best_model(engine: Engine, library: Library, markup_name: str) -> str | None:
    """The available model of a markup with the lowest error; None if there is none."""
    names = [
        name
        for name, config in engine.store.configs.items()
        if config.markup == markup_name and name in library.errors
    ]
    return min(names, key=lambda name: library.errors[name].nme, default=None)


def points(engine: Engine, model: str, result: PhotoResult) -> np.ndarray:
    """A model's keypoints `(K, 2)` on the first face, in photo coordinates.

    Raises CheckpointError if the model is damaged.
    """
    if prediction := result.comparison.faces[0].predictions.get(model):
        return prediction.keypoints
    net = engine.store.model(model)
    crop, pixels = crop_face(net.config, result.photo, result.detection(0))
    with engine.turn:
        (keypoints,) = predict(net, pixels[None]).keypoints
    return result.photo.to_original(crop.to_photo(keypoints))
