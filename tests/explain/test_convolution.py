"""One kernel at one place: what it sums up is what its map shows."""

import numpy as np
import pytest
import torch
from torch import nn

from kpdemo.explain import filters
from kpdemo.explain.convolution import decompose
from kpdemo.models import checkpoint, nets
from kpdemo.models.checkpoint import Model
from kpdemo.models.config import Input, ModelConfig
from kpdemo.zoo import DEFAULT_MODELS, WEIGHTS_DIR


def noise(model: Model) -> np.ndarray:
    size = model.config.input
    return np.random.default_rng(5).integers(0, 256, size.shape, np.uint8)


def net(**settings) -> Model:
    block = {"channels": 2, "kernel": 3, "padding": 1} | settings
    config = ModelConfig("simplenet", "kaggle-15", Input(6, 8), args={"blocks": [block]})
    return Model("tiny", config, nets.build(config).eval())


@pytest.mark.parametrize("name", DEFAULT_MODELS)
def test_the_sum_is_what_the_map_shows_in_every_layer(name):
    """In a corner, on an edge and inside, to 1e-4 of the layer's largest answer."""
    model = checkpoint.load(WEIGHTS_DIR / name)
    crop = noise(model)
    for layer in filters.layers(model):
        maps = filters.feature_maps(model, layer, crop)
        count, height, width = maps.shape
        scale = max(1.0, float(np.abs(maps).max()))
        for kernel, row, column in (
            (0, 0, 0),
            (count - 1, height - 1, width // 2),
            (count // 2, height // 2, width // 3),
        ):
            parts = decompose(model, layer, crop, kernel, row, column)
            assert parts.value == maps[kernel, row, column]
            assert parts.result == pytest.approx(parts.value, abs=1e-4 * scale), layer.title
            if layer.norm is None:
                assert (parts.scale, parts.shift) == (1, 0)
            if not layer.transposed:
                assert parts.weights == pytest.approx(filters.kernels(model, layer)[kernel])


def test_numbers_that_are_known_by_hand():
    model = net()
    (layer,) = filters.layers(model)
    module = model.net.get_submodule(layer.name)
    with torch.no_grad():
        module.weight.zero_()
        module.weight[1, 0] = torch.arange(9.0).reshape(3, 3)
        module.bias.copy_(torch.tensor([0.0, 0.5]))
    crop = np.arange(48, dtype=np.uint8).reshape(6, 8)
    parts = decompose(model, layer, crop, 1, 0, 2)
    # The upper row of the kernel lies outside; grey 0 would be -2 there, so it shows.
    values = (crop[0:2, 1:4] / 255 - 0.5) / 0.25
    assert parts.inputs[0] == pytest.approx(np.vstack([np.zeros(3), values]))
    assert parts.weights[0].tolist() == [[0, 1, 2], [3, 4, 5], [6, 7, 8]]
    assert parts.convolution == pytest.approx((values * [[3, 4, 5], [6, 7, 8]]).sum() + 0.5)
    assert (parts.scale, parts.shift, parts.bias) == (1, 0, 0.5)


def test_the_batch_norm_is_a_factor_and_a_summand():
    model = net(norm=True)
    (layer,) = filters.layers(model)
    norm = model.net.get_submodule(layer.norm)
    assert isinstance(norm, nn.BatchNorm2d)
    with torch.no_grad():
        norm.running_mean.fill_(3.0)
        norm.running_var.fill_(4.0 - norm.eps)
        norm.weight.fill_(6.0)
        norm.bias.fill_(1.0)
    parts = decompose(model, layer, noise(model), 0, 3, 3)
    assert (parts.scale, parts.shift) == pytest.approx((3.0, -8.0), abs=1e-5)
    assert parts.value == pytest.approx(3 * parts.convolution - 8, abs=1e-4)


@pytest.mark.parametrize("where", [(2, 0, 0), (0, 6, 0), (0, 0, 8), (-1, 0, 0), (0, -1, 0)])
def test_no_such_place(where):
    model = net()
    (layer,) = filters.layers(model)
    with pytest.raises(IndexError, match="no kernel"):
        decompose(model, layer, noise(model), *where)
