"""What the page is told, without a browser."""

import io
import json
from base64 import b64decode

import numpy as np
import pytest
from helpers.faces import compared_face
from PIL import Image

from kpdemo.keypoints import markups
from kpdemo.keypoints.annotations import Marks
from kpdemo.media import images
from kpdemo.structures import ComparedFace, Comparison, Prediction
from kpdemo.ui import examples
from kpdemo.ui.compare import ground_truth, messages, panels, table
from kpdemo.ui.session import PhotoResult, Truth
from kpdemo.ui.shared import notice, titles


def photo(width: int, height: int) -> images.Photo:
    rng = np.random.default_rng(3)
    return images.from_array(rng.integers(0, 255, (height, width, 3), np.uint8))


def prediction(name: str, confidence: float | None = None) -> Prediction:
    count = len(markups.get(name))
    points = np.random.default_rng(count).uniform(100, 200, (count, 2)).astype(np.float32)
    sure = None if confidence is None else np.full(count, confidence, np.float32)
    return Prediction(name, points, sure, 2.0)


def face(x0: float, y0: float, side: float, **predictions: Prediction) -> ComparedFace:
    return compared_face((x0, y0, x0 + side, y0 + side), predictions)


def comparison(width: int, height: int, *faces: ComparedFace, **unavailable: str) -> Comparison:
    return Comparison(width, height, list(faces), {"detect": 3.0, "total": 9.0}, unavailable)


def shown(width: int, height: int, *faces: ComparedFace, truth: Truth | None = None) -> PhotoResult:
    return PhotoResult("", photo(width, height), comparison(width, height, *faces), truth)


def panels_of(held: PhotoResult) -> dict:
    markups = {n: a.markup for face in held.comparison.faces for n, a in face.predictions.items()}
    return json.loads(panels.value(held, markups))


def picture(uri: str) -> Image.Image:
    kind, data = uri.split(",")
    assert kind == "data:image/jpeg;base64"
    return Image.open(io.BytesIO(b64decode(data)))


def test_the_page_gets_a_small_photo_without_metadata_and_points_in_photo_pixels():
    found = face(
        100, 100, 100, unet=prediction("ibug-68", 0.4), mediapipe=prediction("mediapipe-478")
    )
    value = panels_of(shown(1600, 1200, found))
    sent = picture(value["src"])
    assert sent.size == (900, 675)
    assert not sent.getexif()
    assert (value["width"], value["height"]) == (1600, 1200)
    by_name = {panel["name"]: panel for panel in value["panels"]}
    unet = by_name["unet"]["faces"][0]
    assert np.allclose(unet["points"], found.predictions["unet"].keypoints, atol=0.01)
    assert unet["confidence"] == pytest.approx([0.4] * 68)
    assert unet["readings"] == {}
    assert value["markups"]["ibug-68"]["names"][30] == "nose tip"
    assert [panel["name"] for panel in value["panels"] if panel["baseline"]] == ["mediapipe"]
    assert value["panels"][0]["name"] == "mediapipe"


def test_a_model_that_found_nothing_on_a_face_has_no_points_there():
    first = face(10, 10, 90, unet=prediction("ibug-68"), mediapipe=prediction("mediapipe-478"))
    second = face(200, 10, 90, unet=prediction("ibug-68"))
    value = panels_of(shown(400, 300, first, second))
    mesh = next(panel for panel in value["panels"] if panel["name"] == "mediapipe")
    assert mesh["faces"][0] is not None and mesh["faces"][1] is None


def test_views_lie_in_the_photo_and_small_faces_come_with_a_closer_picture():
    corner = face(1740, 930, 60, unet=prediction("ibug-68"))
    large = face(300, 100, 800, unet=prediction("ibug-68"))
    value = panels_of(shown(1800, 1000, corner, large))
    for found in value["faces"]:
        x, y, width, height = found["view"]
        assert x >= 0 and y >= 0 and x + width <= 1800 and y + height <= 1000
    near, far = value["faces"]
    assert picture(near["src"]).size == (84, 84)
    assert far["src"] is None


