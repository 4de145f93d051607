"""The training loop, from a recipe to a model folder; start reading at `fit`."""

import dataclasses
import math
import time
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import cv2
import torch
from accelerate import Accelerator
from accelerate.utils import DataLoaderConfiguration
from torch import Tensor, nn
from torch.optim.swa_utils import AveragedModel
from torch.utils.data import DataLoader
from tqdm import tqdm

from kpdemo.models import checkpoint, model_folder, nets
from kpdemo.models.config import ConfigError
from kpdemo.models.device import describe, has_bf16, pick
from train import initial_weights, recipe_checks
from train.data.dataset import EpochSampler, for_training
from train.errors import Diverged
from train.losses import KeypointLoss
from train.optim import Schedule, moving_average, optimizer
from train.recipe import Recipe, Stage
from train.state import check_same_run, delete_state, load_state, save_state
from train.validation import validate

# Pictures uint8 `(B, C, H, W)`, keypoints `(B, K, 2)`, eye distances `(B,)`: see `Faces`.
Batch = tuple[Tensor, Tensor, Tensor]


def fit(recipe: Recipe, folder: Path, workers: int = 1, precision: str | None = None) -> dict:
    """Train a recipe; `folder` becomes a model folder with the weights that the recipe keeps.

    Resumes an interrupted run in `folder`, with the same result as without the interruption.
    Under `accelerate launch` the batch is divided among the processes. `precision` is "no" or
    "bf16"; by default bf16 where the processor supports it natively.
    Returns the history, which is also in `history.json`. Raises DataError, ConfigError and
    TrainingError with a sentence each.
    """
    return Run(recipe, folder, workers, precision).run()


