import json
from base64 import b64decode

import cv2
import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

from kpdemo.explain import filters
from kpdemo.models import checkpoint, nets
from kpdemo.models.checkpoint import Model, normalise
from kpdemo.models.config import Input, ModelConfig
from kpdemo.ui.filters import kernels
from kpdemo.zoo import DEFAULT_MODELS, WEIGHTS_DIR


def tiny(channels: int = 1, **block) -> Model:
    settings = {"channels": 3, "kernel": 3, "padding": 1} | block
    config = ModelConfig(
        "simplenet", "kaggle-15", Input(24, 32, channels), args={"blocks": [settings]}
    )
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return Model("tiny", config, nets.build(config).eval())


def noise(height: int, width: int, *channels: int) -> np.ndarray:
    return np.random.default_rng(5).integers(0, 256, (height, width, *channels), np.uint8)


def plant(model: Model, *weights: np.ndarray) -> filters.Layer:
    """Put these kernels `(inputs, height, width)` into the first layer, and no bias."""
    first = filters.layers(model)[0]
    module = model.net.get_submodule(first.name)
    with torch.no_grad():
        module.weight.copy_(torch.tensor(np.stack(weights), dtype=torch.float32))
        module.bias.zero_()
    return first


def single(row: int, column: int, value: float = 1.0) -> np.ndarray:
    kernel = np.zeros((1, 3, 3))
    kernel[0, row, column] = value
    return kernel


@pytest.mark.parametrize("name", DEFAULT_MODELS)
def test_every_convolution_of_a_model_is_a_layer_with_its_kernels(name):
    model = checkpoint.load(WEIGHTS_DIR / name)
    found = filters.layers(model)
    modules = {
        name: module
        for name, module in model.net.named_modules()
        if isinstance(module, nn.Conv2d | nn.ConvTranspose2d)
    }
    assert {layer.name for layer in found} == set(modules)
    assert len({layer.title for layer in found}) == len(found)
    assert found[0].title == ("Conv 1" if name == "simplenet" else "Stem · conv")
    assert found[0].inputs == model.config.input.channels
    assert [layer.reads_picture for layer in found] == [True] + [False] * (len(found) - 1)
    for layer in found:
        module = modules[layer.name]
        assert filters.kernels(model, layer).shape == (
            module.out_channels,
            module.in_channels,
            *module.kernel_size,
        )
    assert found[-1].per_keypoint == (name != "simplenet")


def test_layers_come_in_the_order_in_which_they_compute():
    names = [layer.name for layer in filters.layers(checkpoint.load(WEIGHTS_DIR / "unet"))]
    assert names.index("up.0") < names.index("merge.0.0") < names.index("up.1")
    titles = {
        each.name: each.title for each in filters.layers(checkpoint.load(WEIGHTS_DIR / "unet"))
    }
    assert titles["down.0.3"] == "Encoder 1 · conv 2"
    assert titles["merge.3.0"] == "Decoder 1 · conv 1"


def test_the_activation_is_named_where_it_gets_the_map_itself():
    """In a residual block, the second one gets the sum with the shortcut."""
    by_name = {
        each.name: each.activation
        for each in filters.layers(checkpoint.load(WEIGHTS_DIR / "resnet18"))
    }
    assert by_name["backbone.conv1"] == "backbone.relu"
    assert by_name["backbone.layer1.0.conv1"] == "backbone.layer1.0.relu"
    assert by_name["backbone.layer1.0.conv2"] is by_name["head.lateral.0"] is None
    (only,) = filters.layers(tiny())
    assert only.norm is None and only.activation == "backbone.1"


@pytest.mark.parametrize("name", DEFAULT_MODELS)
def test_answers_of_the_first_layer_are_its_convolution_and_norm(name):
    model = checkpoint.load(WEIGHTS_DIR / name)
    first = filters.layers(model)[0]
    size = model.config.input
    cut = noise(size.height, size.width)
    picture = normalise(torch.from_numpy(cut)[None, None], size)
    module = model.net.get_submodule(first.name)
    with torch.no_grad():
        expected = F.conv2d(picture, module.weight, module.bias, module.stride, module.padding)
        if first.norm:
            expected = model.net.get_submodule(first.norm)(expected)
    assert np.allclose(filters.feature_maps(model, first, cut), expected[0].numpy(), atol=1e-4)


def test_an_identity_kernel_answers_the_picture_and_a_shifted_one_moves_it():
    model = tiny()
    first = plant(model, single(1, 1), single(1, 2), single(1, 1, -1.0))
    cut = noise(24, 32)
    same, moved, negative = filters.feature_maps(model, first, cut)
    picture = (cut / 255 - 0.5) / 0.25
    assert np.allclose(same, picture, atol=1e-5)
    assert np.allclose(moved[:, :-1], picture[:, 1:], atol=1e-5)
    # The activation that follows works in place, and must not have cut these.
    assert np.allclose(negative, -picture, atol=1e-5)


