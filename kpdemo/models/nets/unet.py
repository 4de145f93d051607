"""U-Net (Ronneberger et al. 2015, https://arxiv.org/abs/1505.04597): one heatmap a keypoint."""

import re
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from kpdemo.models.nets.heatmaps import centroid, peak, softmax_maps
from kpdemo.models.nets.registry import KeypointNet, Output, Parts, register

DECODINGS = ("softargmax", "argmax")


def _double_conv(channels_in: int, channels: int) -> nn.Sequential:
    return nn.Sequential(
        nn.Conv2d(channels_in, channels, 3, padding=1, bias=False),
        nn.BatchNorm2d(channels),
        nn.ReLU(inplace=True),
        nn.Conv2d(channels, channels, 3, padding=1, bias=False),
        nn.BatchNorm2d(channels),
        nn.ReLU(inplace=True),
    )


@register("unet")
class UNet(KeypointNet):
    """`(B, C, H, W)` -> `Output` with keypoints `(B, K, 2)` and heatmaps `(B, K, h, w)`.

    `width` channels at the top, twice as many at each of `depth` steps down. With `stride` 2 the
    first layer halves the picture, so that maps are half its size and everything is four times
    cheaper. `decoding` is how a map becomes a place:

    - "softargmax": the map is a softmax over its cells and the place is its mean (integral
      regression, Sun et al. 2018, https://arxiv.org/abs/1711.08229): exact below a cell and
      differentiable;
    - "argmax": the map is the net's plain output (negative values cut) and the place is its peak,
      moved a quarter cell towards the higher neighbour (Newell et al. 2016).
    """

    keypoint_layers = frozenset({"head"})

    def __init__(
        self,
        keypoints: int,
        channels: int,
        height: int,
        width: int,
        base: int = 32,
        depth: int = 4,
        stride: int = 1,
        decoding: str = "softargmax",
    ) -> None:
        super().__init__()
        if decoding not in DECODINGS:
            raise ValueError(f"decoding {decoding!r} is not one of {', '.join(DECODINGS)}")
        step = stride * 2**depth
        if height < step or width < step:
            raise ValueError(f"an input of {height}x{width} is too small to halve {depth} times")
        self.decoding = decoding
        widths = [base * 2**level for level in range(depth + 1)]
        self.stem: nn.Module = nn.Identity()
        if stride > 1:
            self.stem = nn.Conv2d(channels, base, 7, stride, 3)
            channels = base
        self.down = nn.ModuleList(
            _double_conv(a, b) for a, b in zip([channels, *widths], widths, strict=False)
        )
        self.up = nn.ModuleList(
            nn.ConvTranspose2d(2 * w, w, 2, stride=2) for w in reversed(widths[:-1])
        )
        self.merge = nn.ModuleList(_double_conv(2 * w, w) for w in reversed(widths[:-1]))
        self.head = nn.Conv2d(base, keypoints, 1)

    def forward(self, pictures: Tensor) -> Output:
        x = self.stem(pictures)
        skips = []
        for level, conv in enumerate(self.down):
            x = conv(F.max_pool2d(x, 2) if level else x)
            skips.append(x)
        skips.pop()
        for up, merge in zip(self.up, self.merge, strict=True):
            skip = skips.pop()
            x = up(x)
            if x.shape[-2:] != skip.shape[-2:]:
                x = F.interpolate(x, skip.shape[-2:], mode="bilinear")
            x = merge(torch.cat([skip, x], 1))
        maps = self.head(x).float()
        if self.decoding == "argmax":
            maps = maps.relu() if not self.training else maps
            return Output(peak(maps.detach()), maps)
        maps = softmax_maps(maps)
        return Output(centroid(maps), maps)

    @classmethod
    def has_heatmaps(cls, args: Mapping[str, Any]) -> bool:
        return True

    def layer_title(self, name: str) -> str | None:
        if match := re.fullmatch(r"down\.(\d+)\.([03])", name):
            return f"Encoder {int(match[1]) + 1} · conv {1 + int(match[2]) // 3}"
        # The decoder starts at its deepest level.
        if match := re.fullmatch(r"up\.(\d+)", name):
            return f"Decoder {len(self.up) - int(match[1])} · up-conv"
        if match := re.fullmatch(r"merge\.(\d+)\.([03])", name):
            level = len(self.up) - int(match[1])
            return f"Decoder {level} · conv {1 + int(match[2]) // 3}"
        return {"stem": "Stem · conv", "head": "Heatmaps · conv"}.get(name)

    def parts(self) -> Parts:
        stem = [] if isinstance(self.stem, nn.Identity) else [self.stem]
        return Parts(stem, list(self.down), list(self.merge), [])