def test_a_small_face_alone_is_shown_close_up():
    def starts_close(side: float, count: int) -> bool:
        faces = [face(10, 10, side, unet=prediction("ibug-68"))] * count
        return panels_of(shown(400, 300, *faces))["start"]

    assert starts_close(50, 1)
    assert not starts_close(290, 1)
    assert not starts_close(50, 2)


def test_the_notice_says_what_is_wrong_and_nothing_else():
    found = face(10, 10, 90, unet=prediction("ibug-68"))
    assert messages.of(comparison(400, 300, found)) == ""
    assert "No face found. Try" in messages.of(comparison(400, 300))
    assert "15 faces" in messages.of(comparison(400, 300, *[found] * 15))
    said = messages.of(comparison(400, 300, found, resnet18="its folder is <damaged>."))
    assert "ResNet-18 is left out: its folder is &lt;damaged&gt;." in said
    assert 'role="alert"' in notice.error("Stop.")


@pytest.mark.parametrize("digits", [2, 3])
def test_a_models_own_output_is_no_ground_truth_and_it_is_said(digits):
    unet, mesh = prediction("ibug-68"), prediction("mediapipe-478")
    fitted = (unet.keypoints + 5).astype(np.float32)
    mesh = Prediction("mediapipe-478", mesh.keypoints, None, 1.0, {"ibug-68-fitted": fitted})
    found = face(100, 100, 100, unet=unet, mediapipe=mesh)

    def sentences(points: np.ndarray) -> list[str]:
        truth = Truth("a.pts", {"": Marks("ibug-68", (points,))}, "")
        held = shown(400, 300, found, truth=truth)
        described, drawn = ground_truth.value(held), table.value({}, held, {}, {})
        return [json.loads(described)["says"], json.loads(drawn)["warning"]]

    for title, points in (("U-Net", unet.keypoints), ("MediaPipe", fitted)):
        for said in sentences(points.round(digits)):
            assert f"These are {title}’s own points, so its error is 0" in said
    corrected = unet.keypoints.copy()
    corrected[30] += (0.5, 0)
    assert not any("own points" in said for said in sentences(corrected))


def test_a_face_that_mediapipe_does_not_confirm_is_marked():
    box = (10.0, 10.0, 100.0, 100.0)
    unconfirmed = compared_face(box, {"unet": prediction("ibug-68")}, {"mediapipe": "no face here"})
    held = shown(400, 300, unconfirmed)
    markups = {"unet": "ibug-68", "mediapipe": "mediapipe-478"}
    value = json.loads(panels.value(held, markups))
    assert [face["confirmed"] for face in value["faces"]] == [False]


def test_a_truth_comes_with_the_face_that_it_belongs_to():
    unet, mesh = prediction("ibug-68"), prediction("mediapipe-478")
    marks = Marks("ibug-68", (unet.keypoints + np.float32([3, 0]),))
    found = face(100, 100, 100, unet=unet, mediapipe=mesh)
    held = shown(400, 300, found, truth=Truth("my.pts", {"": marks}, ""))
    value = panels_of(held)
    assert value["truth"] == "ibug-68"
    assert np.allclose(value["faces"][0]["truth"], marks.faces[0], atol=0.01)
    told = json.loads(ground_truth.value(held))
    assert told["says"] == "my.pts belongs to face 1."


def test_unknown_marks_are_said():
    unet = prediction("ibug-68")
    marks = Marks("ibug-68", (unet.keypoints + np.float32([3, 0]),))
    marks.faces[0][[5, 36]] = np.nan
    held = shown(400, 300, face(100, 100, 100, unet=unet), truth=Truth("my.pts", {"": marks}, ""))
    value = panels_of(held)
    assert value["faces"][0]["truth"][5] == [None, None]
    assert json.loads(ground_truth.value(held))["says"] == (
        "my.pts belongs to face 1. 66 of the 68 points are known; the others are ignored. "
        "Without both outer eye corners, errors are in pixels alone."
    )