def test_the_kernel_that_finds_most_is_the_strongest():
    model = tiny()
    first = plant(model, single(1, 1, 0.5), single(1, 1, 2.0), single(1, 1, -1.0))
    strengths = filters.strengths(
        filters.feature_maps(model, first, np.full((24, 32), 191, np.uint8))
    )
    value = (191 / 255 - 0.5) / 0.25
    assert strengths == pytest.approx([0.5 * value, 2 * value, 0.0], abs=1e-5)


def test_maps_of_a_net_without_padding_leave_out_the_border_that_they_lost():
    cut = noise(24, 32)
    padded, bare = tiny(), tiny(padding=0)
    (first,), (short,) = filters.layers(padded), filters.layers(bare)
    whole = filters.covered_area(padded, first, filters.feature_maps(padded, first, cut))
    assert whole == pytest.approx((0, 0, 1, 1))
    lost = filters.covered_area(bare, short, filters.feature_maps(bare, short, cut))
    assert lost == pytest.approx((1 / 32, 1 / 24, 31 / 32, 23 / 24))


def numbers(base64: str) -> np.ndarray:
    return np.frombuffer(b64decode(base64), np.int8)


def test_the_page_gets_kernels_in_shares_of_their_largest_weight():
    model = tiny()
    first = plant(model, single(1, 1, 0.5), single(0, 2, -2.0), single(2, 0, 0.001))
    value = json.loads(kernels.layer(model, first, None, "Look elsewhere."))
    sent = numbers(value["pictures"]).reshape(3, *value["shape"])
    assert sent.shape == (3, 1, 3, 3)
    assert sent[0, 0, 1, 1] == 127 and sent[1, 0, 0, 2] == -127 and sent[2, 0, 2, 0] == 127
    assert value["scales"] == [0.5, 2.0, 0.001]
    assert value["answers"] is None and value["slices"] is None
    assert value["hint"] == "Look elsewhere."


def test_a_first_layer_in_colour_is_sent_in_colour_with_the_cut_to_the_pixel():
    model = tiny(channels=3)
    cut = noise(24, 32, 3)
    value = json.loads(kernels.layer(model, filters.layers(model)[0], cut, ""))
    assert value["shape"] == [3, 3, 3] and value["slices"]["count"] == 3
    kind, data = value["answers"]["photo"].split(",")
    assert kind == "data:image/png;base64"
    face = cv2.imdecode(np.frombuffer(b64decode(data), np.uint8), cv2.IMREAD_COLOR)
    assert (cv2.cvtColor(face, cv2.COLOR_BGR2RGB) == cut).all()


def test_of_many_inputs_the_strongest_are_sent_and_one_cell_kernels_become_a_block():
    model = checkpoint.load(WEIGHTS_DIR / "resnet18")
    by_name = {layer.name: layer for layer in filters.layers(model)}
    deep = by_name["backbone.layer3.1.conv1"]
    value = json.loads(kernels.layer(model, deep, None, ""))
    norms = np.square(filters.kernels(model, deep)).sum((2, 3))
    assert value["strongest"] == norms.argmax(1).tolist()
    inputs = np.frombuffer(b64decode(value["slices"]["inputs"]), "<u2").reshape(256, -1)
    assert inputs.shape[1] == kernels.SLICES
    assert inputs[:, 0].tolist() == value["strongest"]
    mixing = by_name["head.lateral.0"]
    value = json.loads(kernels.layer(model, mixing, None, ""))
    assert value["shape"] == [1, 8, 8]
    # 96 inputs leave four of ten by ten cells without a number.
    last = json.loads(kernels.layer(model, by_name["head.smooth.3"], None, ""))
    sent = numbers(last["pictures"]).reshape(68, -1)
    assert (sent == -128).sum() == 68 * 4 and (sent[:, 96:] == -128).all()
    assert last["points"][30] == "nose tip"


def test_the_page_gets_the_sum_with_its_strongest_inputs_and_the_rest():
    model = checkpoint.load(WEIGHTS_DIR / "resnet18")
    layer = next(each for each in filters.layers(model) if each.name == "backbone.layer1.0.conv1")
    cut = noise(112, 112)
    value = json.loads(kernels.sum_at(model, layer, cut, 7, 9, 11))
    products = [np.sum(np.multiply(each["inputs"], each["weights"])) for each in value["channels"]]
    assert len(products) == kernels.CHANNELS and value["others"] == 64 - kernels.CHANNELS
    assert np.abs(products).tolist() == sorted(np.abs(products), reverse=True)
    convolution = sum(products) + value["rest"] + value["bias"]
    shown = filters.feature_maps(model, layer, cut)[7, 9, 11]
    assert value["scale"] * convolution + value["shift"] == pytest.approx(shown, abs=1e-4)
    assert value["value"] == pytest.approx(shown)
    assert value["activation"] == ["ReLU", pytest.approx(max(0, shown))]
