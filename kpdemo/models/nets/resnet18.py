"""ResNet-18 (He et al. 2016, https://arxiv.org/abs/1512.03385) with a keypoint head."""

import re
from collections.abc import Mapping

from torch import Tensor, nn
from torchvision.models import ResNet18_Weights, resnet18

from kpdemo.models.nets import heads
from kpdemo.models.nets.heads import HeadedNet
from kpdemo.models.nets.registry import Output, Parts, register

STAGES = ("layer1", "layer2", "layer3", "layer4")


@register("resnet18")
class ResNet18(HeadedNet):
    """`(B, C, H, W)` -> `Output` with keypoints `(B, K, 2)`; `head` is one of `heads.HEADS`."""

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
        self.backbone = resnet18()
        if channels != 3:
            self.backbone.conv1 = nn.Conv2d(channels, 64, 7, 2, 3, bias=False)
            nn.init.kaiming_normal_(self.backbone.conv1.weight, mode="fan_out", nonlinearity="relu")
        self.backbone.fc = nn.Identity()
        cells = -(-height // 32) * -(-width // 32)
        self.head = heads.build(head, (64, 128, 256, 512), cells, keypoints, dropout)

    def forward(self, pictures: Tensor) -> Output:
        net = self.backbone
        x = net.maxpool(net.relu(net.bn1(net.conv1(pictures))))
        maps = []
        for stage in STAGES:
            x = getattr(net, stage)(x)
            maps.append(x)
        return heads.apply(self.head, maps)

    def layer_title(self, name: str) -> str | None:
        if match := re.fullmatch(r"backbone\.layer(\d)\.(\d)\.conv(\d)", name):
            return f"Stage {match[1]} · block {int(match[2]) + 1} · conv {match[3]}"
        if match := re.fullmatch(r"backbone\.layer(\d)\.(\d)\.downsample\.0", name):
            return f"Stage {match[1]} · block {int(match[2]) + 1} · shortcut"
        return "Stem · conv" if name == "backbone.conv1" else heads.layer_title(name)

    def parts(self) -> Parts:
        stages = [getattr(self.backbone, stage) for stage in STAGES]
        return heads.parts(self.backbone.maxpool, stages, self.head)

    def load_imagenet(self) -> None:
        """Start from torchvision's ImageNet weights.

        Raises OSError or URLError when they are neither cached nor to be downloaded.
        """
        weights = ResNet18_Weights.IMAGENET1K_V1.get_state_dict(progress=True, check_hash=True)
        self.backbone.load_state_dict(backbone_weights(weights, self.backbone.conv1.in_channels))


def backbone_weights(state: Mapping[str, Tensor], channels: int) -> dict[str, Tensor]:
    """torchvision's weights without the classifier, grey first filters being the mean of RGB."""
    weights = {name: value for name, value in state.items() if not name.startswith("fc.")}
    if channels == 1:
        weights["conv1.weight"] = weights["conv1.weight"].mean(1, keepdim=True)
    return weights
