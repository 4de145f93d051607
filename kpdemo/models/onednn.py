"""A net as an x86 processor answers fastest, up to rounding the same.

PyTorch puts a convolution's weights into the order that oneDNN computes in at every call, and for
one face that takes as long as the convolution. Here it is done once, with the batch norm that
follows folded into the weights.
"""

import copy

import torch
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from kpdemo.models.device import has_bf16


def helps(device: torch.device) -> bool:
    """Whether packed weights can be used there. In bf16, autocast has the say over weights."""
    return (
        device.type == "cpu"
        and torch.backends.mkldnn.is_available()
        and torch.backends.cpu.get_cpu_capability().startswith("AVX")
        and not has_bf16(device)
    )


class PackedConv(nn.Module):
    """A convolution in evaluation mode whose weights lie in oneDNN's own order.

    That order suits inputs of the `shape` `(B, C, H, W)` best; all others are answered too.
    """

    def __init__(self, conv: nn.Conv2d, shape: torch.Size) -> None:
        super().__init__()
        self.bias = conv.bias
        self.settings = [conv.padding, conv.stride, conv.dilation, conv.groups]
        self.weight = torch.ops.mkldnn._reorder_convolution_weight(
            conv.weight, *self.settings, shape
        )

    def forward(self, x: Tensor) -> Tensor:
        return torch.ops.mkldnn._convolution_pointwise(
            x, self.weight, self.bias, *self.settings, "none", [], ""
        )


class Projection(nn.Module):
    """A 1×1 convolution as a matrix product, whose answer lies map by map.

    Softmax over each map wants it so. oneDNN's answer lies cell by cell, and putting it in order
    takes longer than the convolution.
    """

    def __init__(self, conv: nn.Conv2d) -> None:
        super().__init__()
        self.weight, self.bias = conv.weight.flatten(1), conv.bias[:, None]

    def forward(self, x: Tensor) -> Tensor:
        cells = x.flatten(2)
        weight = self.weight.expand(len(cells), -1, -1)
        return torch.baddbmm(self.bias, weight, cells).unflatten(-1, x.shape[-2:])


@torch.no_grad()
def pack(net: nn.Module, pictures: Tensor) -> nn.Module:
    """A copy of a net in evaluation mode, on the CPU, that shares all but its convolutions.

    `pictures` `(B, C, H, W)` are what it will be asked about: one forward pass of them tells the
    shapes, and which batch norm follows which convolution.
    """
    shared = {id(tensor): tensor for tensor in (*net.parameters(), *net.buffers())}
    net = copy.deepcopy(net, shared)
    names = {module: name for name, module in net.named_modules()}
    found = _convolutions(net, pictures)
    for number, (conv, norm, shape) in enumerate(found, 1):
        name = names[conv]
        if norm is not None:
            net.set_submodule(names[norm], nn.Identity())
            conv = fuse_conv_bn_eval(conv, norm)
        last = number == len(found) and _is_projection(conv)
        net.set_submodule(name, Projection(conv) if last else PackedConv(conv, shape))
    return net


def _is_projection(conv: nn.Conv2d) -> bool:
    plain = conv.kernel_size == conv.stride == (1, 1) and conv.padding == (0, 0)
    return plain and conv.groups == 1 and conv.bias is not None


def _convolutions(
    net: nn.Module, pictures: Tensor
) -> list[tuple[nn.Conv2d, nn.BatchNorm2d | None, torch.Size]]:
    """Each convolution, the batch norm that takes its output, and the shape of its input.

    They stand in the order in which they are computed.
    """
    outputs: list[tuple[nn.Conv2d, Tensor, torch.Size]] = []
    norms: dict[nn.Conv2d, nn.BatchNorm2d] = {}

    def seen(module: nn.Module, inputs: tuple[Tensor, ...], output: Tensor) -> None:
        if isinstance(module, nn.Conv2d):
            outputs.append((module, output, inputs[0].shape))
        else:
            norms.update({conv: module for conv, made, _ in outputs if made is inputs[0]})

    hooks = [
        module.register_forward_hook(seen)
        for module in net.modules()
        if isinstance(module, nn.Conv2d | nn.BatchNorm2d)
    ]
    net(pictures)
    for hook in hooks:
        hook.remove()
    return [(conv, norms.get(conv), shape) for conv, _, shape in outputs]
