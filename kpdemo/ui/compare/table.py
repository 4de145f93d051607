"""The table under the panels: each model's latency, size and distance to the reference.

The browser sorts it, and replaces the distances where another reference is chosen.
"""

from collections.abc import Callable, Collection, Mapping
from typing import Any

import gradio as gr

from kpdemo import zoo
from kpdemo.engine import export
from kpdemo.keypoints import agreement
from kpdemo.keypoints.agreement import Summary
from kpdemo.models.checkpoint import Model
from kpdemo.records import lineage
from kpdemo.structures import NO_FACE_HERE, Comparison
from kpdemo.ui.compare import ground_truth
from kpdemo.ui.session import PhotoResult
from kpdemo.ui.shared import component, titles
from kpdemo.ui.shared.colors import css_color
from kpdemo.ui.shared.numbers import count

# What models that were not trained here were trained on.
_OTHERS_DATA = {"mediapipe": "Google’s own data"}
_GROUPS = ("jaw", "brows", "nose", "eyes", "mouth")
_DISTANCE = (
    "Distance is the mean distance to MediaPipe’s keypoints over the places that both markups "
    "have, in percent of the distance between the outer eye corners: smaller is closer. Its mesh "
    "is first converted to iBUG’s and Kaggle’s points by a map fitted on training faces. It is "
    "not an error, since MediaPipe is a model too."
)
_ERROR = (
    "Error is the mean distance to the ground truth over the places that both markups have, in "
    "percent of the distance between its outer eye corners (NME) and in pixels of the photo: "
    "smaller is better. MediaPipe’s mesh is first converted to the ground truth’s markup, to "
    "iBUG’s and Kaggle’s by a map fitted on training faces."
)
_COSTS = (
    "End to end is from the photo to all points: the detection of the faces and the model’s own "
    "work on each. Landmarks is that own work on one face, crop included: the median of the last "
    "photos on the computer that runs this page. MediaPipe’s has a second detection of the face in "
    "it, which it cannot leave out."
)


def build() -> gr.HTML:
    """The component; its value is `value(…)` as JSON, or None for no table."""
    return component.build("table", "compare/table.html", "compare/table.js")


def value(
    models: Mapping[str, Model],
    result: PhotoResult,
    origins: Mapping[str, str],
    not_pulled: Mapping[str, str],
    external: Collection[str] = (),
    median: Callable[[str, str], float | None] = lambda model, device: None,
) -> str | None:
    """The table of a comparison by `models` as JSON; None without an answer.

    `origins` and `not_pulled` are the store's: where weights came from, and why not the Hub. The
    training data of `foreign` models is unknown here. `median` is that of the engine's `Latency`.
    """
    faces = result.comparison.faces
    names = result.comparison.models
    if not any(face.predictions for face in faces):
        return None
    meaning = _ERROR if result.truth else _DISTANCE
    if len(faces) > 1:
        meaning += f" With {len(faces)} faces, all figures are means over the faces."
    return export.to_json(
        {
            "columns": _columns(result),
            "rows": [
                _row(name, models.get(name), result, name in external, median) for name in names
            ],
            "meaning": f"{ground_truth.warning(result)} {meaning}".lstrip(),
            "costs": _COSTS,
            "timings": _timings(result.comparison.timings),
            "weights": _weights({name: origins[name] for name in names if name in origins})
            + "".join(f" {not_pulled[name]}" for name in names if name in not_pulled),
        }
    )


def _columns(result: PhotoResult) -> list[dict[str, str]]:
    """Each column's key and title, the title of its group, and one for when it stands alone."""
    truth = result.truth is not None
    devices = _devices(result)
    # Where models ran on several devices, each row says its own.
    time = f"Milliseconds on the {titles.device(*devices)}" if len(devices) == 1 else "Milliseconds"
    distance = (
        "Error (pixels, % of eye distance)"
        if truth
        else "Distance to MediaPipe (% of eye distance)"
    )
    columns = [("model", "Model", ""), ("keypoints", "Points", "")]
    columns += [("end", "end to end", time), ("landmarks", "landmarks", time)]
    columns += [("pixels", "pixels", distance)] if truth else []
    columns += [("distance", "all", distance)]
    columns += [(group, group, distance) for group in _GROUPS]
    columns += [("parameters", "Parameters", ""), ("trained", "Trained on", "")]
    alone = {"end": "ms, end to end", "landmarks": "ms, landmarks", "pixels": "Error, px"}
    alone["distance"] = "Error, %" if truth else "Distance to MediaPipe (% of eye distance)"
    alone |= {group: f"{group}, %" for group in _GROUPS}
    return [
        {"key": key, "title": title, "among": among, "alone": alone.get(key, title)}
        for key, title, among in columns
    ]


