"""Identity tracking in a video: each person keeps a number."""

from collections.abc import Callable, Sequence
from functools import cache

import cv2
import numpy as np
import pytest

from kpdemo.faces.detector import FaceFinder
from kpdemo.faces.people import PersonTracker
from kpdemo.structures import Face

WIDTH, HEIGHT = 640, 320
# A person in a frame: who, the left edge, the top edge and the height of the portrait.
Place = tuple[str, float, float, float]


@pytest.fixture(scope="module")
def portraits(hopper, astronaut) -> dict[str, np.ndarray]:
    # Each with its head in the middle.
    return {"grace": hopper[0:512], "eileen": astronaut[0:360, 50:410]}


@pytest.fixture(scope="module")
def film(portraits, finder: FaceFinder) -> Callable[[Sequence[Sequence[Place]]], list[list]]:
    """For each frame of places (a later one hides an earlier one), the persons' numbers.

    Each is the number of the face in the middle of that portrait, None where no face was found.
    """

    @cache  # many frames are the same
    def look(places: tuple[Place, ...]) -> tuple[np.ndarray, list[Face]]:
        pixels = picture(portraits, places)
        return pixels, finder.find(pixels)

    def run(frames: Sequence[Sequence[Place]]) -> list[list]:
        tracker, numbers = PersonTracker(), []
        for places in frames:
            pixels, faces = look(tuple(places))
            assigned = tracker.identify(pixels, faces)
            assert len(set(assigned)) == len(faces)
            numbers.append(
                [
                    next(
                        (
                            n
                            for face, n in zip(faces, assigned, strict=True)
                            if holds(face.box, place)
                        ),
                        None,
                    )
                    for place in places
                ]
            )
        return numbers

    return run


def picture(portraits: dict[str, np.ndarray], places: Sequence[Place]) -> np.ndarray:
    frame = np.full((HEIGHT, WIDTH, 3), 120, np.uint8)
    for who, left, top, side in places:
        left, top, side = round(left), round(top), round(side)
        portrait = cv2.resize(portraits[who], (side, side), interpolation=cv2.INTER_AREA)
        x0, x1 = max(left, 0), min(left + side, WIDTH)
        y1 = min(top + side, HEIGHT)
        if x0 < x1:
            frame[top:y1, x0:x1] = portrait[: y1 - top, x0 - left : x1 - left]
    return frame


def holds(box: Sequence[float], place: Place) -> bool:
    _, left, top, side = place
    x, y = (box[0] + box[2]) / 2, (box[1] + box[3]) / 2
    return abs(x - left - side / 2) < side / 4 and abs(y - top - side / 2) < side / 3


def test_one_who_comes_nearer_keeps_the_number(film):
    numbers = film(
        [[("grace", 0, 0, 300 - 20 * k), ("grace", 320, 0, 150 + 20 * k)] for k in range(8)]
    )
    assert numbers == [[0, 1]] * 8


def test_a_run_towards_the_camera_is_one_person(film):
    assert film([[("grace", 250 - 40 * k, 0, 100 + 70 * k)] for k in range(4)]) == [[0]] * 4


def test_a_camera_that_zooms_or_pans_changes_no_number(film):
    zoom = [
        [("grace", 150 - 20 * k, 40 - 5 * k, 120 + 25 * k), ("eileen", 400, 40, 120 + 20 * k)]
        for k in range(6)
    ]
    pan = [[("grace", 20 + 50 * k, 60, 150), ("grace", 200 + 50 * k, 60, 150)] for k in range(5)]
    for frames in (zoom, pan):
        numbers = film(frames)
        assert sorted(numbers[0]) == [0, 1]  # of two equal faces, either may be the first
        assert numbers == [numbers[0]] * len(frames)


