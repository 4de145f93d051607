"""Files of marked points: what is read, whose face it is, and what is refused."""

import json

import numpy as np
import pytest
from helpers.faces import compared_face

from kpdemo.engine import export
from kpdemo.keypoints import agreement, annotations
from kpdemo.keypoints.annotations import Marks, TruthError
from kpdemo.structures import ComparedFace, Comparison, Prediction

WIDTH, HEIGHT = 400, 300


def points(seed: int, low: float, high: float, count: int = 68) -> np.ndarray:
    return np.random.default_rng(seed).uniform(low, high, (count, 2)).astype(np.float32)


def face(x0: float, y0: float, x1: float, y1: float, **predictions: Prediction) -> ComparedFace:
    return compared_face((x0, y0, x1, y1), predictions)


def compared(*faces: ComparedFace) -> Comparison:
    return Comparison(WIDTH, HEIGHT, list(faces), {"total": 1.0}, {})


def read(name: str, text: str) -> dict[str, Marks]:
    return annotations.read(name, text, WIDTH, HEIGHT)


def exported(*faces: ComparedFace) -> str:
    return export.to_json(compared(*faces).to_dict())


def test_pts_counts_from_one():
    marked = points(1, 50, 150)
    (marks,) = read("face.PTS", export.to_pts(marked)).values()
    assert marks.markup == "ibug-68"
    assert marks.faces[0] == pytest.approx(marked, abs=1e-3)


@pytest.mark.parametrize(
    "code", ["-1 -1", "0 0", "-1.000 -1.000", "nan nan", "NaN 60", "60 nan", "-999 -999", "None -"]
)
@pytest.mark.parametrize("k", [0, 30, 36, 67])
def test_codes_for_unknown_are_no_places(code, k):
    marked = points(1, 50, 150)
    lines = export.to_pts(marked).splitlines()
    lines[3 + k] = code
    (marks,) = read("a.pts", "\n".join(lines)).values()
    expected = marked.copy()
    expected[k] = np.nan
    assert marks.faces[0] == pytest.approx(expected, abs=1e-3, nan_ok=True)


def test_codes_of_a_program_that_counts_from_zero_are_unknown_too():
    marked = points(1, 50, 150)
    marked[:2] = [[0, 0], [-1, -1]]
    (marks,) = read("a.pts", export.to_pts(marked)).values()
    assert np.isfinite(marks.faces[0]).all(1).tolist() == [False, False] + [True] * 66


def test_points_at_one_edge_are_places():
    marked = points(1, 50, 150)
    marked[:3] = [[-1, 60], [60, 0], [-20.5, -3]]
    (marks,) = read("a.pts", export.to_pts(marked)).values()
    assert marks.faces[0] == pytest.approx(marked, abs=1e-3)


def test_a_third_column_is_cocos_flag():
    marked = points(1, 50, 150)
    flags = [0, 1, 2, *[2] * 65]
    rows = [f"{x} {y} {flag}" for (x, y), flag in zip(marked + 1, flags, strict=True)]
    (marks,) = read("a.pts", "n_points: 68\n{\n" + "\n".join(rows) + "\n}").values()
    assert np.isfinite(marks.faces[0]).all(1).tolist() == [False] + [True] * 67
    with pytest.raises(TruthError, match="102 points where 68"):
        read("a.pts", "{" + "5 6 7 " * 68 + "}")


