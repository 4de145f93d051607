"""A net is one file: toys that no other code names are compared, drawn, explained and exported."""

import importlib
from pathlib import Path

import numpy as np
import pytest
import torch

from kpdemo import Engine, zoo
from kpdemo.benchmark import speed
from kpdemo.engine import export
from kpdemo.explain import architecture, filters, occlusion
from kpdemo.keypoints import markups
from kpdemo.media import draw, images
from kpdemo.media.sheet import side_by_side
from kpdemo.models import checkpoint, nets, onnx
from kpdemo.models.config import Input, ModelConfig
from kpdemo.models.face_crops import crop_face
from kpdemo.models.predict import predict

# As little as a net can say of itself, and as much.
SOURCE = """
import torch
from torch import nn

from kpdemo.models.nets.heatmaps import centroid, softmax_maps
from kpdemo.models.nets.registry import KeypointNet, Output, Parts, register


@register("toy-regressor")
class ToyRegressor(KeypointNet):
    def __init__(self, keypoints, channels, height, width):
        super().__init__()
        self.conv = nn.Conv2d(channels, 4, 3, stride=2, padding=1)
        self.head = nn.Linear(4 * (height // 2) * (width // 2), 2 * keypoints)

    def forward(self, pictures):
        features = self.conv(pictures).relu().flatten(1)
        return Output(torch.tanh(self.head(features)).unflatten(1, (-1, 2)))


@register("toy-heatmaps")
class ToyHeatmaps(KeypointNet):
    keypoint_layers = frozenset({"head"})

    def __init__(self, keypoints, channels, height, width, maps=6):
        super().__init__()
        self.conv = nn.Conv2d(channels, maps, 3, stride=4, padding=1)
        self.norm = nn.BatchNorm2d(maps)
        self.head = nn.Conv2d(maps, keypoints, 1)

    @classmethod
    def has_heatmaps(cls, args):
        return True

    def layer_title(self, name):
        return "the toy's own convolution" if name == "head" else None

    def parts(self):
        return Parts([], [self.conv], [], [])

    def forward(self, pictures):
        heatmaps = softmax_maps(self.head(self.norm(self.conv(pictures)).relu()))
        return Output(centroid(heatmaps), heatmaps)
"""
CONFIGS = {
    "regressor": ModelConfig("toy-regressor", "kaggle-15", Input(32, 32)),
    "heatmaps": ModelConfig("toy-heatmaps", "ibug-68", Input(48, 64, 3), args={"maps": 5}),
}


@pytest.fixture(scope="module")
def folders(tmp_path_factory) -> list[Path]:
    """A folder a toy net, as training leaves it."""
    root = tmp_path_factory.mktemp("toys")
    (root / "kpdemo_toy_nets.py").write_text(SOURCE)
    with pytest.MonkeyPatch.context() as patch:
        patch.syspath_prepend(root)
        importlib.import_module("kpdemo_toy_nets")
    with torch.random.fork_rng():
        torch.manual_seed(0)
        for name, config in CONFIGS.items():
            checkpoint.save(root / name, nets.build(config), config)
    return [root / name for name in CONFIGS]


@pytest.fixture(scope="module")
def engine(folders):
    with Engine(folders) as engine:
        yield engine


@pytest.fixture(scope="module")
def photo(hopper_path):
    return images.load(hopper_path)


@pytest.fixture(scope="module")
def comparison(engine, photo):
    return engine.compare(photo, list(CONFIGS))


@pytest.mark.parametrize("name", CONFIGS)
def test_it_is_compared(engine, comparison, name):
    assert name in engine.names and engine.markup(name) == CONFIGS[name].markup
    assert zoo.title(name) == name
    (face,) = comparison.faces
    answer, count = face.predictions[name], len(markups.get(CONFIGS[name].markup))
    assert answer.markup == CONFIGS[name].markup
    assert answer.keypoints.shape == (count, 2) and np.isfinite(answer.keypoints).all()
    assert answer.confidence is not None and answer.confidence.shape == (count,)
    result = comparison.to_dict()
    assert len(export.to_csv(result).splitlines()) == 1 + sum(
        len(each.keypoints) for each in face.predictions.values()
    )


def test_it_is_drawn(photo, comparison):
    one = side_by_side(photo, comparison)
    (face,) = comparison.faces
    for name, answer in face.predictions.items():
        picture = draw.overlay(photo.pixels, answer.keypoints, answer.markup, zoo.color(name))
        assert (picture != photo.pixels).any()
    # A panel a model, side by side.
    assert one.shape[1] > 2 * min(photo.width, one.shape[0] / 2)


@pytest.mark.parametrize("name", CONFIGS)
def test_it_is_explained(engine, photo, comparison, name):
    model = engine.store.model(name)
    _, crop = crop_face(model.config, photo, comparison.faces[0].detection)
    layers = filters.layers(model)
    assert layers[0].reads_picture and layers[0].title == "Conv 1"
    for layer in layers:
        assert len(filters.kernels(model, layer)) == layer.outputs
        assert len(filters.feature_maps(model, layer, crop)) == layer.outputs
    *_, (_, moves) = occlusion.sensitivity(model, crop, cells=3)
    assert moves.shape[0] == len(markups.get(model.config.markup)) and moves.max() > 0
    prediction = predict(model, crop[None], heatmaps=True)
    diagram = architecture.of(model.config)
    if name == "regressor":
        assert not nets.has_heatmaps(model.config) and prediction.heatmaps is None
        # By default all convolutions and linear layers.
        assert (diagram.down, diagram.layers, diagram.maps) == (((4, 16, 16),), (30,), None)
    else:
        assert nets.has_heatmaps(model.config) and prediction.heatmaps.shape == (1, 68, 12, 16)
        assert (diagram.down, diagram.maps) == (((5, 12, 16),), (68, 12, 16))
        assert layers[-1].per_keypoint and layers[-1].title == "the toy's own convolution"


@pytest.mark.parametrize("name", CONFIGS)
def test_it_is_exported(engine, name, tmp_path):
    for package in onnx.NEEDED:
        pytest.importorskip(package, reason="Export needs it")
    runtime = pytest.importorskip("onnxruntime")
    model, out = engine.store.model(name), tmp_path / "toy.onnx"
    assert name in onnx.export(model, out)
    session = runtime.InferenceSession(str(out), providers=["CPUExecutionProvider"])
    size = model.config.input
    pixels = torch.rand(3, size.channels, size.height, size.width) * 255
    with torch.inference_mode():
        expected = onnx.PredictionModule(model)(pixels)
    for output, values in zip(session.run(None, {"pixels": pixels.numpy()}), expected, strict=True):
        np.testing.assert_allclose(output, values, atol=2e-3)


def test_it_is_benchmarked(folders):
    models = speed.measure(folders, rounds=1)["models"]
    for name in CONFIGS:
        assert models[name]["ms_1"] > 0 and models[name]["multiply_adds"] > 0