def test_one_hidden_for_a_second_by_a_lookalike_is_still_the_same(film):
    frames = [
        [("grace", 400 - 10 * k, 40, 170), ("grace", 40 + 10 * k, 20, 200)] for k in range(36)
    ]
    numbers = film(frames)
    assert [1, 0] == numbers[0] == numbers[-1] == numbers[-8]
    assert {pair[1] for pair in numbers} == {0}


@pytest.mark.parametrize("other", ["grace", "eileen"])
def test_people_who_pass_each_other_keep_their_numbers(film, other):
    frames = [[(other, 440 - 24 * k, 40, 180), ("grace", 20 + 24 * k, 20, 200)] for k in range(18)]
    numbers = film(frames)
    assert numbers[0] == [1, 0] and numbers[-1] == [1, 0]
    assert {pair[1] for pair in numbers} == {0}
    assert {pair[0] for pair in numbers} <= {1, None, 0}  # at the same place one is seen


def test_a_lost_face_gets_its_number_again(film):
    frames = [[("grace", 20 + 12 * k, 0, 200), ("eileen", 400, 60, 200)] for k in range(12)]
    frames = [places if k not in range(4, 8) else places[1:] for k, places in enumerate(frames)]
    numbers = film(frames)
    (first,) = {frozenset(pair) for k, pair in enumerate(numbers) if len(pair) == 2 and k < 4}
    assert numbers[-1] == numbers[0] and set(numbers[0]) == set(first) == {0, 1}
    assert {pair[0] for pair in numbers[4:8]} == {numbers[0][1]}


@pytest.mark.parametrize("gap", [0, 3])
@pytest.mark.parametrize(("leaves", "enters"), [("grace", "eileen"), ("eileen", "grace")])
def test_another_person_at_the_same_place_gets_a_new_number(film, gap, leaves, enters):
    frames = [[(leaves, 200, 0, 240)]] * 3 + [[]] * gap + [[(enters, 200, 0, 240)]] * 3
    assert film(frames) == [[0]] * 3 + [[]] * gap + [[1]] * 3


def test_one_who_enters_elsewhere_gets_a_new_number_though_alike(film):
    frames = [[("grace", 0, 40, 200)]] * 3 + [[("grace", 430, 40, 200)]] * 3
    assert film(frames) == [[0]] * 3 + [[1]] * 3


def test_a_neighbour_who_stays_is_not_taken_for_the_one_who_left(film):
    row = [("grace", 20 + 150 * k, 60, 150) for k in range(4)]
    numbers = film([row[:3]] * 3 + [row[1:]] * 3)
    assert numbers[3:] == [[*numbers[0][1:], 3]] * 3


def test_a_cut_to_others_and_back_never_reuses_a_number(film):
    pair = [("grace", 20, 20, 260), ("eileen", 340, 20, 260)]
    swapped = [("eileen", 20, 20, 260), ("grace", 340, 20, 260)]
    numbers = film([pair] * 2 + [swapped] * 2 + [pair] * 2)
    assert numbers[0] == numbers[1] and numbers[2] == numbers[3]
    assert numbers[4] == numbers[0]
    assert not set(numbers[2]) & set(numbers[0])


def test_noise_and_light_do_not_change_the_number(portraits, finder):
    rng, tracker = np.random.default_rng(0), PersonTracker()
    still = picture(portraits, [("eileen", 200, 0, 300)]).astype(float)
    for light in (1, 0.4, 1.2, 0.7):
        pixels = (still * light + rng.normal(0, 12, still.shape)).clip(0, 255).astype(np.uint8)
        assert tracker.identify(pixels, finder.find(pixels)) == [0]


def test_faces_cut_by_the_edge_and_frames_without_one(portraits, finder):
    tracker = PersonTracker()
    assert tracker.identify(np.zeros((HEIGHT, WIDTH, 3), np.uint8), []) == []
    for left in (-40, -20, 0):
        pixels = picture(portraits, [("grace", left, 0, 300)])
        assert tracker.identify(pixels, finder.find(pixels)) == [0]
