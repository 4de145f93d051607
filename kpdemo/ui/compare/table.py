"""The table under the panels: what each model costs and how near it is to the reference.

The browser sorts it and adds the time that it takes itself (`table.js`).
"""

from collections.abc import Collection, Mapping
from typing import Any

import gradio as gr

from kpdemo import zoo
from kpdemo.engine import export
from kpdemo.keypoints import agreement
from kpdemo.keypoints.agreement import Summary
from kpdemo.models.model import Model
from kpdemo.records import lineage
from kpdemo.ui.leaderboard.tables import count
from kpdemo.ui.session import Shown
from kpdemo.ui.shared import component
from kpdemo.ui.shared import titles as names
from kpdemo.zoo import BASELINE

_TIME = "Milliseconds a face"
_GROUPS = ("jaw", "brows", "nose", "eyes", "mouth")
_AGREEMENT = (
    "Agreement is the mean distance to MediaPipe’s points at the places that both name, in percent "
    "of the distance between the outer eye corners: smaller is nearer. It is no error, since "
    "MediaPipe is a model too and defines the jaw differently."
)
_ERROR = (
    "Error is the mean distance to the ground truth at the places that both name, in percent of "
    "its distance between the outer eye corners (NME) and in pixels of the photo: smaller is "
    "better. MediaPipe’s mesh is first read in the truth’s markup, by a fitted map for iBUG’s."
)
_COSTS = (
    "Net and crop are measured on the computer that runs this page, drawing in your browser: the "
    "time to build the picture, without painting it. MediaPipe cuts its own crop within its time."
)


def build() -> gr.HTML:
    """The component; its value is `value(…)` as JSON, or None for no table."""
    return component.build("table", "compare/table.html", "compare/table.js")


def value(
    models: Mapping[str, Model],
    shown: Shown,
    origins: Mapping[str, str],
    not_pulled: Mapping[str, str],
    foreign: Collection[str] = (),
) -> str | None:
    """The table of a comparison by `models` as JSON; None without an answer.

    `origins` and `not_pulled` are the engine's: where weights came from, and why not the Hub. What
    `foreign` models were trained on is not known here.
    """
    faces = shown.comparison.faces
    asked = dict.fromkeys(name for face in faces for name in face.answers)
    if not asked:
        return None
    several = f" With {len(faces)} faces, all figures are means over the faces."
    return export.to_json(
        {
            "columns": _columns(shown.truth is not None),
            "rows": [_row(name, models.get(name), shown, name in foreign) for name in asked],
            "meaning": (_ERROR if shown.truth else _AGREEMENT) + several * (len(faces) > 1),
            "costs": _COSTS,
            "timings": _timings(shown.comparison.timings),
            "weights": _weights({name: origins[name] for name in asked if name in origins})
            + "".join(f" {not_pulled[name]}" for name in asked if name in not_pulled),
        }
    )


def _columns(truth: bool) -> list[dict[str, str]]:
    """Each column's key and title, the title of its neighbours, and one for when it is alone."""
    distance = "Error: pixels, % of the eye distance" if truth else "Agreement with MediaPipe, %"
    columns = [("model", "Model", ""), ("keypoints", "Points", "")]
    columns += [("net", "net", _TIME), ("crop", "crop", _TIME), ("drawing", "drawing", _TIME)]
    columns += [("pixels", "pixels", distance)] if truth else []
    columns += [("distance", "all", distance)]
    columns += [(group, group, distance) for group in _GROUPS]
    columns += [("parameters", "Parameters", ""), ("trained", "Trained on", "")]
    alone = {"net": "ms, net", "crop": "ms, crop", "drawing": "ms, drawing", "pixels": "Error, px"}
    alone["distance"] = "Error, %" if truth else "Agreement"
    alone |= {group: f"{group}, %" for group in _GROUPS}
    return [
        {"key": key, "title": title, "among": among, "alone": alone.get(key, title)}
        for key, title, among in columns
    ]


def _row(name: str, model: Model | None, shown: Shown, foreign: bool) -> dict[str, Any]:
    """A model's cells by column: what to show, and the number to sort by where that is one."""
    found = [face.answers.get(name) for face in shown.comparison.faces]
    answers = [answer for answer in found if answer]
    apart, nothing = agreement.summary(zip(found, shown.references(), strict=True)), "–"
    if name == BASELINE and not shown.truth:
        apart, nothing = Summary(None, None, {}), "baseline"
    cuts = [a.crop_milliseconds for a in answers if a.crop_milliseconds is not None]
    cells = {
        "model": [names.model(name), None],
        "keypoints": _figure(len(answers[0].keypoints), "{:.0f}"),
        "net": _figure(sum(a.milliseconds for a in answers) / len(answers), "{:.1f}"),
        "crop": _figure(sum(cuts) / len(cuts) if cuts else None, "{:.1f}"),
        "drawing": ["", None],
        "distance": _figure(apart.percent, "{:.1f} %", nothing),
        "pixels": _figure(apart.pixels, "{:.1f} px"),
        **{group: _figure(apart.groups.get(group), "{:.1f}") for group in _GROUPS},
        "parameters": [count(model.parameters), model.parameters] if model else ["–", None],
        "trained": ["–" if foreign else _trained_on(name), None],
    }
    return {"name": name, "color": "rgb({},{},{})".format(*zoo.color(name)), "cells": cells}


def _figure(number: float | None, form: str, nothing: str = "–") -> list:
    return [nothing, None] if number is None else [form.format(number), number]


def _trained_on(name: str) -> str:
    """The data sets that a model's weights have seen, run by run, and the last one's faces."""
    if name == BASELINE:
        return "Google’s own data"
    stages = lineage.stages(name)
    if not stages:
        return "–"
    runs = [
        " + ".join(names.source(source) for source in stage.sources) or f"{stage.run} (no record)"
        for stage in stages
    ]
    text = ", then ".join(dict.fromkeys(runs))
    if stages[-1].faces is not None:
        text += f", {stages[-1].faces:,} faces"
    return text.replace("-", "\N{NON-BREAKING HYPHEN}")  # "300-W" on one line


def _timings(timings: dict[str, float]) -> str:
    titles = {"load": "read the photo", "wait": "wait for others", "detect": "find faces"}
    stages = [
        f"{titles.get(stage, names.model(stage))} {value:.0f} ms"
        for stage, value in timings.items()
        if stage != "total" and value >= 0.5
    ]
    return f"Together {timings['total']:.0f} ms: " + "; ".join(stages) + "."


def _weights(origins: Mapping[str, str]) -> str:
    """Where the weights of each model came from, models of one origin together."""
    together: dict[str, list[str]] = {}
    for name, origin in origins.items():
        together.setdefault(origin, []).append(names.model(name))
    if len(together) == 1:
        return f"All weights are from {next(iter(together))}."
    return " ".join(f"{', '.join(who)}: weights from {where}." for where, who in together.items())