def test_unknown_points_of_asf_and_json():
    rows = [f"0 4 {x} {x} {k} 0 0" for k, x in enumerate([-1.0, 0.0, *[0.5] * 56])]
    (marks,) = read("a.asf", "\n".join(rows)).values()
    assert np.isfinite(marks.faces[0]).all(1).tolist() == [False] * 2 + [True] * 56
    unet = Prediction("ibug-68", points(1, 50, 150), None, 1.0)
    data = json.loads(exported(face(40, 40, 160, 160, unet=unet)))
    rows = data["faces"][0]["models"]["unet"]["keypoints"]
    rows[:5] = [[0, 0], [-1, -1], None, [None, 60], [-1.0, 60]]
    (marks,) = read("a.json", json.dumps(data)).values()
    assert np.isfinite(marks.faces[0]).all(1).tolist() == [False] * 4 + [True] * 64
    flagged = [[*row, 2] for row in rows[4:]]
    data["faces"][0]["models"]["unet"]["keypoints"] = [[0, 0, 0]] * 4 + flagged
    (marks,) = read("a.json", json.dumps(data)).values()
    assert np.isfinite(marks.faces[0]).all(1).tolist() == [False] * 4 + [True] * 64


def test_unknown_points_count_in_no_error():
    marked = points(1, 50, 150)
    unet = Prediction("ibug-68", marked + np.float32([3, 4]), None, 1.0)
    some = marked.copy()
    some[:60:7] = np.nan
    some[[36, 45]] = marked[[36, 45]]
    mean = agreement.summary([(unet, Prediction("ibug-68", some, None, 0.0))])
    assert mean.pixels == pytest.approx(5, abs=1e-3)
    assert mean.percent == pytest.approx(500 / np.linalg.norm(marked[36] - marked[45]), rel=1e-4)
    some[36] = np.nan
    mean = agreement.summary([(unet, Prediction("ibug-68", some, None, 0.0))])
    assert mean.percent is None and mean.pixels == pytest.approx(5, abs=1e-3)


def test_what_is_unknown_is_put_into_words():
    whole = Prediction("ibug-68", points(1, 50, 150), None, 0.0)
    some = Prediction("ibug-68", whole.keypoints.copy(), None, 0.0)
    some.keypoints[:8] = np.nan
    blind = Prediction("ibug-68", whole.keypoints.copy(), None, 0.0)
    blind.keypoints[36] = np.nan
    assert annotations.describe_missing([whole, None]) == ""
    assert (
        annotations.describe_missing([some])
        == "60 of the 68 points are known; the others are ignored."
    )
    assert annotations.describe_missing([whole, None, blind]).startswith("135 of the 136 points")
    assert annotations.describe_missing([blind]).endswith("errors are in pixels alone.")


def test_asf_is_fractions_over_the_pictures_outer_edges():
    rows = [f"0 4 {x} {y} {k} 0 0" for k, (x, y) in enumerate([(0.0, 0.25), (0.5, 1.0)] * 29)]
    (marks,) = read("01-1m.asf", "\n".join(["# a comment of seven words in it", *rows])).values()
    assert marks.markup == "imm-58"
    assert marks.faces[0][:2].tolist() == [[-0.5, 74.5], [199.5, 299.5]]


def test_json_has_a_set_a_model_and_unknown_points():
    marked = points(1, 50, 150)
    marked[3] = np.nan
    unet = Prediction("ibug-68", marked, None, 1.0)
    nose = Prediction("nose-1", points(2, 50, 150, 1), None, 1.0)
    sets = read("kpdemo.json", exported(face(40, 40, 160, 160, unet=unet, nosenet=nose)))
    assert {name: marks.markup for name, marks in sets.items()} == {
        "unet": "ibug-68",
        "nosenet": "nose-1",
    }
    assert sets["unet"].faces[0] == pytest.approx(marked, abs=1e-3, nan_ok=True)


def test_every_marked_face_goes_to_the_box_that_holds_it_best():
    boxes = [face(0, 0, 90, 90), face(60, 60, 190, 190), face(200, 0, 290, 90)]
    middle, right = points(1, 80, 180), points(2, 205, 285)
    right[:, 1] -= 200
    found = annotations.assign_to_faces(Marks("ibug-68", (right, middle)), boxes)
    assert found[0] is None
    assert found[1].keypoints is middle and found[2].keypoints is right


def test_marks_beside_every_face_belong_to_none():
    marks = Marks("ibug-68", (points(1, 200, 280),))
    assert annotations.assign_to_faces(marks, [face(0, 0, 90, 90)]) == [None]


