"""Plotly charts in the page's own style, light and dark."""

from collections.abc import Iterable
from html import escape
from typing import Any

import gradio as gr
import plotly.graph_objects as go

_FAINT = "rgba(128, 128, 128, 0.25)"
_GRID = {"showgrid": True, "gridcolor": _FAINT, "zerolinecolor": _FAINT, "linecolor": _FAINT}
_FONT = {"family": "ui-sans-serif, system-ui, sans-serif", "size": 13}
# Plotly's buttons that do not help here; `toImage` would save the page's transparent colours.
_HIDDEN_BUTTONS = ["autoScale2d", "lasso2d", "select2d", "toImage", "zoomIn2d", "zoomOut2d"]
# A chart that was drawn or resized while its tab was hidden gets its width when the tab is opened.
# It is redrawn, because Plotly would leave the legend at the old width's place.
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
    elem_id: str, title: str, value: go.Figure | None = None, caption: str | None = None
) -> tuple[gr.Plot, gr.HTML]:
    """A chart, and under it its caption (`sentences`), which says the same in words.

    `title` is the chart's accessible name, the caption its description.
    """
    chart = gr.Plot(
        value, show_label=False, container=False, elem_id=elem_id, elem_classes="kp-chart"
    )
    caption_html = gr.HTML(
        caption,
        js_on_load=_JS,
        apply_default_css=False,
        elem_id=f"{elem_id}-says",
        chart=elem_id,
        title=title,
    )
    return chart, caption_html


def sentences(*paragraphs: Iterable[str]) -> str:
    """HTML of a chart's caption: sentences by paragraph; empty ones are left out."""
    texts = [" ".join(paragraph) for paragraph in paragraphs]
    return "".join(f'<p class="kp-small">{escape(text)}</p>' for text in texts if text)


def figure(x: str, y: str, **layout: Any) -> go.Figure:
    """An empty figure with titled axes; `charts.css` gives the text the page's colour.

    `layout` is passed on to Plotly's `update_layout`.
    """
    chart = go.Figure()
    chart.update_layout(
        template="none",
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        font=_FONT,
        margin={"l": 56, "r": 16, "t": 16, "b": 48},
        # Above the chart it grows upwards and covers nothing, however narrow the page.
        legend={"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom"},
        xaxis={"title": {"text": x, "font": _FONT}, **_GRID},
        yaxis={"title": {"text": y, "font": _FONT}, **_GRID},
        hoverlabel={"font": _FONT, "align": "left"},
        modebar={"bgcolor": "rgba(0,0,0,0)", "remove": _HIDDEN_BUTTONS},
        # Scrolling with a finger must not draw a zoom box.
        dragmode=False,
    )
    chart.update_layout(**layout)
    return chart
