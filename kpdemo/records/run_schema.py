"""The parts of a training history that the app relies on; any other part may be missing or null."""

from typing import Annotated, Any

from pydantic import BaseModel, ConfigDict, Field

Number = float | None
Text = str | None


class _Part(BaseModel):
    model_config = ConfigDict(strict=True)


class Input(_Part):
    width: int | None = None
    height: int | None = None
    channels: int | None = None
    mean: Number = None
    std: Number = None


class Framing(_Part):
    reference: Text = None
    scale: Number = None


class Block(_Part):
    channels: int
    dropout: Number = None


class Args(_Part):
    blocks: list[Block] | int | None = None  # of some nets it is their number


class Data(_Part):
    train: list[str] | None = None
    test: list[str] | None = None
    judge: list[str] | None = None
    validate_: list[str] | None = Field(None, alias="validate")
    holdout: Number = None
    incomplete: Text = None


class Loss(_Part):
    coordinates: Text = None
    unit: Text = None
    heatmaps: Text = None
    bend: Number = None
    curvature: Number = None
    heatmap_weight: Number = None
    sigma: Number = None


class Augment(_Part):
    mirror: Number = None
    rotate: Number = None
    shift: Number = None
    moved: Number = None
    blur: Number = None
    erase: Number = None
    brightness: Number = None
    contrast: Number = None
    saturation: Number = None
    scale: Annotated[list[float], Field(min_length=2, max_length=2)] | None = None


class Stage(_Part):
    epochs: int
    optimizer: Text = None
    schedule: Text = None
    lr: Number = None
    weight_decay: Number = None
    momentum: Number = None
    warmup: Number = None
    step: Number = None
    gamma: Number = None


class Reported(_Part):
    figure: Text = None
    value: Number = None
    unit: Text = None
    comparable: Text = None


class Recipe(_Part):
    name: str
    title: Text = None
    notes: Text = None
    net: Text = None
    markup: Text = None
    start_from: Text = None
    input: Input | None = None
    framing: Framing | None = None
    args: Args | None = None
    data: Data | None = None
    loss: Loss | None = None
    augment: Augment | None = None
    batch_size: int | None = None
    ema: Number = None
    clip: Number = None
    stages: list[Stage]
    reported: Reported | None = None


class Epoch(_Part):
    epoch: int
    train_loss: Number = None
    validation_loss: Number = None
    validation_nme: Number = None
    seconds: Number = None


class Faces(_Part):
    train: int | None = None
    validation: int | None = None


class Calibration(_Part):
    validation_nme_before: Number = None
    validation_nme: Number = None


class Experiment(_Part):
    """The entry of a sweep, or of a trial, on its run."""

    question: Text = None
    model: Text = None
    run: Text = None
    validation: Text = None
    changes: dict[str, Any] | None = None
    tried: Text = None


class History(_Part):
    recipe: Recipe
    epochs: list[Epoch]
    diverged: Text = None
    parameters: int | None = None
    faces: Faces | None = None
    device: Text = None
    calibration: Calibration | None = None
    sweep: Experiment | None = None
    trial: Experiment | None = None