def test_the_set_that_was_edited_is_the_likeliest():
    predictions = {
        name: Prediction("ibug-68", points(seed, 50, 150), None, 1.0)
        for seed, name in enumerate(("simplenet", "unet", "resnet18"))
    }
    found = face(40, 40, 160, 160, **predictions)
    data = json.loads(exported(found))
    edited = data["faces"][0]["models"]["unet"]
    edited["keypoints"] = [[x + 3, y] for x, y in edited["keypoints"]]
    sets = read("kpdemo.json", json.dumps(data))
    assert annotations.most_edited(sets, compared(found)) == "unet"
    data["faces"][0]["models"]["by hand"] = edited
    sets = read("kpdemo.json", json.dumps(data))
    assert annotations.most_edited(sets, compared(found)) == "by hand"


@pytest.mark.parametrize(
    ("name", "text", "part"),
    [
        ("a.pts", "", "no complete .pts"),
        ("a.pts", "n_points: 2\n{\n1 1\n2 2\n}", "2 points where 68"),
        ("a.pts", "{" + "1 x " * 68 + "}", "broken coordinate"),
        ("a.pts", "n_points: 66\n{" + "50 60 " * 68 + "}", "n_points: 66 and has 68"),
        ("a.pts", "n_points: " + "9" * 9999 + "\n{" + "50 60 " * 68 + "}", "and has 68 points"),
        ("a.pts", "{" + "50 60 " * 67 + "1e30 7}", "Point 68 in the file"),
        ("a.pts", "{" + "50 60 " * 67 + "1e300 7}", "no finite number"),
        ("a.pts", "{" + "-1 -1 " * 68 + "}", "marked as unknown"),
        ("a.pts", "{" + "nan nan " * 68 + "}", "marked as unknown"),
        ("a.json", '{"photo": 1, "photo": 2}', "no JSON as this page"),
        ("a.json", '{"photo": {"width": 400, "height": 300}, "faces": "x"}', "no JSON as"),
        ("a.json", '{"a":' * 90 + "1" + "}" * 90, "no JSON as this page"),
        ("a.pts", "{" + "1 inf " * 68 + "}", "no finite number"),
        ("a.pts", "{" + "1 4000 " * 68 + "}", "outside this photo of 400 × 300"),
        ("a.asf", "nothing", "0 points where 58"),
        ("a.json", "", "no JSON as this page"),
        ("a.json", "[" * 100_000, "no JSON as this page"),
        ("a.json", '{"photo": {"width": 400, "height": 1e999}}', "no JSON as this page"),
        ("a.json", '{"photo": {"width": 400, "height": 300}, "faces": [3]}', "no JSON as"),
        ("a.json", '{"photo": {"width": 40, "height": 30}, "faces": []}', "40 × 30 pixels"),
        ("a.json", '{"photo": {"width": 400, "height": 300}, "faces": []}', "holds no points"),
        ("a.txt", "1 2", "choose one of them"),
        ("a.pts", b"1 2", "as text"),
        ("a.pts", None, "as text"),
        (None, "1 2", "as text"),
    ],
)
def test_anything_else_is_refused_in_one_sentence(name, text, part):
    with pytest.raises(TruthError, match=r"^[A-Z].*\.$") as caught:
        read(name, text)
    assert part in str(caught.value)


@pytest.mark.parametrize(
    "broken", [[[1, 2]], [[1, 2, 3]] * 68, [["x", 2]] * 68, None, [[10**400, 1]] * 68]
)
def test_json_with_other_points_than_its_markups_is_refused(broken):
    unet = Prediction("ibug-68", points(1, 50, 150), None, 1.0)
    data = json.loads(exported(face(40, 40, 160, 160, unet=unet)))
    data["faces"][0]["models"]["unet"]["keypoints"] = broken
    with pytest.raises(TruthError, match="no JSON as this page"):
        read("kpdemo.json", json.dumps(data))
