"""Agreement with the baseline, against faces whose distances were planted by hand."""

import numpy as np
import pytest

from kpdemo import agreement, markup
from kpdemo.compare import Answer, ComparedFace


@pytest.fixture
def mesh() -> np.ndarray:
    """A mesh `(478, 2)` at random places, outer eye corners exactly 50 px apart."""
    points = np.random.default_rng(7).uniform(0, 200, (478, 2)).astype(np.float32)
    known = markup.get("mediapipe-478").anatomy
    points[known["right_eye_outer_corner"][0]] = (60, 80)
    points[known["left_eye_outer_corner"][0]] = (100, 110)
    return points


def answer(name: str, keypoints: np.ndarray, **converted: np.ndarray) -> Answer:
    return Answer(name, np.asarray(keypoints, np.float32), None, 1.0, converted)


def face(**answers: Answer) -> ComparedFace:
    return ComparedFace((0.0, 0.0, 200.0, 200.0), 0.9, 0.0, answers)


def as_ibug(mesh: np.ndarray) -> np.ndarray:
    return markup.convert(mesh, "mediapipe-478", "ibug-68")


@pytest.mark.parametrize("name", ["nose-1", "kaggle-15", "ibug-68"])
def test_a_planted_shift_is_reported_in_percent_of_the_eye_distance(mesh, name):
    ours = markup.convert(mesh, "mediapipe-478", name) + np.array([3, 4])
    found = agreement.distances(answer(name, ours), answer("mediapipe-478", mesh))
    assert found == pytest.approx(10.0, abs=1e-3)


def test_points_that_the_baseline_does_not_name_are_left_out(mesh):
    ours = np.zeros((58, 2))
    found = agreement.distances(answer("imm-58", ours), answer("mediapipe-478", mesh))
    known = markup.get("imm-58")
    shared = {at[0] for _, at, _ in markup.shared("imm-58", "mediapipe-478") if len(at) == 1}
    assert 0 < len(shared) < len(known)
    assert set(np.flatnonzero(np.isfinite(found))) == shared


def test_an_unknown_point_does_not_spoil_the_mean(mesh):
    ours = as_ibug(mesh) + np.array([0, 5])
    ours[8] = np.nan
    compared = face(unet=answer("ibug-68", ours), mediapipe=answer("mediapipe-478", mesh))
    assert agreement.on_face(compared, "unet") == pytest.approx(10.0, abs=1e-3)


def test_fitted_points_go_before_the_plain_map_and_that_before_the_mesh(mesh):
    ours = answer("ibug-68", as_ibug(mesh))
    plain = {"ibug-68": as_ibug(mesh) + np.array([5, 0])}
    fitted = {"ibug-68-fitted": as_ibug(mesh) + np.array([10, 0])}
    for converted, percent in (({}, 0), (plain, 10), (plain | fitted, 20)):
        baseline = answer("mediapipe-478", mesh, **converted)
        compared = face(unet=ours, mediapipe=baseline)
        assert agreement.on_face(compared, "unet") == pytest.approx(percent, abs=1e-3)


def test_none_where_there_is_nothing_to_compare(mesh):
    ours, baseline = answer("ibug-68", as_ibug(mesh)), answer("mediapipe-478", mesh)
    assert agreement.on_face(face(unet=ours), "unet") is None
    assert agreement.on_face(face(mediapipe=baseline), "unet") is None
    assert agreement.on_face(face(mediapipe=baseline), "mediapipe") is None
    flat = answer("mediapipe-478", np.zeros((478, 2)))
    assert agreement.on_face(face(unet=ours, mediapipe=flat), "unet") is None


def test_overall_is_the_mean_over_the_faces_that_have_both(mesh):
    baseline = answer("mediapipe-478", mesh)
    near = face(unet=answer("ibug-68", as_ibug(mesh) + np.array([0, 1])), mediapipe=baseline)
    far = face(unet=answer("ibug-68", as_ibug(mesh) + np.array([0, 3])), mediapipe=baseline)
    lonely = face(unet=answer("ibug-68", as_ibug(mesh)))
    assert agreement.overall([near, far, lonely], "unet") == pytest.approx(4.0, abs=1e-3)
    assert agreement.overall([lonely], "unet") is None
