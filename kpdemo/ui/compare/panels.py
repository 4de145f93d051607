"""The panels: a photo and every model's points on it, drawn by the browser from one value.

The server sends only the points. Everything else happens in the browser: layers, zoom, sliding
between two models, following a point from panel to panel, and the distances to the reference.
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import gradio as gr
import numpy as np

from kpdemo import zoo
from kpdemo.engine import export
from kpdemo.keypoints import agreement
from kpdemo.media.images import Photo
from kpdemo.structures import LOW_CONFIDENCE, ComparedFace, Comparison, Prediction
from kpdemo.ui.session import PhotoResult
from kpdemo.ui.shared import catalogue, component, titles
from kpdemo.ui.shared.colors import css_color
from kpdemo.ui.shared.image_data import shrunk_uri

# Pixels of the whole photo, and of a face that would be coarse in it.
PHOTO_SIDE = 900
FACE_SIDE = 420
# A view of one face is this many boxes wide; the box goes from the brows to the chin.
_VIEW = 1.4
# It lies this many boxes above the box's middle: the forehead is outside the box.
_FOREHEAD = 0.06
# With one face narrower than this share of the photo, the page starts zoomed in on it.
_SMALL = 0.45


def build() -> gr.HTML:
    """The component; its value is `value(…)` as JSON, or None for the empty state.

    It triggers "opened" once it listens, "settings" where the address names models, and "missing"
    where models were chosen on other tabs that have not been compared.
    """
    events = ["opened", "settings", "missing"]
    return component.build("panels", "compare/panels.html", "compare/panels.js", events=events)


def value(
    result: PhotoResult,
    markups: Mapping[str, str],
    median: Callable[[str, str], float | None] = lambda model, device: None,
) -> str:
    """The panels as JSON, in photo coordinates; null where a value is unknown.

    `markups` has the markup of every model of the comparison. `median` is that of the
    engine's `Latency`.
    """
    photo, comparison = result.photo, result.comparison
    # Where no model has points, the page says so instead of showing panels.
    models = comparison.models if any(face.predictions for face in comparison.faces) else []
    models = sorted(models, key=lambda name: name != result.reference_model)  # the baseline first
    references = result.references()
    truth = references if result.truth else [None] * len(references)
    names = {markups[name] for name in models} | _converted(comparison)
    if result.truth:
        names.add(result.truth.marks.markup)
    return export.to_json(
        {
            "width": comparison.width,
            "height": comparison.height,
            "src": shrunk_uri(photo.pixels, PHOTO_SIDE),
            "start": _starts_zoomed(comparison),
            "look": result.look,
            "file": Path(result.path).name,
            "result": comparison.to_dict(),
            "titles": _own_titles(comparison.models),
            "recent": _recent(result),
            "low": LOW_CONFIDENCE,
            "truth": result.truth.marks.markup if result.truth else None,
            "markups": {name: catalogue.of_markup(name) for name in sorted(names)},
            "models": [*comparison.models, *comparison.unavailable],
            "faces": [
                _face(photo, face) | {"truth": marks and np.round(marks.keypoints, 2)}
                for face, marks in zip(comparison.faces, truth, strict=True)
            ],
            "panels": [
                _panel(result, name, markups[name], references)
                | {
                    "milliseconds": _landmark_time(name, comparison, median),
                    "device": titles.device(comparison.devices.get(name, "")),
                }
                for name in models
            ],
        }
    )


def _landmark_time(
    name: str, comparison: Comparison, median: Callable[[str, str], float | None]
) -> float | None:
    """A model's milliseconds a face: the median of the last photos, or else this photo's own."""
    own = comparison.landmark_milliseconds(name)
    return own if own is None else median(name, comparison.devices[name]) or own


def _own_titles(models: Sequence[str]) -> dict[str, str]:
    """What a visitor's own models are called in files, whose readers may be others."""
    own: dict[str, str] = {}
    for name in filter(zoo.is_secret, models):
        same = sum(zoo.title(other) == zoo.title(name) for other in own)
        own[name] = f"{zoo.title(name)} ({same + 1})" if same else zoo.title(name)
    return own


