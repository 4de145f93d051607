"""A degraded photo on the page: how far answers drift, and how a browser changes pixels itself."""

from typing import Any

import numpy as np
import pytest

from kpdemo.engine import degrade
from kpdemo.engine.degrade import Degradation
from kpdemo.media import corruptions
from kpdemo.structures import ComparedFace, Comparison, Face, Prediction
from kpdemo.ui.shared import catalogue

EYES = 100.0  # pixels between the outer eye corners
DRIFT = """
import { Comparison } from "./compare/comparison.js";
import { driftOf } from "./compare/drift.js";
const panels = [{ name: "unet", title: "U-Net", color: "red", markup: "ibug-68", faces: [] }];
const comparison = new Comparison({ panels, faces: [], markups: input.markups });
comparison.choose(null);
console.log(JSON.stringify(input.values.map((value) => driftOf(value, comparison))));
"""
CORRUPTIONS = """
import { degrade } from "./compare/corruptions.js";
const picture = { ...input.picture, data: Uint8Array.from(input.picture.data) };
const changed = await Promise.all(input.all.map(async (settings) => {
  const [{ data, width, height }, matrix] = await degrade(picture, input.boxes, settings);
  return { data: Array.from(data), width, height, matrix };
}));
console.log(JSON.stringify(changed));
"""
CENTER = np.array([200.0, 200.0])
PIXELS = np.full((400, 400, 3), 90, np.uint8)


def shape() -> np.ndarray:
    """68 points with known outer eye corners."""
    points = np.random.default_rng(0).uniform(120, 280, (68, 2))
    points[36], points[45] = (150, 180), (150 + EYES, 180)
    return points


def face(points: np.ndarray | None, center: np.ndarray, width: float) -> ComparedFace:
    x, y = center
    box = (x - width / 2, y - width / 2, x + width / 2, y + width / 2)
    answers = {"unet": Prediction("ibug-68", points, None, 1.0)} if points is not None else {}
    return ComparedFace(Face(box, 0.9, np.tile(center, (6, 1)), 0.0), answers)


def comparison(*faces: ComparedFace) -> Comparison:
    return Comparison(400, 400, list(faces), {"total": 1.0}, {})


UNTOUCHED = comparison(face(shape(), CENTER, 180))


def value(after: Comparison, before: Comparison = UNTOUCHED, matrix=None, **more: Any) -> dict:
    return {
        "before": before.to_dict(),
        "after": after.to_dict(),
        "matrix": np.eye(3)[:2] if matrix is None else matrix,
        "eyes": [EYES] * len(before.faces),
        "isChanged": True,
    } | more


@pytest.fixture
def drifts(run):
    """`drifts(values)`: what the page makes of values of the component."""

    def drifts(*values: dict) -> list[dict[str, Any]]:
        markups = catalogue.value([])["markups"]
        return run(DRIFT, {"values": values, "markups": markups})

    return drifts


def test_drift_is_what_a_model_moves_against_the_picture(drifts) -> None:
    values, expected = [], []
    for degradation, scale in (
        (Degradation(turn=30), 1),
        (Degradation(turn=-135, size=50), 0.5),
        (Degradation(size=25, blur=2, darkness=40), 0.25),
    ):
        _, matrix = degrade.apply(PIXELS, UNTOUCHED.faces, degradation)
        center = corruptions.move(CENTER[None], matrix)[0]
        for offset in (0, 3):
            points = corruptions.move(shape(), matrix) + (offset, 0)
            after = comparison(face(points, center, 180 * scale))
            values.append(value(after, matrix=matrix))
            expected.append(100 * offset / scale / EYES)
    found = [drift["models"][0] for drift in drifts(*values)]
    assert [model["percent"] for model in found] == pytest.approx(expected, abs=0.02)
    assert {model["lost"] for model in found} == {0}
    starts, ends = np.split(np.array(found[1]["lines"][0]), 2, axis=1)
    np.testing.assert_allclose(ends - starts, [[3, 0]] * 68, atol=0.01)


def test_a_photo_as_it_is_has_no_drift(drifts) -> None:
    (drift,) = drifts(value(UNTOUCHED, isChanged=False))
    assert drift["models"][0]["percent"] == 0
    assert "the photo as it is" in drift["message"]


def test_lost_faces_and_lost_points_count_and_are_in_no_mean(drifts) -> None:
    two = comparison(*UNTOUCHED.faces, face(shape() + 400, CENTER + 400, 180))
    none, one, points = drifts(
        value(comparison(), two),
        value(UNTOUCHED, two),
        value(comparison(face(None, CENTER, 180), two.faces[1]), two),
    )
    assert (none["models"][0]["lost"], none["models"][0]["percent"]) == (2, None)
    assert none["message"] == "Both faces are no longer detected, so no model has points."
    assert (one["models"][0]["lost"], one["models"][0]["percent"]) == (1, 0)
    assert one["message"] == "1 of the 2 faces are no longer detected."
    assert (points["models"][0]["lost"], points["models"][0]["faces"]) == (1, 2)
    assert points["message"] == "No points any more from U-Net on some."


def test_faces_that_were_not_there_are_no_ones_drift(drifts) -> None:
    (drift,) = drifts(value(comparison(face(shape() + 300, CENTER + 300, 90), *UNTOUCHED.faces)))
    assert (drift["models"][0]["percent"], drift["models"][0]["faces"]) == (0, 1)
    assert "1 more detected where the untouched photo has no face." in drift["message"]


@pytest.mark.parametrize(
    ("degradation", "most"),
    [
        (Degradation(cover=35, side="left"), 0),
        (Degradation(darkness=40), 0),
        (Degradation(size=37), 1),
        (Degradation(turn=33, size=60), 2),
        (Degradation(blur=7), 4),  # three boxes instead of a Gaussian
    ],
)
def test_a_browser_changes_pixels_as_python_does(run, hopper, degradation, most) -> None:
    pixels = np.ascontiguousarray(hopper[100:340:2, 150:390:2])
    height, width = pixels.shape[:2]
    boxes = [[30.2, 20.4, 90.6, 80.8]]
    (changed,) = run(
        CORRUPTIONS,
        {
            "picture": {
                "data": pixels.ravel().tolist(),
                "width": width,
                "height": height,
                "channels": 3,
            },
            "boxes": boxes,
            "all": [vars(degradation)],
        },
    )
    detected = ComparedFace(Face(tuple(boxes[0]), 0.9, np.zeros((6, 2)), 0.0), {})
    expected, matrix = degrade.apply(pixels, [detected], degradation)
    np.testing.assert_allclose(changed["matrix"], matrix, atol=1e-9)
    found = np.reshape(changed["data"], expected.shape)
    assert (found.shape[1], found.shape[0]) == (changed["width"], changed["height"])
    assert np.abs(found - expected.astype(int)).max() <= most
