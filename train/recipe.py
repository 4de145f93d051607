"""Recipes: what to train, on what, and how. One YAML file a system under `recipes/`."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from kpdemo.config import ConfigError, Framing, Input, ModelConfig, from_dict
from train import yaml_file

RECIPES = Path(__file__).with_name("recipes")


@dataclass(frozen=True)
class Data:
    """Sources by the names of `train.datasets.SOURCES`.

    Validation faces are those of `validate`, or else `holdout` of the training side, split by
    photo or person. Training opens a source of `test` only if `validate` names it too; shipped
    recipes that do so keep their last epoch, so that test faces choose none. Faces of the sources
    in `missing` lose the labels that randomly chosen rows of Kaggle's table lack, so that training
    meets real gaps. `incomplete` is what becomes of gaps: "mask" leaves them to the loss, which
    skips them, "drop" drops the face, "fill" takes the label of the face before it.
    """

    train: tuple[str, ...]
    test: tuple[str, ...]
    validate: tuple[str, ...] = ()
    holdout: float = 0.1
    missing: tuple[str, ...] = ()
    incomplete: str = "mask"


@dataclass(frozen=True)
class Augment:
    """Random changes of a training face: probabilities, or half-widths of uniform ranges.

    `rotate` is in degrees, `shift` a share of the crop, `scale` the range of zoom factors; each
    of rotation and shift with zoom happens with the probability `moved`. `brightness`, `contrast`
    and `saturation` are as in torchvision's ColorJitter.
    """

    mirror: float = 0.0
    rotate: float = 0.0
    shift: float = 0.0
    scale: tuple[float, float] = (1.0, 1.0)
    moved: float = 1.0
    brightness: float = 0.0
    contrast: float = 0.0
    saturation: float = 0.0
    blur: float = 0.0
    erase: float = 0.0


@dataclass(frozen=True)
class Loss:
    """A loss on coordinates (`train.losses.COORDINATES`), one on heatmaps (`HEATMAPS`), or both.

    Coordinates are compared in `unit`: "pixel" of the input, or "crop" (-1 to 1). `bend` is
    where a robust loss turns from one shape to the other (Huber's delta, Wing's w), `curvature`
    Wing's epsilon, `sigma` the width of the target Gaussians in heatmap cells.
    """

    coordinates: str | None = None
    unit: str = "pixel"
    bend: float = 1.0
    curvature: float = 2.0
    heatmaps: str | None = None
    heatmap_weight: float = 1.0
    sigma: float = 1.0


@dataclass(frozen=True)
class Stage:
    """Some epochs with one optimiser and one schedule (`train.schedules`).

    `freeze_backbone` trains the head alone. `patience` ends the stage that many epochs after the
    best one. `warmup` belongs to the "onecycle" schedule, `step` and `gamma` to "step" and
    "plateau".
    """

    epochs: int
    lr: float
    optimizer: str = "adamw"
    weight_decay: float = 0.0
    momentum: float = 0.0
    schedule: str = "constant"
    warmup: float = 0.0
    step: int = 5
    gamma: float = 0.1
    freeze_backbone: bool = False
    patience: int | None = None


@dataclass(frozen=True)
class Reported:
    """The error that a system's author reported, and whether ours can be compared with it."""

    figure: str
    value: float
    unit: str
    comparable: str


@dataclass(frozen=True)
class Recipe:
    """One system. `notes` say what its report left open and what was decided.

    `keep` says which weights stay: those of the "best" epoch by validation NME, or the "last".
    """

    name: str
    title: str
    net: str
    markup: str
    input: Input
    framing: Framing
    data: Data
    loss: Loss
    stages: tuple[Stage, ...]
    batch_size: int
    args: Mapping[str, Any] = field(default_factory=dict)
    augment: Augment = Augment()
    imagenet: bool = False
    start_from: str | None = None
    ema: float | None = None
    clip: float | None = None
    seed: int = 0
    keep: str = "best"
    notes: str = ""
    reported: Reported | None = None

    def differs_from(self, stored: Mapping[str, Any]) -> list[str]:
        """The names of the settings that are others in a history's recipe.

        What is only said of a recipe does not count.
        """
        now, before = (json.loads(json.dumps(plain)) for plain in (asdict(self), stored))
        said = ("title", "notes", "reported")
        return [name for name in now if name not in said and before.get(name) != now[name]]

    @property
    def config(self) -> ModelConfig:
        """What the trained model's folder says of itself."""
        return ModelConfig(
            net=self.net,
            markup=self.markup,
            input=self.input,
            framing=self.framing,
            args=dict(self.args),
        )


def names() -> list[str]:
    """The recipes that ship with the project."""
    return sorted(path.stem for path in RECIPES.glob("*.yaml"))


def load(name: str) -> Recipe:
    """A recipe by its name, or by the path of a YAML file; ConfigError says what is wrong."""
    return from_dict(Recipe, *read(name))


def read(name: str) -> tuple[Any, str]:
    """A recipe's plain settings, unchecked, and the name of their file."""
    path = RECIPES / f"{name}.yaml" if "/" not in name and "." not in name else Path(name)
    try:
        return yaml_file.read(path), path.name
    except OSError:
        raise ConfigError(
            f"{name!r} is no recipe that can be read; known are {', '.join(names())}."
        ) from None
