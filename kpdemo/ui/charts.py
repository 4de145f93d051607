"""Interactive curves and bars by Plotly, in the page's own look, light and dark."""

from typing import Any

import plotly.graph_objects as go

_FAINT = "rgba(128, 128, 128, 0.25)"
_MONO = {"showgrid": True, "gridcolor": _FAINT, "zerolinecolor": _FAINT, "linecolor": _FAINT}


def figure(x: str, y: str, **layout: Any) -> go.Figure:
    """An empty figure with titled axes; text takes the page's colour by `assets/charts.css`.

    `layout` is passed on to Plotly's `update_layout`.
    """
    chart = go.Figure()
    chart.update_layout(
        template="none",
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        font={"family": "ui-sans-serif, system-ui, sans-serif", "size": 13},
        margin={"l": 56, "r": 16, "t": 16, "b": 48},
        legend={"orientation": "h", "y": -0.2, "x": 0},
        xaxis={"title": x, **_MONO},
        yaxis={"title": y, **_MONO},
        hoverlabel={"font": {"family": "ui-sans-serif, system-ui, sans-serif"}},
        modebar={"bgcolor": "rgba(0,0,0,0)"},
    )
    chart.update_layout(**layout)
    return chart


def color(rgb: tuple[int, int, int], opacity: float = 1.0) -> str:
    """A model's colour (`kpdemo.draw.color_of`) as CSS."""
    return "rgba({}, {}, {}, {})".format(*rgb, opacity)
