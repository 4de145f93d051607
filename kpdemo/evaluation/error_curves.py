"""Cumulative error distributions of models as curves of a Plotly chart."""

import math
from collections.abc import Mapping

import numpy as np
import plotly.graph_objects as go

from kpdemo import zoo
from kpdemo.keypoints.metrics import FAILURE
from kpdemo.records.standings import shares_below

# Models of one colour differ by their lines.
_DASHES = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot")
_STEP = 0.1  # percent between two points of a curve
_NARROWEST = 10.0  # percent that the axis shows at least


def draw(chart: go.Figure, errors: Mapping[str, tuple[np.ndarray, int]]) -> None:
    """Draw a curve a model, a line at `FAILURE`, and set the axes' ranges and units.

    `errors` has by model those of the detected faces in percent of the eye distance, sorted, and
    the number of all faces.
    """
    # The hardest faces of the weakest net would press all else to the left.
    tails = [float(np.percentile(found, 90)) for found, _ in errors.values() if found.size]
    end = max(_NARROWEST, 5 * math.ceil(max(tails, default=0) / 5))
    limits = np.arange(0, end + _STEP / 2, _STEP)
    used: dict[zoo.Color, int] = {}
    for name, (found, faces) in errors.items():
        rgb = zoo.color(name)
        dash = _DASHES[used.setdefault(rgb, 0) % len(_DASHES)]
        used[rgb] += 1
        chart.add_scatter(
            x=limits.round(2).tolist(),
            y=shares_below(found, faces, limits).round(2).tolist(),
            name=zoo.title(name),
            mode="lines",
            line={"color": "rgb({}, {}, {})".format(*rgb), "width": 2.5, "dash": dash},
            hovertemplate="%{y:.1f} %",
        )
    chart.add_vline(FAILURE, line={"color": "rgb(128, 128, 128)", "width": 1.5})
    chart.update_xaxes(range=[0, end], ticksuffix=" %")
    chart.update_yaxes(range=[0, 101], ticksuffix=" %")
