"""Optimisers and learning-rate schedules by the names that recipes use, and the moving average."""

from collections.abc import Callable, Iterable

import torch
from torch import Tensor, nn
from torch.optim import lr_scheduler
from torch.optim.swa_utils import PARAM_LIST, get_ema_multi_avg_fn

from kpdemo.models.config import ConfigError
from train.recipe import Stage


def optimizer(stage: Stage, parameters: Iterable[nn.Parameter]) -> torch.optim.Optimizer:
    """The stage's optimiser; ConfigError for an unknown name."""
    lr, decay = stage.lr, stage.weight_decay
    if stage.optimizer == "adam":
        return torch.optim.Adam(parameters, lr, weight_decay=decay, fused=True)
    if stage.optimizer == "adamw":
        return torch.optim.AdamW(parameters, lr, weight_decay=decay, fused=True)
    if stage.optimizer == "sgd":
        return torch.optim.SGD(parameters, lr, stage.momentum, weight_decay=decay, fused=True)
    raise ConfigError(f"Unknown optimizer {stage.optimizer!r}; known are adam, adamw, sgd.")


class Schedule:
    """The learning-rate schedule of a stage; call `after_step` and `after_epoch` while training.

    "constant"; "onecycle" (Smith & Topin 2018), with warm-up over the share `warmup` of all steps;
    "step", times `gamma` every `step` epochs; "plateau", times `gamma` when validation has not
    improved for more than `step` epochs.
    """

    def __init__(self, stage: Stage, target: torch.optim.Optimizer, steps: int) -> None:
        self.by_step: lr_scheduler.LRScheduler | None = None
        self.by_epoch: lr_scheduler.LRScheduler | None = None
        if stage.schedule == "onecycle":
            total = stage.epochs * steps
            self.by_step = lr_scheduler.OneCycleLR(
                target, stage.lr, total_steps=total + 1, pct_start=stage.warmup or 0.3
            )
        elif stage.schedule == "step":
            self.by_epoch = lr_scheduler.StepLR(target, stage.step, stage.gamma)
        elif stage.schedule == "plateau":
            self.by_epoch = lr_scheduler.ReduceLROnPlateau(
                target, factor=stage.gamma, patience=stage.step
            )
        elif stage.schedule != "constant":
            raise ConfigError(
                f"Unknown schedule {stage.schedule!r}; known are constant, onecycle, step, plateau."
            )

    def after_step(self) -> None:
        if self.by_step:
            self.by_step.step()

    def after_epoch(self, validation_nme: float) -> None:
        if isinstance(self.by_epoch, lr_scheduler.ReduceLROnPlateau):
            self.by_epoch.step(validation_nme)
        elif self.by_epoch:
            self.by_epoch.step()

    def state_dict(self) -> dict:
        active = self.by_step or self.by_epoch
        return active.state_dict() if active else {}

    def load_state_dict(self, state: dict) -> None:
        active = self.by_step or self.by_epoch
        if active:
            active.load_state_dict(state)


def moving_average(decay: float) -> Callable[[PARAM_LIST, PARAM_LIST, Tensor | int], None]:
    """An exponential moving average (EMA) whose decay ramps up, to forget the initial weights."""

    @torch.no_grad()
    def update(average: PARAM_LIST, current: PARAM_LIST, updates: Tensor | int) -> None:
        if average[0].is_floating_point():
            count = int(updates)
            ramp = get_ema_multi_avg_fn(min(decay, (1 + count) / (10 + count)))
            ramp(average, current, updates)
        else:  # batch norm's counters
            for ours, theirs in zip(average, current, strict=True):
                ours.copy_(theirs)

    return update
