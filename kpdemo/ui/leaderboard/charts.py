"""The Leaderboard's cumulative error distributions, and their caption."""

import math
from collections.abc import Sequence
from html import escape

import numpy as np
import plotly.graph_objects as go

from kpdemo import zoo
from kpdemo.keypoints.metrics import FAILURE
from kpdemo.records.standings import Standing, shares_below
from kpdemo.ui.shared import charts, colors
from kpdemo.zoo import color

_HEIGHT = 420
# Models of one colour differ by their lines.
_DASHES = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot")
_STEP = 0.1  # percent between two points of a curve
_NARROWEST = 10.0  # percent that the axis shows at least
_CAPTION_LIMITS = (4.0, FAILURE)  # errors at which the caption reads the curves off


def curves(rows: Sequence[Standing], crop: str) -> tuple[go.Figure, str]:
    """The cumulative error distributions of some rows for one kind of crop, and their caption."""
    measured = [row for row in rows if crop in row.errors and row.faces]
    # The hardest faces of the weakest net would press all else to the left.
    tails = [float(np.percentile(row.errors[crop], 90)) for row in measured]
    end = max(_NARROWEST, 5 * math.ceil(max(tails, default=0) / 5))
    limits = np.arange(0, end + _STEP / 2, _STEP)
    chart = charts.figure(
        "error of a face, % of the eye distance",
        "share of faces, %",
        height=_HEIGHT,
        hovermode="x unified",
    )
    used: dict[zoo.Color, int] = {}
    for row in measured:
        rgb = color(row.name)
        dash = _DASHES[used.setdefault(rgb, 0) % len(_DASHES)]
        used[rgb] += 1
        chart.add_scatter(
            x=limits.round(2).tolist(),
            y=shares_below(row.errors[crop], row.faces or 0, limits).round(2).tolist(),
            name=zoo.title(row.name),
            mode="lines",
            line={"color": colors.css(rgb), "width": 2.5, "dash": dash},
            hovertemplate="%{y:.1f} %",
        )
    chart.add_vline(FAILURE, line={"color": colors.css((128, 128, 128)), "width": 1.5})
    chart.add_annotation(
        x=FAILURE, y=3, text=f"{FAILURE:g} %", showarrow=False, xanchor="left", xshift=4
    )
    chart.update_xaxes(title_font_size=13, range=[0, end], hoverformat=".1f", ticksuffix=" %")
    chart.update_yaxes(title_font_size=13, range=[0, 101], ticksuffix=" %")
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
