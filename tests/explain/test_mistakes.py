"""Two mistakes with known outcomes: a wrong scale, and the mean face for every crop."""

import numpy as np
import pytest

from kpdemo.explain.mistakes import mean_face_prediction, scaled_by_photo
from kpdemo.faces.crop import Crop
from kpdemo.models.config import Framing

BOX = Crop(150.0, 120.0, 100.0, 100.0)


def test_shares_of_the_box_become_shares_of_the_photo():
    # A quarter from the left and a half from the top, of the box and then of the photo.
    wrong = scaled_by_photo(np.array([[125.0, 120.0]]), BOX, 800, 400)
    np.testing.assert_allclose(wrong, [[199.5, 199.5]], atol=1e-3)


def test_a_box_that_is_the_photo_hides_the_mistake():
    points = np.array([[10.0, 20.0], [300.0, 90.0]], np.float32)
    same = scaled_by_photo(points, Crop.whole(400, 200), 400, 200)
    np.testing.assert_allclose(same, points, atol=1e-3)


@pytest.mark.parametrize("scale", [1.0, 1.25])
def test_the_mean_face_has_the_same_place_in_every_crop(scale):
    face = np.random.default_rng(0).normal(size=(68, 2)).astype(np.float32)
    answer = mean_face_prediction(face, "ibug-68", Framing("keypoint-box", scale))
    other = Crop(40.0, 60.0, 30.0, 30.0, 20.0)
    np.testing.assert_allclose(
        BOX.to_crop(answer(BOX)), other.to_crop(answer(other)), rtol=1e-4, atol=1e-4
    )
    # The keypoint box is as wide as the points, and `scale` times narrower than the crop.
    assert np.ptp(answer(BOX), axis=0).max() == pytest.approx(100 / scale, rel=1e-4)
