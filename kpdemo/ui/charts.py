"""Interactive curves and bars by Plotly, in the page's own look, light and dark."""

from typing import Any

import gradio as gr
import plotly.graph_objects as go

_FAINT = "rgba(128, 128, 128, 0.25)"
_GRID = {"showgrid": True, "gridcolor": _FAINT, "zerolinecolor": _FAINT, "linecolor": _FAINT}
_FONT = {"family": "ui-sans-serif, system-ui, sans-serif", "size": 13}
# Of Plotly's buttons these help here; the picture that it saves would have the page's colours.
_BUTTONS = ["autoScale2d", "lasso2d", "select2d", "toImage", "zoomIn2d", "zoomOut2d"]
# A chart that was drawn, or left, while its tab was hidden takes its width when it is seen.
_JS = """
const name = props.chart;
const connect = (tries) => {
  const chart = document.getElementById(name);
  if (!chart) { if (tries) requestAnimationFrame(() => connect(tries - 1)); return; }
  chart.setAttribute("role", "figure");
  chart.setAttribute("aria-label", props.title);
  chart.setAttribute("aria-describedby", name + "-says");
  new ResizeObserver(() => {
    const plot = chart.querySelector(".js-plotly-plot");
    if (plot && plot.offsetParent && window.Plotly) window.Plotly.Plots.resize(plot);
  }).observe(chart);
};
connect(60);
"""


def build(
    elem_id: str, title: str, value: go.Figure | None = None, sentence: str | None = None
) -> tuple[gr.Plot, gr.HTML]:
    """A chart, and under it the sentence that says the same without a picture.

    `title` is what a screen reader calls the chart; the sentence describes it.
    """
    chart = gr.Plot(
        value, show_label=False, container=False, elem_id=elem_id, elem_classes="kp-chart"
    )
    says = gr.HTML(
        sentence,
        html_template='<p class="kp-small">${value}</p>',
        js_on_load=_JS,
        apply_default_css=False,
        elem_id=f"{elem_id}-says",
        chart=elem_id,
        title=title,
    )
    return chart, says


def figure(x: str, y: str, **layout: Any) -> go.Figure:
    """An empty figure with titled axes; text takes the page's colour by `assets/charts.css`.

    `layout` is passed on to Plotly's `update_layout`.
    """
    chart = go.Figure()
    chart.update_layout(
        template="none",
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        font=_FONT,
        margin={"l": 56, "r": 16, "t": 16, "b": 48},
        legend={"orientation": "h", "y": -0.2, "x": 0},
        xaxis={"title": {"text": x}, **_GRID},
        yaxis={"title": {"text": y}, **_GRID},
        hoverlabel={"font": _FONT, "align": "left"},
        modebar={"bgcolor": "rgba(0,0,0,0)", "remove": _BUTTONS},
        # A finger that scrolls the page must not draw a box to zoom into.
        dragmode=False,
    )
    chart.update_layout(**layout)
    return chart


def color(rgb: tuple[int, int, int], opacity: float = 1.0) -> str:
    """A model's colour (`kpdemo.draw.color_of`) as CSS."""
    return "rgba({}, {}, {}, {})".format(*rgb, opacity)
