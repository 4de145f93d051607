"""Learned kernels of a net's convolutions, and their feature maps on a crop.

A layer has one feature map a kernel. A batch norm that follows at once is included, so that zero is
the threshold of the activation that usually comes next.

These functions run the net with hooks, so other threads must not use it meanwhile (`Engine.turn`).
"""

from contextlib import ExitStack
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from kpdemo.models.checkpoint import Model, normalise

Convolution = nn.Conv2d | nn.ConvTranspose2d


@dataclass(frozen=True)
class Layer:
    """A convolution of a net: its dotted name there, a title in words, and its shape.

    `kernel` is (height, width). `reads_picture` marks the layer whose inputs are the picture's
    channels, `per_keypoint` the one with a map for each keypoint, `transposed` one that enlarges.
    `norm` is the dotted name of the batch norm that follows at once, and `activation` that of the
    module that gets the layer's map next; both are None if none does.
    """

    name: str
    title: str
    kernel: tuple[int, int]
    stride: int
    inputs: int
    outputs: int
    transposed: bool
    reads_picture: bool
    per_keypoint: bool
    norm: str | None
    activation: str | None


def layers(model: Model) -> list[Layer]:
    """Every convolution of a model, plain or transposed, in the order in which they compute."""
    order: list[str] = []
    norms: dict[str, str] = {}
    activations: dict[str, str] = {}
    # With a copy: what is added to a map in place, as in a residual block, is no part of it.
    maps: list[tuple[str, Tensor, Tensor]] = []

    def convolution(name: str):
        def listen(_: nn.Module, __: tuple, output: Tensor) -> None:
            order.append(name)
            maps.append((name, output, output.clone()))

        return listen

    def norm(name: str):
        def listen(_: nn.Module, inputs: tuple, output: Tensor) -> None:
            for before in senders(inputs[0]):
                norms[before] = name
                maps.append((before, output, output.clone()))

        return listen

    def activation(name: str):
        def listen(_: nn.Module, inputs: tuple) -> None:
            activations.update((before, name) for before in senders(inputs[0]))

        return listen

    def senders(tensor: Tensor) -> list[str]:
        return [name for name, sent, copy in maps if sent is tensor and torch.equal(sent, copy)]

    with ExitStack() as listening:
        for name, module in model.net.named_modules():
            if isinstance(module, Convolution):
                listening.enter_context(module.register_forward_hook(convolution(name)))
            elif isinstance(module, nn.BatchNorm2d):
                listening.enter_context(module.register_forward_hook(norm(name)))
            elif isinstance(module, nn.ReLU | nn.LeakyReLU):
                listening.enter_context(module.register_forward_pre_hook(activation(name)))
        size = model.config.input
        run(model, np.zeros((size.height, size.width, size.channels), np.uint8))
    return [
        _layer(model, name, number, norms.get(name), activations.get(name))
        for number, name in enumerate(order)
    ]


def kernels(model: Model, layer: Layer) -> np.ndarray:
    """A layer's weights, float32 `(outputs, inputs, height, width)`, also for a transposed one."""
    weight = convolution_of(model, layer.name).weight.detach()
    if layer.transposed:
        weight = weight.transpose(0, 1)
    return weight.float().contiguous().cpu().numpy()


def feature_maps(model: Model, layer: Layer, pixels: np.ndarray) -> np.ndarray:
    """A layer's feature maps on a crop `(H, W[, C])` uint8 of the model's input size.

    float32 `(outputs, h, w)`: the convolution with its bias, and then `layer.norm`.
    """
    kept: list[Tensor] = []
    module = model.net.get_submodule(layer.norm or layer.name)
    # Copied, since the next activation may work in place.
    with module.register_forward_hook(lambda *call: kept.append(call[2].clone())):
        run(model, pixels)
    return kept[0][0].float().contiguous().cpu().numpy()


def strengths(maps: np.ndarray) -> np.ndarray:
    """The mean activation of each kernel after a ReLU: `(outputs, h, w)` -> `(outputs,)`."""
    return np.maximum(maps, 0).mean((1, 2))


def covered_area(model: Model, layer: Layer, maps: np.ndarray) -> tuple[float, float, float, float]:
    """The part of the crop that a layer's maps cover: x0, y0, x1, y1, from 0 to 1.

    Nets without padding lose a border with every convolution; others cover the whole crop.
    """
    chain = getattr(model.net, "backbone", None)
    if not isinstance(chain, nn.Sequential):
        return 0.0, 0.0, 1.0, 1.0
    start, step = 0.0, 1
    for module in list(chain)[: int(layer.name.rpartition(".")[2]) + 1]:
        if isinstance(module, nn.Conv2d | nn.MaxPool2d):
            kernel, padding, stride = map(side, (module.kernel_size, module.padding, module.stride))
            start += ((kernel - 1) / 2 - padding) * step
            step *= stride
    first = start - step / 2 + 0.5
    size = model.config.input
    height, width = maps.shape[1:]
    return (
        first / size.width,
        first / size.height,
        (first + width * step) / size.width,
        (first + height * step) / size.height,
    )


@torch.inference_mode()
def run(model: Model, pixels: np.ndarray) -> None:
    """Run the net on a crop `(H, W[, C])` uint8, for its hooks."""
    device = model.device
    picture = torch.from_numpy(pixels if pixels.ndim == 3 else pixels[..., None]).permute(2, 0, 1)
    model.net(normalise(picture[None].to(device), model.config.input))


def convolution_of(model: Model, name: str) -> Convolution:
    """A layer's module; TypeError if it is no convolution."""
    module = model.net.get_submodule(name)
    if not isinstance(module, Convolution):
        raise TypeError(f"{name} is no convolution.")
    return module


def side(size: Any, axis: int = 0) -> int:
    """A number of pixels, which PyTorch keeps as one number or as a pair."""
    return int(size[axis] if isinstance(size, tuple) else size)


def _layer(model: Model, name: str, number: int, norm: str | None, activation: str | None) -> Layer:
    module = convolution_of(model, name)
    height, width = module.kernel_size
    return Layer(
        name,
        model.net.layer_title(name) or f"Conv {number + 1}",
        (height, width),
        module.stride[0],
        module.in_channels,
        module.out_channels,
        isinstance(module, nn.ConvTranspose2d),
        number == 0,
        name in model.net.keypoint_layers,
        norm,
        activation,
    )
