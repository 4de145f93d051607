"""What a net is to the rest of the program, and the table of their names.

A net takes `(B, C, H, W)` float pictures and answers `Output`. It has an attribute `head`: the
part that is trained first when the rest (the backbone) is frozen.
"""

from collections.abc import Callable
from typing import NamedTuple, TypeVar

import torch
from torch import Tensor, nn

from kpdemo import markup
from kpdemo.config import ConfigError, ModelConfig

Net = TypeVar("Net", bound=type[nn.Module])


class Output(NamedTuple):
    """Keypoints `(B, K, 2)` in crop coordinates, and heatmaps `(B, K, h, w)` where a net has them.

    Heatmaps are not negative; a cell's centre is where `grid_sample(align_corners=False)` has it.
    """

    keypoints: Tensor
    heatmaps: Tensor | None = None


def regress(head: nn.Sequential, features: Tensor) -> Output:
    """Keypoints from a head that ends in a linear layer.

    That layer is computed in float32: in bf16 it would round places to a tenth of a pixel.
    """
    features = head[:-1](features)
    with torch.autocast(features.device.type, enabled=False):
        return Output(head[-1](features.float()).unflatten(1, (-1, 2)))


# What a constructor raises for arguments that are not its own.
_UNBUILDABLE = (
    ArithmeticError,
    AttributeError,
    LookupError,
    RuntimeError,
    TypeError,
    ValueError,
)

_NETS: dict[str, type[nn.Module]] = {}


def register(name: str) -> Callable[[Net], Net]:
    """Class decorator: the net can be built from a config that says `net: name`.

    Its constructor takes `keypoints`, `channels`, `height`, `width` and the config's `args`.
    """

    def add(cls: Net) -> Net:
        _NETS[name] = cls
        return cls

    return add


def build(config: ModelConfig) -> nn.Module:
    """The net that a config describes, with fresh weights; ConfigError if there is no such net."""
    if config.net not in _NETS:
        raise ConfigError(f"Unknown net {config.net!r}; known are {', '.join(_NETS)}.")
    size = config.input
    try:
        return _NETS[config.net](
            keypoints=len(markup.get(config.markup)),
            channels=size.channels,
            height=size.height,
            width=size.width,
            **config.args,
        )
    except _UNBUILDABLE as error:
        raise ConfigError(f"The net {config.net} cannot be built: {error}") from error
