"""Faces of a comparison, made by hand."""

from collections.abc import Mapping

import numpy as np

from kpdemo.structures import Box, ComparedFace, Face, Prediction


def compared_face(
    box: Box, predictions: Mapping[str, Prediction], missing: Mapping[str, str] | None = None
) -> ComparedFace:
    """An upright face with these answers by model, and reasons for missing ones."""
    detection = Face(box, 0.9, np.zeros((6, 2), np.float32), 0.0)
    return ComparedFace(detection, dict(predictions), dict(missing or {}))
