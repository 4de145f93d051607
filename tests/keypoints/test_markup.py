from pathlib import Path

import numpy as np
import pytest
from helpers.mirror import mirrored
from PIL import Image

from kpdemo.faces.detector import FaceFinder
from kpdemo.keypoints import markups
from kpdemo.keypoints.markups import MARKUPS
from kpdemo.models.face_landmarker import FaceLandmarker

# Mean shapes of real labels as they are (not made symmetric): x y x y …, in percent of the
# distance of the outer eye corners, from the middle between them.
MEAN_SHAPES = {
    "ibug-68": """
        -81 3 -81 25 -78 47 -73 68 -64 87 -51 104 -35 118 -17 129 3 132 23 128 40 116 56 102 68 85
        76 65 80 43 82 22 83 0 -66 -14 -56 -23 -42 -26 -27 -24 -14 -19 13 -20 27 -26 42 -28 56 -25
        65 -17 0 -2 1 12 1 26 1 40 -16 50 -7 53 1 56 10 53 17 50 -50 1 -41 -4 -30 -4 -21 2 -31 4
        -41 5 21 1 30 -6 41 -6 50 -1 42 3 32 3 -30 77 -18 72 -7 69 1 71 10 69 22 72 33 76 22 88
        11 93 2 94 -7 93 -18 88 -25 78 -7 77 1 77 10 76 28 77 10 82 1 83 -7 83""",
    "kaggle-15": """
        36 -2 -36 -1 22 0 50 0 -22 0 -50 0 16 -17 62 -16 -17 -17 -63 -14 0 38 30 75 -29 75 0 68
        1 88""",
    "bioid-20": """
        -37 -2 37 -2 -29 76 29 76 -64 -16 -19 -18 18 -18 63 -16 -68 1 -50 0 -24 -1 25 0 50 0 68 1
        0 36 -12 43 12 43 0 66 0 92 -1 128""",
    "imm-58": """
        -71 54 -67 71 -60 88 -48 104 -34 116 -17 125 2 128 22 124 38 114 50 101 60 86 67 69 70 52
        50 0 44 -5 35 -8 26 -6 18 0 26 3 35 4 43 3 -50 0 -44 -5 -35 -7 -26 -4 -18 1 -26 4 -35 5
        -43 4 15 -16 26 -24 43 -25 54 -22 62 -11 -16 -16 -27 -23 -45 -25 -56 -21 -62 -10 -28 74
        -7 65 1 67 9 64 30 72 12 82 2 83 -9 82 -9 2 -11 25 -19 32 -19 44 -11 47 1 49 11 47 20 44
        19 32 13 25 10 2""",
}
ALL = tuple(MARKUPS)
PAIRS = [(a, b) for a in ALL for b in ALL if a != b]


def mean_shape(name: str) -> np.ndarray:
    return np.array(MEAN_SHAPES[name].split(), np.float32).reshape(-1, 2)


def covered(source: str, target: str) -> list[int]:
    """The target's points that the source can name."""
    converted = markups.convert(np.zeros((len(markups.get(source)), 2)), source, target)
    return np.flatnonzero(np.isfinite(converted).all(1)).tolist()


@pytest.mark.parametrize("name", ALL)
def test_mirror_twice_is_identity(name: str) -> None:
    order = np.array(markups.get(name).mirror)
    assert np.array_equal(np.sort(order), np.arange(len(order)))
    assert np.array_equal(order[order], np.arange(len(order)))


@pytest.mark.parametrize("name", ALL)
def test_mirror_swaps_left_and_right_places(name: str) -> None:
    known = markups.get(name)
    swapped = {
        place: place.replace("left", "RIGHT").replace("right", "left").replace("RIGHT", "right")
        for place in known.anatomy
        if not place.startswith("jaw_")
    }
    for place, opposite in swapped.items():
        there = {known.mirror[k] for k in known.anatomy[place]}
        assert there == set(known.anatomy[opposite]), place


