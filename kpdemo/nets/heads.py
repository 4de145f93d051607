"""What follows a residual backbone: from its feature maps to keypoints."""

from collections.abc import Sequence

from torch import Tensor, nn
from torch.nn import functional as F

from kpdemo.nets.heatmaps import centroid, softmax_maps
from kpdemo.nets.registry import Output, regress

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
        return nn.Sequential(
            nn.Flatten(), nn.Dropout(dropout), nn.Linear(widths[-1] * cells, 2 * keypoints)
        )
    if name == "pool":
        return nn.Sequential(nn.AdaptiveAvgPool2d(1), *build("flat", widths, 1, keypoints, dropout))
    raise ValueError(f"head {name!r} is not one of {', '.join(HEADS)}")


def answer(head: nn.Module, maps: list[Tensor]) -> Output:
    """What a head makes of the backbone's maps, from fine to coarse."""
    return head(maps) if isinstance(head, Pyramid) else regress(head, maps[-1])


class Pyramid(nn.Module):
    """Feature maps of falling size `(B, widths[i], h, w)` -> heatmaps of the first one's size.

    The maps are merged from coarse to fine (Lin et al. 2017, https://arxiv.org/abs/1612.03144)
    into one heatmap a keypoint, whose mean is the answer: `Output` has `heatmaps` `(B, K, h, w)`.
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
