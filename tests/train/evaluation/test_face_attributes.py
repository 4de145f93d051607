"""Facts about labelled faces: real portraits for pixels, known geometry for labels."""

import json

import cv2
import numpy as np
import pytest
from helpers import writers
from helpers.mirror import mirrored

from train.data.sources import LabelledFace
from train.evaluation import face_attributes


def labelled(points, pixels, markup="ibug-68"):
    return LabelledFace("a/1", "a", markup, np.asarray(points, np.float32), pixels)


def plain(height=160, width=160, value=100):
    return np.full((height, width), value, np.uint8)


@pytest.fixture
def points():
    """A drawn frontal face in a picture of 160 × 160 pixels."""
    return writers.face("ibug-68", 160, 160, "face")


def about_middle(points, matrix):
    middle = points.mean(0)
    return (points - middle) @ np.asarray(matrix).T + middle


def turned(degrees):
    angle = np.deg2rad(degrees)
    return [[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]]


@pytest.mark.parametrize("degrees", [-40, -20, 0, 20, 40])
@pytest.mark.parametrize(
    ("markup", "eyes", "nose", "depth"),
    [("ibug-68", (36, 45), 30, 0.97), ("imm-58", (21, 13), 52, 0.65)],
)
def test_yaw_of_an_average_head_seen_from_afar(degrees, markup, eyes, nose, depth):
    angle = np.deg2rad(degrees)
    points = np.full((68 if markup == "ibug-68" else 58, 2), np.nan)
    points[list(eyes)] = [[-50 * np.cos(angle), 0], [50 * np.cos(angle), 0]]
    points[nose] = [50 * depth * np.sin(angle), 40]
    assert face_attributes.yaw(points, markup) == pytest.approx(degrees)
    rolled = points @ np.transpose(turned(25))
    assert face_attributes.yaw(rolled, markup) == pytest.approx(degrees)


def test_a_mirrored_face_is_turned_the_other_way(points):
    points[27:36, 0] += 5
    other = mirrored(points, "ibug-68", 160)
    assert face_attributes.yaw(points, "ibug-68") > 3
    assert face_attributes.yaw(other, "ibug-68") == pytest.approx(
        -face_attributes.yaw(points, "ibug-68"), abs=1e-3
    )


def test_roll_and_size_come_from_the_outer_eye_corners(points):
    corners = points[45] - points[36]
    before = np.degrees(np.arctan2(corners[1], corners[0]))
    faces = [labelled(points, plain()), labelled(about_middle(points, turned(12)), plain())]
    level, tilted = face_attributes.of_faces(faces)
    assert level["size"] == pytest.approx(tilted["size"], rel=1e-4)
    assert level["size"] == pytest.approx(np.hypot(*corners), rel=1e-4)
    assert level["roll"] == pytest.approx(before, abs=0.01)
    assert tilted["roll"] - level["roll"] == pytest.approx(12, abs=0.01)


def test_light_is_measured_in_the_face_alone(points):
    low, high = np.floor(points.min(0)).astype(int), np.ceil(points.max(0)).astype(int)
    pixels = plain(value=255)
    pixels[low[1] : high[1] + 1, low[0] : high[0] + 1] = 40
    (measured,) = face_attributes.of_faces([labelled(points, pixels)])
    assert (measured["brightness"], measured["contrast"], measured["sharpness"]) == (40, 0, 0)


def test_a_real_portrait_darkened_and_blurred(hopper):
    grey = cv2.cvtColor(hopper, cv2.COLOR_RGB2GRAY)
    points = writers.face("ibug-68", 280, 280, "hopper") + (130, 90)
    as_it_is, dark, blurred = face_attributes.of_faces(
        [
            labelled(points, grey),
            labelled(points, (grey * 0.5).astype(np.uint8)),
            labelled(points, cv2.GaussianBlur(grey, None, 6)),
        ]
    )
    assert dark["brightness"] == pytest.approx(as_it_is["brightness"] / 2, rel=0.02)
    assert dark["contrast"] == pytest.approx(as_it_is["contrast"] / 2, rel=0.02)
    assert blurred["brightness"] == pytest.approx(as_it_is["brightness"], rel=0.05)
    assert blurred["sharpness"] < as_it_is["sharpness"] / 4


def test_an_open_mouth_is_measured_where_the_markup_has_inner_lips(points):
    points[62], points[66] = (80, 100), (80, 115)
    (measured,) = face_attributes.of_faces([labelled(points, plain())])
    assert measured["mouth_open"] == pytest.approx(15 / measured["size"], abs=1e-4)
    imm = writers.face("imm-58", 160, 120, "imm")
    (measured,) = face_attributes.of_faces([labelled(imm, plain(120), "imm-58")])
    assert measured["mouth_open"] is None
    assert measured["yaw"] is not None


