"""Steadied keypoints of a face of 100 pixels; its eyes' outer corners are 60 apart."""

from collections.abc import Callable
from itertools import pairwise

import numpy as np
import pytest

from kpdemo.keypoints import steady
from kpdemo.keypoints.steady import FaceFilter

WIDTH, EYES = 100.0, 60.0
Way = Callable[[float], float]


@pytest.fixture(scope="module")
def face() -> np.ndarray:
    """68 points of iBUG, the outer eye corners 60 pixels apart."""
    points = np.random.default_rng(1).uniform(-40, 40, (68, 2))
    points[36], points[45] = (-EYES / 2, -10), (EYES / 2, -10)
    return points + 200


def follow(
    face: np.ndarray,
    rate: float,
    move: Callable[[np.ndarray, float], np.ndarray] = lambda points, _: points,
    own: float = 0.0,
    common: float = 0.0,
    seconds: float = 8.0,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """True, noisy and steadied points `(T, K, 2)`.

    `own` and `common` are the standard deviations in pixels of each point's noise, and of noise
    that moves all points alike.
    """
    rng, filter_ = np.random.default_rng(0), FaceFilter()
    true, noisy, steadied = [], [], []
    for k in range(int(seconds * rate)):
        true.append(move(face, k / rate))
        noise = rng.normal(0, own, face.shape) + rng.normal(0, common, 2)
        noisy.append(true[-1] + noise)
        steadied.append(filter_(noisy[-1], WIDTH, k / rate))
    return np.array(true), np.array(noisy), np.array(steadied)


def error(points: np.ndarray, true: np.ndarray) -> float:
    """The mean distance in percent of the eye distance, once the filter has settled."""
    return float(100 * np.linalg.norm(points - true, axis=-1)[len(true) // 2 :].mean() / EYES)


def steps(points: np.ndarray) -> float:
    """The mean jitter from frame to frame, once the filter has settled."""
    later = points[len(points) // 2 :]
    pairs = pairwise(later)
    return float(np.mean([steady.jitter(a, b, "ibug-68") for a, b in pairs]))


def test_a_face_at_rest_stays(face):
    true, _, steadied = follow(face, 30)
    assert steadied == pytest.approx(true, abs=1e-9)


@pytest.mark.parametrize(
    ("rate", "remaining", "frame_to_frame"), [(30, 0.45, 0.25), (10, 0.6, 0.45)]
)
def test_jitter_of_a_face_at_rest_is_reduced(face, rate, remaining, frame_to_frame):
    # 0.3 % of the eye distance a point, and half of that in common.
    true, noisy, steadied = follow(face, rate, own=0.003 * EYES, common=0.0015 * EYES)
    assert error(steadied, true) < remaining * error(noisy, true)
    assert steps(steadied) < frame_to_frame * steps(noisy)


def test_jitter_is_reduced_on_a_moving_head_too(face):
    true, noisy, steadied = follow(
        face, 30, lambda points, t: points + (EYES * t, 0), own=0.003 * EYES
    )
    assert steps(steadied) < 0.25 * steps(noisy)
    lag = (true - steadied)[len(true) // 2 :].mean((0, 1))
    assert lag[0] < 0.014 * EYES and abs(lag[1]) < 0.001 * EYES


@pytest.mark.parametrize("rate", [10, 30])
@pytest.mark.parametrize("speed", [0.2, 1.0, 3.0])
def test_a_sudden_movement_lags_by_less_than_three_percent(face, rate, speed):
    """A head that rests for two seconds, then moves so many eye distances a second."""
    true, _, steadied = follow(
        face, rate, lambda points, t: points + (speed * EYES * max(0, t - 2), 0)
    )
    lag = np.linalg.norm(true - steadied, axis=-1).mean(1) / EYES
    assert lag.max() < 0.03
    assert lag[-1] < 1 / (2 * np.pi * 20) * WIDTH / EYES  # once the pace is steady


def test_a_head_that_turns_over_and_comes_nearer_is_followed(face):
    def move(points: np.ndarray, t: float) -> np.ndarray:
        angle, size = t, np.exp(0.2 * t)  # more than a whole turn in eight seconds
        turn = np.array([[np.cos(angle), np.sin(angle)], [-np.sin(angle), np.cos(angle)]])
        return size * (points - 200) @ turn + 200

    true, _, steadied = follow(face, 30, move)
    size = EYES * np.exp(0.2 * np.arange(len(true)) / 30)
    assert (np.linalg.norm(true - steadied, axis=-1).mean(1) / size).max() < 0.05


def test_a_blink_is_not_smoothed_away(face):
    """An eyelid closes by 12 % of the eye distance and opens again, within a fifth of a second."""

    def blink(points: np.ndarray, t: float) -> np.ndarray:
        points = points.copy()
        points[37, 1] += 0.12 * EYES * np.exp(-(((t - 4) / 0.07) ** 2))
        return points

    true, _, steadied = follow(face, 30, blink)
    closing = steadied[:, 37, 1] - steadied[0, 37, 1]
    assert closing.max() > 0.75 * 0.12 * EYES
    others = np.delete(np.arange(68), 37)
    assert np.abs(true - steadied)[:, others].max() < 0.01 * EYES


def test_a_single_point_is_steadied_too():
    true, noisy, steadied = follow(np.array([[200.0, 100.0]]), 30, own=0.003 * EYES)
    assert error(steadied, true) < 0.5 * error(noisy, true)


def test_the_points_keep_their_type(face):
    assert FaceFilter()(face.astype(np.float32), WIDTH, 0.0).dtype == np.float32


def test_jitter_is_what_moves_within_the_face(face):
    turn = np.array([[0.8, 0.6], [-0.6, 0.8]])
    moved = 1.3 * face @ turn + (40, -7)
    assert steady.jitter(face, moved, "ibug-68") == pytest.approx(0, abs=1e-6)
    # Every second point 3 pixels up, the others 3 pixels down: about 5 % of 60 pixels each.
    shaken = face + np.where(np.arange(68) % 2, 3, -3)[:, None] * (0, 1)
    assert steady.jitter(face, shaken, "ibug-68") == pytest.approx(5, rel=0.03)


def test_a_nose_alone_has_no_jitter_within_a_face():
    nose = np.array([[10.0, 20.0]])
    assert steady.jitter(nose, nose + 1, "nose-1") is None
