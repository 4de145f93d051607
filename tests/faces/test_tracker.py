import time

import numpy as np
import pytest

from kpdemo.benchmark.face_scenes import Scene
from kpdemo.faces.detector import FaceFinder
from kpdemo.faces.tracker import FaceTracker


def frame(x: float, turn: float = 0.0, newcomer: bool = False) -> np.ndarray:
    scene = Scene.plain("frame", 640, 480)
    scene.paste(0, x, 230, 110, turn)
    if newcomer:
        scene.paste(1, 540, 230, 80)
    return scene.pixels


def test_a_face_is_followed_where_it_goes(finder: FaceFinder) -> None:
    tracker = FaceTracker(finder)
    for step in range(12):
        pixels = frame(150 + 12 * step, 4 * step)
        (tracked,), (face,) = tracker.find(pixels), finder.find(pixels)
        assert tracked.keypoints[:4] == pytest.approx(face.keypoints[:4], abs=0.06 * face.width)


def test_following_costs_a_part_of_searching(finder: FaceFinder) -> None:
    tracker, pixels = FaceTracker(finder), frame(200)

    def processor_seconds(find) -> float:
        find(pixels)
        started = time.process_time()
        for _ in range(10):
            find(pixels)
        return time.process_time() - started

    assert processor_seconds(tracker.find) < processor_seconds(finder.find) / 2


def test_a_newcomer_is_found_within_a_second(finder: FaceFinder) -> None:
    tracker = FaceTracker(finder)
    tracker.find(frame(200))
    counts = [len(tracker.find(frame(200, newcomer=True))) for _ in range(30)]
    assert counts[-1] == 2
    assert counts == sorted(counts)


def test_a_lost_face_is_searched_for_at_once(finder: FaceFinder) -> None:
    tracker = FaceTracker(finder)
    tracker.find(frame(120))
    (face,) = tracker.find(frame(500))
    assert face.center[0] == pytest.approx(500, abs=15)
    assert tracker.find(np.full((480, 640, 3), 90, np.uint8)) == []
    assert len(tracker.find(frame(300)[100:400])) == 1
