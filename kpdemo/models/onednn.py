"""Prepacked oneDNN weights: a net's fastest form on x86, the same up to rounding.

PyTorch reorders a convolution's weights for oneDNN at every call, under autocast it rounds them to
bf16 before, and for one face that takes as long as the convolution. Here it is done once, with the
batch norm that follows folded into the weights.
"""

import copy

import torch
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval


def helps(device: torch.device) -> bool:
    """Whether packed weights work on the device."""
    return (
        device.type == "cpu"
        and torch.backends.mkldnn.is_available()
        and torch.backends.cpu.get_cpu_capability().startswith("AVX")
    )


class PackedConv(nn.Module):
    """A convolution in evaluation mode whose weights are in oneDNN's blocked layout.

    The layout is the fastest for inputs of `shape` `(B, C, H, W)`; others work too. It computes in
    `dtype`, whatever its input's.
    """

    def __init__(self, conv: nn.Conv2d, shape: torch.Size, dtype: torch.dtype) -> None:
        super().__init__()
        self.dtype = dtype
        self.bias = None if conv.bias is None else conv.bias.to(dtype)
        self.settings = [conv.padding, conv.stride, conv.dilation, conv.groups]
        self.weight = torch.ops.mkldnn._reorder_convolution_weight(
            conv.weight.to(dtype), *self.settings, shape
        )

    def forward(self, x: Tensor) -> Tensor:
        return torch.ops.mkldnn._convolution_pointwise(
            x.to(self.dtype), self.weight, self.bias, *self.settings, "none", [], ""
        )


class Projection(nn.Module):
    """A 1×1 convolution as a matrix product with channels-first output.

    Softmax over each heatmap needs that layout. oneDNN's output is channels last, and reordering it
    takes longer than the convolution. Always in float32: bf16 would round the heatmaps themselves.
    """

    def __init__(self, weight: Tensor, bias: Tensor) -> None:
        super().__init__()
        self.weight, self.bias = weight.flatten(1), bias[:, None]

    def forward(self, x: Tensor) -> Tensor:
        cells = x.flatten(2).float()
        weight = self.weight.expand(len(cells), -1, -1)
        with torch.autocast(x.device.type, enabled=False):
            return torch.baddbmm(self.bias, weight, cells).unflatten(-1, x.shape[-2:])


@torch.no_grad()
def pack(net: nn.Module, pictures: Tensor, dtype: torch.dtype = torch.float32) -> nn.Module:
    """A copy of a net in evaluation mode, on the CPU, that shares all but its convolutions.

    These compute in `dtype`; with bfloat16 the copy is to be called under autocast.
    `pictures` `(B, C, H, W)` have the shape of later inputs: one forward pass shows every layer's
    input shape, and which batch norm follows which convolution.
    """
    shared = {id(tensor): tensor for tensor in (*net.parameters(), *net.buffers())}
    net = copy.deepcopy(net, shared)
    names = {module: name for name, module in net.named_modules()}
    convolutions = _convolutions(net, pictures)
    for number, (conv, norm, shape) in enumerate(convolutions, 1):
        name = names[conv]
        if norm is not None:
            net.set_submodule(names[norm], nn.Identity())
            conv = fuse_conv_bn_eval(conv, norm)
        if number == len(convolutions) and _is_projection(conv) and conv.bias is not None:
            net.set_submodule(name, Projection(conv.weight, conv.bias))
        else:
            net.set_submodule(name, PackedConv(conv, shape, dtype))
    return net


def _is_projection(conv: nn.Conv2d) -> bool:
    plain = conv.kernel_size == conv.stride == (1, 1) and conv.padding == (0, 0)
    return plain and conv.groups == 1


def _convolutions(
    net: nn.Module, pictures: Tensor
) -> list[tuple[nn.Conv2d, nn.BatchNorm2d | None, torch.Size]]:
    """Each convolution, the batch norm that takes its output, and the shape of its input.

    In the order of computation.
    """
    outputs: list[tuple[nn.Conv2d, Tensor, torch.Size]] = []
    norms: dict[nn.Conv2d, nn.BatchNorm2d] = {}

    def record(module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        if isinstance(module, nn.Conv2d):
            outputs.append((module, output, inputs[0].shape))
        elif isinstance(module, nn.BatchNorm2d):
            norms.update({conv: module for conv, before, _ in outputs if before is inputs[0]})

    hooks = [
        module.register_forward_hook(record)
        for module in net.modules()
        if isinstance(module, nn.Conv2d | nn.BatchNorm2d)
    ]
    net(pictures)
    for hook in hooks:
        hook.remove()
    return [(conv, norms.get(conv), shape) for conv, _, shape in outputs]
