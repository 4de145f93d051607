"""The Leaderboard's two charts and their captions."""

import math
from collections.abc import Sequence
from html import escape

import numpy as np
import plotly.graph_objects as go

from kpdemo import zoo
from kpdemo.keypoints.metrics import FAILURE
from kpdemo.records.standings import Standing, shares_below
from kpdemo.ui.shared import charts, colors
from kpdemo.ui.shared.numbers import count
from kpdemo.zoo import color

_HEIGHT = 420
# Models of one colour differ by their lines.
_DASHES = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot")
_STEP = 0.1  # percent between two points of a curve
_NARROWEST = 10.0  # percent that the axis shows at least
_CAPTION_LIMITS = (4.0, FAILURE)  # errors at which the caption reads the curves off
# Pixels of the chart on a phone, and what a label takes of it: wider ones leave more room.
_WIDE, _HIGH = 260, 340
_LETTER, _LINE = 7.2 / _WIDE, 17 / _HIGH
_ROUNDS = 5  # in which labels look for room
_SMALLEST, _LARGEST = 9.0, 40.0  # diameters of bubbles in pixels
_TICKS = (0.2, 0.5, 1, 2, 5, 10, 20, 50, 100, 200, 500)


def curves(rows: Sequence[Standing], cut: str) -> tuple[go.Figure, str]:
    """The cumulative error distributions of some rows for one kind of crop, and their caption."""
    measured = [row for row in rows if cut in row.errors and row.faces]
    # The hardest faces of the weakest net would press all else to the left.
    tails = [float(np.percentile(row.errors[cut], 90)) for row in measured]
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
            y=shares_below(row.errors[cut], row.faces or 0, limits).round(2).tolist(),
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
    return chart, _curves_in_words(measured, cut, len(rows) - len(measured))


def _curves_in_words(rows: Sequence[Standing], cut: str, missing: int) -> str:
    if not rows:
        return "Choose at least one model that was measured in this way."
    readings = "; ".join(
        f"{escape(zoo.title(row.name))} "
        + " and ".join(
            f"{share:.1f} %"
            for share in shares_below(row.errors[cut], row.faces or 0, np.array(_CAPTION_LIMITS))
        )
        for row in rows
    )
    without = "" if not missing else " MediaPipe detects its faces itself and has no such curve."
    limits = " and ".join(f"{limit:g} %" for limit in _CAPTION_LIMITS)
    return (
        "The nearer a curve is to the upper left corner, the better. "
        f"Share of faces with an error of at most {limits}: {readings}.{without}"
    )


def speed(rows: Sequence[Standing]) -> tuple[go.Figure, str]:
    """Error against milliseconds of one face, circles as large as the model; and a caption."""
    timed = [row for row in rows if row.figures.get("ms_1") and "nme_compare" in row.figures]
    chart = charts.figure(
        "milliseconds per face",
        "NME, %",
        height=_HEIGHT,
        showlegend=False,
        hovermode="closest",
    )
    if not timed:
        return chart, "No model of this board has been timed yet."
    x = np.log10([row.figures["ms_1"] for row in timed])
    y = np.log10([row.figures["nme_compare"] for row in timed])
    x_range = float(x.min() - 0.25), float(x.max() + 0.25)
    y_range = float(y.min() - 0.15), float(y.max() + 0.15)
    sizes = _diameters([row.figures.get("parameters", 0) for row in timed])
    inside = np.stack([(x - x_range[0]) / np.ptp(x_range), (y - y_range[0]) / np.ptp(y_range)], -1)
    places = _label_places(inside, [zoo.title(row.name) for row in timed], sizes)
    for row, size, place in zip(timed, sizes, places, strict=True):
        chart.add_scatter(
            x=[row.figures["ms_1"]],
            y=[row.figures["nme_compare"]],
            mode="markers+text",
            text=[zoo.title(row.name)],
            textposition=place,
            marker={
                "size": size,
                "color": colors.css(color(row.name), 0.75),
                "symbol": "diamond" if row.baseline else "circle",
                "line": {"color": colors.css((20, 20, 20), 0.7), "width": 1},
            },
            hovertemplate=_hover(row),
        )
    for axis, limits, unit in (("xaxis", x_range, ""), ("yaxis", y_range, " %")):
        chart.layout[axis].update(
            title_font_size=13,
            type="log",
            range=limits,
            tickvals=_TICKS,
            ticktext=[f"{tick:g}{unit}" for tick in _TICKS],
        )
    return chart, _speed_in_words(timed)


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
    # Early labels may move once the later ones have their places.
    for _ in range(_ROUNDS):
        for k, sides in enumerate(boxes):
            others = [boxes[j][side] for j, side in side_of.items() if j != k]
            cost = {side: _hidden(box, points + others) for side, box in sides.items()}
            side_of[k] = min(cost, key=lambda side: cost[side])
    return [side_of[k] for k in range(len(boxes))]


def _sides(at: np.ndarray, label: str, size: float) -> dict[str, tuple[float, ...]]:
    """The box of a point's label on each of its sides, as Plotly names them."""
    x, y = at
    width, aside = len(label) * _LETTER, size / 2 / _WIDE + 0.01
    above = size / 2 / _HIGH + 0.5 * _LINE
    middles = {
        "middle right": (x + aside + width / 2, y),
        "middle left": (x - aside - width / 2, y),
        "top center": (x, y + above),
        "bottom center": (x, y - above),
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


def _speed_in_words(rows: Sequence[Standing]) -> str:
    ranked = sorted(rows, key=lambda row: row.figures["ms_1"])
    figures = "; ".join(
        f"{escape(zoo.title(row.name))} {row.figures['ms_1']:.1f} ms, "
        f"{row.figures['nme_compare']:.2f} %"
        for row in ranked
    )
    return (
        "The lower and the farther left, the better; the larger a circle, the more parameters. "
        f"From fast to slow: {figures}."
    )
