"""The interface of nets, and the registry of their names.

A net is one file here: a `KeypointNet` with a `register` decorator, imported in `__init__`.
"""

from collections.abc import Callable, Mapping
from typing import Any, ClassVar, NamedTuple, TypeVar

import torch
from torch import Tensor, nn

from kpdemo.keypoints import markups
from kpdemo.models.config import ConfigError, ModelConfig


class Output(NamedTuple):
    """Keypoints `(B, K, 2)` in crop coordinates, and heatmaps `(B, K, h, w)` where a net has them.

    Heatmaps are not negative; a cell's centre is where `grid_sample(align_corners=False)` has it.
    """

    keypoints: Tensor
    heatmaps: Tensor | None = None


class Parts(NamedTuple):
    """The modules whose outputs a diagram of a net shows, each list in the order of computation.

    `stem` is the end of the first layers where they stand apart, `down` the stages from fine to
    coarse, `up` those that merge them from coarse to fine, `linear` the fully connected layers.
    """

    stem: list[nn.Module]
    down: list[nn.Module]
    up: list[nn.Module]
    linear: list[nn.Module]


class KeypointNet(nn.Module):
    """`(B, C, H, W)` float pictures -> `Output`.

    A constructor takes `keypoints`, `channels`, `height`, `width` and the config's `args`.
    `head` is the part that is trained first while the rest (the backbone) is frozen;
    `keypoint_layers` are the dotted names of convolutions that output one map a keypoint.
    """

    head: nn.Module
    keypoint_layers: ClassVar[frozenset[str]] = frozenset()

    @classmethod
    def has_heatmaps(cls, args: Mapping[str, Any]) -> bool:
        """Whether a net of these config `args` predicts heatmaps, without building it."""
        return False

    def layer_title(self, name: str) -> str | None:
        """A title of the convolution of that dotted name, None for a plain one."""
        return None

    def parts(self) -> Parts:
        """What a diagram of this net shows: by default its convolutions and linear layers."""
        modules = list(self.modules())
        convolutions: list[nn.Module] = [
            m for m in modules if isinstance(m, nn.Conv2d | nn.ConvTranspose2d)
        ]
        return Parts([], convolutions, [], [m for m in modules if isinstance(m, nn.Linear)])


def regress(head: nn.Module, features: Tensor) -> Output:
    """Keypoints from a head that is a sequence of layers, the last one linear.

    That layer is computed in float32: bf16 would round coordinates to a tenth of a pixel.
    """
    *layers, linear = head.children()
    for layer in layers:
        features = layer(features)
    with torch.autocast(features.device.type, enabled=False):
        return Output(linear(features.float()).unflatten(1, (-1, 2)))


# What constructors raise for wrong arguments.
_UNBUILDABLE = (
    ArithmeticError,
    AttributeError,
    LookupError,
    RuntimeError,
    TypeError,
    ValueError,
)

Net = TypeVar("Net", bound=type[KeypointNet])
_NETS: dict[str, type[KeypointNet]] = {}


def register(name: str) -> Callable[[Net], Net]:
    """Class decorator: a config with `net: name` builds the class."""

    def add(cls: Net) -> Net:
        _NETS[name] = cls
        return cls

    return add


def has_heatmaps(config: ModelConfig) -> bool:
    """Whether the net of a config predicts heatmaps; ConfigError if there is no such net."""
    return _class(config).has_heatmaps(config.args)


def build(config: ModelConfig) -> KeypointNet:
    """The net that a config describes, with fresh weights; ConfigError if there is no such net."""
    size = config.input
    try:
        return _class(config)(
            keypoints=len(markups.get(config.markup)),
            channels=size.channels,
            height=size.height,
            width=size.width,
            **config.args,
        )
    except ConfigError:
        raise
    except _UNBUILDABLE as error:
        raise ConfigError(f"The net {config.net} cannot be built: {error}") from error


def _class(config: ModelConfig) -> type[KeypointNet]:
    if config.net not in _NETS:
        raise ConfigError(f"Unknown net {config.net!r}; known are {', '.join(_NETS)}.")
    return _NETS[config.net]
