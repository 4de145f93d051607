"""Conditions on real portraits, and the whole measurement on two of them."""

import json

import cv2
import numpy as np
import pytest
from helpers import writers

from kpdemo.models import mesh_to_ibug
from kpdemo.models.face_landmarker import FaceLandmarker
from kpdemo.zoo import DEFAULT_MODELS
from train.evaluation import corruptions
from train.evaluation.corruptions import CONDITIONS

OTHERS = ("dark (×0.4)", "JPEG quality 20", "a quarter of the face hidden", "grey")


def eyes(finder, pixels):
    """Where the finder sees the biggest face's eyes and nose: `(3, 2)`."""
    return finder.find(pixels)[0].keypoints[:3]


@pytest.mark.parametrize("name", CONDITIONS)
@pytest.mark.parametrize("number", [0, 1])
def test_keypoints_stay_on_the_face(finder, astronaut, name, number):
    before = eyes(finder, astronaut)
    pixels, moved = CONDITIONS[name](astronaut, before, number)
    assert pixels.dtype == np.uint8
    assert pixels.shape[2] == 3
    side = np.linalg.norm(moved[0] - moved[1])
    # The finder itself wavers; labels left where they were would be off by half the distance.
    away = np.linalg.norm(eyes(finder, pixels) - moved, axis=1) / side
    assert away.max() < 0.25


@pytest.mark.parametrize("degrees", [15, 30, 45])
def test_rotation_alternates_and_keeps_all_of_the_picture(degrees):
    picture = np.full((60, 90, 3), 255, np.uint8)
    corners = np.array([[0, 0], [89, 0], [89, 59], [0, 59.0]])
    for number, sign in ((0, 1), (1, -1)):
        pixels, moved = CONDITIONS[f"rotated {degrees}°"](picture, corners, number)
        height, width = pixels.shape[:2]
        assert (moved >= -0.5).all()
        assert (moved <= (width - 0.5, height - 0.5)).all()
        assert np.linalg.norm(moved[0] - moved[2]) == pytest.approx(np.hypot(89, 59))
        dx, dy = moved[1] - moved[0]
        assert np.degrees(np.arctan2(dy, dx)) == pytest.approx(sign * degrees)
        # Nothing is cut: as much white as before, but for the blend at the edge.
        assert pixels.mean(2).sum() == pytest.approx(255 * 60 * 90, rel=0.02)


def test_a_marked_pixel_moves_as_its_keypoint_does():
    for name in ("rotated 30°", "half size"):
        picture = np.zeros((81, 121, 3), np.uint8)
        cv2.circle(picture, (90, 20), 4, (255, 255, 255), -1)
        pixels, moved = CONDITIONS[name](picture, np.array([[90.0, 20.0]]), 1)
        weight = pixels[..., 0].astype(float)
        y, x = np.mgrid[: weight.shape[0], : weight.shape[1]]
        centre = (x * weight).sum() / weight.sum(), (y * weight).sum() / weight.sum()
        np.testing.assert_allclose(moved[0], centre, atol=0.15)


def test_half_size_halves(astronaut):
    pixels, moved = CONDITIONS["half size"](astronaut, np.array([[0.0, 0], [511, 511]]), 0)
    assert pixels.shape == (256, 256, 3)
    np.testing.assert_allclose(moved, [[-0.25, -0.25], [255.25, 255.25]])


@pytest.mark.parametrize("name", OTHERS)
def test_only_the_pixels_change_and_the_photo_is_not_written_on(astronaut, name):
    points = np.array([[180.0, 60], [270, 170]])
    before = astronaut.copy()
    pixels, same = CONDITIONS[name](astronaut, points, 3)
    np.testing.assert_array_equal(same, points)
    np.testing.assert_array_equal(astronaut, before)
    assert pixels.shape == astronaut.shape
    assert (pixels != astronaut).any()


def test_darkness_and_grey_are_what_they_say(astronaut):
    points = np.zeros((1, 2))
    dark, _ = CONDITIONS["dark (×0.4)"](astronaut, points, 0)
    assert dark.mean() == pytest.approx(0.4 * astronaut.mean(), rel=0.01)
    grey, _ = CONDITIONS["grey"](astronaut, points, 0)
    assert (grey[..., 0] == grey[..., 1]).all()
    assert (grey[..., 0] == grey[..., 2]).all()


def test_a_quarter_of_the_box_is_hidden_the_same_one_each_time():
    hide = CONDITIONS["a quarter of the face hidden"]
    picture = np.zeros((100, 100, 3), np.uint8)
    points = np.array([[20.0, 10], [60, 90]])
    masks = [hide(picture, points, number)[0][..., 0] > 0 for number in range(20)]
    for mask in masks:
        y, x = np.nonzero(mask)
        assert mask.sum() == 20 * 40
        assert (x.min(), y.min()) in {(20, 10), (40, 10), (20, 50), (40, 50)}
        assert (x.max() - x.min(), y.max() - y.min()) == (19, 39)
    assert len({mask.tobytes() for mask in masks}) == 4
    again = hide(picture, points, 7)[0][..., 0] > 0
    np.testing.assert_array_equal(again, masks[7])


@pytest.fixture
def portrait_and_nothing(tmp_path, monkeypatch, finder, astronaut):
    """300-W common of two: a portrait labelled by MediaPipe, and labels on an empty picture."""
    portrait = cv2.resize(astronaut[:280, 90:370], None, fx=0.7, fy=0.7)
    with FaceLandmarker() as baseline:
        mesh = baseline.keypoints(portrait, finder.find(portrait))[0]
    nothing = np.full((64, 64, 3), 128, np.uint8)
    for part, pixels, points in (
        ("helen/testset", portrait, mesh_to_ibug.by_index(mesh)),
        ("lfpw/testset", nothing, writers.face("ibug-68", 64, 64, "nothing")),
    ):
        label = tmp_path / "data" / "300w" / part / "image_0001.pts"
        writers.write_pts(label, points + 1)
        cv2.imwrite(str(label.with_suffix(".png")), pixels[..., ::-1])
    monkeypatch.setenv("KPDEMO_DATA", str(tmp_path / "data"))


def test_measure_counts_found_and_lost_faces_of_every_model(portrait_and_nothing, tmp_path):
    result = corruptions.measure(tmp_path / "robustness.json")
    assert json.loads((tmp_path / "robustness.json").read_text()) == result
    assert (result["source"], result["faces"]) == ("300w-common", 2)
    assert result["command"] == "python -m train robustness"
    assert list(result["conditions"]) == list(CONDITIONS)
    for name, models in result["conditions"].items():
        assert set(models) == {*DEFAULT_MODELS, "mediapipe-index", "mediapipe-ridge"}
        for row in models.values():
            assert row["lost"] == 50
            assert row["fr8"] >= 50
            assert row["nme"] < 25
        # The labels are MediaPipe's own answer on the portrait as it is.
        if name == "as it is":
            assert models["mediapipe-index"]["nme"] < 0.01
            assert models["unet"]["nme"] < 8
        elif name != "grey":
            assert models["mediapipe-index"]["nme"] > 0.1


def test_a_set_without_any_found_face_has_no_nme():
    assert corruptions.figures(np.full((3, 68), np.inf)) == {
        "nme": None,
        "fr8": 100.0,
        "lost": 100.0,
    }
