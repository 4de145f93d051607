"""Expressions of two portraits: one smiles, both look at the camera with open eyes."""

from dataclasses import replace

import cv2
import numpy as np
import pytest

from kpdemo.faces.detector import FaceFinder
from kpdemo.models.expressions import Expression, Expressions


@pytest.fixture(scope="module")
def read(finder: FaceFinder):
    """`read(pixels)` is the expression of the largest face."""
    with Expressions() as expressions:

        def read(pixels: np.ndarray) -> Expression | None:
            return expressions.read(pixels, finder.find(pixels)[0])

        yield read


def test_a_smile_is_told_from_a_straight_face(read, hopper, astronaut):
    assert read(astronaut).smile > 0.6
    assert read(hopper).smile < 0.2


def test_open_eyes_do_not_blink_and_a_face_to_the_camera_has_no_yaw(read, hopper, astronaut):
    for portrait in (hopper, astronaut):
        expression = read(portrait)
        assert max(expression.blink_left, expression.blink_right) < 0.3
        assert abs(expression.yaw) < 6 and abs(expression.pitch) < 15


@pytest.mark.parametrize("turn", [-30, 25])
def test_roll_is_that_of_the_head_however_the_crop_was_turned(read, finder, hopper, turn):
    matrix = cv2.getRotationMatrix2D((256, 256), -turn, 1)  # OpenCV counts the other way
    turned = cv2.warpAffine(hopper, matrix, hopper.shape[1::-1])
    assert read(turned).roll - read(hopper).roll == pytest.approx(turn, abs=4)
    (face, *_) = finder.find(turned)
    with Expressions() as expressions:
        upright = expressions.read(turned, replace(face, roll=0.0))
    assert upright is not None and upright.roll == pytest.approx(read(turned).roll, abs=4)


def test_where_there_is_no_face_there_is_no_expression(finder, hopper):
    (face, *_) = finder.find(hopper)
    with Expressions() as expressions:
        assert expressions.read(np.full_like(hopper, 90), face) is None
