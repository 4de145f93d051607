"""One cell of a feature map: the products that the kernel sums up there.

As in `kpdemo.explain.filters`, other threads must not use the net meanwhile.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor

from kpdemo.explain.filters import Layer, convolution_of, kernels, run, side
from kpdemo.models.checkpoint import Model


@dataclass(frozen=True, eq=False)
class Sum:
    """The sum behind one cell of a kernel's feature map.

    `inputs` and `weights` `(C, h, w)` are the layer's input under the kernel and the kernel's
    weights, zero where the input ends; where a layer enlarges, those weights that reach the cell.
    The products' sum and `bias` make `convolution`; the batch norm, where one follows, makes
    `scale * convolution + shift` of it, else `scale` is 1 and `shift` 0. `value` is what the map of
    `filters.feature_maps` holds there, as the net computed it in float32.
    """

    inputs: np.ndarray
    weights: np.ndarray
    bias: float
    scale: float
    shift: float
    value: float

    @property
    def products(self) -> np.ndarray:
        return self.inputs * self.weights

    @property
    def convolution(self) -> float:
        return float(self.products.sum()) + self.bias

    @property
    def result(self) -> float:
        """The sum's own result, to be compared with `value`."""
        return self.scale * self.convolution + self.shift


def decompose(
    model: Model, layer: Layer, crop: np.ndarray, kernel: int, row: int, column: int
) -> Sum:
    """The sum of a layer's `kernel` at a cell of its map, all counted from 0.

    `crop` is `(H, W[, C])` uint8 of the model's input size. Raises IndexError where there is no
    such kernel or cell.
    """
    inputs, outputs = _record(model, layer, crop)
    if not (
        0 <= kernel < len(outputs)
        and 0 <= row < outputs.shape[1]
        and 0 <= column < outputs.shape[2]
    ):
        raise IndexError(f"{layer.title} has no kernel {kernel} at {row}, {column}.")
    module = convolution_of(model, layer.name)
    taps_y = _taps(module, layer, 0, row, inputs.shape[1])
    taps_x = _taps(module, layer, 1, column, inputs.shape[2])
    patch = np.zeros((layer.inputs, len(taps_y), len(taps_x)))
    weights = np.zeros_like(patch)
    all_weights = kernels(model, layer)[kernel]
    for i, (y, tap_y) in enumerate(taps_y):
        for j, (x, tap_x) in enumerate(taps_x):
            weights[:, i, j] = all_weights[:, tap_y, tap_x]
            if 0 <= y < inputs.shape[1] and 0 <= x < inputs.shape[2]:
                patch[:, i, j] = inputs[:, y, x]
    scale, shift = _norm(model, layer, kernel)
    bias = 0.0 if module.bias is None else module.bias[kernel].item()
    return Sum(patch, weights, bias, scale, shift, float(outputs[kernel, row, column]))


def _record(model: Model, layer: Layer, crop: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """A layer's input `(C, h, w)`, and its output or that of the norm after it, both copies."""
    recorded: list[Tensor] = []
    convolution = convolution_of(model, layer.name)
    last = model.net.get_submodule(layer.norm or layer.name)
    with (
        convolution.register_forward_pre_hook(lambda *call: recorded.append(call[1][0].clone())),
        last.register_forward_hook(lambda *call: recorded.append(call[2].clone())),
    ):
        run(model, crop)
    inputs, outputs = (each[0].float().cpu().numpy() for each in recorded)
    return inputs, outputs


def _taps(module: Any, layer: Layer, axis: int, cell: int, length: int) -> list[tuple[int, int]]:
    """The places of the input that a cell of the map is made of along one axis, and the kernel's
    cells that they meet; plain layers also have places outside the input, which count as zero."""
    kernel, stride, padding, dilation = (
        side(size, axis)
        for size in (module.kernel_size, module.stride, module.padding, module.dilation)
    )
    if not layer.transposed:
        return [(cell * stride - padding + tap * dilation, tap) for tap in range(kernel)]
    steps = [(cell + padding - tap * dilation, tap) for tap in range(kernel)]
    return [
        (step // stride, tap)
        for step, tap in steps
        if step % stride == 0 and 0 <= step // stride < length
    ]


def _norm(model: Model, layer: Layer, kernel: int) -> tuple[float, float]:
    """What the batch norm after a layer multiplies a kernel's map by, and then adds."""
    if layer.norm is None:
        return 1.0, 0.0
    norm = model.net.get_submodule(layer.norm)
    # The norm is linear: its outputs for 0 and 1 tell both, whatever its parameters are called.
    ends = torch.zeros(2, layer.outputs, 1, 1, device=model.device)
    ends[1] = 1
    with torch.inference_mode():
        shift, end = norm(ends)[:, kernel, 0, 0].tolist()
    return end - shift, shift
