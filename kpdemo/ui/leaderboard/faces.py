"""A model's best and worst test faces as keypoints: the images may not be redistributed."""

from html import escape

import numpy as np

from kpdemo import zoo
from kpdemo.keypoints import markups
from kpdemo.keypoints.markup import Markup
from kpdemo.media import svg
from kpdemo.records.standings import Face, Standing
from kpdemo.ui.shared.colors import css_color

_SIDE = 300  # units of a drawing, about its pixels
_MARGIN = 1.16
# A single point would otherwise fill the drawing, and say nothing of its scale.
_NARROWEST = 1.2  # eye distances
_BAR = 10  # percent of the eye distance


def html(row: Standing) -> str:
    """The drawings of a row's best and worst faces, or a sentence if there are none."""
    if not row.markup or not (row.best or row.worst):
        return '<p class="kp-small">No faces of this model are kept.</p>'
    scheme = markups.get(row.markup)
    figures = [
        _figure(face, f"{word} {place}", row.name, scheme)
        for word, faces in (("Best", row.best), ("Worst", row.worst))
        for place, face in enumerate(faces, 1)
        if len(face.truth) == len(scheme)
    ]
    crops = "detected by MediaPipe" if row.baseline else "cropped by their ground truth"
    return (
        '<p class="kp-face-key"><span class="kp-dot-of-face kp-dot-of-truth"></span> '
        "ground truth "
        f'<span class="kp-dot-of-face" style="--model:{css_color(row.name)}"></span> '
        f"{escape(zoo.title(row.name))}</p>"
        f'<div class="kp-faces">{"".join(figures)}</div>'
        '<p class="kp-small">The images of the test sets may not be redistributed, so only '
        f"keypoints are drawn. Faces are {crops}; errors are in percent of the distance between "
        "the outer eye corners. The remark on a face was measured on it; whether it caused the "
        "error is not certain.</p>"
    )


def _figure(face: Face, place: str, model: str, scheme: Markup) -> str:
    points = np.concatenate([face.truth, face.answer])
    points = points[np.isfinite(points).all(1)]
    low, high = points.min(0), points.max(0)
    side = max(_MARGIN * float((high - low).max()), _NARROWEST * face.eyes)
    origin, unit = (low + high) / 2 - side / 2, _SIDE / side
    truth, answer = (unit * (shape - origin) for shape in (face.truth, face.answer))
    radius = 2.2 if len(scheme) > 20 else 3.4 if len(scheme) > 1 else 5.0
    count = f"{len(scheme)} points" if len(scheme) > 1 else "one point"
    description = (
        f"{place} face of {zoo.title(model)}: {count}, ground truth and prediction, "
        f"mean error {face.error:.1f} %"
    )
    bar = _BAR / 100 * face.eyes * unit
    name = escape(face.name).replace("/", "/<wbr>")
    return (
        f'<figure class="kp-face-drawn" style="--model:{css_color(model)}">'
        f'<svg viewBox="0 0 {_SIDE} {_SIDE + 24}" role="img"><title>{escape(description)}</title>'
        f'<path class="kp-apart" d="{_links(truth, answer)}"/>'
        f'<path class="kp-lines-truth" d="{svg.contours(truth, scheme.contours)}"/>'
        f'<path class="kp-lines-answer" d="{svg.contours(answer, scheme.contours)}"/>'
        f'<g class="kp-face-truth">{svg.dots(truth, radius)}</g>'
        f'<g class="kp-face-answer">{svg.dots(answer, radius)}</g>'
        f'<path class="kp-bar" d="M8 {_SIDE + 8}v6h{bar:.1f}v-6"/>'
        f'<text x="{14 + bar:.1f}" y="{_SIDE + 15}">{_BAR} % of the eye distance</text></svg>'
        f"<figcaption><b>{place}: {face.error:.1f} %</b><span>{name}</span>"
        f"<p>{escape(face.reason)}</p></figcaption></figure>"
    )


def _links(truth: np.ndarray, answer: np.ndarray) -> str:
    return "".join(
        f"M{a:.1f} {b:.1f}L{c:.1f} {d:.1f}"
        for (a, b), (c, d) in zip(truth, answer, strict=True)
        if np.isfinite(a + b + c + d)
    )
