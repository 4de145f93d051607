"""How far answers are from a reference, on faces whose distances were planted by hand."""

import numpy as np
import pytest
from helpers.faces import compared_face

from kpdemo.keypoints import agreement, markups
from kpdemo.keypoints.agreement import distances, summary
from kpdemo.structures import Prediction


@pytest.fixture
def mesh() -> np.ndarray:
    """A mesh `(478, 2)` at random places, outer eye corners exactly 50 px apart."""
    points = np.random.default_rng(7).uniform(0, 200, (478, 2)).astype(np.float32)
    known = markups.get("mediapipe-478").anatomy
    points[known["right_eye_outer_corner"][0]] = (60, 80)
    points[known["left_eye_outer_corner"][0]] = (100, 110)
    return points


def prediction(name: str, keypoints: np.ndarray, **converted: np.ndarray) -> Prediction:
    return Prediction(name, np.asarray(keypoints, np.float32), None, 1.0, converted)


def as_ibug(mesh: np.ndarray) -> np.ndarray:
    return markups.convert(mesh, "mediapipe-478", "ibug-68")


@pytest.mark.parametrize("name", ["nose-1", "kaggle-15", "ibug-68"])
def test_a_planted_shift_is_reported_in_pixels_and_percent_of_the_eye_distance(mesh, name):
    ours = markups.convert(mesh, "mediapipe-478", name) + np.array([3, 4])
    gaps = distances(prediction(name, ours), prediction("mediapipe-478", mesh))
    assert gaps.at.tolist() == list(range(len(markups.get(name))))
    assert gaps.pixels == pytest.approx(5.0, abs=1e-4)
    assert gaps.percent == pytest.approx(10.0, abs=1e-3)
    assert gaps.ours == pytest.approx(gaps.theirs + (3, 4), abs=1e-4)


def test_points_that_the_reference_does_not_name_are_left_out(mesh):
    ours = np.zeros((58, 2))
    gaps = distances(prediction("imm-58", ours), prediction("mediapipe-478", mesh))
    shared = {at[0] for _, at, _ in markups.shared("imm-58", "mediapipe-478") if len(at) == 1}
    assert 0 < len(shared) < 58
    assert set(gaps.at) == shared


def test_one_markup_is_compared_point_by_point_also_where_points_have_no_name():
    points = np.random.default_rng(1).uniform(0, 99, (58, 2))
    gaps = distances(prediction("imm-58", points + (0, 2)), prediction("imm-58", points))
    assert gaps.pixels == pytest.approx(np.full(58, 2), abs=1e-4)


def test_an_unknown_point_does_not_spoil_the_mean(mesh):
    ours = as_ibug(mesh) + np.array([0, 5])
    ours[8] = np.nan
    found = summary([(prediction("ibug-68", ours), prediction("mediapipe-478", mesh))])
    assert found.percent == pytest.approx(10.0, abs=1e-3)
    assert found.groups["jaw"] == pytest.approx(10.0, abs=1e-3)


def test_groups_have_means_of_their_own(mesh):
    ours = as_ibug(mesh)
    ours[list(markups.get("ibug-68").groups["jaw"])] += (0, 5)
    found = summary([(prediction("ibug-68", ours), prediction("mediapipe-478", mesh))])
    assert found.groups["jaw"] == pytest.approx(10.0, abs=1e-3)
    assert found.groups["mouth"] == pytest.approx(0.0, abs=1e-3)
    assert found.percent == pytest.approx(10.0 * 17 / 68, abs=1e-3)


def test_fitted_points_go_before_the_plain_map_and_that_before_the_mesh(mesh):
    ours = prediction("ibug-68", as_ibug(mesh))
    plain = {"ibug-68": as_ibug(mesh) + np.array([5, 0])}
    fitted = {"ibug-68-fitted": as_ibug(mesh) + np.array([10, 0])}
    for converted, percent in (({}, 0), (plain, 10), (plain | fitted, 20)):
        baseline = prediction("mediapipe-478", mesh, **converted)
        assert summary([(ours, baseline)]).percent == pytest.approx(percent, abs=1e-3)


def test_kaggles_points_are_held_against_the_fitted_ones_too(mesh):
    ours = markups.convert(mesh, "mediapipe-478", "kaggle-15")
    baseline = prediction("mediapipe-478", mesh, **{"kaggle-15-fitted": ours + np.array([10, 0])})
    for gaps in (
        distances(prediction("kaggle-15", ours), baseline),
        distances(baseline, prediction("kaggle-15", ours)),
    ):
        assert gaps.markup == "kaggle-15" and len(gaps.at) == 15
        assert gaps.percent == pytest.approx(20.0, abs=1e-3)


def test_a_converted_answer_is_held_against_marks_in_their_own_markup(mesh):
    fitted = {"ibug-68-fitted": as_ibug(mesh) + np.array([10, 0])}
    gaps = distances(
        prediction("mediapipe-478", mesh, **fitted), prediction("ibug-68", as_ibug(mesh))
    )
    assert gaps.markup == "ibug-68" and len(gaps.at) == 68
    assert gaps.pixels == pytest.approx(10.0, abs=1e-4)


def test_without_eye_corners_there_are_pixels_and_no_percent(mesh):
    nose = markups.convert(mesh, "mediapipe-478", "nose-1")
    found = summary([(prediction("ibug-68", as_ibug(mesh) + (0, 4)), prediction("nose-1", nose))])
    assert found.pixels == pytest.approx(4.0, abs=1e-3)
    assert found.percent is None and found.groups == {}


def test_none_where_there_is_nothing_to_compare(mesh):
    ours, baseline = prediction("ibug-68", as_ibug(mesh)), prediction("mediapipe-478", mesh)
    for pair in ((ours, None), (None, baseline)):
        assert summary([pair]).percent is None
    flat = prediction("mediapipe-478", np.zeros((478, 2)))
    assert summary([(ours, flat)]).percent is None


def test_the_summary_is_the_mean_over_the_faces_that_have_both(mesh):
    baseline = prediction("mediapipe-478", mesh)
    near = prediction("ibug-68", as_ibug(mesh) + np.array([0, 1]))
    far = prediction("ibug-68", as_ibug(mesh) + np.array([0, 3]))
    found = summary([(near, baseline), (far, baseline), (near, None)])
    assert found.percent == pytest.approx(4.0, abs=1e-3)
    assert found.pixels == pytest.approx(2.0, abs=1e-3)


def test_baselines_are_mediapipes_answers(mesh):
    baseline = prediction("mediapipe-478", mesh)
    faces = [
        compared_face((0.0, 0.0, 9.0, 9.0), predictions)
        for predictions in ({"mediapipe": baseline}, {})
    ]
    assert agreement.baselines(faces) == [baseline, None]
