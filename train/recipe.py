"""Recipes: net, data and training settings. One YAML file for each under `recipes/`."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from kpdemo.models.augment import Augment
from kpdemo.models.config import ConfigError, Framing, Input, ModelConfig, from_dict
from kpdemo.records.settings import settings
from train import yaml_file

RECIPES = Path(__file__).with_name("recipes")
# Fields without effect on training: they may change after it.
DESCRIPTION = ("title", "notes", "reported", "deviations", "claims", "flip_test")


@dataclass(frozen=True)
class Data:
    """Sources by the names of `train.data.sources.SOURCES`, or files of pseudo-labels.

    Such a file ("runs/labels/unet/ytf.json") is what `python -m train label` writes.
    Validation faces are those of `validate`, or else the share `holdout` of the training faces,
    split by photo or person; of those, `judge` names the sources that count (default: all).
    Training reads a source of `test` only if `validate` names it too; shipped recipes that do so
    keep their last epoch, so that no epoch is chosen on test faces. Faces of the sources in
    `missing` lose the labels that randomly chosen rows of Kaggle's table lack, for a realistic
    pattern of missing labels. `incomplete` is how these are treated: "mask" ignores them in the
    loss, "drop" drops the face, "fill" takes the label of the face before it.
    """

    train: tuple[str, ...]
    test: tuple[str, ...]
    validate: tuple[str, ...] = ()
    holdout: float = 0.1
    judge: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    incomplete: str = "mask"


@dataclass(frozen=True)
class Loss:
    """A loss on coordinates (`train.losses.COORDINATES`), one on heatmaps (`HEATMAPS`), or both.

    Coordinates are compared in `unit`: "pixel" of the input, or "crop" (-1 to 1). `bend` is the
    threshold of a robust loss (Huber's delta, Wing's w), `curvature` Wing's epsilon, `sigma` the
    standard deviation of the target Gaussians in heatmap cells.
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
    """Some epochs with one optimiser and one learning-rate schedule (`train.optim`).

    `freeze_backbone` trains the head alone. `patience` is that of early stopping, in epochs
    without improvement. `warmup` belongs to the "onecycle" schedule, `step` and `gamma` to "step"
    and "plateau".
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
class Deviation:
    """A setting that differs from the report: what it is, the report's value, ours, and why."""

    what: str
    report: str
    ours: str
    why: str


@dataclass(frozen=True)
class Evidence:
    """A figure for a claim, as a reference to a file of measurements.

    `source` is a file under `weights/` such as "unet-report/metrics.json", with the dotted path
    `at` of the value, or a run of a sweep such as "sweeps/nosenet-lr/lr-1e-3": then the figure is
    its best validation NME over all seeds. `unit` follows the figure.
    """

    what: str
    source: str
    at: str = ""
    unit: str = "%"


VERDICTS = ("holds", "does not hold", "not decided", "cannot be tested here")


@dataclass(frozen=True)
class Claim:
    """A finding of the authors, our `check` of it, its figures, and one of `VERDICTS`.

    `because` gives the reason for the verdict where the figures do not.
    """

    claim: str
    check: str
    verdict: str
    figures: tuple[Evidence, ...] = ()
    because: str = ""

    def __post_init__(self) -> None:
        if self.verdict not in VERDICTS:
            raise ConfigError(f"a verdict is one of {', '.join(VERDICTS)}, not {self.verdict!r}.")
        if not (self.figures or self.because):
            raise ConfigError("a claim's verdict needs figures, or a reason in `because`.")


@dataclass(frozen=True)
class Recipe:
    """How one model is trained. `notes` say what its report leaves open and what was decided.

    `deviations` are the differences from the report, `claims` its findings. `keep` is the epoch
    whose weights are kept: the "best" by validation NME, or the "last". `ema` is the decay of the
    weights' moving average, `clip` the norm for gradient clipping. `flip_test` belongs to the
    trained model and has no effect on training.
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
    augment: Augment = field(default_factory=Augment)
    imagenet: bool = False
    start_from: str | None = None
    ema: float | None = None
    clip: float | None = None
    seed: int = 0
    keep: str = "best"
    flip_test: bool = True
    notes: str = ""
    reported: Reported | None = None
    deviations: tuple[Deviation, ...] = ()
    claims: tuple[Claim, ...] = ()

    def differs_from(self, stored: Mapping[str, Any]) -> list[str]:
        """The names of the settings with other values in a history's recipe.

        Those without effect on training are ignored.
        """
        now, before = (json.loads(json.dumps(plain)) for plain in (asdict(self), stored))
        return [name for name in now if name not in DESCRIPTION and before.get(name) != now[name]]

    @property
    def config(self) -> ModelConfig:
        """The trained model's config."""
        return ModelConfig(
            net=self.net,
            markup=self.markup,
            input=self.input,
            framing=self.framing,
            args=dict(self.args),
            flip_test=self.flip_test,
        )


def with_descriptions(stored: Mapping[str, Any]) -> dict[str, Any]:
    """A history's recipe with the current descriptions of the recipe of that name.

    Unchanged where that recipe no longer exists or has other settings.
    """
    try:
        current = json.loads(json.dumps(asdict(load(str(stored.get("name"))))))
    except ConfigError:
        return dict(stored)
    if settings(current) != settings(stored):
        return dict(stored)
    return dict(stored) | {name: current[name] for name in DESCRIPTION}


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
            f"{name!r} is no readable recipe; known are {', '.join(names())}."
        ) from None