def _devices(result: PhotoResult) -> set[str]:
    return set(result.comparison.devices.values())


def _row(
    name: str,
    model: Model | None,
    result: PhotoResult,
    external: bool,
    median: Callable[[str, str], float | None],
) -> dict[str, Any]:
    """A model's cells by column: the text, and the number to sort by if there is one."""
    by_face = [face.predictions.get(name) for face in result.comparison.faces]
    predictions = [prediction for prediction in by_face if prediction]
    distance, unknown = agreement.summary(zip(by_face, result.references(), strict=True)), "–"
    if not predictions:
        unknown = NO_FACE_HERE
    elif name == result.reference_model and not result.truth:
        distance, unknown = Summary(None, None, {}), "baseline"
    landmarks = landmark_time(name, result.comparison, median)
    end = None
    if landmarks is not None:
        end = result.comparison.timings["detect"] + landmarks * len(by_face)
    time = "{:.1f}"
    if len(_devices(result)) > 1 and landmarks is not None:
        time += f" {titles.device(result.comparison.devices[name])}"
    cells = {
        "model": [zoo.title(name), None],
        "keypoints": _figure(len(predictions[0].keypoints) if predictions else None, "{:.0f}"),
        "end": _figure(end, time),
        "landmarks": _figure(landmarks, time),
        "distance": _figure(distance.percent, "{:.1f} %", unknown),
        "pixels": _figure(distance.pixels, "{:.1f} px"),
        **{group: _figure(distance.groups.get(group), "{:.1f}") for group in _GROUPS},
        "parameters": [count(model.parameters), model.parameters] if model else ["–", None],
        "trained": ["–" if external else _trained_on(name), None],
    }
    return {"name": name, "color": css_color(name), "cells": cells}


def landmark_time(
    name: str, comparison: Comparison, median: Callable[[str, str], float | None]
) -> float | None:
    """A model's milliseconds a face: the median of the last photos, or else this photo's own."""
    own = comparison.landmark_milliseconds(name)
    return own if own is None else median(name, comparison.devices[name]) or own


def _figure(number: float | None, form: str, unknown: str = "–") -> list[Any]:
    return [unknown, None] if number is None else [form.format(number), number]


def _trained_on(name: str) -> str:
    """The data sets that a model was trained on, run by run, and the last one's faces."""
    if name in _OTHERS_DATA:
        return _OTHERS_DATA[name]
    stages = lineage.stages(name)
    if not stages:
        return "–"
    runs = [
        " + ".join(titles.source(source) for source in stage.sources) or f"{stage.run} (no record)"
        for stage in stages
    ]
    text = ", then ".join(dict.fromkeys(runs))
    if stages[-1].faces is not None:
        text += f", {stages[-1].faces:,} faces"
    return text.replace("-", "\N{NON-BREAKING HYPHEN}")  # "300-W" on one line


def _timings(timings: dict[str, float]) -> str:
    titles = {"load": "read the photo", "wait": "wait in the queue", "detect": "find faces"}
    stages = [
        f"{titles.get(stage, zoo.title(stage))} {value:.0f} ms"
        for stage, value in timings.items()
        if stage != "total" and value >= 0.5
    ]
    return f"Total {timings['total']:.0f} ms: " + "; ".join(stages) + "."


def _weights(origins: Mapping[str, str]) -> str:
    """Where the weights of each model came from, models of one origin together."""
    by_origin: dict[str, list[str]] = {}
    for name, origin in origins.items():
        by_origin.setdefault(origin, []).append(zoo.title(name))
    if len(by_origin) == 1:
        return f"All weights are from {next(iter(by_origin))}."
    return " ".join(
        f"{', '.join(models)}: weights from {origin}." for origin, models in by_origin.items()
    )