class Run:
    """One training run: everything that outlives an epoch."""

    def __init__(self, recipe: Recipe, folder: Path, workers: int, precision: str | None) -> None:
        self.recipe, self.folder, self.workers = recipe, folder, workers
        self.accelerator = Accelerator(
            mixed_precision=precision or ("bf16" if has_bf16(pick()) else "no"),
            dataloader_config=DataLoaderConfiguration(split_batches=True),
        )
        torch.manual_seed(recipe.seed)
        self.net = nets.build(recipe.config)
        self.net.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.loss = KeypointLoss(recipe.loss, recipe.input.width, recipe.input.height)
        recipe_checks.check(recipe, self.net, self.accelerator.num_processes)
        if workers < 0:
            raise ConfigError(f"There cannot be {workers} workers; --workers starts at 0.")
        self.epoch = 0
        self.best = math.inf
        self.history: dict[str, Any] = {
            "recipe": dataclasses.asdict(recipe),
            "parameters": sum(p.numel() for p in self.net.parameters()),
            "device": describe(self.accelerator.device),
            "precision": self.accelerator.mixed_precision,
            "processes": self.accelerator.num_processes,
            "epochs": [],
            "finished": False,
        }
        # Before the faces, which take long to load: a run that cannot start fails at once.
        self.state = self.restore()
        if not self.state:
            initial_weights.load(self.net, recipe)
        self.train, self.validation = for_training(recipe)
        self.history["faces"] = {"train": len(self.train), "validation": len(self.validation)}
        self.history["damaged"] = self.train.damaged + self.validation.damaged
        folder.mkdir(parents=True, exist_ok=True)
        self.net.to(self.accelerator.device)
        self.average: AveragedModel | None = None
        if recipe.ema:
            # Average batch norm's statistics too: those of the latest weights do not fit the
            # averaged weights while the learning rate is high.
            self.average = AveragedModel(
                self.net, multi_avg_fn=moving_average(recipe.ema), use_buffers=True
            )
            if self.state:
                self.average.load_state_dict(self.state["average"])

    @property
    def evaluated(self) -> nn.Module:
        """The net to validate and save: the EMA where there is one."""
        return self.average.module if self.average else self.net

    def run(self) -> dict:
        first = self.state.get("stage", 0)
        try:
            for number, stage in enumerate(self.recipe.stages):
                if number >= first:
                    self.run_stage(number, stage, self.state if number == first else {})
        except Diverged as error:
            if self.accelerator.is_main_process:
                model_folder.write_json(
                    self.folder / model_folder.HISTORY, self.history | {"diverged": str(error)}
                )
            raise
        self.history["finished"] = True
        if self.accelerator.is_main_process:
            model_folder.write_json(self.folder / model_folder.HISTORY, self.history)
            delete_state(self.folder)
        self.accelerator.wait_for_everyone()
        return self.history

    def run_stage(self, number: int, stage: Stage, state: dict) -> None:
        for parameter in self.net.parameters():
            parameter.requires_grad_(not stage.freeze_backbone)
        for parameter in self.net.head.parameters():
            parameter.requires_grad_(True)
        loader = DataLoader(
            self.train,
            self.recipe.batch_size,
            sampler=EpochSampler(len(self.train), self.recipe.seed, shuffle=True),
            drop_last=len(self.train) > self.recipe.batch_size,
            num_workers=self.workers,
            persistent_workers=self.workers > 0,
            # Starting workers draws a random number. From the global generator, that would change
            # dropout in the first epoch after a start, and make resumed runs differ.
            generator=torch.Generator(),
            worker_init_fn=_use_one_thread,
        )
        steps = optimizer(stage, (p for p in self.net.parameters() if p.requires_grad))
        schedule = Schedule(stage, steps, len(loader))
        if state:
            steps.load_state_dict(state["optimizer"])
            schedule.load_state_dict(state["schedule"])
        net, steps, loader = self.accelerator.prepare(self.net, steps, loader)
        done = state.get("epoch_of_stage", 0)
        stale = state.get("stale", 0)
        for epoch in range(done, stage.epochs):
            if stage.patience is not None and stale >= stage.patience:
                break
            started = time.perf_counter()
            # On Accelerate's loader, which otherwise counts epochs from 0 in every stage.
            loader.set_epoch(self.epoch)
            torch.manual_seed(hash((self.recipe.seed, self.epoch)))
            rate = steps.param_groups[0]["lr"]
            loss = self.run_epoch(net, steps, schedule, loader, stage)
            self.epoch += 1
            valid_loss, nme = validate(
                self.evaluated, self.validation, self.loss, self.recipe, self.accelerator
            )
            schedule.after_epoch(nme)
            stale = 0 if nme < self.best else stale + 1
            self.history["epochs"].append(
                {
                    "epoch": self.epoch,
                    "stage": number,
                    "lr": _short(rate),
                    "train_loss": _short(loss),
                    "validation_loss": _short(valid_loss),
                    "validation_nme": _short(nme),
                    "seconds": round(time.perf_counter() - started, 2),
                }
            )
            if self.accelerator.is_main_process:
                tqdm.write(
                    f"{self.recipe.name} epoch {self.epoch}: loss {loss:.4f}, validation loss "
                    f"{valid_loss:.4f}, NME {nme:.3f} %"
                )
                self.keep(nme)
                self.save_state(
                    {
                        "stage": number,
                        "epoch_of_stage": epoch + 1,
                        "stale": stale,
                        "optimizer": steps.state_dict(),
                        "schedule": schedule.state_dict(),
                    }
                )
            self.best = min(self.best, nme)
        self.accelerator.free_memory()

    def run_epoch(
        self,
        net: nn.Module,
        steps: torch.optim.Optimizer,
        schedule: Schedule,
        loader: Iterable[Batch],
        stage: Stage,
    ) -> float:
        """Train for one epoch; returns the mean loss, and raises Diverged if it is not finite."""
        net.train()
        if stage.freeze_backbone:
            # Batch norm's statistics of the frozen layers stay as they are, too.
            self.net.eval()
            self.net.head.train()
        total, count = torch.zeros((), device=self.accelerator.device), 0
        progress = tqdm(
            loader,
            desc=f"{self.recipe.name} epoch {self.epoch + 1}",
            # None: only on a terminal, not in a log file.
            disable=None if self.accelerator.is_main_process else True,
            leave=False,
        )
        for pictures, target, _ in progress:
            output = nets.Output(*net(checkpoint.normalise(pictures, self.recipe.input)))
            loss = self.loss(output, target)
            self.accelerator.backward(loss)
            if self.recipe.clip:
                self.accelerator.clip_grad_norm_(self.net.parameters(), self.recipe.clip)
            steps.step()
            schedule.after_step()
            steps.zero_grad()
            if self.average:
                self.average.update_parameters(self.net)
            total += loss.detach()
            count += 1
        mean = self.accelerator.gather(total[None]).mean().item() / count
        if not math.isfinite(mean):
            raise Diverged(
                f"{self.recipe.name} diverged in epoch {self.epoch + 1}: the loss is {mean}. "
                "Try a smaller learning rate or gradient clipping."
            )
        return mean

    def keep(self, nme: float) -> None:
        """Save the history, and the weights if this epoch's are to be kept."""
        first = not (self.folder / model_folder.WEIGHTS).exists()
        if nme < self.best or "best_epoch" not in self.history:
            self.history["best_epoch"] = self.epoch
        if self.recipe.keep == "last" or self.history["best_epoch"] == self.epoch or first:
            checkpoint.save(self.folder, self.evaluated, self.recipe.config)
        model_folder.write_json(self.folder / model_folder.HISTORY, self.history)

    def save_state(self, stage_state: dict) -> None:
        """Save all that `restore` and `run_stage` resume from."""
        state = stage_state | {
            "epoch": self.epoch,
            "best": min(self.best, self.history["epochs"][-1]["validation_nme"]),
            "net": self.net.state_dict(),
            "average": self.average.state_dict() if self.average else None,
            "history": self.history,
        }
        save_state(self.folder, state)

    def restore(self) -> dict:
        """Resume an interrupted run in the folder; returns its saved state, empty if none.

        ConfigError if the folder holds another run, or a finished one.
        """
        state = load_state(self.folder, self.accelerator.device)
        if state:
            check_same_run(self.folder, self.recipe, state["history"], self.history)
            self.epoch, self.best = state["epoch"], state["best"]
            self.history = state["history"] | {"recipe": self.history["recipe"]}
            self.net.load_state_dict(state["net"])
        return state


def _use_one_thread(_: int) -> None:
    """Keep a worker's OpenCV to one thread: its crops are small, and the net needs the cores."""
    cv2.setNumThreads(0)


def _short(number: float) -> float:
    """A number with the digits that histories keep."""
    return float(f"{number:.8g}")
