"""The table under the panels: Node's figures are those of Python."""

import json
from typing import Any

import numpy as np
import pytest
from helpers.faces import compared_face

from kpdemo.keypoints import agreement, markups
from kpdemo.keypoints.annotations import Marks
from kpdemo.media import images
from kpdemo.structures import ComparedFace, Comparison, Prediction
from kpdemo.ui.compare import panels, table
from kpdemo.ui.session import PhotoResult, Truth

TIMINGS = {"load": 0.2, "detect": 10.0, "unet": 400.0, "mediapipe": 20.0, "total": 450.0}
BODY = """
import { Comparison } from "./compare/comparison.js";
import { cellsOf, columnsOf, meaningOf, timingsOf } from "./compare/table_cells.js";
const comparison = new Comparison(input.panels);
comparison.choose(null);
const { models } = input.table;
const rows = comparison.panels.map((panel) => [panel.name, cellsOf(comparison, panel, models)]);
console.log(JSON.stringify({
  columns: columnsOf(comparison),
  rows: Object.fromEntries(rows),
  meaning: meaningOf(comparison),
  timings: timingsOf(comparison),
}));
"""


def prediction(name: str) -> Prediction:
    count = len(markups.get(name))
    points = np.random.default_rng(count).uniform(100, 200, (count, 2)).round(2)
    fitted = {"ibug-68-fitted": points[100:168]} if name == "mediapipe-478" else {}
    return Prediction(name, points.astype(np.float32), None, 2.0, fitted)


def face(**predictions: Prediction) -> ComparedFace:
    return compared_face((100, 100, 200, 200), predictions)


def result(*faces: ComparedFace, truth: Truth | None = None, unet: str = "cpu") -> PhotoResult:
    devices = {"unet": unet, "mediapipe": "cpu"}
    photo = images.from_array(np.zeros((300, 400, 3), np.uint8))
    comparison = Comparison(400, 300, list(faces), TIMINGS, {}, devices=devices)
    return PhotoResult("", photo, comparison, truth)


@pytest.fixture
def drawn(run):
    """`drawn(result, median)`: the table's columns, rows and texts."""

    def drawn(held: PhotoResult, median=lambda *key: None) -> dict[str, Any]:
        names = {"unet": "ibug-68", "mediapipe": "mediapipe-478"}
        value = json.loads(panels.value(held, names, median))
        return run(BODY, {"panels": value, "table": json.loads(table.value({}, held, {}, {}))})

    return drawn


def test_distances_are_those_of_python(drawn):
    unet, mesh = prediction("ibug-68"), prediction("mediapipe-478")
    page = drawn(result(face(unet=unet, mediapipe=mesh)))
    cells, expected = page["rows"]["unet"], agreement.summary([(unet, mesh)])
    assert list(page["rows"]) == ["mediapipe", "unet"]
    assert cells["distance"] == [f"{expected.percent:.1f} %", pytest.approx(expected.percent)]
    assert cells["pixels"][1] == pytest.approx(expected.pixels)
    for group, percent in expected.groups.items():
        assert cells[group][1] == pytest.approx(percent)
    assert page["rows"]["mediapipe"]["distance"] == ["reference", None]
    assert page["rows"]["mediapipe"]["trained"] == ["Google’s own data", None]
    assert page["timings"] == ("Total 450 ms: find faces 10 ms; U-Net 400 ms; MediaPipe 20 ms.")
    assert "to MediaPipe" in page["meaning"]


def test_a_model_without_a_face_keeps_its_row(drawn):
    lost = compared_face(
        (100, 100, 200, 200), {"unet": prediction("ibug-68")}, {"mediapipe": "gone"}
    )
    cells = drawn(result(lost))["rows"]["mediapipe"]
    assert cells["distance"] == ["no face here", None]
    assert cells["keypoints"] == ["–", None]


def test_a_truth_turns_distance_into_error(drawn):
    unet = prediction("ibug-68")
    points = unet.keypoints + np.float32([3, 0])
    both = face(unet=unet, mediapipe=prediction("mediapipe-478"))
    page = drawn(result(both, truth=Truth("", {"": Marks("ibug-68", (points,))}, "")))
    assert page["rows"]["unet"]["pixels"][0] == "3.0 px"
    assert page["rows"]["mediapipe"]["pixels"][1] > 0
    assert page["meaning"].startswith("Error is")
    points[[5, 36]] = np.nan  # without an eye corner there is no share
    page = drawn(result(both, truth=Truth("", {"": Marks("ibug-68", (points,))}, "")))
    assert page["rows"]["unet"]["pixels"][0] == "3.0 px"
    assert page["rows"]["unet"]["distance"] == ["–", None]


def test_times_are_medians_and_say_which_device_answered(drawn):
    # U-Net is known from other photos, MediaPipe is not.
    medians = {("unet", "cpu"): 16.0, ("unet", "zerogpu"): 2.0}
    both = face(unet=prediction("ibug-68"), mediapipe=prediction("mediapipe-478"))

    def median(*key: str) -> float | None:
        return medians.get(key)

    page = drawn(result(both, both), median)
    assert "Milliseconds (processor)" in {column["among"] for column in page["columns"]}
    assert page["rows"]["unet"]["landmarks"] == ["16.0", 16.0]
    assert page["rows"]["unet"]["end"] == ["42.0", 42.0]
    assert page["rows"]["mediapipe"]["end"] == ["30.0", 30.0]
    assert "With 2 faces" in page["meaning"]
    page = drawn(result(both, unet="zerogpu"), median)
    assert "Milliseconds" in {column["among"] for column in page["columns"]}
    assert page["rows"]["unet"]["landmarks"] == ["2.0 ZeroGPU", 2.0]
    assert page["rows"]["mediapipe"]["end"] == ["30.0 processor", 30.0]
