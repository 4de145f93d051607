"""The Leaderboard's cumulative error distributions, and their caption."""

from collections.abc import Sequence
from html import escape

import numpy as np
import plotly.graph_objects as go

from kpdemo import zoo
from kpdemo.evaluation import error_curves
from kpdemo.keypoints.metrics import FAILURE
from kpdemo.records.standings import Standing, shares_below
from kpdemo.ui.shared import charts, colors

_HEIGHT = 420
_CAPTION_LIMITS = (4.0, FAILURE)  # errors at which the caption reads the curves off


def curves(rows: Sequence[Standing], crop: str) -> tuple[go.Figure, str]:
    """The cumulative error distributions of some rows for one kind of crop, and their caption."""
    measured = [row for row in rows if crop in row.errors and row.faces]
    chart = charts.figure(
        "error of a face, % of the eye distance",
        "share of faces, %",
        height=_HEIGHT,
        hovermode="x unified",
    )
    errors = {row.name: (row.errors[crop], row.faces or 0) for row in measured}
    error_curves.draw(chart, errors)
    chart.add_annotation(
        x=FAILURE, y=3, text=f"{FAILURE:g} %", showarrow=False, xanchor="left", xshift=4
    )
    chart.update_xaxes(title_font_size=13, hoverformat=".1f")
    chart.update_yaxes(title_font_size=13)
    return chart, _curves_in_words(measured, crop, len(rows) - len(measured))


def _curves_in_words(rows: Sequence[Standing], crop: str, missing: int) -> str:
    if not rows:
        return "<p>Choose at least one model that was measured in this way.</p>"
    heads = "".join(f'<th scope="col">≤ {limit:g} %</th>' for limit in _CAPTION_LIMITS)
    body = "".join(
        f'<tr><th scope="row">{colors.swatch(row.name)}{escape(zoo.title(row.name))}</th>'
        + "".join(
            f"<td>{share:.1f} %</td>"
            for share in shares_below(row.errors[crop], row.faces or 0, np.array(_CAPTION_LIMITS))
        )
        + "</tr>"
        for row in rows
    )
    without = "" if not missing else " MediaPipe detects its faces itself and has no such curve."
    return (
        f"<p>Share of faces with at most this error: the higher, the better.{without}</p>"
        f'<table class="kp-readings"><thead><tr><td></td>{heads}</tr></thead>'
        f"<tbody>{body}</tbody></table>"
    )
