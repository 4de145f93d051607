"""Whether training keeps the processor on the net: `weights/training_benchmark.json`.

A loader that cannot keep up shows as a training loop that is slower on the real pictures, decoded,
turned and coloured by its worker processes, than on one batch that is in memory already.
"""

import dataclasses
import statistics
import tempfile
import time
from collections.abc import Iterable, Iterator, Sequence
from itertools import islice, repeat
from pathlib import Path

import torch
from torch import nn
from torch.utils.data import DataLoader

from kpdemo.models import model_folder
from kpdemo.zoo import DEFAULT_MODELS, WEIGHTS_DIR
from train import recipe as recipes
from train.optim import Schedule
from train.recipe import Recipe, Stage
from train.trainer import Run

OUTPUT = WEIGHTS_DIR / "training_benchmark.json"
WARM_UP = 5  # steps
PREPARED = 2  # batches that a worker process holds ready: PyTorch's default


def measure(
    names: Sequence[str] = DEFAULT_MODELS,
    output: Path = OUTPUT,
    rounds: int = 7,
    seconds: float = 4.0,
    workers: int = 1,
) -> dict:
    """Faces a second that each recipe trains on, from its loader and from memory; writes `output`.

    `share` is the first over the second: 1 where the net never waits. Each of the `rounds` lasts
    about `seconds` on either side; `workers` is what `fit` uses unless told otherwise. Raises
    ConfigError for an unknown recipe and DataError where its data is missing.
    """
    result: dict = {"threads": torch.get_num_threads(), "workers": workers}
    rates = {}
    for name in names:
        with tempfile.TemporaryDirectory() as folder:
            run = Timed(recipes.load(name), Path(folder), rounds, seconds, workers)
            run.run()
        result |= {name: run.history[name] for name in ("device", "precision")}
        rates[run.recipe.name] = run.rates()
    result["recipes"] = rates
    model_folder.write_json(output, result)
    return result


class Timed(Run):
    """A training run whose one epoch is spent on timing: everything else is that of `fit`."""

    def __init__(
        self, recipe: Recipe, folder: Path, rounds: int, seconds: float, workers: int
    ) -> None:
        super().__init__(as_timed(recipe), folder, workers, None)
        self.rounds, self.seconds = rounds, seconds
        self.loaded: list[float] = []
        self.in_memory: list[float] = []

    def run_epoch(
        self,
        net: nn.Module,
        steps: torch.optim.Optimizer,
        schedule: Schedule,
        loader: DataLoader,
        stage: Stage,
    ) -> float:
        """Alternate short rounds over the real loader and over one batch of it."""

        def rate(source: Iterable, count: int) -> float:
            """Faces a second of so many steps of the real loop."""
            chosen = Counted(islice(source, count))
            started = time.perf_counter()
            losses.append(Run.run_epoch(self, net, steps, schedule, chosen, stage))
            return chosen.faces / (time.perf_counter() - started)

        losses: list[float] = []
        batches = endless(loader)
        batch = next(batches)
        in_memory = repeat(batch)
        rate(in_memory, WARM_UP)
        steps_a_second = rate(in_memory, WARM_UP) / len(batch[0])
        count = max(WARM_UP, round(self.seconds * steps_a_second))
        for _ in range(self.rounds):
            rate(in_memory, WARM_UP)  # meanwhile, the worker fills its queue and rests
            self.in_memory.append(rate(in_memory, count))
            # What lies ready now would hide a loader that is too slow, in a round as short as this.
            for _ in islice(batches, PREPARED * (self.workers + 1)):
                pass
            rate(batches, WARM_UP)
            self.loaded.append(rate(batches, count))
        batches.close()
        return losses[-1]

    def rates(self) -> dict[str, float]:
        """The medians of all rounds, and their ratio."""
        loaded, in_memory = statistics.median(self.loaded), statistics.median(self.in_memory)
        return {
            "faces_per_second": round(loaded, 1),
            "faces_per_second_in_memory": round(in_memory, 1),
            "share": round(loaded / in_memory, 3),
        }


class Counted:
    """Batches as they come, and how many faces they had."""

    def __init__(self, batches: Iterable) -> None:
        self.batches, self.faces = batches, 0

    def __iter__(self) -> Iterator:
        for batch in self.batches:
            self.faces += len(batch[0])
            yield batch


def as_timed(recipe: Recipe) -> Recipe:
    """The recipe with one epoch of its longest stage, from random weights.

    The same batch again and again, without the warm-up of a schedule, could diverge at the
    recipe's rate; how fast a step is does not depend on it.
    """
    longest = max(recipe.stages, key=lambda stage: stage.epochs)
    stage = dataclasses.replace(longest, epochs=1, lr=1e-5, schedule="constant", patience=None)
    return dataclasses.replace(recipe, stages=(stage,), start_from=None, imagenet=False)


def endless(loader: DataLoader) -> Iterator:
    """Epoch after epoch of a loader, the gaps between them included."""
    while True:
        yield from loader
