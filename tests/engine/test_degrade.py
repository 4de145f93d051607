"""A degraded photo: what is done to it, and how far predictions drift, against known ones."""

import cv2
import numpy as np
import pytest

from kpdemo.engine import degrade
from kpdemo.engine.degrade import Degradation
from kpdemo.engine.engine import engine
from kpdemo.media import corruptions
from kpdemo.structures import ComparedFace, Comparison, Face, Prediction

EYES = 100.0  # pixels between the outer eye corners


def shape() -> np.ndarray:
    """68 points with known outer eye corners."""
    points = np.random.default_rng(0).uniform(120, 280, (68, 2))
    points[36], points[45] = (150, 180), (150 + EYES, 180)
    return points


def face(points: np.ndarray | None, center: np.ndarray, width: float) -> ComparedFace:
    x, y = center
    box = (x - width / 2, y - width / 2, x + width / 2, y + width / 2)
    detection = Face(box, 0.9, np.tile(center, (6, 1)), 0.0)
    predictions = {"unet": Prediction("ibug-68", points, None, 1.0)} if points is not None else {}
    return ComparedFace(detection, predictions)


def comparison(*faces: ComparedFace) -> Comparison:
    return Comparison(400, 400, list(faces), {"total": 1.0}, {})


CENTER = np.array([200.0, 200.0])
UNTOUCHED = comparison(face(shape(), CENTER, 180))
PIXELS = np.full((400, 400, 3), 90, np.uint8)


def model_with_offset(offset: float, degradation: Degradation):
    """A model that follows the picture exactly, but for `offset` pixels of it to the right."""
    _, matrix = degrade.apply(PIXELS, UNTOUCHED.faces, degradation)
    points = corruptions.move(shape(), matrix) + (offset, 0)
    center = corruptions.move(CENTER[None], matrix)[0]
    scale = np.sqrt(np.linalg.det(matrix[:, :2]))
    return lambda photo: comparison(face(points, center, 180 * scale))


@pytest.mark.parametrize(
    ("degradation", "scale"),
    [
        (Degradation(turn=30), 1),
        (Degradation(turn=-135, size=50), 0.5),
        (Degradation(size=25, quality=10, blur=2, darkness=40), 0.25),
    ],
)
def test_drift_is_what_a_model_moves_against_the_picture(degradation, scale):
    for offset, percent in ((0, 0), (3, 100 * 3 / scale / EYES)):
        compare = model_with_offset(offset, degradation)
        degraded = degrade.degrade(compare, PIXELS, UNTOUCHED, degradation)
        drift = degrade.drifts(UNTOUCHED, degraded)["unet"]
        assert drift.mean == pytest.approx(percent, abs=0.01)
        assert drift.lost == 0


def test_a_photo_as_it_is_has_no_drift_and_is_not_compared_again():
    degraded = degrade.degrade(pytest.fail, PIXELS, UNTOUCHED, Degradation(side="left"))
    assert degraded.pixels is PIXELS
    assert degrade.drifts(UNTOUCHED, degraded)["unet"].faces == (0,)


def test_lost_faces_and_lost_points_count_and_are_in_no_mean():
    two = comparison(*UNTOUCHED.faces, face(shape() + 400, CENTER + 400, 180))
    for found, lost in (
        ([], 2),
        ([face(shape(), CENTER, 180)], 1),
        ([face(None, CENTER, 180), face(shape() + 400, CENTER + 400, 180)], 1),
    ):
        degraded = degrade.degrade(
            lambda _, found=found: comparison(*found), PIXELS, two, Degradation(darkness=5)
        )
        drift = degrade.drifts(two, degraded)["unet"]
        assert drift.lost == lost
        assert drift.mean == (None if lost == 2 else 0)


def test_faces_that_were_not_there_are_no_ones_drift():
    found = comparison(face(shape() + 300, CENTER + 300, 90), *UNTOUCHED.faces)
    degraded = degrade.degrade(lambda _: found, PIXELS, UNTOUCHED, Degradation(darkness=5))
    assert degraded.faces == [found.faces[1]]
    assert degraded.more_faces == 1
    assert degrade.drifts(UNTOUCHED, degraded)["unet"].faces == (0,)


def test_a_marked_pixel_moves_as_the_matrix_says():
    picture = np.zeros((121, 161, 3), np.uint8)
    cv2.circle(picture, (130, 30), 6, (255, 255, 255), -1)
    changed, matrix = degrade.apply(picture, [], Degradation(turn=40, size=60))
    weight = changed[..., 0].astype(float)
    y, x = np.mgrid[: weight.shape[0], : weight.shape[1]]
    center = (x * weight).sum() / weight.sum(), (y * weight).sum() / weight.sum()
    expected = corruptions.move(np.array([[130.0, 30]]), matrix)
    np.testing.assert_allclose(expected[0], center, atol=0.15)
    np.testing.assert_allclose(corruptions.move_back(expected, matrix), [[130, 30]])


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
    changed, _ = degrade.apply(PIXELS, UNTOUCHED.faces, Degradation(cover=50, side=side))
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


def test_every_model_follows_a_turned_portrait(astronaut):
    def compare(photo):
        return engine().compare(photo)

    untouched = compare(degrade.as_photo(astronaut))
    degraded = degrade.degrade(compare, astronaut, untouched, Degradation(turn=60))
    drifts = degrade.drifts(untouched, degraded)
    assert list(drifts) == untouched.models
    for drift in drifts.values():
        assert drift.lost == 0
        assert 0 < drift.mean < 10
