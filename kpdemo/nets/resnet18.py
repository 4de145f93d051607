"""ResNet-18 (He et al. 2016, https://arxiv.org/abs/1512.03385) with a keypoint head."""

from collections.abc import Mapping

from torch import Tensor, nn
from torch.nn import functional as F
from torchvision.models import ResNet18_Weights, resnet18

from kpdemo.nets.heatmaps import centroid, softmax_maps
from kpdemo.nets.registry import Output, register, regress

HEADS = ("pool", "flat", "pyramid")
STAGES = ("layer1", "layer2", "layer3", "layer4")


@register("resnet18")
class ResNet18(nn.Module):
    """`(B, C, H, W)` -> `Output` with keypoints `(B, K, 2)`. What follows the backbone is `head`:

    - "pool": the last map averaged to one vector and a linear layer, as in the paper;
    - "flat": a linear layer on the whole last map, which keeps places apart;
    - "pyramid": the maps of all four stages merged from coarse to fine (Lin et al. 2017,
      https://arxiv.org/abs/1612.03144) into one heatmap a keypoint at a quarter of the input's
      size, whose mean is the answer; then `Output` has `heatmaps` `(B, K, h, w)`.
    """

    def __init__(
        self,
        keypoints: int,
        channels: int,
        height: int,
        width: int,
        head: str = "pool",
        dropout: float = 0.0,
    ) -> None:
        super().__init__()
        if head not in HEADS:
            raise ValueError(f"head {head!r} is not one of {', '.join(HEADS)}")
        self.backbone = resnet18()
        if channels != 3:
            self.backbone.conv1 = nn.Conv2d(channels, 64, 7, 2, 3, bias=False)
            nn.init.kaiming_normal_(self.backbone.conv1.weight, mode="fan_out", nonlinearity="relu")
        self.backbone.fc = nn.Identity()
        if head == "pyramid":
            self.head: nn.Module = Pyramid(keypoints)
        elif head == "flat":
            cells = -(-height // 32) * -(-width // 32)
            self.head = _linear(512 * cells, keypoints, dropout)
        else:
            self.head = nn.Sequential(nn.AdaptiveAvgPool2d(1), *_linear(512, keypoints, dropout))

    def forward(self, pictures: Tensor) -> Output:
        net = self.backbone
        x = net.maxpool(net.relu(net.bn1(net.conv1(pictures))))
        maps = []
        for stage in STAGES:
            x = getattr(net, stage)(x)
            maps.append(x)
        if isinstance(self.head, Pyramid):
            return self.head(maps)
        return regress(self.head, x)

    def load_imagenet(self) -> None:
        """Start from torchvision's ImageNet weights.

        Raises OSError or URLError when they are neither cached nor to be downloaded.
        """
        weights = ResNet18_Weights.IMAGENET1K_V1.get_state_dict(progress=True, check_hash=True)
        self.backbone.load_state_dict(backbone_weights(weights, self.backbone.conv1.in_channels))


class Pyramid(nn.Module):
    """Feature maps of falling size `(B, 64…512, h, w)` -> heatmaps of the first one's size."""

    def __init__(self, keypoints: int, width: int = 96) -> None:
        super().__init__()
        self.lateral = nn.ModuleList(nn.Conv2d(c, width, 1) for c in (64, 128, 256, 512))
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


def _linear(size: int, keypoints: int, dropout: float) -> nn.Sequential:
    return nn.Sequential(nn.Flatten(), nn.Dropout(dropout), nn.Linear(size, 2 * keypoints))


def backbone_weights(state: Mapping[str, Tensor], channels: int) -> dict[str, Tensor]:
    """torchvision's weights without the classifier, grey first filters being the mean of RGB."""
    weights = {name: value for name, value in state.items() if not name.startswith("fc.")}
    if channels == 1:
        weights["conv1.weight"] = weights["conv1.weight"].mean(1, keepdim=True)
    return weights
