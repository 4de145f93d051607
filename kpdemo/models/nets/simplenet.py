"""SimpleNet: a plain CNN that regresses coordinates.

Its blocks and fully connected layers are all settings, so the whole family is one class: the
68-point SimpleNet, the nose-tip and 58-point class-project nets, the Kaggle CNN.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from kpdemo.models.config import from_dict
from kpdemo.models.nets import heads
from kpdemo.models.nets.registry import KeypointNet, Output, Parts, register, regress

ACTIVATIONS = {"relu": nn.ReLU, "leaky_relu": nn.LeakyReLU}


@dataclass(frozen=True)
class Block:
    """Convolution, then batch norm, activation, max pooling and dropout where asked for.

    `pool` is the window of the max pooling (0: none), `pool_stride` its step (default: `pool`).
    """

    channels: int
    kernel: int = 3
    stride: int = 1
    padding: int = 1
    norm: bool = False
    pool: int = 0
    pool_stride: int | None = None
    dropout: float = 0.0

    def layers(self, channels_in: int, activation: str) -> list[nn.Module]:
        layers: list[nn.Module] = [
            nn.Conv2d(
                channels_in,
                self.channels,
                self.kernel,
                self.stride,
                self.padding,
                bias=not self.norm,
            )
        ]
        if self.norm:
            layers.append(nn.BatchNorm2d(self.channels))
        layers.append(ACTIVATIONS[activation](inplace=True))
        if self.pool:
            layers.append(nn.MaxPool2d(self.pool, self.pool_stride or self.pool))
        if self.dropout:
            layers.append(nn.Dropout(self.dropout))
        return layers


@register("simplenet")
class SimpleNet(KeypointNet):
    """`(B, C, H, W)` -> `Output` with keypoints `(B, K, 2)`.

    `blocks` is one mapping of `Block`'s fields a convolution, `hidden` the widths of the fully
    connected layers before the last. `xavier` starts the fully connected layers from Glorot's
    uniform weights and biases of zero; convolutions always start from PyTorch's own.
    """

    def __init__(
        self,
        keypoints: int,
        channels: int,
        height: int,
        width: int,
        blocks: Sequence[Mapping[str, Any]],
        hidden: Sequence[int] = (),
        activation: str = "relu",
        dropout: float = 0.0,
        xavier: bool = False,
    ) -> None:
        super().__init__()
        if activation not in ACTIVATIONS:
            raise ValueError(f"activation {activation!r} is not one of {', '.join(ACTIVATIONS)}")
        layers: list[nn.Module] = []
        inputs = channels
        for number, settings in enumerate(blocks):
            block = from_dict(Block, settings, f"blocks[{number}]")
            layers += block.layers(channels, activation)
            channels = block.channels
        self.backbone = nn.Sequential(*layers, nn.Flatten())

        with torch.no_grad():
            self.backbone.eval()
            size = self.backbone(torch.zeros(1, inputs, height, width)).shape[1]
            self.backbone.train()
        head: list[nn.Module] = []
        for number in hidden:
            head += [nn.Linear(size, number), ACTIVATIONS[activation](inplace=True)]
            if dropout:
                head.append(nn.Dropout(dropout))
            size = number
        self.head = nn.Sequential(*head, nn.Linear(size, 2 * keypoints))

        if xavier:
            for module in self.head.modules():
                if isinstance(module, nn.Linear):
                    nn.init.xavier_uniform_(module.weight)
                    nn.init.zeros_(module.bias)

    def forward(self, pictures: Tensor) -> Output:
        return regress(self.head, self.backbone(pictures))

    def parts(self) -> Parts:
        # The last module of every block: what stands before the next convolution.
        layers = list(self.backbone)
        starts = [n for n, layer in enumerate(layers) if isinstance(layer, nn.Conv2d | nn.Flatten)]
        return Parts([], [layers[n - 1] for n in starts[1:]], [], heads.linear(self.head))
