"""KeypointResNet: a small residual net for the 15-point Kaggle markup with missing labels.

Six stages: a stem and five of two residual blocks each (32-64-128-256-512 channels), halving the
picture from the second on. Missing labels concern the loss only, not the net.
"""

import re
from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from kpdemo.models.nets import heads
from kpdemo.models.nets.heads import HeadedNet
from kpdemo.models.nets.registry import Output, Parts, register


class ResidualBlock(nn.Module):
    """Two 3×3 convolutions with batch norm, and a shortcut around them."""

    def __init__(self, channels_in: int, channels: int, stride: int) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(channels_in, channels, 3, stride, 1, bias=False)
        self.norm1 = nn.BatchNorm2d(channels)
        self.conv2 = nn.Conv2d(channels, channels, 3, padding=1, bias=False)
        self.norm2 = nn.BatchNorm2d(channels)
        self.shortcut: nn.Module = nn.Identity()
        if stride != 1 or channels_in != channels:
            self.shortcut = nn.Sequential(
                nn.Conv2d(channels_in, channels, 1, stride, bias=False), nn.BatchNorm2d(channels)
            )

    def forward(self, x: Tensor) -> Tensor:
        residual = F.relu(self.norm1(self.conv1(x)))
        residual = self.norm2(self.conv2(residual))
        return F.relu(self.shortcut(x) + residual)


@register("keypoint-resnet")
class KeypointResNet(HeadedNet):
    """`(B, C, H, W)` -> `Output` with keypoints `(B, K, 2)`.

    `stages` are the channels of the residual stages, each of `blocks` blocks; `head` is one of
    `heads.HEADS`. With `pixels` a linear head's own numbers are pixels of the picture, which take
    longer to learn than crop coordinates; `keypoints` are crop coordinates in any case.
    """

    def __init__(
        self,
        keypoints: int,
        channels: int,
        height: int,
        width: int,
        stages: Sequence[int] = (32, 64, 128, 256, 512),
        blocks: int = 2,
        head: str = "pool",
        dropout: float = 0.0,
        pixels: bool = False,
    ) -> None:
        super().__init__()
        if pixels and head == "pyramid":
            raise ValueError("a pyramid's heatmaps give crop coordinates, not pixels")
        self.pixels = torch.tensor([width, height]) if pixels else None
        self.stem = nn.Sequential(
            nn.Conv2d(channels, stages[0], 7, 2, 3, bias=False),
            nn.BatchNorm2d(stages[0]),
            nn.ReLU(inplace=True),
            nn.MaxPool2d(3, 2, 1),
        )
        self.stages = nn.ModuleList()
        channels_in = stages[0]
        for number, channels_out in enumerate(stages):
            stage = []
            for block in range(blocks):
                stride = 2 if number and not block else 1
                stage.append(ResidualBlock(channels_in, channels_out, stride))
                channels_in = channels_out
            self.stages.append(nn.Sequential(*stage))
        step = 2 ** (len(stages) + 1)
        cells = -(-height // step) * -(-width // step)
        self.head = heads.build(head, stages, cells, keypoints, dropout)

    def forward(self, pictures: Tensor) -> Output:
        x = self.stem(pictures)
        maps = []
        for stage in self.stages:
            x = stage(x)
            maps.append(x)
        output = heads.apply(self.head, maps)
        if self.pixels is None:
            return output
        size = self.pixels.to(output.keypoints.device)
        return Output((2 * output.keypoints + 1) / size - 1)

    def layer_title(self, name: str) -> str | None:
        if match := re.fullmatch(r"stages\.(\d+)\.(\d+)\.conv(\d)", name):
            return f"Stage {int(match[1]) + 1} · block {int(match[2]) + 1} · conv {match[3]}"
        if match := re.fullmatch(r"stages\.(\d+)\.(\d+)\.shortcut\.0", name):
            return f"Stage {int(match[1]) + 1} · block {int(match[2]) + 1} · shortcut"
        return "Stem · conv" if name == "stem.0" else heads.layer_title(name)

    def parts(self) -> Parts:
        return heads.parts(self.stem, list(self.stages), self.head)