@pytest.mark.parametrize("name", ALL)
def test_mirror_swaps_sides_in_names(name: str) -> None:
    known = markups.get(name)
    for k, other in enumerate(known.mirror):
        sides = ["left" in known.names[i] for i in (k, other)]
        sides += ["right" in known.names[i] for i in (k, other)]
        assert sides in ([True, False, False, True], [False, True, True, False], [False] * 4)


@pytest.mark.parametrize("name", ALL)
def test_every_group_is_its_own_mirror_image(name: str) -> None:
    known = markups.get(name)
    for group, points in known.groups.items():
        assert {known.mirror[k] for k in points} == set(points), group


@pytest.mark.parametrize("name", ALL)
def test_names_and_indices_are_sound(name: str) -> None:
    known = markups.get(name)
    assert len(set(known.names)) == len(known) == len(known.mirror) == int(name.split("-")[1])
    lists = (*known.groups.values(), *known.contours, *known.anatomy.values())
    assert all(0 <= k < len(known) for points in lists for k in points)
    assert set(known.groups) <= {"jaw", "brows", "nose", "eyes", "mouth"}
    grouped = [k for points in known.groups.values() for k in points]
    assert len(grouped) == len(set(grouped))
    if name != "mediapipe-478":
        assert sorted(grouped) == list(range(len(known)))


def test_unknown_markup_names_the_known_ones() -> None:
    with pytest.raises(ValueError, match=r"ibug-86.*ibug-68"):
        markups.get("ibug-86")


@pytest.mark.parametrize("name", MEAN_SHAPES)
def test_mirrored_mean_face_is_a_face(name: str) -> None:
    """A wrong pair, or left taken for right, would send points across the face."""
    known, shape = markups.get(name), mean_shape(name) + 100
    left, right = (known.place(shape, f"{side}_eye_center") for side in ("left", "right"))
    assert left[0] > right[0] + 50
    turned = mirrored(shape, name, width=201)
    assert np.abs((turned - turned.mean(0)) - (shape - shape.mean(0))).max() < 5


def test_mirrored_mesh_is_a_mesh(hopper_path: Path) -> None:
    photo = np.asarray(Image.open(hopper_path).convert("RGB"))
    flipped = np.ascontiguousarray(photo[:, ::-1])
    with FaceFinder() as finder, FaceLandmarker() as baseline:
        (mesh,) = baseline.keypoints(photo, finder.find(photo))
        (turned,) = baseline.keypoints(flipped, finder.find(flipped))
    off = np.linalg.norm(mirrored(turned, "mediapipe-478", photo.shape[1]) - mesh, axis=1)
    assert off.max() < 8  # pixels; the face is 140 wide


@pytest.mark.parametrize("name", ALL)
def test_mirrored_twice_is_identity(name: str) -> None:
    points = np.random.default_rng(0).uniform(0, 640, (3, len(markups.get(name)), 2))
    points = points.astype(np.float32)
    points[1, 0] = np.nan
    twice = mirrored(mirrored(points, name, 640), name, 640)
    np.testing.assert_allclose(twice, points, atol=1e-3)


def test_mirrored_maps_the_first_pixel_to_the_last() -> None:
    assert mirrored([[0, 5]], "nose-1", 640).tolist() == [[639, 5]]


def test_ibug_to_kaggle_by_hand() -> None:
    face = np.zeros((68, 2), np.float32)
    face[36:42] = [[10, 20], [14, 16], [18, 16], [22, 20], [18, 23], [14, 23]]
    face[42:48] = [[40, 20], [44, 16], [48, 16], [52, 20], [48, 23], [44, 23]]
    face[[17, 21, 22, 26]] = [[8, 10], [24, 11], [38, 12], [54, 13]]
    face[[30, 33]] = [[31, 30], [32, 34]]
    face[[48, 51, 54, 57]] = [[20, 45], [31, 42], [42, 46], [32, 52]]
    by_name = dict(
        zip(
            markups.get("kaggle-15").names,
            markups.convert(face, "ibug-68", "kaggle-15"),
            strict=True,
        )
    )
    expected = {
        "right_eye_center": (16, 118 / 6),
        "left_eye_center": (46, 118 / 6),
        "right_eye_outer_corner": (10, 20),
        "right_eye_inner_corner": (22, 20),
        "left_eye_inner_corner": (40, 20),
        "left_eye_outer_corner": (52, 20),
        "right_eyebrow_outer_end": (8, 10),
        "right_eyebrow_inner_end": (24, 11),
        "left_eyebrow_inner_end": (38, 12),
        "left_eyebrow_outer_end": (54, 13),
        "nose_tip": (31, 30),
        "mouth_right_corner": (20, 45),
        "mouth_center_top_lip": (31, 42),
        "mouth_left_corner": (42, 46),
        "mouth_center_bottom_lip": (32, 52),
    }
    assert by_name.keys() == expected.keys()
    for name, place in expected.items():
        assert by_name[name] == pytest.approx(place), name


