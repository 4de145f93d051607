"""A net as an x86 processor answers fastest, up to rounding the same.

PyTorch puts a convolution's weights into the order that oneDNN computes in at every call, and for
one face that takes as long as the convolution. Here it is done once, with the batch norm that
follows folded into the weights.
"""

import copy
from collections.abc import Iterator

import torch
from torch import Tensor, nn
from torch.nn.utils.fusion import fuse_conv_bn_eval

from kpdemo.device import has_bf16


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


@torch.no_grad()
def pack(net: nn.Module, pictures: Tensor) -> nn.Module:
    """A copy of a net in evaluation mode, on the CPU, that shares all but its convolutions.

    `pictures` `(B, C, H, W)` are what it will be asked about: one forward pass of them tells the
    shapes, and which batch norm follows which convolution.
    """
    shared = {id(tensor): tensor for tensor in (*net.parameters(), *net.buffers())}
    net = copy.deepcopy(net, shared)
    names = {module: name for name, module in net.named_modules()}
    for conv, norm, shape in _convolutions(net, pictures):
        if norm is not None:
            net.set_submodule(names[norm], nn.Identity())
            net.set_submodule(names[conv], PackedConv(fuse_conv_bn_eval(conv, norm), shape))
        else:
            net.set_submodule(names[conv], PackedConv(conv, shape))
    return net


def _convolutions(
    net: nn.Module, pictures: Tensor
) -> Iterator[tuple[nn.Conv2d, nn.BatchNorm2d | None, torch.Size]]:
    """Each convolution, the batch norm that takes its output, and the shape of its input."""
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
    for conv, _, shape in outputs:
        yield conv, norms.get(conv), shape