def test_what_an_answer_is_converted_to_comes_by_markup_preferably_fitted():
    mesh, fitted = prediction("mediapipe-478"), prediction("ibug-68").keypoints
    converted = {"ibug-68": fitted + np.float32([9, 0]), "ibug-68-fitted": fitted}
    mesh = Prediction("mediapipe-478", mesh.keypoints, None, 1.0, converted)
    value = panels_of(shown(400, 300, face(100, 100, 100, mediapipe=mesh)))
    readings = value["panels"][0]["faces"][0]["readings"]
    assert list(readings) == ["ibug-68"]
    assert np.allclose(readings["ibug-68"], fitted, atol=0.01)
    assert set(value["markups"]) == {"ibug-68", "mediapipe-478"}


def test_point_names_are_words_wherever_the_anatomy_has_one():
    assert titles.points("ibug-68")[30] == "nose tip"
    mesh = markups.get("mediapipe-478").anatomy
    assert titles.points("mediapipe-478")[mesh["nose_tip"][0]] == "nose tip"
    assert titles.points("imm-58")[6] == "jaw 8"


def test_examples_are_files_without_metadata_each_with_what_to_look_at(tmp_path):
    written = examples.write(tmp_path)
    titles_written = [example.title for example in written]
    assert titles_written[:2] == ["Grace Hopper", "Eileen Collins"]
    hard = {"Profile", "Sunglasses", "Hand", "Dark", "Turned", "Drawing", "Crowd", "No face"}
    assert hard < set(titles_written)
    assert len({example.look for example in written}) == len(written)
    for example in written:
        with Image.open(example.path) as shot:
            assert shot.format == "JPEG" and not shot.getexif()
    assert examples.buttons(written).count("<button") == len(written)
    assert examples.first() == (written[0].look, written[0].path.read_bytes())


def test_the_table_says_where_the_weights_came_from():
    found = face(10, 10, 90, unet=prediction("ibug-68"), simplenet=prediction("ibug-68"))
    held, copy = shown(400, 300, found), "the folder weights/ of this copy"

    def says(origins: dict[str, str], not_pulled: dict[str, str]) -> str:
        return json.loads(table.value({}, held, origins, not_pulled))["weights"]

    assert says({"unet": copy, "simplenet": copy}, {}) == f"All weights are from {copy}."
    mixed = says({"unet": "me/kpdemo-unet at 1a2b3c4", "simplenet": copy}, {"simplenet": "Gone."})
    assert "U-Net: weights from me/kpdemo-unet at 1a2b3c4." in mixed
    assert mixed.endswith(f"SimpleNet: weights from {copy}. Gone.")


def test_expected_errors_come_as_percent_and_as_radii_in_the_photo():
    points = prediction("ibug-68").keypoints
    points[36], points[45] = (100, 100), (140, 130)  # 50 px apart
    unet = Prediction("ibug-68", points, None, 1.0, expected_error=np.full(68, 4.0, np.float32))
    nose = Prediction("nose-1", points[:1], None, 1.0, expected_error=np.full(1, 4.0, np.float32))
    value = panels_of(shown(400, 300, face(100, 100, 100, unet=unet, mine=nose)))
    by_name = {panel["name"]: panel["faces"][0] for panel in value["panels"]}
    assert by_name["unet"]["expected_error"] == [4.0] * 68
    assert by_name["unet"]["radii"] == pytest.approx([2.0] * 68)
    # A nose alone has no eye distance, and MediaPipe did not run.
    assert by_name["mine"]["radii"] is None
    mesh = prediction("mediapipe-478")
    value = panels_of(shown(400, 300, face(100, 100, 100, mine=nose, mediapipe=mesh)))
    by_name = {panel["name"]: panel["faces"][0] for panel in value["panels"]}
    assert by_name["mine"]["radii"][0] > 0
    assert by_name["mediapipe"]["expected_error"] is None