@pytest.mark.parametrize("name", ["bioid-20", "ibug-68"])
def test_kaggle_layout_is_read_out_of_other_labels(name: str) -> None:
    """Mean faces of different data sets agree, so converted places are the same places."""
    converted = markups.convert(mean_shape(name), name, "kaggle-15")
    assert np.linalg.norm(converted - mean_shape("kaggle-15"), axis=1).max() < 15


def test_imm_places_agree_with_ibug() -> None:
    known = {place: (a, b) for place, a, b in markups.shared("imm-58", "ibug-68")}
    assert {"nose_base", "left_eye_center", "mouth_right_corner", "jaw_8"} <= set(known)
    for place in known:
        imm = markups.get("imm-58").place(mean_shape("imm-58"), place)
        ibug = markups.get("ibug-68").place(mean_shape("ibug-68"), place)
        assert np.linalg.norm(imm - ibug) < 12, place


def test_a_missing_point_is_missing_after_conversion_and_no_other() -> None:
    face = mean_shape("ibug-68")
    face[37] = np.nan
    converted = markups.convert(face, "ibug-68", "kaggle-15")
    missing = np.isnan(converted).any(1)
    assert [markups.get("kaggle-15").names[k] for k in np.flatnonzero(missing)] == [
        "right_eye_center"
    ]


def test_places_that_the_source_cannot_name_are_missing() -> None:
    converted = markups.convert(mean_shape("kaggle-15")[None], "kaggle-15", "bioid-20")
    named = {
        markups.get("bioid-20").names[k] for k in np.flatnonzero(~np.isnan(converted[0, :, 0]))
    }
    absent = {"right_temple", "left_temple", "right_nostril_center", "left_nostril_center", "jaw_8"}
    assert named == set(markups.get("bioid-20").names) - absent


@pytest.mark.parametrize("name", ALL)
def test_conversion_to_itself_changes_nothing(name: str) -> None:
    points = np.random.default_rng(0).normal(size=(2, len(markups.get(name)), 2))
    points[0, -1] = np.nan
    np.testing.assert_array_equal(markups.convert(points, name, name), points.astype(np.float32))


@pytest.mark.parametrize(("first", "second"), PAIRS)
def test_shared_is_symmetric(first: str, second: str) -> None:
    there = {(name, a, b) for name, a, b in markups.shared(first, second)}
    back = {(name, a, b) for name, b, a in markups.shared(second, first)}
    assert there == back


@pytest.mark.parametrize(("source", "target"), PAIRS)
def test_mirroring_and_converting_commute(source: str, target: str) -> None:
    points = np.random.default_rng(0).uniform(0, 100, (len(markups.get(source)), 2))
    one = mirrored(markups.convert(points, source, target), target, 100)
    other = markups.convert(mirrored(points, source, 100), source, target)
    np.testing.assert_allclose(one, other, atol=1e-3)


def test_every_kaggle_point_is_in_ibug_and_bioid_and_every_ibug_point_in_the_mesh() -> None:
    assert covered("ibug-68", "kaggle-15") == list(range(15))
    assert covered("bioid-20", "kaggle-15") == list(range(15))
    assert covered("mediapipe-478", "ibug-68") == list(range(68))
    assert covered("imm-58", "nose-1") == [0]
