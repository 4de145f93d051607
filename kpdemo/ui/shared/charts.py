"""Interactive curves and bars by Plotly, in the page's own look, light and dark."""

from collections.abc import Iterable
from html import escape
from typing import Any

import gradio as gr
import plotly.graph_objects as go

_FAINT = "rgba(128, 128, 128, 0.25)"
_GRID = {"showgrid": True, "gridcolor": _FAINT, "zerolinecolor": _FAINT, "linecolor": _FAINT}
_FONT = {"family": "ui-sans-serif, system-ui, sans-serif", "size": 13}
# Of Plotly's buttons these help here; the picture that it saves would have the page's colours.
_BUTTONS = ["autoScale2d", "lasso2d", "select2d", "toImage", "zoomIn2d", "zoomOut2d"]
# A chart that was drawn, or left, while its tab was hidden takes its width when it is seen. It is
# drawn anew, because Plotly leaves the legend where the old width had it.
_JS = """
const name = props.chart;
const connect = (tries) => {
  const chart = document.getElementById(name);
  if (!chart) { if (tries) requestAnimationFrame(() => connect(tries - 1)); return; }
  chart.setAttribute("role", "figure");
  chart.setAttribute("aria-label", props.title);
  chart.setAttribute("aria-describedby", name + "-says");
  let width = chart.clientWidth, waiting;
  const fit = async () => {
    const plot = chart.querySelector(".js-plotly-plot");
    if (!plot || !plot.offsetParent || !window.Plotly) return;
    await window.Plotly.Plots.resize(plot);
    await window.Plotly.redraw(plot);
  };
  new ResizeObserver(() => {
    if (!chart.clientWidth || chart.clientWidth === width) return;
    width = chart.clientWidth;
    clearTimeout(waiting);
    waiting = setTimeout(fit, 150);
  }).observe(chart);
};
connect(60);
"""


def build(
    elem_id: str, title: str, value: go.Figure | None = None, words: str | None = None
) -> tuple[gr.Plot, gr.HTML]:
    """A chart, and under it the words (`sentences`) that say the same without a picture.

    `title` is what a screen reader calls the chart; the words describe it.
    """
    chart = gr.Plot(
        value, show_label=False, container=False, elem_id=elem_id, elem_classes="kp-chart"
    )
    says = gr.HTML(
        words,
        js_on_load=_JS,
        apply_default_css=False,
        elem_id=f"{elem_id}-says",
        chart=elem_id,
        title=title,
    )
    return chart, says


def sentences(*paragraphs: Iterable[str]) -> str:
    """HTML of the words under a chart: sentences by paragraph; empty ones are left out."""
    texts = [" ".join(paragraph) for paragraph in paragraphs]
    return "".join(f'<p class="kp-small">{escape(text)}</p>' for text in texts if text)


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
        # Above the chart it grows upwards, and covers nothing however narrow the page is.
        legend={"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom"},
        xaxis={"title": {"text": x, "font": _FONT}, **_GRID},
        yaxis={"title": {"text": y, "font": _FONT}, **_GRID},
        hoverlabel={"font": _FONT, "align": "left"},
        modebar={"bgcolor": "rgba(0,0,0,0)", "remove": _BUTTONS},
        # A finger that scrolls the page must not draw a box to zoom into.
        dragmode=False,
    )
    chart.update_layout(**layout)
    return chart


def color(rgb: tuple[int, int, int], opacity: float = 1.0) -> str:
    """A model's colour (`kpdemo.zoo.color`) as CSS."""
    return "rgba({}, {}, {}, {})".format(*rgb, opacity)
