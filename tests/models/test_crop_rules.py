import numpy as np
import pytest

from kpdemo.faces.crop import Crop
from kpdemo.models import crop_rules
from kpdemo.models.config import ConfigError, Framing
from kpdemo.structures import Face

REFERENCES = ("keypoint-box", "kaggle", "imm-picture")


def turned(points: np.ndarray, degrees: float, about: tuple[float, float]) -> np.ndarray:
    """Points turned clockwise on the screen."""
    angle = np.radians(degrees)
    turn = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    return ((np.asarray(points) - about) @ turn.T + about).astype(np.float32)


def kaggle_face(unit: float, x: float, y: float) -> np.ndarray:
    """A face with the measures of Kaggle's mean one, `unit` photo pixels to one of its own."""
    points = np.zeros((15, 2), np.float32)
    points[[0, 1]] = [[18.35, 0], [-18.35, 0]]
    points[[2, 3, 4, 5]] = [[11, 0], [25, 0], [-11, 0], [-25, 0]]
    points[[6, 7, 8, 9]] = [[8, -9], [31, -8], [-8, -9], [-31, -8]]
    points[10] = [0, 20]
    points[[11, 12, 13, 14]] = [[14, 39.2], [-14, 39.2], [0, 35], [0, 45]]
    return points * unit + np.float32([x, y])


def found_face(x: float, y: float, side: float, roll: float) -> Face:
    """What the detector would say of a frontal face, a little lopsided."""
    points = [[-0.36, -0.35], [0.35, -0.33], [0.02, 0.05], [0.01, 0.45], [-0.8, -0.2], [0.79, -0.2]]
    points = turned(np.array(points) * side / 2 + (x, y), roll, (x, y))
    box = (x - side / 2, y - side / 2, x + side / 2, y + side / 2)
    return Face(box, 0.9, points, roll)


def test_keypoint_box_by_hand() -> None:
    points = np.float32([[10, 20], [50, 24], [30, 100], [np.nan, np.nan]])
    crop = crop_rules.from_keypoints(Framing("keypoint-box", 1.5), points, "x", 300, 200)
    assert crop == Crop(30, 60, 120, 120)


def test_kaggle_by_hand() -> None:
    """The face must lie in the crop where it lies in Kaggle's own pictures."""
    points = kaggle_face(3, 200, 150)
    crop = crop_rules.from_keypoints(Framing("kaggle"), points, "kaggle-15", 640, 480)
    assert crop.width == pytest.approx(3 * 96)
    assert crop.height == pytest.approx(3 * 96)
    in_crop = (crop.to_crop(points) + 1) / 2 * 96 - 0.5  # pixels of the 96 x 96 cut
    assert in_crop[0] == pytest.approx([48.1 + 18.35, 56.5 - 19.6], abs=0.01)
    assert in_crop[11] == pytest.approx([48.1 + 14, 56.5 + 19.6], abs=0.01)


def test_kaggle_pictures_are_that_cut_already() -> None:
    points = np.full((15, 2), np.nan, np.float32)
    crop = crop_rules.from_keypoints(Framing("kaggle"), points, "kaggle-15", 96, 96)
    assert crop == Crop.whole(96, 96)


def test_whole_picture_by_hand() -> None:
    points = np.zeros((58, 2), np.float32)
    crop = crop_rules.from_keypoints(Framing("imm-picture"), points, "imm-58", 640, 480)
    assert crop == Crop(319.5, 239.5, 640, 480)


@pytest.mark.parametrize("roll", [-50.0, 12.0, 90.0])
@pytest.mark.parametrize("reference", REFERENCES)
def test_crop_rolls_with_the_labels(reference: str, roll: float) -> None:
    """A photo turned about its middle: the same crop, turned with it."""
    points = kaggle_face(2.5, 260, 200)
    upright = crop_rules.from_keypoints(Framing(reference, 1.2), points, "kaggle-15", 640, 480)
    points = turned(points, roll, (319.5, 239.5))
    rolled = crop_rules.from_keypoints(Framing(reference, 1.2), points, "kaggle-15", 640, 480, roll)
    corners = [[-1, -1], [1, -1], [1, 1]]
    expected = turned(upright.to_photo(corners), roll, (319.5, 239.5))
    np.testing.assert_allclose(rolled.to_photo(corners), expected, atol=0.01)
    assert rolled.roll == roll


@pytest.mark.parametrize("reference", REFERENCES)
def test_crop_moves_grows_and_rolls_with_the_found_face(reference: str) -> None:
    places = np.array([[-1, -1], [1, -1], [0, 0], [1, 1]])
    crop = crop_rules.from_face(Framing(reference), found_face(300, 250, 120, 0))
    other = crop_rules.from_face(Framing(reference), found_face(900, 610, 300, 25))
    moved = (crop.to_photo(places) - (300, 250)) * 300 / 120 + (900, 610)
    np.testing.assert_allclose(other.to_photo(places), turned(moved, 25, (900, 610)), atol=0.05)
    assert other.roll == 25


@pytest.mark.parametrize("reference", REFERENCES)
def test_scale_widens_the_predicted_crop(reference: str) -> None:
    face = found_face(300, 250, 120, 10)
    crop, wider = (crop_rules.from_face(Framing(reference, scale), face) for scale in (1.0, 1.3))
    assert wider == crop.scaled(1.3)


def test_predicted_crops_are_plausible() -> None:
    """BlazeFace's box goes from the brows to the chin, a little wider than the jaw."""
    face = found_face(300, 250, 120, 0)
    box, kaggle, picture = (crop_rules.from_face(Framing(name), face) for name in REFERENCES)
    assert box.width == box.height == pytest.approx(120, rel=0.2)
    assert (box.x, box.y) == pytest.approx((300, 250), abs=20)
    # Kaggle's eyes are 36.7 of 96 pixels apart; this face's are 42.6.
    assert kaggle.width == kaggle.height == pytest.approx(42.6 * 96 / 36.7, rel=0.15)
    assert picture.width > 2.2 * box.width
    assert picture.height / picture.width == pytest.approx(0.75, abs=0.01)


@pytest.mark.parametrize("roll", [0.0, -30.0])
def test_features_and_target_are_inverse_to_the_prediction(roll: float) -> None:
    """What `target` says of a crop, put through `from_face`'s frame, is that crop again."""
    face = found_face(300, 250, 120, roll)
    predicted = crop_rules.from_face(Framing("keypoint-box"), face)
    coefficients = np.linalg.lstsq(
        crop_rules.features(face)[None], crop_rules.target(face, predicted)[None], rcond=None
    )[0]
    x, y, log_width = crop_rules.features(face) @ coefficients
    assert np.exp(log_width) * 60 == pytest.approx(predicted.width)
    centre = turned(np.array([[300 + 60 * x, 250 + 60 * y]]), roll, (300, 250))[0]
    assert centre == pytest.approx((predicted.x, predicted.y), abs=0.01)


def test_unknown_framing_is_told() -> None:
    with pytest.raises(ConfigError, match=r"'tight'.*keypoint-box, kaggle, imm-picture"):
        crop_rules.from_face(Framing("tight"), found_face(1, 1, 1, 0))
    with pytest.raises(ConfigError, match=r"'tight'.*keypoint-box, kaggle, imm-picture"):
        crop_rules.from_keypoints(Framing("tight"), np.zeros((68, 2)), "ibug-68", 9, 9)
