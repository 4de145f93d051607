"""The weights that a run starts from: random ones, ImageNet's, or an earlier run's."""

from pathlib import Path
from typing import Protocol, runtime_checkable

from kpdemo.models import checkpoint, model_folder
from kpdemo.models.config import ConfigError
from kpdemo.models.nets import KeypointNet
from train.errors import TrainingError
from train.recipe import Recipe


@runtime_checkable
class Pretrained(Protocol):
    """A net that can start from ImageNet weights."""

    def load_imagenet(self) -> None: ...


def load(net: KeypointNet, recipe: Recipe) -> None:
    """Load what the recipe starts from into the net; without that it keeps its random weights.

    Raises TrainingError if ImageNet's weights are unavailable, and ConfigError if the earlier run
    is missing or has no layer of that shape.
    """
    if recipe.imagenet and isinstance(net, Pretrained):
        try:
            net.load_imagenet()
        except OSError as error:
            raise TrainingError(
                "torchvision's ImageNet weights are not cached and cannot be downloaded "
                f"({error}); set `imagenet: false` to start from random weights."
            ) from error
    if recipe.start_from:
        folder = Path(recipe.start_from)
        if not (folder / model_folder.CONFIG).exists():
            raise ConfigError(
                f"{recipe.name} starts from the weights in {folder}, which are not there; "
                f"run `python -m train fit {folder.name}` first."
            )
        start = checkpoint.load(folder).net.state_dict()
        shared = {
            name: start[name]
            for name, value in net.state_dict().items()
            if name in start and start[name].shape == value.shape
        }
        if not shared:
            raise ConfigError(f"{recipe.start_from} shares no layer with {recipe.net}")
        net.load_state_dict(shared, strict=False)
