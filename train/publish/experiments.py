"""The part of `results.json` on sweeps and trials."""

import math

from kpdemo.records.json_files import JsonFiles
from kpdemo.records.run import SWEEPS, TRIALS
from kpdemo.records.seeds import Sample, comparison
from train.publish.figures import minutes, nested, rounded


def sweeps(files: JsonFiles) -> list[dict]:
    """The sweeps by name; in each, the unchanged recipe first, then the changed runs.

    A run has one entry for all of its seeds.
    """
    experiments: dict[str, dict] = {}
    runs: dict[str, dict[str, list[dict]]] = {}
    for path in sorted((files.root / SWEEPS).glob("*/*.json")):
        history = files.read(SWEEPS, path.parent.name, path.name)
        if not history:
            continue
        origin = history.get("sweep") or {}
        sweep = experiments.setdefault(
            path.parent.name,
            {"name": path.parent.name, "question": None, "recipe": None, "base": None},
        )
        sweep["question"] = sweep["question"] or origin.get("question")
        sweep["base"] = sweep["base"] or origin.get("base")
        sweep["recipe"] = sweep["recipe"] or nested(history, "recipe", "name")
        variants = runs.setdefault(path.parent.name, {})
        variants.setdefault(origin.get("run") or path.stem, []).append(history)
    for name, sweep in experiments.items():
        rows = [seeds(run, histories) for run, histories in runs[name].items()]
        sweep["runs"] = sorted(rows, key=lambda run: (bool(run["changes"]), run["run"]))
        first = Sample.of(sweep["runs"][0]["best_nmes"])
        for run in sweep["runs"][1:]:
            run["against_first"] = comparison(first, Sample.of(run["best_nmes"]))
    return list(experiments.values())


def seeds(name: str, histories: list[dict]) -> dict:
    """One run of a sweep: its best validation NME over all seeds.

    `best_nme` is their mean, `deviation` the standard deviation, `against_first` whether the
    interval of the difference to the sweep's first run leaves out zero.
    """
    runs = [sweep_run(name, nested(h, "sweep", "changes") or {}, h) for h in histories]
    sample = Sample.of(run["best_nme"] for run in runs)
    epochs = [run["best_epoch"] for run in runs if run["best_epoch"]]
    return {
        "run": name,
        "changes": runs[0]["changes"],
        "seeds": len(runs),
        "epochs": max(run["epochs"] for run in runs),
        "minutes": round(math.fsum(run["minutes"] or 0 for run in runs), 1),
        "parameters": runs[0]["parameters"],
        "best_nme": rounded(sample.mean),
        "deviation": rounded(sample.deviation),
        "best_nmes": [rounded(value) for value in sample.values],
        "best_epochs": [min(epochs), max(epochs)] if epochs else None,
        "finished": all(run["finished"] for run in runs),
        "diverged": next((run["diverged"] for run in runs if run["diverged"]), None),
        "against_first": None,
    }


def trials(files: JsonFiles) -> list[dict]:
    """Trials on the way to the default models, by model and then by name.

    `tried` describes the difference, `validation` the faces that the error was measured on: only
    trials of one model on the same faces are comparable.
    """
    result = []
    for path in sorted((files.root / TRIALS).glob("*.json")):
        history = files.read(TRIALS, path.name)
        if history:
            trial = {
                name: nested(history, "trial", name) for name in ("model", "tried", "validation")
            }
            run = sweep_run(path.stem, {}, history)
            del run["changes"]
            result.append(trial | run)
    return sorted(result, key=lambda each: str(each["model"]))


def sweep_run(name: str, changes: dict, history: dict) -> dict:
    """One run: its best validation NME and its last losses."""
    epochs = history.get("epochs") or []
    last = epochs[-1] if epochs else {}
    measured = [epoch for epoch in epochs if epoch.get("validation_nme") is not None]
    best: dict = min(measured, key=lambda epoch: epoch["validation_nme"], default={})
    return {
        "run": name,
        "changes": changes,
        "epochs": len(epochs),
        "minutes": minutes(epochs),
        "parameters": history.get("parameters"),
        "best_nme": best.get("validation_nme"),
        "best_epoch": best.get("epoch"),
        "train_loss": last.get("train_loss"),
        "validation_loss": last.get("validation_loss"),
        "finished": bool(history.get("finished")),
        "diverged": history.get("diverged"),
    }
