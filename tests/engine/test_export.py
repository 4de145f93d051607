import csv
import io
import json
import os
import re
import struct
from itertools import product

import numpy as np
import pytest
from PIL import Image

from kpdemo.engine import export
from kpdemo.keypoints import markups


@pytest.fixture
def result() -> dict:
    rng = np.random.default_rng(3)
    mesh = rng.uniform(0, 400, (478, 2)).astype(np.float32)
    unet = rng.uniform(0, 400, (68, 2)).astype(np.float32)
    unet[4] = np.nan
    return {
        "photo": {"width": 640, "height": 480},
        "faces": [
            {
                "box": np.array([10.12345, 20, 200, 210.5]),
                "score": np.float32(0.97),
                "roll": -3.14159,
                "models": {
                    "unet": {
                        "markup": "ibug-68",
                        "keypoints": unet,
                        "confidence": rng.uniform(0, 1, 68),
                        "expected_error": rng.uniform(1, 9, 68),
                        "milliseconds": 31.04567,
                    },
                    "mediapipe": {
                        "markup": "mediapipe-478",
                        "keypoints": mesh,
                        "ibug-68": markups.convert(mesh, "mediapipe-478", "ibug-68"),
                        "ibug-68-fitted": markups.convert(mesh, "mediapipe-478", "ibug-68") + 1,
                    },
                },
            },
            {
                "box": [300.0, 20.0, 400.0, 120.0],
                "score": 0.8,
                "roll": float("inf"),
                "models": {
                    "simplenet": {
                        "markup": "nose-1",
                        "keypoints": [[350.12345, 70.0]],
                        "confidence": [float("nan")],
                        "milliseconds": 2,
                    }
                },
            },
        ],
        "timings": {"load": 4.1, "detect": 3.0},
        "unavailable": {"resnet18": "Das Gerät ist belegt: später versuchen"},
    }


def test_json_says_the_same_as_the_result(result):
    text = export.to_json(result)
    back = json.loads(text, parse_constant=lambda word: pytest.fail(f"{word} is not JSON"))
    assert back["photo"] == {"width": 640, "height": 480}
    assert back["unavailable"] == result["unavailable"]
    first, second = back["faces"]
    assert first["box"] == [10.123, 20, 200, 210.5]
    assert (first["score"], first["roll"], second["roll"]) == (0.97, -3.142, None)
    unet = first["models"]["unet"]
    assert unet["milliseconds"] == 31.046
    assert unet["keypoints"][4] == [None, None]
    np.testing.assert_allclose(
        np.array(unet["keypoints"], float),
        result["faces"][0]["models"]["unet"]["keypoints"],
        atol=5.1e-4,
    )
    assert second["models"]["simplenet"]["keypoints"] == [[350.123, 70.0]]


def test_json_numbers_have_three_decimals_at_most(result):
    assert re.search(r"\.\d{3}\b", export.to_json(result))
    assert not re.search(r"\.\d{4}", export.to_json(result))


def test_json_does_not_change_the_result(result):
    export.to_json(result)
    assert result["faces"][0]["roll"] == -3.14159
    assert isinstance(result["faces"][0]["box"], np.ndarray)


def test_json_of_json_is_the_same(result):
    text = export.to_json(result)
    assert export.to_json(json.loads(text)) == text


def test_csv_has_a_row_a_point(result):
    result["unavailable"] = {}
    rows = list(csv.DictReader(io.StringIO(export.to_csv(result, 'beach, "summer".jpg'))))
    assert tuple(rows[0]) == export.CSV_COLUMNS
    assert len(rows) == 68 + 478 + 68 + 68 + 1
    assert {row["file"] for row in rows} == {'beach, "summer".jpg'}
    keypoints = result["faces"][0]["models"]["unet"]["keypoints"]
    tip = next(row for row in rows if row["model"] == "unet" and row["name"] == "nose_tip")
    assert (tip["face"], tip["markup"], tip["index"]) == ("0", "ibug-68", "30")
    assert float(tip["x"]) == pytest.approx(keypoints[30, 0], abs=5.1e-4)
    assert float(tip["y"]) == pytest.approx(keypoints[30, 1], abs=5.1e-4)
    assert 0 <= float(tip["confidence"]) <= 1
    expected = result["faces"][0]["models"]["unet"]["expected_error"]
    assert float(tip["expected_error"]) == pytest.approx(expected[30], abs=5.1e-4)
    assert rows[4]["x"] == rows[4]["y"] == ""
    assert rows[-1] == {
        "file": 'beach, "summer".jpg',
        "face": "1",
        "model": "simplenet",
        "markup": "nose-1",
        "index": "0",
        "name": "nose_base",
        "x": "350.123",
        "y": "70.0",
        "confidence": "",
        "note": "",
        "digest": "",
        "expected_error": "",
    }


