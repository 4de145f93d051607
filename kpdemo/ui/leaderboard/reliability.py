"""The reliability diagram: can the nets' expected errors be relied on?"""

from collections.abc import Sequence
from html import escape

import plotly.graph_objects as go

from kpdemo import zoo
from kpdemo.records.reliability import Reliability
from kpdemo.ui.shared import charts, colors

_HEIGHT = 420
_ROOM = 1.05  # beyond the farthest bin, as a factor


def figure(models: Sequence[Reliability]) -> tuple[go.Figure, str]:
    """Measured against expected error, a line a model through its ten bins; and the caption.

    On the diagonal an expected error is exactly what was measured.
    """
    chart = charts.figure(
        "expected error, % of the eye distance",
        "measured error, % of the eye distance",
        height=_HEIGHT,
        hovermode="closest",
    )
    if not models:
        return chart, "No model of this board has an expected error yet."
    end = _ROOM * max(value for each in models for value in (*each.expected, *each.measured))
    chart.add_scatter(
        x=[0, end],
        y=[0, end],
        name="as expected",
        mode="lines",
        line={"color": colors.css((128, 128, 128)), "width": 1.5, "dash": "dash"},
        hoverinfo="skip",
    )
    for each in models:
        title = zoo.title(each.name)
        chart.add_scatter(
            x=list(each.expected),
            y=list(each.measured),
            name=title,
            mode="lines+markers",
            line={"color": colors.css(zoo.color(each.name)), "width": 2.5},
            marker={"size": 7},
            hovertemplate=f"{title}<br>expected %{{x:.2f}} %, measured %{{y:.2f}} %<extra></extra>",
        )
    for axis in ("xaxis", "yaxis"):
        chart.layout[axis].update(title_font_size=13, range=[0, end], ticksuffix=" %")
    return chart, _in_words(models)


def _in_words(models: Sequence[Reliability]) -> str:
    figures = "; ".join(
        f"{escape(zoo.title(each.name))} {each.rank_correlation:.2f} "
        f"(least {each.expected[0]:.1f} % expected, {each.measured[0]:.1f} % measured; "
        f"greatest {each.expected[-1]:.1f} % and {each.measured[-1]:.1f} %)"
        for each in models
    )
    faces = ", ".join(sorted({f"{each.faces:,}" for each in models}))
    return (
        "Each net’s points, sorted by their expected error into ten equal groups: on the dashed "
        "line a group’s measured error is what was expected. Fitted on validation faces, measured "
        f"on {faces} detected test faces. Rank correlation of single points: {figures}."
    )