def _converted(comparison: Comparison) -> set[str]:
    """The markups that answers are converted to."""
    predictions = [
        prediction for face in comparison.faces for prediction in face.predictions.values()
    ]
    return {name for prediction in predictions for name in agreement.readings(prediction)}


def _recent(result: PhotoResult) -> list[dict[str, Any]]:
    """The photos of the session in the order in which they came, if there are several."""
    photos = sorted((result, *result.earlier), key=lambda each: each.number)
    return [
        {
            "number": each.number,
            "title": Path(each.path).stem or "photo",
            "src": each.thumbnail,
            "current": each is result,
        }
        for each in photos
        if result.earlier
    ]


def _starts_zoomed(comparison: Comparison) -> bool:
    if len(comparison.faces) != 1:
        return False
    x0, _, x1, _ = comparison.faces[0].box
    return x1 - x0 < _SMALL * comparison.width


def _face(photo: Photo, face: ComparedFace) -> dict[str, Any]:
    """A face's box, its view (x, y, width, height) and, where the photo is too coarse, a "
    "sharper picture."""
    x0, y0, x1, y1 = face.box
    # Whole pixels, in the photo: the closer picture is then exactly the view.
    side = round(min(_VIEW * max(x1 - x0, y1 - y0), photo.width, photo.height))
    left = round(np.clip((x0 + x1 - side) / 2, 0, photo.width - side))
    top = round(np.clip((y0 + y1 - side) / 2 - _FOREHEAD * (y1 - y0), 0, photo.height - side))
    return {
        "box": face.box,
        "score": face.score,
        "confirmed": face.confirmed,
        "view": [left, top, side, side],
        "src": _closer(photo, left, top, side),
    }


def _closer(photo: Photo, left: int, top: int, side: int) -> str | None:
    scale = min(1.0, PHOTO_SIDE / max(photo.width, photo.height))
    if scale >= photo.scale or side * scale >= FACE_SIDE:
        return None
    # Edges lie half a pixel before the centres of the pixels that they start.
    edges = photo.to_work(np.array([[left, top], [left + side, top + side]]) - 0.5) + 0.5
    (x0, y0), (x1, y1) = np.rint(edges).astype(int)
    return shrunk_uri(photo.pixels[y0:y1, x0:x1], FACE_SIDE)


def _panel(
    result: PhotoResult, name: str, markup_name: str, references: list[Prediction | None]
) -> dict[str, Any]:
    faces = result.comparison.faces
    first = next((face.predictions[name] for face in faces if name in face.predictions), None)
    return {
        "name": name,
        "title": zoo.title(name),
        "baseline": name == result.reference_model,
        "color": css_color(name),
        "markup": markup_name,
        "pts": first is not None and export.ibug_points(first) is not None,
        "faces": [
            _points(face.predictions.get(name), reference)
            for face, reference in zip(faces, references, strict=True)
        ],
    }


def _points(prediction: Prediction | None, reference: Prediction | None) -> dict[str, Any] | None:
    """One model's points on one face, and what they are converted to, by markup.

    `radii` are the expected errors in pixels.
    """
    if prediction is None:
        return None
    readings = agreement.readings(prediction)
    return {
        "points": np.round(prediction.keypoints, 2),
        "confidence": prediction.confidence,
        "expected_error": prediction.expected_error,
        "radii": _radii(prediction, reference),
        "milliseconds": prediction.milliseconds,
        "readings": {
            name: np.round(points, 2)
            for name, points in readings.items()
            if name != prediction.markup
        },
    }


def _radii(prediction: Prediction, reference: Prediction | None) -> np.ndarray | None:
    """The expected errors in pixels of the photo, by the answer's own eye distance or else the
    reference's; None where they or both eye distances are unknown."""
    if prediction.expected_error is None:
        return None
    units = [agreement.distances(each, each).unit for each in (prediction, reference) if each]
    unit = next((unit for unit in units if np.isfinite(unit)), None)
    return None if unit is None else np.round(prediction.expected_error * unit / 100, 2)
