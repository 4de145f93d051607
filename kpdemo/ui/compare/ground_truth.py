"""The box in which a visitor loads ground truth for the compared photo."""

from dataclasses import replace

import gradio as gr

from kpdemo import zoo
from kpdemo.engine import export
from kpdemo.keypoints import annotations
from kpdemo.keypoints.annotations import TruthError
from kpdemo.ui.session import PhotoResult, Truth
from kpdemo.ui.shared import component


def build() -> gr.HTML:
    """The component; its value is `value(…)` as JSON, or None without a truth.

    It triggers "chosen" with the `name` and `text` of a file, "another" with the `set` of its
    points to use, and "cleared".
    """
    return component.build(
        "truth",
        "compare/ground_truth.html",
        "compare/ground_truth.js",
        events=["chosen", "another", "cleared"],
    )


def value(result: PhotoResult) -> str | None:
    """The ground truth's description as JSON; None if there is none."""
    truth = result.truth
    if truth is None:
        return None
    count = len(truth.marks.faces)
    matched = [n for n, points in enumerate(result.references(), 1) if points is not None]
    faces = f"face {matched[0]}" if len(matched) == 1 else f"{len(matched)} faces"
    left = f"; {count - len(matched)} of its faces match no detected face"
    gaps = annotations.describe_missing(result.references())
    text = f"{truth.file} belongs to {faces}{left * (count > len(matched))}."
    return export.to_json(
        {
            "says": " ".join(filter(None, (text, gaps, warning(result)))),
            "sets": [[name, zoo.title(name)] for name in truth.sets],
            "chosen": truth.chosen,
        }
    )


def warning(result: PhotoResult) -> str:
    """A sentence where the ground truth is a model's own output; else empty."""
    if result.truth is None:
        return ""
    name = annotations.source(result.references(), result.comparison.faces)
    if name is None:
        return ""
    title = zoo.title(name)
    return (
        f"These are {title}’s own points, so its error is 0 and the others’ are their distances to "
        f"{title}: mark the face yourself for errors."
    )


def with_file(result: PhotoResult, name: str, text: str) -> PhotoResult:
    """The result with a file of ground truth; raises TruthError."""
    comparison = result.comparison
    sets = annotations.read(name, text, comparison.width, comparison.height)
    return with_set(result, Truth(name, sets, annotations.most_edited(sets, comparison)))


def with_set(result: PhotoResult, truth: Truth) -> PhotoResult:
    """The result with that ground truth; raises TruthError if it matches none of the faces."""
    compared = replace(result, truth=truth)
    if not any(compared.references()):
        raise TruthError(
            "The ground truth matches none of the detected faces; choose the file that belongs to "
            "this photo."
        )
    return compared
