"""The four architectures, and a registry that builds any of them from its config."""

from kpdemo.nets import keypoint_resnet, resnet18, simplenet, unet
from kpdemo.nets.registry import Output, build

__all__ = ["Output", "build", "keypoint_resnet", "resnet18", "simplenet", "unet"]
