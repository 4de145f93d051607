"""One training run: its recipe and its learning curves."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from kpdemo.records.run_schema import History
from kpdemo.records.settings import setting, settings

SWEEPS = "sweeps"
TRIALS = "trials"
MEASURES = ("train_loss", "validation_loss", "validation_nme")


@dataclass(frozen=True, eq=False)
class Run:
    """One training run: the `recipe` as training wrote it down, and its curves.

    `curves` holds `(E,)` float arrays: those of `MEASURES`, NaN where there is no number, and
    "epoch" (from 1) and "minutes" (since the start, at the epoch's end). `validation_nme` is in
    percent of the distance between the outer eye corners. `name` is the file's place under
    `weights/`, `experiment` the sweep's or trial's entry on the run.
    """

    name: str
    recipe: Mapping[str, Any]
    curves: Mapping[str, np.ndarray]
    finished: bool
    diverged: str | None = None
    parameters: int | None = None
    train_faces: int | None = None
    validation_faces: int | None = None
    device: str | None = None
    calibration: Mapping[str, float] = field(default_factory=dict)
    experiment: Mapping[str, Any] = field(default_factory=dict)

    @property
    def model(self) -> str:
        """The model that the run belongs to, for its colour."""
        if "/" not in self.name:  # a model's own run; its recipe may be one that a sweep changed
            return self.name
        return self.experiment.get("model") or self.recipe["name"]

    @property
    def planned(self) -> int:
        """The recipe's epochs; early stopping may end a run before."""
        return sum(stage["epochs"] for stage in self.recipe["stages"])

    @property
    def best(self) -> tuple[int, float] | None:
        """The epoch of the lowest validation NME and that NME; None if there is none."""
        nme = self.curves["validation_nme"]
        if not np.isfinite(nme).any():
            return None
        at = int(np.nanargmin(nme))
        return int(self.curves["epoch"][at]), float(nme[at])

    @property
    def loss(self) -> tuple[Any, ...]:
        """The loss settings; losses of two runs are comparable only where these are equal."""
        parts = [(k, v) for k, v in settings(self.recipe).items() if k.startswith("loss.")]
        if ("loss.unit", "pixel") in parts:
            # Pixels of a larger input are smaller parts of a face.
            parts.append(("input.width", setting(self.recipe, "input.width")))
        return tuple(parts)

    @property
    def validation_set(self) -> tuple[Any, ...]:
        """Its validation faces; errors of two runs are comparable only where these are equal."""
        data = self.recipe.get("data", {})
        sources = tuple(data.get("validate") or ())
        if not sources:
            sources = (*(data.get("judge") or data.get("train", ())), data.get("holdout"))
        note = self.experiment.get("validation")
        return (sources, self.validation_faces, self.recipe.get("markup"), note)


def parse_run(name: str, data: Any) -> Run:
    """The run of a history file's data; LookupError, TypeError or ValueError if it is damaged."""
    History.model_validate(data)
    epochs = data["epochs"]
    columns = {key: [epoch.get(key) for epoch in epochs] for key in (*MEASURES, "seconds")}
    curves = {key: np.array(values, float) for key, values in columns.items()}  # None becomes NaN
    curves["epoch"] = np.array([epoch["epoch"] for epoch in epochs], float)
    curves["minutes"] = np.nan_to_num(curves.pop("seconds")).cumsum() / 60
    faces = data.get("faces") or {}
    run = Run(
        name=name,
        recipe=data["recipe"],
        curves=curves,
        finished=bool(data.get("finished")),
        diverged=data.get("diverged"),
        parameters=data.get("parameters"),
        train_faces=faces.get("train"),
        validation_faces=faces.get("validation"),
        device=data.get("device"),
        calibration=data.get("calibration") or {},
        experiment=data.get("sweep") or data.get("trial") or {},
    )
    # Used as keys: TypeError if a setting is a list where it should not be.
    hash((run.loss, run.validation_set))
    if name.startswith(f"{SWEEPS}/"):
        _ = run.experiment["question"], run.experiment["run"], run.experiment["changes"].items()
    return run
