"""Training throughput with and without data loading: `weights/training_benchmark.json`.

If the loader cannot keep up, training on its augmented images is slower than on one batch that is
in memory already.
"""

import dataclasses
import statistics
import tempfile
import time
from collections.abc import Generator, Iterable, Iterator, Sequence
from itertools import islice, repeat
from pathlib import Path

import torch
from torch import nn

from kpdemo.models import model_folder
from kpdemo.zoo import DEFAULT_MODELS, WEIGHTS_DIR
from train import recipe as recipes
from train.optim import Schedule
from train.recipe import Recipe, Stage
from train.trainer import Batch, Run

OUTPUT = WEIGHTS_DIR / "training_benchmark.json"
WARM_UP = 5  # steps
PREFETCH = 2  # batches that a worker holds ready: PyTorch's default


def measure(
    names: Sequence[str] = DEFAULT_MODELS,
    output: Path = OUTPUT,
    rounds: int = 7,
    seconds: float = 4.0,
    workers: int = 1,
) -> dict:
    """Training throughput of each recipe in faces a second, from its loader and from memory.

    `share` is the first over the second: 1 where the net never waits. Each of the `rounds` takes
    about `seconds` for either; `workers` has the default of `fit`. Writes `output`. Raises
    ConfigError for an unknown recipe and DataError where its data is missing.
    """
    result: dict = {"threads": torch.get_num_threads(), "workers": workers}
    rates = {}
    for name in names:
        with tempfile.TemporaryDirectory() as folder:
            run = TimedRun(recipes.load(name), Path(folder), rounds, seconds, workers)
            run.run()
        result |= {name: run.history[name] for name in ("device", "precision")}
        rates[run.recipe.name] = run.rates()
    result["recipes"] = rates
    model_folder.write_json(output, result)
    return result


class TimedRun(Run):
    """A training run like that of `fit`, except that it times the steps of its one epoch."""

    def __init__(
        self, recipe: Recipe, folder: Path, rounds: int, seconds: float, workers: int
    ) -> None:
        super().__init__(one_epoch(recipe), folder, workers, None)
        self.rounds, self.seconds = rounds, seconds
        self.loaded: list[float] = []
        self.in_memory: list[float] = []

    def run_epoch(
        self,
        net: nn.Module,
        steps: torch.optim.Optimizer,
        schedule: Schedule,
        loader: Iterable[Batch],
        stage: Stage,
    ) -> float:
        """Alternate short rounds over the loader's batches and over one batch in memory."""

        def rate(source: Iterable[Batch], count: int) -> float:
            """Faces a second over `count` training steps."""
            part = CountedBatches(islice(source, count))
            started = time.perf_counter()
            losses.append(Run.run_epoch(self, net, steps, schedule, part, stage))
            return part.faces / (time.perf_counter() - started)

        losses: list[float] = []
        batches = endless(loader)
        batch = next(batches)
        in_memory = repeat(batch)
        rate(in_memory, WARM_UP)
        steps_a_second = rate(in_memory, WARM_UP) / len(batch[0])
        count = max(WARM_UP, round(self.seconds * steps_a_second))
        for _ in range(self.rounds):
            rate(in_memory, WARM_UP)  # meanwhile, the workers fill their queues and idle
            self.in_memory.append(rate(in_memory, count))
            # Prefetched batches would hide a slow loader in a round as short as this.
            for _ in islice(batches, PREFETCH * (self.workers + 1)):
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


class CountedBatches:
    """Iterates over batches, counting their faces."""

    def __init__(self, batches: Iterable[Batch]) -> None:
        self.batches, self.faces = batches, 0

    def __iter__(self) -> Iterator[Batch]:
        for batch in self.batches:
            self.faces += len(batch[0])
            yield batch


def one_epoch(recipe: Recipe) -> Recipe:
    """The recipe with one epoch of its longest stage, from random weights.

    Training on one repeated batch without the schedule's warm-up could diverge at the recipe's
    learning rate, which does not affect the speed of a step.
    """
    longest = max(recipe.stages, key=lambda stage: stage.epochs)
    stage = dataclasses.replace(longest, epochs=1, lr=1e-5, schedule="constant", patience=None)
    return dataclasses.replace(recipe, stages=(stage,), start_from=None, imagenet=False)


def endless(loader: Iterable[Batch]) -> Generator[Batch, None, None]:
    """The loader's batches, epoch after epoch, with its pauses in between."""
    while True:
        yield from loader
