"""The files that the page hands out: made in memory, and never on disk."""

import json
from base64 import b64encode
from collections.abc import Collection
from dataclasses import replace
from pathlib import Path

import gradio as gr

from kpdemo import zoo
from kpdemo.engine import export
from kpdemo.structures import Comparison
from kpdemo.ui.compare import messages
from kpdemo.ui.session import PhotoResult
from kpdemo.ui.shared import scripts

_TYPES = {"json": "application/json", "csv": "text/csv", "pts": "text/plain"}
_COMMON = json.dumps(scripts.address("shared/common.js"))
# The page's JavaScript: saves what `file` gives.
SAVE = f"""async (file) => {{
  if (!file) return;
  const {{ decodeBase64, saveFile }} = await import(new URL({_COMMON}, document.baseURI));
  saveFile(file.name, new Blob([decodeBase64(file.base64)], {{ type: file.type }}));
}}"""


def file(
    kind: str, last: PhotoResult | None, models: Collection[str], model: str, face: int
) -> dict[str, str]:
    """A file of a kind, "json", "csv" or "pts", for the browser to save.

    JSON and CSV hold the chosen `models`, `.pts` one `model` on one `face`. The file is called
    after the photo. Raises gr.Error where there is nothing to save.
    """
    if last is None:
        raise gr.Error(messages.EXPIRED, print_exception=False)
    stem = Path(last.path).stem or "photo"
    comparison = with_models(last.comparison, models)
    name = f"{stem}-kpdemo.{kind}"
    if kind == "pts":
        name, text = _pts(stem, comparison, model, face)
    elif kind == "csv":
        text = export.to_csv(comparison.to_dict(), Path(last.path).name)
    else:
        text = export.to_json(comparison.to_dict())
    for secret, title in _titles(comparison.models).items():
        name, text = name.replace(secret, title.replace("/", "-")), text.replace(secret, title)
    return {"name": name, "type": _TYPES[kind], "base64": b64encode(text.encode()).decode()}


def _titles(models: Collection[str]) -> dict[str, str]:
    """What a visitor's own models are called in files, whose readers may be others."""
    titles: dict[str, str] = {}
    for name in filter(zoo.is_secret, models):
        same = sum(zoo.title(other) == zoo.title(name) for other in titles)
        titles[name] = f"{zoo.title(name)} ({same + 1})" if same else zoo.title(name)
    return titles


def with_models(comparison: Comparison, models: Collection[str]) -> Comparison:
    """A comparison of some of its models."""
    faces = [
        replace(
            face,
            answers={name: answer for name, answer in face.answers.items() if name in models},
            missing={name: why for name, why in face.missing.items() if name in models},
        )
        for face in comparison.faces
    ]
    return replace(comparison, faces=faces)


def _pts(stem: str, comparison: Comparison, model: str, face: int) -> tuple[str, str]:
    """The name and the text of a `.pts` file of one model's points on one face."""
    answer = comparison.faces[face].answers.get(model)
    points = None if answer is None else export.ibug_points(answer)
    if points is None:
        raise gr.Error(messages.NO_POINTS, print_exception=False)
    several = f"-face-{face + 1}" if len(comparison.faces) > 1 else ""
    return f"{stem}-{model}{several}.pts", export.to_pts(points)
