"""The records of training under `weights/`: learning curves, sweeps, trials, errors by keypoint.

Files appear one after the other while recipes train. Missing files are left out; damaged ones are
left out and named.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from kpdemo.keypoints import markup
from kpdemo.models.model_folder import HISTORY, METRICS
from kpdemo.records.seeds import Sample
from kpdemo.system import json_file
from kpdemo.zoo import DEFAULT_MODELS, WEIGHTS_DIR

COMPLETENESS = "completeness.json"
RESULTS = "results.json"
SWEEPS = "sweeps"
TRIALS = "trials"
MEASURES = ("train_loss", "validation_loss", "validation_nme")
# Descriptive keys of a recipe, without effect on training.
_DESCRIPTIVE = ("name", "title", "notes", "reported", "deviations", "claims", "flip_test")
# Settings that the first runs did not record, because training had no alternative then.
_DEFAULTS = {
    "data.incomplete": "mask",
    "data.judge": [],
    "augment.moved": 1.0,
    "augment.saturation": 0.0,
    "keep": "best",
}
# Settings that only matter where another one has one of these values.
_CONDITIONS = {
    "loss.unit": ("loss.coordinates", ("mse", "l1", "smooth_l1", "huber", "wing")),
    "loss.bend": ("loss.coordinates", ("smooth_l1", "huber", "wing")),
    "loss.curvature": ("loss.coordinates", ("wing",)),
    "loss.heatmap_weight": ("loss.heatmaps", ("mse", "cross_entropy", "marginals")),
    "loss.sigma": ("loss.heatmaps", ("mse", "cross_entropy", "marginals")),
    "momentum": ("optimizer", ("sgd",)),
    "warmup": ("schedule", ("cosine", "onecycle")),
    "step": ("schedule", ("step", "plateau")),
    "gamma": ("schedule", ("step", "plateau")),
}

_NUMBER = (int, float)
_EXPERIMENT = {"question": str, "model": str, "changes": {}, "tried": str}
# The types of a history that the tabs rely on: any part may be missing or null.
_RUN = {
    "recipe": {
        **dict.fromkeys(("name", "title", "notes", "net", "markup", "start_from"), str),
        "input": {"width": int, "height": int, "channels": int, "mean": _NUMBER, "std": _NUMBER},
        "framing": {"reference": str, "scale": _NUMBER},
        "args": {},
        "data": {
            "train": [str],
            "test": [str],
            "validate": [str],
            "holdout": _NUMBER,
            "incomplete": str,
        },
        "loss": {
            **dict.fromkeys(("coordinates", "unit", "heatmaps"), str),
            **dict.fromkeys(("bend", "curvature", "heatmap_weight", "sigma"), _NUMBER),
        },
        "augment": {
            **dict.fromkeys(("mirror", "rotate", "shift", "moved", "blur", "erase"), _NUMBER),
            **dict.fromkeys(("brightness", "contrast", "saturation"), _NUMBER),
            "scale": [_NUMBER],
        },
        "batch_size": int,
        "ema": _NUMBER,
        "clip": _NUMBER,
        "stages": [
            {
                "epochs": int,
                **dict.fromkeys(("optimizer", "schedule"), str),
                **dict.fromkeys(
                    ("lr", "weight_decay", "momentum", "warmup", "step", "gamma"), _NUMBER
                ),
            }
        ],
        "reported": {"figure": str, "value": _NUMBER, "unit": str, "comparable": str},
    },
    "epochs": [{"epoch": int, **dict.fromkeys((*MEASURES, "seconds"), _NUMBER)}],
    "diverged": str,
    "parameters": int,
    "faces": {"train": int, "validation": int},
    "device": str,
    "calibration": {"validation_nme_before": _NUMBER, "validation_nme": _NUMBER},
    "sweep": _EXPERIMENT,
    "trial": _EXPERIMENT,
}
_ERRORS = {"faces": int, "nme": _NUMBER, "rmse_96": _NUMBER, "mean_answer_nme": _NUMBER}


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


@dataclass(frozen=True, eq=False)
class Errors:
    """A model's errors on its test faces, on ground-truth crops.

    `nme_by_keypoint` is `(K,)` in percent, `rmse_by_keypoint` `(K,)` in pixels of a 96×96 crop or
    None, in the order of the markup. `mean_answer` is the NME of the mean-face baseline.
    """

    model: str
    markup: str
    source: str
    faces: int
    nme: float
    nme_by_keypoint: np.ndarray
    rmse: float | None
    rmse_by_keypoint: np.ndarray | None
    mean_answer: float | None


@dataclass(frozen=True, eq=False)
class Labels:
    """Label counts: how many of `rows` label each keypoint, and how many label so many of them."""

    rows: int
    by_keypoint: Mapping[str, int]
    by_points_known: Mapping[int, int]


@dataclass(frozen=True)
class Claim:
    """A claim of a system's authors, our `check` of it, its `figures` in words, and the verdict."""

    claim: str
    check: str
    verdict: str
    because: str
    figures: tuple[str, ...]


