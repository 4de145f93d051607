"""A degraded photo: what is done to it."""

import cv2
import numpy as np
import pytest

from kpdemo.engine import degrade
from kpdemo.engine.degrade import Degradation
from kpdemo.engine.engine import engine
from kpdemo.media import corruptions
from kpdemo.structures import ComparedFace, Face

FACE = ComparedFace(Face((110, 110, 290, 290), 0.9, np.full((6, 2), 200.0), 0.0), {})
PIXELS = np.full((400, 400, 3), 90, np.uint8)


def test_a_marked_pixel_moves_as_the_matrix_says():
    picture = np.zeros((121, 161, 3), np.uint8)
    cv2.circle(picture, (130, 30), 6, (255, 255, 255), -1)
    changed, matrix = degrade.apply(picture, [], Degradation(turn=40, size=60))
    weight = changed[..., 0].astype(float)
    y, x = np.mgrid[: weight.shape[0], : weight.shape[1]]
    center = (x * weight).sum() / weight.sum(), (y * weight).sum() / weight.sum()
    expected = corruptions.move(np.array([[130.0, 30]]), matrix)
    np.testing.assert_allclose(expected[0], center, atol=0.15)


@pytest.mark.parametrize(
    ("side", "rows", "columns"),
    [
        ("below", slice(200, 290), slice(110, 290)),
        ("above", slice(110, 200), slice(110, 290)),
        ("left", slice(110, 290), slice(110, 200)),
        ("right", slice(110, 290), slice(200, 290)),
    ],
)
def test_half_of_the_face_is_covered(side, rows, columns):
    changed, _ = degrade.apply(PIXELS, [FACE], Degradation(cover=50, side=side))
    covered = np.zeros((400, 400), bool)
    covered[rows, columns] = True
    np.testing.assert_array_equal((changed != PIXELS).all(2), covered)


def test_settings_stay_within_their_limits():
    strange = {"turn": 1e9, "size": 0, "blur": float("nan"), "quality": "all", "side": "inside"}
    assert Degradation.within_limits(strange) == Degradation(turn=180, size=5)
    assert Degradation.within_limits({}).changes_nothing
    assert not Degradation.within_limits({"cover": 5}).changes_nothing


def test_the_smallest_picture_can_still_be_compared(hopper):
    small = hopper[::10, ::10]
    changed, _ = degrade.apply(small, [], Degradation(size=5))
    assert min(changed.shape[:2]) >= 16
    assert engine().compare(degrade.as_photo(changed), ["unet"]).faces == []
