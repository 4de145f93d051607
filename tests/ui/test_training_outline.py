"""Errors drawn on a face: the face is one, and its circles are as large as the errors."""

import re

import numpy as np
import pytest

from kpdemo.keypoints import markups
from kpdemo.records.histories import Histories
from kpdemo.ui.training import outline


@pytest.mark.parametrize("name", ["ibug-68", "kaggle-15", "imm-58"])
def test_the_mean_face_is_upright_and_symmetric(name):
    scheme, face = markups.get(name), outline.mean_face(name)
    assert face.shape == (len(scheme), 2)
    np.testing.assert_allclose(scheme.place(face, "right_eye_outer_corner"), (-0.5, 0), atol=1e-6)
    np.testing.assert_allclose(scheme.place(face, "left_eye_outer_corner"), (0.5, 0), atol=1e-6)
    np.testing.assert_allclose(face, face[list(scheme.mirror)] * (-1, 1), atol=1e-6)


def test_a_markup_without_eyes_has_no_face():
    assert outline.mean_face("nose-1") is None


def test_circles_are_to_scale():
    errors = Histories().read().errors["unet"]
    html = outline.html([errors])
    radii = [float(text) for text in re.findall(r'r="([\d.]+)"', html)]
    assert radii == pytest.approx([1.4 * value for value in errors.nme_by_keypoint], abs=0.06)
    worst = int(np.argmax(errors.nme_by_keypoint))
    assert f"{errors.nme_by_keypoint[worst]:.1f} %" in html and f"U-Net: {errors.nme:.2f} %" in html
