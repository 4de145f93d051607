"""The Leaderboard's chart of error against latency, and its caption."""

import math
from collections.abc import Sequence
from html import escape

import numpy as np
import plotly.graph_objects as go

from kpdemo import zoo
from kpdemo.keypoints.metrics import FAILURE
from kpdemo.records.standings import Standing
from kpdemo.ui.shared import charts, colors
from kpdemo.ui.shared.numbers import count
from kpdemo.zoo import DEFAULT_MODELS

# The models that are drawn first: our own nets, and MediaPipe by its fairest map.
FIRST = (*DEFAULT_MODELS, "mediapipe-ridge")
FEW, ALL = "few", "all"
_HEIGHT = 420
_LOWEST = 2.5  # percent, where the axis of errors begins at the latest
_ROOM = 0.12  # powers of ten beside the fastest and the slowest model
# Pixels of the chart on a phone, and what a label takes of it: wider ones leave more room.
_WIDE, _HIGH = 260, 340
_LETTER, _LINE = 7.2 / _WIDE, 17 / _HIGH
_ROUNDS = 5  # in which labels look for room
_SMALLEST, _LARGEST = 9.0, 40.0  # diameters of bubbles in pixels
_X_TICKS = (0.2, 0.5, 1, 2, 5, 10, 15, 20, 30, 50, 100, 200, 500)
_Y_TICKS = (1, 1.5, 2, 2.5, 3, 4, 5, 6, 8, 10, 15, 20, 30, 50, 100)


def scatter(rows: Sequence[Standing]) -> tuple[go.Figure, str]:
    """Error against milliseconds of one face, circles as large as the model; and a caption in HTML.

    At first the models of `FIRST` are drawn, or all where a board has none of them. `layout.meta`
    has for either view, `FEW` and `ALL`, which traces are visible and the axes' ranges, for
    Plotly's `update`, so that the browser can switch without a request. Models above 8 % would
    press the others together: where our own nets are on the board, they are named in the caption
    alone.
    """
    timed = [row for row in rows if row.figures.get("ms_1") and "nme_compare" in row.figures]
    chart = charts.figure(
        "milliseconds per face", "NME, %", height=_HEIGHT, showlegend=False, hovermode="closest"
    )
    if not timed:
        return chart, "<p>No model of this board has been timed yet.</p>"
    first = [row for row in timed if row.name in FIRST]
    drawn = [row for row in timed if not first or row in first or _error(row) <= FAILURE]
    views = {FEW: first or drawn, ALL: drawn}
    meta: dict[str, dict] = {}
    for view, shown in views.items():
        x_range, y_range = _ranges(shown, FAILURE if first and view == ALL else None)
        traces = [_front(shown), *_points(shown, x_range, y_range)]
        before = len(chart.data)
        chart.add_traces([trace.update(visible=view == FEW) for trace in traces])
        meta[view] = {
            "visible": [False] * before + [True] * len(traces),
            "axes": {"xaxis.range": x_range, "yaxis.range": y_range},
        }
    meta[FEW]["visible"] += [False] * (len(chart.data) - len(meta[FEW]["visible"]))
    for axis, ticks, unit in (("xaxis", _X_TICKS, ""), ("yaxis", _Y_TICKS, " %")):
        chart.layout[axis].update(
            title_font_size=13,
            type="log",
            range=meta[FEW]["axes"][f"{axis}.range"],
            tickvals=ticks,
            ticktext=[f"{tick:g}{unit}" for tick in ticks],
        )
    chart.update_layout(meta=meta)
    return chart, _caption(views[FEW], [row for row in timed if row not in drawn])


def _error(row: Standing) -> float:
    return row.figures["nme_compare"]


def _ranges(rows: Sequence[Standing], high: float | None) -> tuple[list[float], list[float]]:
    """Both axes in powers of ten; the upper one ends at `high` percent, or above all rows."""
    x = np.log10([row.figures["ms_1"] for row in rows])
    y = [_error(row) for row in rows]
    low = min(_LOWEST, 0.9 * min(y))
    return (
        [float(x.min() - _ROOM), float(x.max() + _ROOM)],
        [math.log10(low), math.log10(high or 1.15 * max(y))],
    )


def pareto(rows: Sequence[Standing]) -> list[Standing]:
    """The models that no other one beats in both speed and error, from fast to slow."""
    front: list[Standing] = []
    for row in sorted(rows, key=lambda row: (row.figures["ms_1"], _error(row))):
        if not front or _error(row) < _error(front[-1]):
            front.append(row)
    return front


def _front(rows: Sequence[Standing]) -> go.Scatter:
    front = pareto(rows)
    return go.Scatter(
        x=[row.figures["ms_1"] for row in front],
        y=[_error(row) for row in front],
        mode="lines",
        line={"color": colors.css((128, 128, 128)), "width": 1.5, "dash": "dot", "shape": "hv"},
        hoverinfo="skip",
    )


