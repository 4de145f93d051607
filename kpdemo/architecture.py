"""What a net does with a picture, as the sizes of its feature maps: for drawing it."""

from dataclasses import dataclass

import torch
from torch import nn

from kpdemo import nets
from kpdemo.config import ModelConfig
from kpdemo.nets import keypoint_resnet, resnet18, simplenet, unet
from kpdemo.nets.heads import Pyramid

Shape = tuple[int, int, int]  # channels, height, width


@dataclass(frozen=True)
class Architecture:
    """The sizes of what a net makes of one `picture`, in the order in which it makes it.

    `stem` is what the first layers leave where they stand apart, `down` the feature maps from
    fine to coarse, `up` those merged again from coarse to fine, `maps` the heatmaps, `layers`
    the widths of the fully connected layers. Nets without such a part have None or nothing.
    """

    net: str
    picture: Shape
    stem: Shape | None
    down: tuple[Shape, ...]
    up: tuple[Shape, ...]
    maps: Shape | None
    layers: tuple[int, ...]
    keypoints: int
    parameters: int


def of(config: ModelConfig) -> Architecture:
    """The architecture that a config describes, without its weights.

    Sizes come from a forward pass on whatever numbers memory holds: none is drawn at random first,
    which would take most of the time. Raises ConfigError where the net cannot be built.
    """
    with torch.device("meta"):
        net = nets.build(config).eval()
    net.to_empty(device="cpu")
    stem, down, up, layers = _parts(net)
    shapes: dict[nn.Module, tuple[int, ...]] = {}

    def note(module: nn.Module, _: object, output: torch.Tensor) -> None:
        shapes[module] = tuple(output.shape[1:])

    for module in [*stem, *down, *up, *layers]:
        module.register_forward_hook(note)
    size = config.input
    picture = size.channels, size.height, size.width
    with torch.no_grad():
        output = net(torch.zeros(1, *picture))
    return Architecture(
        net=config.net,
        picture=picture,
        stem=shapes[stem[0]] if stem else None,
        down=tuple(shapes[module] for module in down),
        up=tuple(shapes[module] for module in up),
        maps=None if output.heatmaps is None else tuple(output.heatmaps.shape[1:]),
        layers=tuple(shapes[module][0] for module in layers),
        keypoints=output.keypoints.shape[1],
        parameters=sum(p.numel() for p in net.parameters()),
    )


Modules = list[nn.Module]


def _parts(net: nn.Module) -> tuple[Modules, Modules, Modules, Modules]:
    """The modules whose outputs are a net's stem, way down, way up, and fully connected layers."""
    if isinstance(net, simplenet.SimpleNet):
        return [], _blocks(net.backbone), [], _linear(net.head)
    if isinstance(net, unet.UNet):
        stem = [] if isinstance(net.stem, nn.Identity) else [net.stem]
        return stem, list(net.down), list(net.merge), []
    if isinstance(net, resnet18.ResNet18):
        stem = net.backbone.maxpool
        down = [getattr(net.backbone, stage) for stage in resnet18.STAGES]
    else:
        assert isinstance(net, keypoint_resnet.KeypointResNet)
        stem, down = net.stem, list(net.stages)
    if isinstance(net.head, Pyramid):
        return [stem], down, list(reversed(net.head.lateral)), []
    return [stem], down, [], _linear(net.head)


def _blocks(backbone: nn.Sequential) -> Modules:
    """The last module of every block of SimpleNet: what stands before the next convolution."""
    modules = list(backbone)
    starts = [k for k, module in enumerate(modules) if isinstance(module, nn.Conv2d | nn.Flatten)]
    return [modules[k - 1] for k in starts[1:]]


def _linear(head: nn.Module) -> Modules:
    return [module for module in head.modules() if isinstance(module, nn.Linear)]