@dataclass(frozen=True, eq=False)
class Library:
    """All records; `problems` names damaged files. `version` grows with every change."""

    version: int
    models: dict[str, Run]
    trials: dict[str, Run]
    sweeps: dict[str, Sweep]
    errors: dict[str, Errors]
    labels: dict[str, Labels]
    claims: dict[str, list[Claim]]
    problems: list[str]

    @property
    def runs(self) -> dict[str, Run]:
        """Models and trials by name, the default models first."""
        first = {name: self.models[name] for name in DEFAULT_MODELS if name in self.models}
        return first | self.models | self.trials


class Histories:
    """A reader of a folder of weights that opens only changed files again."""

    def __init__(self, weights: Path = WEIGHTS_DIR) -> None:
        self._weights = weights
        self._parsed: dict[Path, tuple[tuple[int, int], Any]] = {}
        self._stamps: dict[Path, tuple[int, int]] = {}
        self._library: Library | None = None

    def read(self) -> Library:
        """The records in the folder now; the same object as before where nothing changed."""
        stamps = dict(self._current_stamps())
        if self._library is None or stamps != self._stamps:
            version = self._library.version + 1 if self._library else 1
            self._parsed = {path: self._parse(path, stamp) for path, stamp in stamps.items()}
            self._library = self._collect(version)
            self._stamps = stamps
        return self._library

    def _current_stamps(self) -> Iterable[tuple[Path, tuple[int, int]]]:
        patterns = (f"*/{HISTORY}", f"*/{METRICS}", f"{TRIALS}/*.json", f"{SWEEPS}/*/*.json")
        for pattern in (*patterns, COMPLETENESS, RESULTS):
            for path in sorted(self._weights.glob(pattern)):
                try:
                    status = path.stat()
                except OSError:  # gone since it was listed
                    continue
                yield path, (status.st_mtime_ns, status.st_size)

    def _parse(self, path: Path, stamp: tuple[int, int]) -> tuple[tuple[int, int], Any]:
        """A file's stamp, and its records, None if it is damaged."""
        before = self._parsed.get(path)
        if before and before[0] == stamp:
            return before
        place = path.relative_to(self._weights)
        try:
            data = json_file.read(path)
            if place.name == COMPLETENESS and len(place.parts) == 1:
                return stamp, _labels(data)
            if place.name == RESULTS and len(place.parts) == 1:
                return stamp, _claims(data)
            if place.name == METRICS:
                return stamp, _errors(path.parent.name, data)
            name = place.parent if place.name == HISTORY else place.with_suffix("")
            return stamp, _run(name.as_posix(), data)
        # A damaged file may fail anywhere.
        except (ArithmeticError, AttributeError, LookupError, OSError, TypeError, ValueError):
            return stamp, None

    def _collect(self, version: int) -> Library:
        records = {path.relative_to(self._weights): r for path, (_, r) in self._parsed.items()}
        runs = [record for record in records.values() if isinstance(record, Run)]
        errors = {
            model: errors
            for path, by_model in records.items()
            if path.name == METRICS and by_model
            for model, errors in by_model.items()
        }
        return Library(
            version=version,
            models={run.name: run for run in runs if "/" not in run.name},
            trials={run.name: run for run in runs if run.name.startswith(f"{TRIALS}/")},
            sweeps=_sweeps([run for run in runs if run.name.startswith(f"{SWEEPS}/")]),
            errors=errors,
            labels=records.get(Path(COMPLETENESS)) or {},
            claims=records.get(Path(RESULTS)) or {},
            problems=[path.as_posix() for path, record in records.items() if record is None],
        )


def smooth(values: np.ndarray, weight: float) -> np.ndarray:
    """A bias-corrected exponential moving average of `(E,)` values.

    Each result is the mean of all values so far, each value weighing `weight` times (0 to below
    1) as much as the one after it. NaN stays NaN and is skipped. Raises ValueError for another
    weight.
    """
    if not 0 <= weight < 1:
        raise ValueError(f"The weight of the past is {weight}; it can be from 0 to below 1.")
    total = mass = 0.0
    out = np.full(len(values), np.nan)
    for k in np.flatnonzero(np.isfinite(values)):
        total, mass = weight * total + values[k], weight * mass + 1
        out[k] = total / mass
    return out


