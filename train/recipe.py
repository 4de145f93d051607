"""Recipes: what to train, on what, and how. One YAML file a system under `recipes/`."""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from kpdemo.models.config import ConfigError, Framing, Input, ModelConfig, from_dict
from kpdemo.records.runs import settings
from train import yaml_file

RECIPES = Path(__file__).with_name("recipes")
# Fields of a recipe that training does not see: they may change when its weights are there.
DESCRIPTION = ("title", "notes", "reported", "deviations", "claims", "flip_test")


@dataclass(frozen=True)
class Data:
    """Sources by the names of `train.data.sources.SOURCES`.

    Validation faces are those of `validate`, or else `holdout` of the training side, split by
    photo or person; of those, `judge` names the sources that count (default: all). Training opens
    a source of `test` only if `validate` names it too; shipped recipes that do so keep their last
    epoch, so that test faces choose none. Faces of the sources in `missing` lose the labels that
    randomly chosen rows of Kaggle's table lack, so that training meets real gaps. `incomplete` is
    what becomes of gaps: "mask" leaves them to the loss, which skips them, "drop" drops the face,
    "fill" takes the label of the face before it.
    """

    train: tuple[str, ...]
    test: tuple[str, ...]
    validate: tuple[str, ...] = ()
    holdout: float = 0.1
    judge: tuple[str, ...] = ()
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
    """Some epochs with one optimiser and one schedule (`train.optim`).

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
class Deviation:
    """A setting that is not the report's: what it is, the report's value, ours, and why."""

    what: str
    report: str
    ours: str
    why: str


@dataclass(frozen=True)
class Evidence:
    """A figure of a claim, by the file that it is read from: no figure is typed in.

    `source` is a file under `weights/` such as "unet-report/metrics.json", whose value at the
    dotted path `at` counts, or a run of a sweep such as "sweeps/nosenet-lr/lr-1e-3", whose best
    validation NME counts, over all of its seeds. `unit` follows the figure.
    """

    what: str
    source: str
    at: str = ""
    unit: str = "%"


VERDICTS = ("holds", "does not hold", "not decided", "cannot be tested here")


@dataclass(frozen=True)
class Claim:
    """What the authors found, our `check` of it, its figures, and one of `VERDICTS`.

    `because` says why the verdict is what it is, where the figures do not.
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
            raise ConfigError("a claim's verdict rests on figures, or `because` says on what.")


@dataclass(frozen=True)
class Recipe:
    """One system. `notes` say what its report left open and what was decided.

    `deviations` are where it leaves the report, `claims` what the report found. `keep` says which
    weights stay: those of the "best" epoch by validation NME, or the "last". `flip_test` belongs
    to the model that comes out, not to training.
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
    flip_test: bool = True
    notes: str = ""
    reported: Reported | None = None
    deviations: tuple[Deviation, ...] = ()
    claims: tuple[Claim, ...] = ()

    def differs_from(self, stored: Mapping[str, Any]) -> list[str]:
        """The names of the settings that are others in a history's recipe.

        What has no effect on training does not count.
        """
        now, before = (json.loads(json.dumps(plain)) for plain in (asdict(self), stored))
        return [name for name in now if name not in DESCRIPTION and before.get(name) != now[name]]

    @property
    def config(self) -> ModelConfig:
        """What the trained model's folder says of itself."""
        return ModelConfig(
            net=self.net,
            markup=self.markup,
            input=self.input,
            framing=self.framing,
            args=dict(self.args),
            flip_test=self.flip_test,
        )


def described(stored: Mapping[str, Any]) -> dict[str, Any]:
    """A history's recipe with what the recipe of its name says of itself today.

    It stays as it is where there is no such recipe any more, or one with other settings.
    """
    try:
        today = json.loads(json.dumps(asdict(load(str(stored.get("name"))))))
    except ConfigError:
        return dict(stored)
    if settings(today) != settings(stored):
        return dict(stored)
    return dict(stored) | {name: today[name] for name in DESCRIPTION}


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
