"""The box in which a visitor gives the marked points of the photo that the page shows."""

from dataclasses import replace

import gradio as gr

from kpdemo import zoo
from kpdemo.engine import export
from kpdemo.keypoints import annotations
from kpdemo.keypoints.annotations import TruthError
from kpdemo.ui.session import Shown, Truth
from kpdemo.ui.shared import component


def build() -> gr.HTML:
    """The component; its value is `value(…)` as JSON, or None without a truth.

    It triggers "chosen" with the `name` and `text` of a file, "another" with the `set` of its
    points that shall be the truth, and "cleared".
    """
    return component.build(
        "truth",
        "compare/ground_truth.html",
        "compare/ground_truth.js",
        events=["chosen", "another", "cleared"],
    )


def value(shown: Shown) -> str | None:
    """What the box says of the truth as JSON; None if there is none."""
    given = shown.truth
    if given is None:
        return None
    count = len(given.marks.faces)
    matched = [f + 1 for f, found in enumerate(shown.references()) if found is not None]
    faces = f"face {matched[0]}" if len(matched) == 1 else f"{len(matched)} faces"
    left = f"; {count - len(matched)} of its faces fit none that was found"
    says = f"{given.file} belongs to {faces}{left * (count > len(matched))}."
    return export.to_json(
        {
            "says": f"{says} {annotations.gaps(shown.references())}".rstrip(),
            "sets": [[name, zoo.title(name)] for name in given.sets],
            "chosen": given.chosen,
        }
    )


def with_file(shown: Shown, name: str, text: str) -> Shown:
    """The comparison with a file of marks for its truth; raises TruthError."""
    comparison = shown.comparison
    sets = annotations.read(name, text, comparison.width, comparison.height)
    return with_set(shown, Truth(name, sets, annotations.likeliest(sets, comparison)))


def with_set(shown: Shown, given: Truth) -> Shown:
    """The comparison with that truth; raises TruthError if it belongs to none of its faces."""
    held = replace(shown, truth=given)
    if not any(held.references()):
        raise TruthError(
            "The marked points lie on none of the faces that were found; choose the file that "
            "belongs to this photo."
        )
    return held
