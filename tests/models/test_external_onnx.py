"""ONNX files of other programs, with a JSON file beside them."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
from helpers.onnx_files import CONFIG, constant

import kpdemo
from kpdemo.__main__ import main
from kpdemo.models import external_onnx
from kpdemo.models.model_folder import CheckpointError
from kpdemo.zoo import WEIGHTS_DIR


@pytest.fixture(scope="module")
def points() -> np.ndarray:
    return np.random.default_rng(0).uniform(-0.9, 0.9, (15, 2))


@pytest.mark.parametrize("batch", [None, 1, 4])
def test_crops_are_scaled_and_points_come_back_for_any_number_of_faces(tmp_path, points, batch):
    predictor = external_onnx.load(constant(tmp_path, points, batch), "mine")
    levels = np.array([0, 51, 102, 153, 204, 255] * 2, np.uint8)
    crops = np.broadcast_to(levels[:, None, None, None], (12, 24, 16, 3))
    moves = (levels / 255 - 0.5) / 0.25
    expected = points + moves[:, None, None]
    np.testing.assert_allclose(predictor.keypoints(crops), expected, atol=1e-5)


@pytest.mark.parametrize(
    ("coordinates", "convert"),
    [
        ("unit", lambda points: (points + 1) / 2),
        ("pixels", lambda points: ((points + 1) * (16, 24) - 1) / 2),
    ],
)
def test_coordinates_may_be_counted_in_other_ways(tmp_path, points, coordinates, convert):
    size = CONFIG["input"] | {"mean": [0]}
    path = constant(tmp_path, convert(points), coordinates=coordinates, input=size)
    predictor = external_onnx.load(path, "mine")
    crops = np.zeros((1, 24, 16, 3), np.uint8)
    np.testing.assert_allclose(predictor.keypoints(crops)[0], points, atol=1e-5)


def test_our_own_exported_net_gives_the_same_points(tmp_path, hopper, monkeypatch):
    monkeypatch.chdir(tmp_path)
    assert main(["export", "nosenet-moore", "--onnx", "nose.onnx"]) == 0
    config = json.loads((WEIGHTS_DIR / "nosenet-moore" / "config.json").read_text())
    # The file takes pixels from 0 to 255 and scales them itself.
    size = config["input"] | {"mean": [0], "std": [1 / 255]}
    beside = {"markup": config["markup"], "input": size, "crop": config["framing"]}
    Path("nose.json").write_text(json.dumps(beside))
    (face,) = kpdemo.compare(hopper, ["nose.onnx", "nosenet-moore"]).faces
    ours, theirs = face.predictions["nosenet-moore"], face.predictions["nose.onnx"]
    # In half precision, the app's own net differs by hundredths of a pixel.
    np.testing.assert_allclose(theirs.keypoints, ours.keypoints, atol=1)
    assert theirs.confidence is None and theirs.markup == "nose-1"


# torch.export's copying of its own tree of arguments, while it has no other way itself.
@pytest.mark.filterwarnings(
    "ignore:`isinstance\\(treespec, LeafSpec\\)` is deprecated:FutureWarning"
)
def test_the_documented_example_is_compared_beside_ours(tmp_path, hopper, monkeypatch):
    text = (Path(kpdemo.__file__).parents[1] / "CONTRIBUTING.md").read_text()
    (code,) = re.findall(r"```python\n(import json\n.*?)```", text, re.DOTALL)
    monkeypatch.chdir(tmp_path)
    exec(code, {})
    (face,) = kpdemo.compare(hopper, ["mine.onnx", "simplenet"]).faces
    answer = face.predictions["mine.onnx"]
    assert answer.keypoints.shape == (68, 2) and np.isfinite(answer.keypoints).all()
    x0, y0, x1, y1 = face.box
    # An untrained net puts all points near the crop's middle, which is that of the face.
    middle = answer.keypoints.mean(0)
    assert x0 < middle[0] < x1 and y0 < middle[1] < y1
    assert len(face.predictions["simplenet"].keypoints) == 68


def _config(**changes):
    return lambda path: path.with_suffix(".json").write_text(json.dumps(CONFIG | changes))


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda path: path.unlink(), "mine.onnx cannot be read (No such file"),
        (lambda path: path.write_bytes(b"no net"), "mine.onnx cannot be used ("),
        (lambda path: path.write_bytes(path.read_bytes()[:200]), "mine.onnx cannot be used ("),
        (lambda path: path.with_suffix(".json").unlink(), "mine.json is missing; it says"),
        (lambda path: path.with_suffix(".json").write_text("{"), "mine.json is not valid JSON"),
        (_config(markup="wflw-98"), "Unknown markup 'wflw-98'; known are"),
        (_config(markup="ibug-68"), "gives 30 numbers for a face, and ibug-68 has 136"),
        (_config(coordinates="metres"), "coordinates are one of crop, unit, pixels"),
        (_config(crop={"reference": "head"}), "Unknown framing 'head'"),
        (_config(extra=1), "unknown key extra"),
        (_config(input=CONFIG["input"] | {"std": [0, 1, 1]}), "std are above 0"),
        (_config(input=CONFIG["input"] | {"mean": [0, 1]}), "one for each channel"),
        (
            _config(input=CONFIG["input"] | {"width": 32}),
            "takes tensor(float) ['N', 3, 24, 16], and its JSON says tensor(float) (N, 3, 24, 32)",
        ),
    ],
)
def test_what_does_not_fit_is_one_sentence(tmp_path, points, change, sentence):
    path = constant(tmp_path, points)
    change(path)
    with pytest.raises(CheckpointError) as error:
        external_onnx.load(path, "mine.onnx")
    message = str(error.value)
    assert sentence in message and "\n" not in message and message.endswith(".")


def test_without_onnx_runtime_the_others_go_on(tmp_path, points, hopper, monkeypatch):
    path = constant(tmp_path, points)
    monkeypatch.setattr(external_onnx, "find_spec", lambda name: None)
    result = kpdemo.compare(hopper, [str(path), "simplenet"])
    assert "pip install onnxruntime" in result.unavailable[str(path)]
    assert list(result.faces[0].predictions) == ["simplenet"]
