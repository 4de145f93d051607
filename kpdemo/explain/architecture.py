"""A net's architecture as the sizes of its feature maps, for drawing it."""

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from kpdemo.models import nets
from kpdemo.models.config import ModelConfig

Shape = tuple[int, int, int]  # channels, height, width


@dataclass(frozen=True)
class Convolutions:
    """The dotted name of the convolution whose output, after what follows it, each part is."""

    stem: str
    down: tuple[str, ...]
    up: tuple[str, ...]
    maps: str


@dataclass(frozen=True)
class Architecture:
    """The sizes of a net's feature maps for one `picture`, in the order of computation.

    `stem` is the output of the first layers where they stand apart, `down` the feature maps from
    fine to coarse, `up` those merged again from coarse to fine, `maps` the heatmaps, `layers`
    the widths of the fully connected layers. Nets without such a part have None or nothing.
    `convolutions` names the last convolution of each part.
    """

    net: str
    picture: Shape
    stem: Shape | None
    down: tuple[Shape, ...]
    up: tuple[Shape, ...]
    maps: Shape | None
    layers: tuple[int, ...]
    convolutions: Convolutions
    keypoints: int
    parameters: int


def of(config: ModelConfig) -> Architecture:
    """The architecture that a config describes, without its weights.

    Sizes come from a forward pass with uninitialised weights, since initialising them would take
    most of the time. Raises ConfigError where the net cannot be built.
    """
    with torch.device("meta"):
        net = nets.build(config).eval()
    net.to_empty(device="cpu")
    stem, down, up, layers = net.parts()
    outputs: dict[nn.Module, Tensor] = {}
    latest: dict[nn.Module | None, str] = {}
    names = {module: name for name, module in net.named_modules()}

    def convolved(module: nn.Module, *_: object) -> None:
        latest[None] = names[module]

    def record(module: nn.Module, _: object, output: Tensor) -> None:
        outputs[module] = output
        latest[module] = latest.get(None, "")

    for module in names:
        if isinstance(module, nn.Conv2d | nn.ConvTranspose2d):
            module.register_forward_hook(convolved)
    for module in [*stem, *down, *up, *layers]:
        module.register_forward_hook(record)
    size = config.input
    picture = size.channels, size.height, size.width
    with torch.no_grad():
        output = net(torch.zeros(1, *picture))
    return Architecture(
        net=config.net,
        picture=picture,
        stem=_shape(outputs[stem[0]]) if stem else None,
        down=tuple(_shape(outputs[module]) for module in down),
        up=tuple(_shape(outputs[module]) for module in up),
        maps=None if output.heatmaps is None else _shape(output.heatmaps),
        layers=tuple(outputs[module].shape[1] for module in layers),
        convolutions=Convolutions(
            stem=latest[stem[0]] if stem else "",
            down=tuple(latest[module] for module in down),
            up=tuple(latest[module] for module in up),
            maps=latest.get(None, ""),
        ),
        keypoints=output.keypoints.shape[1],
        parameters=sum(p.numel() for p in net.parameters()),
    )


def _shape(maps: Tensor) -> Shape:
    _, channels, height, width = maps.shape
    return channels, height, width
