"""The documents' tables of sweeps and trials."""

import json

from kpdemo.records.seeds import Sample
from kpdemo.zoo import DEFAULT_MODELS
from train.publish.markdown import figure, no_data, table


def sweeps(collected: dict) -> str:
    """One row for each run of every sweep: mean and standard deviation over its seeds."""
    lines = [
        [
            f"**{sweep['name']}**: {sweep['question']}" if run is sweep["runs"][0] else "",
            run["run"],
            changes(run["changes"], sweep["recipe"], sweep["base"]),
            "diverged" if run["diverged"] else Sample.of(run["best_nmes"]).text(2),
            run["against_first"] or "",
            best_epochs(run),
        ]
        for sweep in collected["sweeps"]
        for run in sweep["runs"]
    ]
    if not lines:
        return no_data("sweep NAME")
    heads = ("experiment", "run", "changed", "best validation NME", "than the first", "in epoch")
    return table(heads, lines)


def best_epochs(run: dict) -> str:
    """The best epochs of a run's seeds: "18 to 25 of 25"."""
    if not run["best_epochs"]:
        return ""
    first, last = run["best_epochs"]
    return f"{first}{f' to {last}' if last > first else ''} of {run['epochs']}"


def trials(collected: dict) -> str:
    """The trials for each default model, with their best validation errors."""
    rows = {row["name"]: row for row in collected["models"]}
    lines = []
    for name in DEFAULT_MODELS:
        lines += [
            [
                trial["model"],
                trial["tried"],
                trial["validation"],
                str(trial["epochs"]),
                figure(trial["best_nme"], " %"),
            ]
            for trial in collected["trials"]
            if trial["model"] == name
        ]
        row = rows.get(name)
        if row is not None and row["best_validation_nme"] is not None:
            lines.append(
                [
                    f"**{name}**",
                    f"the recipe: {row['title']}",
                    "",
                    str(row["epochs"]),
                    figure(row["best_validation_nme"], " %"),
                ]
            )
    if not lines:
        return no_data("fit NAME")
    heads = ("model", "tried", "validation faces", "epochs", "best validation NME")
    return table(heads, lines)


def changes(settings: dict, recipe: str | None, base: dict | None = None) -> str:
    """Changed settings as in a recipe; "nothing" for the recipe itself, save for `base`."""
    if settings:
        return ", ".join(f"`{name}: {json.dumps(value)}`" for name, value in settings.items())
    named = f"nothing: `{recipe}`" if recipe else "nothing"
    others = ", ".join(f"`{name}`" for name in base or ())
    return f"{named} with another {others}" if others else named