def settings(recipe: Mapping[str, Any]) -> dict[str, Any]:
    """A recipe's settings by dotted path: "loss.bend", "stages.0.lr"; lists stay whole otherwise.

    Descriptive keys are left out, and settings without effect given the others (the momentum of an
    optimiser without one).
    """
    flat: dict[str, Any] = dict(_DEFAULTS)
    for key, value in recipe.items():
        if key in _DESCRIPTIVE:
            continue
        parts = enumerate(value) if key == "stages" else [(None, value)]
        for number, part in parts:
            path = key if number is None else f"{key}.{number}"
            if number is not None:
                flat[f"{path}.freeze_norm"] = False
            if isinstance(part, Mapping):
                flat |= {f"{path}.{name}": inner for name, inner in part.items()}
            else:
                flat[path] = part
    flat["data.missing"] = flat.get("data.missing") or []  # false in the first recipes
    if not flat["data.missing"]:
        del flat["data.incomplete"]
    return {path: value for path, value in flat.items() if _matters(path, flat)}


def _matters(path: str, flat: Mapping[str, Any]) -> bool:
    *stage, last = path.split(".") if path.startswith("stages.") else (path,)
    if last not in _CONDITIONS:
        return True
    other, values = _CONDITIONS[last]
    return flat.get(".".join((*stage, other))) in values


def setting(recipe: Mapping[str, Any], path: str) -> Any:
    """The value at a dotted path, through lists too: "args.blocks.0.kernel"; None if absent."""
    value: Any = recipe
    for step in path.split("."):
        try:
            value = value[int(step) if isinstance(value, list) else step]
        except (LookupError, TypeError, ValueError):
            return None
    return value


def _check(value: Any, kind: Any, path: str = "") -> None:
    """TypeError if plain data does not match a schema such as `_RUN`."""
    if value is None:
        return
    if isinstance(kind, dict):
        if not isinstance(value, dict):
            raise TypeError(f"{path} is no mapping")
        for key, inner in kind.items():
            _check(value.get(key), inner, f"{path}.{key}")
    elif isinstance(kind, list):
        if not isinstance(value, list):
            raise TypeError(f"{path} is no list")
        for item in value:
            if item is None:
                raise TypeError(f"{path} has a gap")
            _check(item, kind[0], f"{path}[]")
    elif not isinstance(value, kind) or (isinstance(value, bool) and kind in (int, _NUMBER)):
        raise TypeError(f"{path} is {value!r:.40}")


def _run(name: str, data: Any) -> Run:
    """A run from its file; raises one of several errors if the file is none."""
    _check(data, _RUN)
    _, _ = (data["recipe"].get("augment") or {}).get("scale") or (1, 1)
    blocks = (data["recipe"].get("args") or {}).get("blocks")
    if isinstance(blocks, list):  # of some nets it is their number
        _check(blocks, [{"channels": int, "dropout": _NUMBER}])
        _ = [block["channels"] for block in blocks]
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
    _ = run.recipe["name"], run.planned, run.loss, run.validation_set, settings(run.recipe)
    hash((run.loss, run.validation_set))
    if name.startswith(f"{SWEEPS}/"):
        _ = run.experiment["question"], run.experiment["run"], run.experiment["changes"].items()
    return run


def _sweeps(runs: list[Run]) -> dict[str, Sweep]:
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


def _errors(model: str, data: Any) -> dict[str, Errors]:
    """The errors of one model on its test faces; empty where they are not measured this way."""
    for source, ways in data.items():
        box = ways.get("ground_truth_box")
        if box is None:
            continue
        _check(box, _ERRORS)
        nme = np.array(box["nme_by_keypoint"], float)
        rmse = box.get("rmse_96_by_keypoint")
        # The number of keypoints determines the markup.
        name = {len(each): name for name, each in markup.MARKUPS.items()}[len(nme)]
        names = markup.get(name).names
        errors = Errors(
            model=model,
            markup=name,
            source=source,
            faces=box["faces"],
            nme=box["nme"],
            nme_by_keypoint=nme,
            rmse=box.get("rmse_96"),
            rmse_by_keypoint=None if rmse is None else np.array([rmse[k] for k in names], float),
            mean_answer=box.get("mean_answer_nme"),
        )
        return {model: errors}
    return {}


def _labels(data: Any) -> dict[str, Labels]:
    counted = {"kaggle": data["kaggle"]} | data["recipes"]
    for counts in counted.values():
        _check(counts, {"rows": int, "rows_by_keypoint": {}})
        _check([*counts["rows_by_keypoint"].values()], [int])
        _check([*counts["rows_by_points_known"].values()], [int])
    return {
        name: Labels(
            rows=counts["rows"],
            by_keypoint=dict(counts["rows_by_keypoint"]),
            by_points_known={int(k): n for k, n in counts["rows_by_points_known"].items()},
        )
        for name, counts in counted.items()
    }


def _claims(data: Any) -> dict[str, list[Claim]]:
    """What the reports claim, by system; systems without claims are left out."""
    claims = {
        row["name"]: [
            Claim(
                claim=claim["claim"],
                check=claim["check"],
                verdict=claim["verdict"],
                because=claim["because"],
                figures=tuple(f"{each['what']} {each['text']}" for each in claim["figures"]),
            )
            for claim in row.get("claims") or ()
        ]
        for row in data["models"]
    }
    return {name: listed for name, listed in claims.items() if listed}
