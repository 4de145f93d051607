"""Heads of residual backbones: from feature maps to keypoints."""

import re
from collections.abc import Mapping, Sequence
from typing import Any

from torch import Tensor, nn
from torch.nn import functional as F

from kpdemo.models.nets.heatmaps import centroid, softmax_maps
from kpdemo.models.nets.registry import KeypointNet, Output, Parts, regress

HEADS = ("pool", "flat", "pyramid")


def build(
    name: str, widths: Sequence[int], cells: int, keypoints: int, dropout: float = 0.0
) -> nn.Module:
    """A head on maps of `widths` channels, from fine to coarse, the last one of `cells` cells.

    - "pool": the last map averaged to one vector and a linear layer, as in He et al. 2016;
    - "flat": a linear layer on the whole last map, which keeps places apart;
    - "pyramid": the maps of all stages merged from coarse to fine (`Pyramid`).

    Raises ValueError for another name.
    """
    if name == "pyramid":
        return Pyramid(widths, keypoints)
    if name == "flat":
        return nn.Sequential(*_flat(widths[-1] * cells, keypoints, dropout))
    if name == "pool":
        return nn.Sequential(nn.AdaptiveAvgPool2d(1), *_flat(widths[-1], keypoints, dropout))
    raise ValueError(f"head {name!r} is not one of {', '.join(HEADS)}")


def _flat(features: int, keypoints: int, dropout: float) -> list[nn.Module]:
    return [nn.Flatten(), nn.Dropout(dropout), nn.Linear(features, 2 * keypoints)]


def apply(head: nn.Module, maps: list[Tensor]) -> Output:
    """The output of a head on the backbone's maps, from fine to coarse."""
    return head(maps) if isinstance(head, Pyramid) else regress(head, maps[-1])


class HeadedNet(KeypointNet):
    """A net with one of these heads."""

    keypoint_layers = frozenset({"head.smooth.3"})

    @classmethod
    def has_heatmaps(cls, args: Mapping[str, Any]) -> bool:
        return args.get("head") == "pyramid"


def layer_title(name: str) -> str | None:
    """The title of a head's convolution by its dotted name; None for any other module."""
    if match := re.fullmatch(r"head\.lateral\.(\d+)", name):
        return f"Pyramid · lateral {int(match[1]) + 1}"
    return {
        "head.smooth.0": "Pyramid · conv",
        "head.smooth.3": "Heatmaps · conv",
    }.get(name)


def linear(head: nn.Module) -> list[nn.Module]:
    """The fully connected layers of a head, in order."""
    return [module for module in head.modules() if isinstance(module, nn.Linear)]


def parts(stem: nn.Module, stages: Sequence[nn.Module], head: nn.Module) -> Parts:
    """What a diagram of a residual net with one of these heads shows."""
    up = list(reversed(head.lateral)) if isinstance(head, Pyramid) else []
    return Parts([stem], list(stages), up, linear(head))


class Pyramid(nn.Module):
    """Feature maps of falling size `(B, widths[i], h, w)` -> heatmaps of the first one's size.

    The maps are merged from coarse to fine (Lin et al. 2017, https://arxiv.org/abs/1612.03144)
    into one heatmap `(h, w)` a keypoint, whose mean is the prediction.
    """

    def __init__(self, widths: Sequence[int], keypoints: int, width: int = 96) -> None:
        super().__init__()
        self.lateral = nn.ModuleList(nn.Conv2d(c, width, 1) for c in widths)
        self.smooth = nn.Sequential(
            nn.Conv2d(width, width, 3, padding=1, bias=False),
            nn.BatchNorm2d(width),
            nn.ReLU(inplace=True),
            nn.Conv2d(width, keypoints, 1),
        )

    def forward(self, maps: list[Tensor]) -> Output:
        merged = self.lateral[-1](maps[-1])
        for lateral, finer in zip(reversed(self.lateral[:-1]), reversed(maps[:-1]), strict=True):
            merged = lateral(finer) + F.interpolate(merged, finer.shape[-2:], mode="bilinear")
        heatmaps = softmax_maps(self.smooth(merged))
        return Output(centroid(heatmaps), heatmaps)