def test_points_at_the_edge_and_beyond_are_counted(points):
    points[:17, 0] = np.linspace(-4, 0.5, 17)
    (measured,) = face_attributes.of_faces([labelled(points, plain())])
    assert measured["cut"] == pytest.approx(17 / 68, abs=1e-4)
    assert measured["brightness"] == 100


def test_a_face_outside_its_picture_has_no_light(points):
    (measured,) = face_attributes.of_faces([labelled(points - 500, plain())])
    assert measured["cut"] == 1
    assert measured["brightness"] is measured["sharpness"] is None


def test_missing_labels_leave_the_facts_that_need_them_out(points):
    gaps = points.copy()
    gaps[36] = np.nan
    result = face_attributes.of_faces([labelled(points, plain()), labelled(gaps, plain())])
    without = {name for name, value in result[1].items() if value is None}
    assert without == {"yaw", "roll", "size", "mouth_open", "unusual_shape"}
    assert None not in result[0].values()
    json.dumps(result, allow_nan=False)
    assert face_attributes.reason(result[1], result)


def test_shapes_do_not_count_place_size_and_roll():
    rng = np.random.default_rng(0)
    mean = writers.face("ibug-68", 160, 160, "mean")
    shapes = np.stack([mean + rng.normal(0, 0.5, mean.shape) for _ in range(20)])
    odd = shapes[0].copy()
    odd[48:68, 1] += 12  # a dropped jaw
    moved = 3 * shapes[0] @ np.transpose(turned(40)) + 70
    distances = face_attributes.shape_distances(np.stack([*shapes, odd, moved]))
    assert distances[21] == pytest.approx(distances[0], abs=1e-6)
    assert distances[20] > 3 * distances[:20].max()
    mirror = face_attributes.shape_distances(np.stack([*shapes, shapes[0] * [-1, 1]]))
    assert mirror[20] > mirror[:20].max()


def some(**changes):
    base = {
        "yaw": 2.0,
        "roll": 1.0,
        "size": 61.0,
        "brightness": 118.0,
        "contrast": 40.0,
        "sharpness": 300.0,
        "mouth_open": None,
        "cut": 0.0,
        "unusual_shape": 0.1,
    }
    return base | changes


@pytest.fixture
def crowd():
    """A hundred faces that differ in everything a little."""
    steps = np.linspace(-1, 1, 100)
    order = np.random.default_rng(0).permuted(np.tile(steps, (7, 1)), axis=1)
    return [
        some(
            yaw=20 * a,
            roll=10 * b,
            size=61 + 20 * c,
            brightness=118 + 50 * d,
            contrast=40 + 10 * e,
            sharpness=300 + 100 * f,
            unusual_shape=0.1 + 0.05 * g,
        )
        for a, b, c, d, e, f, g in order.T
    ]


def test_the_most_unusual_fact_is_named_with_its_share(crowd):
    face = some(yaw=-41.4)
    assert face_attributes.reason(face, [*crowd, face]) == (
        "Turned about 41° to one side, more than all other test faces."
    )
    face = some(brightness=70.5)
    assert face_attributes.reason(face, [*crowd, face]) == (
        "Darker than 97 % of the test faces (mean grey 70)."
    )


def test_two_facts_at_most_the_most_unusual_first(crowd):
    face = some(brightness=70.5, yaw=41.4, sharpness=215, size=43)
    assert face_attributes.reason(face, [*crowd, face]) == (
        "Turned about 41° to one side, more than all other test faces; "
        "darker than 97 % of the test faces (mean grey 70)."
    )


def test_a_face_like_the_others_is_said_to_be_so(crowd):
    assert face_attributes.reason(some(yaw=-4), [*crowd, some(yaw=-4)]) == (
        "Nothing measured here is unusual: frontal (4°), 61 px between the eyes, mean grey 118."
    )
    assert "turned (12°)" in face_attributes.reason(some(yaw=12), [*crowd, some(yaw=12)])


def test_faces_that_share_a_value_are_not_unusual():
    crowd = [some() for _ in range(50)]
    assert face_attributes.reason(crowd[0], crowd).startswith("Nothing measured here is unusual")
    cut = some(cut=0.03)
    assert face_attributes.reason(cut, [*crowd, cut]) == (
        "Cut by the picture's edge more than all other test faces (0.03 of its points)."
    )


def test_one_face_alone_is_not_unusual():
    assert face_attributes.reason(some(yaw=60), [some(yaw=60)]).startswith("Nothing measured")
