"""Sweeps: runs of one recipe that differ in a setting, each with several seeds."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from kpdemo.records.run import Run
from kpdemo.records.seeds import Sample
from kpdemo.records.settings import setting


@dataclass(frozen=True, eq=False)
class Variant:
    """Runs of a sweep with the same settings and different seeds, in the order of the seeds."""

    runs: tuple[Run, ...]

    @property
    def recipe(self) -> Mapping[str, Any]:
        """The settings, of the first seed."""
        return self.runs[0].recipe

    @property
    def diverged(self) -> bool:
        return any(run.diverged for run in self.runs)

    @property
    def best(self) -> Sample:
        """The lowest validation NME of each seed that did not diverge."""
        return Sample.of(run.best[1] for run in self.runs if run.best and not run.diverged)

    def mean(self, measure: str) -> tuple[np.ndarray, np.ndarray]:
        """Epochs `(E,)` that all seeds have, and the mean curve of a measure over them `(E,)`.

        Seeds that diverged are left out, unless all did.
        """
        runs = [run for run in self.runs if not run.diverged] or self.runs
        count = min(len(run.curves["epoch"]) for run in runs)
        values = np.stack([run.curves[measure][:count] for run in runs])
        return runs[0].curves["epoch"][:count], values.mean(0)


@dataclass(frozen=True, eq=False)
class Sweep:
    """Runs of one recipe that differ in the settings that the question is about, and in seeds."""

    name: str
    question: str
    recipe: str
    variants: tuple[Variant, ...]

    @property
    def runs(self) -> tuple[Run, ...]:
        return tuple(run for variant in self.variants for run in variant.runs)

    @property
    def changed(self) -> list[str]:
        """Dotted paths of the settings that vary."""
        return list(dict.fromkeys(path for run in self.runs for path in run.experiment["changes"]))

    @property
    def ranking(self) -> list[Variant]:
        """The variants that did not diverge, the lowest mean validation NME first."""
        finished = [variant for variant in self.variants if variant.best.values]
        return sorted(finished, key=lambda variant: float(np.mean(variant.best.values)))


def group_sweeps(runs: Iterable[Run]) -> dict[str, Sweep]:
    """The sweeps that the runs belong to, by name."""
    sweeps: dict[str, dict[str, list[Run]]] = {}
    for run in runs:
        variants = sweeps.setdefault(run.name.split("/")[1], {})
        variants.setdefault(run.experiment["run"], []).append(run)
    return {name: _sweep(name, variants) for name, variants in sweeps.items()}


def _sweep(name: str, runs: Mapping[str, list[Run]]) -> Sweep:
    variants = [
        Variant(tuple(sorted(group, key=lambda run: run.recipe.get("seed") or 0)))
        for group in runs.values()
    ]
    first = variants[0].runs[0]
    return Sweep(name, first.experiment["question"], first.recipe["name"], _ordered(variants))


def _ordered(variants: list[Variant]) -> tuple[Variant, ...]:
    """By the changed setting where it is one number, else the unchanged recipe first."""
    paths = {path for variant in variants for path in variant.runs[0].experiment["changes"]}
    values = [setting(variant.recipe, path) for variant in variants for path in paths]
    if len(paths) == 1 and all(type(value) in (int, float) for value in values):
        return tuple(sorted(variants, key=lambda variant: setting(variant.recipe, *paths)))

    def rank(variant: Variant) -> tuple[bool, str]:
        experiment = variant.runs[0].experiment
        return bool(experiment["changes"]), experiment["run"]

    return tuple(sorted(variants, key=rank))
