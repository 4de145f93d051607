"""The four architectures, and a registry that builds any of them from its config."""

from kpdemo.models.nets import keypoint_resnet, resnet18, simplenet, unet
from kpdemo.models.nets.registry import KeypointNet, Output, Parts, build, has_heatmaps, register

__all__ = [
    "KeypointNet",
    "Output",
    "Parts",
    "build",
    "has_heatmaps",
    "keypoint_resnet",
    "register",
    "resnet18",
    "simplenet",
    "unet",
]