def test_csv_has_the_mesh_and_both_ways_to_read_it(result):
    rows = list(csv.DictReader(io.StringIO(export.to_csv(result))))
    counts = {
        name: sum(row["model"] == "mediapipe" and row["markup"] == name for row in rows)
        for name in ("mediapipe-478", "ibug-68", "ibug-68-fitted")
    }
    assert counts == {"mediapipe-478": 478, "ibug-68": 68, "ibug-68-fitted": 68}
    tips = [row for row in rows if row["model"] == "mediapipe" and row["name"] == "nose_tip"]
    assert float(tips[1]["x"]) - float(tips[0]["x"]) == pytest.approx(1, abs=1e-3)
    assert {row["confidence"] for row in rows if row["model"] == "mediapipe"} == {""}


def test_csv_and_json_agree_after_a_round_trip(result):
    assert export.to_csv(json.loads(export.to_json(result))) == export.to_csv(result)


def test_a_photo_without_faces():
    result = {"photo": {"width": 9, "height": 9}, "faces": [], "timings": {}, "unavailable": {}}
    assert export.to_csv(result).splitlines() == [",".join(export.CSV_COLUMNS)]
    assert json.loads(export.to_json(result)) == result


def test_csv_says_what_is_missing_unavailable_and_left_out(result):
    result["faces"][1]["missing"] = {"mediapipe": "no face here"}
    result["notices"] = ["53 faces were found; only the 50 largest are compared."]
    rows = list(csv.DictReader(io.StringIO(export.to_csv(result, "a.jpg"))))
    assert [(row["face"], row["model"], row["note"]) for row in rows if row["note"]] == [
        ("1", "mediapipe", "no face here"),
        ("", "resnet18", "Das Gerät ist belegt: später versuchen"),
        ("", "", "53 faces were found; only the 50 largest are compared."),
    ]
    assert not any(row["x"] or row["markup"] for row in rows if row["note"])


def test_names_that_no_table_could_hold_are_spelt_out():
    name = os.fsdecode("Ä\r\n".encode() + b"\xff.jpg")
    assert export.printable_name(name) == "Ä\\x0d\\x0a\\xff.jpg"
    assert (
        export.printable_name("back\\slash \x85\u2028")
        == "back\\x5cslash \\xc2\\x85\\xe2\\x80\\xa8"
    )


def test_a_spelling_tells_the_name():
    names = [bytes(letters) for letters in product(b"\\x0a\x0a\xff=./", repeat=4)]
    names = [name for name in names if not name.startswith(b"./")]
    printable_name = [export.printable_name(os.fsdecode(name)) for name in names]
    back = [text.removeprefix("./").encode() for text in printable_name]
    back = [re.sub(rb"\\x(..)", lambda m: bytes.fromhex(m[1].decode()), text) for text in back]
    assert back == names


@pytest.mark.parametrize("start", ["=", "+", "-", "@", "\t", "\r", "＝", "＋", "－", "＠"])
def test_no_cell_of_a_name_is_a_formula(result, start):
    assert not export.printable_name(f"{start}1.png").startswith(start)
    rows = list(csv.DictReader(io.StringIO(export.to_csv(result, f"{start}1.png"))))
    assert {row["file"] for row in rows} == {export.printable_name(f"{start}1.png")}


def test_pts_counts_from_one():
    text = export.to_pts([[0.0, 0.0], [10.25, 99.5]])
    assert text == "version: 1\nn_points: 2\n{\n1.000 1.000\n11.250 100.500\n}\n"


def test_pts_can_be_read_back():
    keypoints = np.random.default_rng(5).uniform(-5, 900, (68, 2)).astype(np.float32)
    text = export.to_pts(keypoints)
    inside = text[text.index("{") + 1 : text.index("}")]
    back = np.array([line.split() for line in inside.strip().splitlines()], float) - 1
    np.testing.assert_allclose(back, keypoints, atol=5.1e-4)


@pytest.mark.parametrize("missing", [np.nan, None])
def test_pts_cannot_leave_points_out(missing):
    with pytest.raises(ValueError, match="export JSON or CSV"):
        export.to_pts([[1.0, 2.0], [missing, missing]])


def test_png_holds_the_pixels_and_nothing_else(hopper_path):
    pixels = np.asarray(Image.open(hopper_path))
    data = export.png_bytes(pixels)
    image = Image.open(io.BytesIO(data))
    np.testing.assert_array_equal(np.asarray(image), pixels)
    assert image.info == {}
    chunks, at = [], 8
    while at < len(data):
        (length,) = struct.unpack(">I", data[at : at + 4])
        chunks.append(data[at + 4 : at + 8])
        at += 12 + length
    assert set(chunks) == {b"IHDR", b"IDAT", b"IEND"}
