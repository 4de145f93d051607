"""A model's error at each keypoint, drawn on a face."""

from collections.abc import Sequence
from html import escape

import numpy as np

from kpdemo import zoo
from kpdemo.engine.engine import engine
from kpdemo.keypoints import markups
from kpdemo.keypoints.markup import Markup
from kpdemo.media import svg
from kpdemo.records import leaderboard
from kpdemo.records.keypoint_errors import Errors
from kpdemo.ui.shared import titles
from kpdemo.ui.shared.colors import css_color

_CORNERS = "left_eye_outer_corner", "right_eye_outer_corner"
_EYES = 140  # units of a drawing between the outer eye corners
_LARGEST = 25.0  # percent; larger circles would hide the face
_SMALLEST = 1.2  # units
_MARGIN = 14
_NAMED = 3  # worst keypoints under each face


def html(errors: Sequence[Errors]) -> str:
    """A face for each model, with a circle at each keypoint as large as its mean error, to scale.

    Empty where no labelled face of the markup is kept.
    """
    scheme = markups.get(errors[0].markup)
    face = mean_face(scheme.name)
    if face is None:
        return ""
    figures = "".join(_figure(one, face, scheme) for one in errors)
    return (
        f'<div class="kp-faces">{figures}</div><p class="kp-small">A circle’s radius is the mean '
        "error of its keypoint, to scale. The face is the mean of the labelled test faces that the "
        "Leaderboard shows.</p>"
    )


def mean_face(markup_name: str) -> np.ndarray | None:
    """The mean of the labelled faces in the records, `(K, 2)`, x right, y down.

    It is upright and symmetric, 1 between the outer eye corners, 0 midway. None without faces.
    """
    scheme = markups.get(markup_name)
    if not all(corner in scheme.anatomy for corner in _CORNERS):
        return None
    shapes = {
        face.name: _upright(face.truth, scheme)
        for row in leaderboard.read(external=engine().store.other_weights()).rows
        if row.markup == markup_name
        for face in row.best
        if np.isfinite(face.truth).all()
    }
    if not shapes:
        return None
    mean = np.mean(list(shapes.values()), axis=0)
    return (mean + mean[list(scheme.mirror)] * (-1, 1)) / 2


def _upright(points: np.ndarray, scheme: Markup) -> np.ndarray:
    """A shape turned, moved and scaled so that its eye corners lie at ±0.5 (the right one left)."""
    left, right = (complex(*scheme.place(points, corner)) for corner in _CORNERS)
    shape = (points[:, 0] + 1j * points[:, 1] - (left + right) / 2) / (left - right)
    return np.stack([shape.real, shape.imag], -1)


def _figure(one: Errors, face: np.ndarray, scheme: Markup) -> str:
    values = one.nme_by_keypoint
    words = titles.points(scheme.name)
    at = _EYES * face
    radii = np.maximum(_EYES / 100 * np.minimum(values, _LARGEST), _SMALLEST)
    margin = max(_MARGIN, float(np.nanmax(radii)))
    (left, top), (width, height) = at.min(0) - margin, np.ptp(at, axis=0) + 2 * margin
    worst = [int(k) for k in np.argsort(-np.nan_to_num(values))[:_NAMED]]
    highest = ", ".join(f"{words[k]} {values[k]:.1f} %" for k in worst)
    circles = "".join(
        f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius:.1f}"><title>{escape(word)}: {value:.2f} %'
        "</title></circle>"
        for (x, y), radius, word, value in zip(at, radii, words, values, strict=True)
        if np.isfinite(value)
    )
    title = escape(zoo.title(one.model))
    return (
        f'<figure class="kp-face-drawn" data-model="{escape(one.model)}" '
        f'style="--model:{css_color(one.model)}">'
        f'<svg viewBox="{left:.0f} {top:.0f} {width:.0f} {height:.0f}" role="img" '
        f'aria-label="Error of {title} at each keypoint, drawn on a face">'
        f'<path class="kp-lines-truth" d="{svg.contours(at, scheme.contours)}"/>'
        f'<g class="kp-errors">{circles}</g></svg>'
        f"<figcaption><b>{title}: {one.nme:.2f} %</b><p>Highest: {escape(highest)}.</p>"
        "</figcaption></figure>"
    )
