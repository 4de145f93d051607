"""Models as ONNX files: ONNX Runtime answers what the app does."""

import copy
import dataclasses
import json
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch

from kpdemo.__main__ import main
from kpdemo.engine.engine import engine
from kpdemo.keypoints import markups
from kpdemo.models import onnx
from kpdemo.models.checkpoint import normalise
from kpdemo.models.config import ModelConfig, from_dict
from kpdemo.models.predict import predict
from kpdemo.zoo import DEFAULT_MODELS


@pytest.mark.parametrize("name", DEFAULT_MODELS)
def test_onnx_runtime_answers_as_torch_does(name, tmp_path, hopper, capsys):
    for package in onnx.NEEDED:
        pytest.importorskip(package, reason="Export needs it")
    runtime = pytest.importorskip("onnxruntime")
    out = tmp_path / "model.onnx"
    assert main(["export", name, "--onnx", str(out)]) == 0
    assert "float32 from 0 to 255 -> keypoints" in capsys.readouterr().out
    assert [path.name for path in tmp_path.iterdir()] == ["model.onnx"]
    session = runtime.InferenceSession(str(out), providers=["CPUExecutionProvider"])
    model = engine().store.model(name)
    size = model.config.input
    face = cv2.resize(hopper[20:420, 80:480], (size.width, size.height))
    cuts = np.stack([face, face[:, ::-1], np.roll(face, 9, 0)])
    if size.channels == 1:
        cuts = cuts.mean(-1, keepdims=True).astype(np.uint8)
    pixels = torch.from_numpy(cuts).permute(0, 3, 1, 2).float()
    for count in (1, 3):
        found = session.run(None, {"pixels": pixels[:count].numpy()})
        with torch.inference_mode():
            expected = onnx.PredictionModule(model)(pixels[:count])
        assert len(found) == len(expected)
        # Crop coordinates: a crop is 2 wide.
        np.testing.assert_allclose(found[0], expected[0], atol=2e-3)
        for maps, others in zip(found[1:], expected[1:], strict=True):
            np.testing.assert_allclose(maps, others, atol=1e-3)
    # And that is the app's answer, which may have been computed in bf16.
    np.testing.assert_allclose(found[0], predict(model, cuts).keypoints, atol=0.03)
    metadata = session.get_modelmeta().custom_metadata_map
    assert from_dict(ModelConfig, json.loads(metadata["config"]), "metadata") == model.config
    assert json.loads(metadata["keypoint_names"]) == list(markups.get(model.config.markup).names)


def test_a_model_without_the_flip_test_is_exported_so():
    model = engine().store.model("simplenet")
    single = dataclasses.replace(model.config, flip_test=False)
    size = single.input
    pixels = torch.rand(2, size.channels, size.height, size.width) * 255
    plain = dataclasses.replace(model, config=single, calibration=None)
    with torch.inference_mode():
        (keypoints,) = onnx.PredictionModule(plain)(pixels)
        expected = copy.deepcopy(model.net).cpu()(normalise(pixels, size)).keypoints
    np.testing.assert_allclose(keypoints, expected, atol=1e-5)


def test_what_cannot_be_exported_ends_in_one_sentence(tmp_path, capsys, monkeypatch):
    out = tmp_path / "model.onnx"

    def refused(model: str, path: Path) -> str:
        assert main(["export", model, "--onnx", str(path)]) == 1
        error = capsys.readouterr().err.splitlines()
        assert not list(tmp_path.iterdir())
        return error[-1]

    assert "no net nosuchnet" in refused("nosuchnet", out)
    assert "no net mediapipe" in refused("mediapipe", out)
    assert "there is no folder" in refused("unet", tmp_path / "gone" / "model.onnx")
    monkeypatch.setattr(onnx, "NEEDED", ("kpdemo_no_such_package",))
    assert "pip install kpdemo_no_such_package" in refused("unet", out)
