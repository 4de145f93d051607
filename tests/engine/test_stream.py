"""Frames in a row: what is steadied, and when it starts anew."""

import cv2
import numpy as np
import pytest

from kpdemo.engine.engine import engine
from kpdemo.engine.stream import Stream
from kpdemo.media import images

MODELS = ["simplenet", "mediapipe"]
NOISE = 8


@pytest.fixture(scope="module")
def still(hopper) -> np.ndarray:
    frame = np.full((300, 400, 3), 120, np.uint8)
    frame[:, 70:326] = cv2.resize(hopper, (256, 300), interpolation=cv2.INTER_AREA)
    return frame


def noisy(frame: np.ndarray, seed: int) -> images.Photo:
    noise = np.random.default_rng(seed).normal(0, NOISE, frame.shape)
    return images.from_array((frame + noise).clip(0, 255).astype(np.uint8))


def gray() -> images.Photo:
    return images.from_array(np.full((300, 400, 3), 90, np.uint8))


def test_a_face_at_rest_jitters_less_once_steadied(still):
    stream = Stream(engine())
    frames = [stream.compare(noisy(still, k), MODELS, k / 30) for k in range(12)]
    assert frames[0].jitter == {} and frames[0].people == [0]
    for model in MODELS:
        raw, steady = np.mean([frame.jitter[model] for frame in frames[1:]], axis=0)
        assert 0 < steady < 0.6 * raw < 3  # percent of the eye distance
    (first,) = frames[0].steady.faces
    for name, answer in frames[0].raw.faces[0].predictions.items():
        assert (first.predictions[name].keypoints == answer.keypoints).all()


def test_a_lost_face_starts_anew(still):
    stream = Stream(engine())
    for k in range(3):
        stream.compare(noisy(still, k), MODELS, k / 30)
    assert stream.compare(gray(), MODELS, 3 / 30).raw.faces == []
    again = stream.compare(noisy(still, 4), MODELS, 4 / 30)
    assert again.people == [0] and again.jitter == {}
    (raw,), (steady,) = again.raw.faces, again.steady.faces
    assert (
        raw.predictions["simplenet"].keypoints == steady.predictions["simplenet"].keypoints
    ).all()


def test_each_face_has_its_own_filter_and_readings_are_steadied(still):
    pair = np.concatenate([still, still], 1)
    stream = Stream(engine())
    for k in range(3):
        frame = stream.compare(noisy(pair, k), MODELS, k / 30)
    assert sorted(frame.people) == [0, 1]
    for raw, steady in zip(frame.raw.faces, frame.steady.faces, strict=True):
        theirs, ours = raw.predictions["mediapipe"], steady.predictions["mediapipe"]
        for name, points in theirs.converted.items():
            moved = np.linalg.norm(ours.converted[name] - points, axis=1)
            assert 0 < moved.max() < 0.1 * raw.detection.width


def test_a_model_may_come_and_go(still):
    stream = Stream(engine())
    stream.compare(noisy(still, 0), MODELS, 0.0)
    assert set(stream.compare(noisy(still, 1), MODELS[:1], 0.1).jitter) == {"simplenet"}
    assert set(stream.compare(noisy(still, 2), MODELS, 0.2).jitter) == {"simplenet"}
    assert set(stream.compare(noisy(still, 3), MODELS, 0.3).jitter) == set(MODELS)


def test_a_camera_turned_on_its_side_starts_anew(still):
    stream = Stream(engine())
    stream.compare(noisy(still, 0), MODELS[:1], 0.0)
    frame = stream.compare(noisy(still[:, 50:350], 1), MODELS[:1], 0.1)
    assert frame.jitter == {} and frame.people == [0]


def test_an_empty_scene_is_searched_now_and_then(still):
    stream = Stream(engine(), rest=0.5)
    assert stream.compare(gray(), MODELS[:1], 10.0).raw.faces == []
    assert stream.compare(noisy(still, 0), MODELS[:1], 10.2).raw.faces == []
    assert len(stream.compare(noisy(still, 1), MODELS[:1], 10.5).raw.faces) == 1
    assert len(stream.compare(noisy(still, 2), MODELS[:1], 10.6).raw.faces) == 1