def _points(
    rows: Sequence[Standing], x_range: Sequence[float], y_range: Sequence[float]
) -> list[go.Scatter]:
    x = np.log10([row.figures["ms_1"] for row in rows])
    y = np.log10([_error(row) for row in rows])
    sizes = _diameters([row.figures.get("parameters", 0) for row in rows])
    inside = np.stack([(x - x_range[0]) / np.ptp(x_range), (y - y_range[0]) / np.ptp(y_range)], -1)
    places = _label_places(inside, [zoo.title(row.name) for row in rows], sizes)
    return [
        go.Scatter(
            x=[row.figures["ms_1"]],
            y=[_error(row)],
            error_y=_interval(row),
            mode="markers+text",
            text=[zoo.title(row.name)],
            textposition=place,
            marker={
                "size": size,
                "color": colors.css(zoo.color(row.name), 0.75),
                "symbol": "diamond" if row.baseline else "circle",
                "line": {"color": colors.css((20, 20, 20), 0.7), "width": 1},
            },
            hovertemplate=_hover(row),
        )
        for row, size, place in zip(rows, sizes, places, strict=True)
    ]


def _interval(row: Standing) -> dict | None:
    bounds = row.intervals.get("nme_compare")
    if not bounds:
        return None
    low, high = bounds
    return {
        "type": "data",
        "array": [high - _error(row)],
        "arrayminus": [_error(row) - low],
        "color": colors.css((128, 128, 128)),
        "thickness": 1.5,
        "width": 5,
    }


def _diameters(parameters: Sequence[float]) -> np.ndarray:
    """Bubble diameters, with areas proportional to the parameters; unknown ones are small."""
    most = max(parameters) or 1
    return np.maximum(_SMALLEST, _LARGEST * np.sqrt(np.array(parameters) / most))


def _label_places(at: np.ndarray, labels: Sequence[str], sizes: np.ndarray) -> list[str]:
    """A side of each point `(N, 2)` (shares of the chart) where its label hides no other."""
    points = [
        (x - s / 2 / _WIDE, y - s / 2 / _HIGH, x + s / 2 / _WIDE, y + s / 2 / _HIGH)
        for (x, y), s in zip(at, sizes, strict=True)
    ]
    boxes = [_sides(*each) for each in zip(at, labels, sizes, strict=True)]
    side_of: dict[int, str] = {}
    # Early labels may move once the later ones have their places. MediaPipe's, the last row's, is
    # the longest and goes first.
    for _ in range(_ROUNDS):
        for k, sides in reversed(list(enumerate(boxes))):
            others = [boxes[j][side] for j, side in side_of.items() if j != k]
            cost = {side: _hidden(box, points + others) for side, box in sides.items()}
            side_of[k] = min(cost, key=lambda side: cost[side])
    return [side_of[k] for k in range(len(boxes))]


def _sides(at: np.ndarray, label: str, size: float) -> dict[str, tuple[float, ...]]:
    """The box of a point's label on each of its sides, as Plotly names them."""
    x, y = at
    width, aside = len(label) * _LETTER, size / 2 / _WIDE + 0.01
    above = size / 2 / _HIGH + 0.5 * _LINE
    right, left = x + aside + width / 2, x - aside - width / 2
    middles = {
        "middle right": (right, y),
        "middle left": (left, y),
        "top center": (x, y + above),
        "bottom center": (x, y - above),
        "top right": (right, y + above),
        "top left": (left, y + above),
        "bottom right": (right, y - above),
        "bottom left": (left, y - above),
    }
    return {
        side: (cx - width / 2, cy - _LINE / 2, cx + width / 2, cy + _LINE / 2)
        for side, (cx, cy) in middles.items()
    }


def _hidden(box: tuple[float, ...], taken: Sequence[tuple[float, ...]]) -> float:
    """How much of a label's box is hidden by other boxes or the chart's edge."""
    x0, y0, x1, y1 = box
    outside = max(0, -x0) + max(0, x1 - 1)
    shared = sum(
        max(0, min(x1, c) - max(x0, a)) * max(0, min(y1, d) - max(y0, b)) for a, b, c, d in taken
    )
    return shared + outside


def _hover(row: Standing) -> str:
    parameters = row.figures.get("parameters")
    size = f"<br>{count(parameters)} parameters" if parameters else ""
    return f"{zoo.title(row.name)}<br>%{{x:.1f}} ms, NME %{{y:.2f}} %{size}<extra></extra>"


def _caption(rows: Sequence[Standing], outside: Sequence[Standing]) -> str:
    front = ", ".join(escape(zoo.title(row.name)) for row in pareto(rows))
    sentences = [
        "Lower and farther left is better. A larger circle has more parameters; bars are 95 % "
        "intervals.",
        f"On the dotted Pareto line no model shown beats another in both: {front}.",
    ]
    if outside:
        names = ", ".join(f"{escape(zoo.title(row.name))} ({_error(row):.0f} %)" for row in outside)
        sentences.append(f"Above {FAILURE:g} %, outside the chart: {names}.")
    return "".join(f"<p>{sentence}</p>" for sentence in sentences)
