"""Charts of errors and labels by keypoint, and their captions."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import plotly.graph_objects as go

from kpdemo import zoo
from kpdemo.keypoints import markups
from kpdemo.keypoints.markup import Markup
from kpdemo.records.keypoint_errors import Errors
from kpdemo.records.label_counts import Labels
from kpdemo.ui.shared import charts, colors, titles
from kpdemo.ui.training.curves import HEIGHT, SYMBOLS, plain

_FEW = 20  # keypoints that have room for a bar and a name each
# Models of the same colour differ in these.
_HATCHES = ("", "/", "x", ".")


def by_keypoint(errors: Sequence[Errors]) -> go.Figure:
    """Errors of models of one markup at each keypoint: RMSE if all have it, else NME.

    Bars where there is room for a name each, else marks along the keypoints' numbers.
    """
    scheme = markups.get(errors[0].markup)
    words = [word[0].upper() + word[1:] for word in titles.points(scheme.name)]
    if len(scheme) <= _FEW:
        rmse = _all_have_rmse(errors)
        chart = charts.figure(
            _measure(errors[0], rmse).axis,
            "",
            height=140 + len(scheme) * (8 + 12 * len(errors)),
            barmode="group",
            bargap=0.25,
            margin={"l": 8, "r": 16, "t": 16, "b": 48},
        )
        colours = [zoo.color(one.model) for one in errors]
        for number, one in enumerate(errors):
            same = colours[:number].count(colours[number])
            chart.add_trace(_bars(one, words, _measure(one, rmse), _HATCHES[same % len(_HATCHES)]))
        chart.update_yaxes(autorange="reversed", automargin=True, showgrid=False)
        chart.update_xaxes(rangemode="tozero")
    else:
        chart = charts.figure("Keypoint", "NME, %", height=HEIGHT, hovermode="closest")
        for number, one in enumerate(errors):
            chart.add_trace(_marks(one, words, number))
        _name_groups(chart, scheme)
        chart.update_yaxes(rangemode="tozero")
    chart.update_layout(showlegend=True)
    return chart


@dataclass(frozen=True)
class _Measure:
    """RMSE or NME: its axis title, its unit, and a model's errors."""

    axis: str
    unit: str
    mean: float
    by_keypoint: np.ndarray


def _measure(one: Errors, rmse: bool) -> _Measure:
    if rmse and one.rmse is not None and one.rmse_by_keypoint is not None:
        return _Measure("RMSE, px", "px", one.rmse, one.rmse_by_keypoint)
    return _Measure("NME, %", "%", one.nme, one.nme_by_keypoint)


def _all_have_rmse(errors: Sequence[Errors]) -> bool:
    return all(one.rmse is not None and one.rmse_by_keypoint is not None for one in errors)


def _bars(one: Errors, words: Sequence[str], measure: _Measure, hatch: str) -> go.Bar:
    return go.Bar(
        x=plain(measure.by_keypoint),
        y=list(words),
        orientation="h",
        name=zoo.title(one.model),
        marker={
            "color": colors.css(zoo.color(one.model)),
            "pattern": {"shape": hatch, "fillmode": "overlay", "size": 7, "solidity": 0.4},
        },
        hovertemplate=(
            f"<b>{zoo.title(one.model)}</b><br>%{{y}}<br>%{{x:.2f}} {measure.unit}<extra></extra>"
        ),
    )


def _marks(one: Errors, words: Sequence[str], number: int) -> go.Scatter:
    return go.Scatter(
        x=list(range(len(words))),
        y=plain(one.nme_by_keypoint),
        mode="markers",
        name=zoo.title(one.model),
        marker={
            "color": colors.css(zoo.color(one.model)),
            "symbol": SYMBOLS[number % len(SYMBOLS)],
            "size": 8,
        },
        text=list(words),
        hovertemplate=(
            f"<b>{zoo.title(one.model)}</b><br>%{{text}} (%{{x}})<br>%{{y:.2f}} %<extra></extra>"
        ),
    )


def _name_groups(chart: go.Figure, scheme: Markup) -> None:
    """The face's parts under the marks, where a part is a run of numbers."""
    ticks = {}
    for name, points in scheme.groups.items():
        for run in _runs(points):
            ticks[(run[0] + run[-1]) / 2] = name
            chart.add_vline(x=run[0] - 0.5, line={"color": "rgba(128,128,128,0.35)", "width": 1})
    chart.update_xaxes(
        tickvals=list(ticks),
        ticktext=list(ticks.values()),
        showgrid=False,
        zeroline=False,
        range=[-1, len(scheme)],
    )


def _runs(points: Sequence[int]) -> list[list[int]]:
    runs: list[list[int]] = []
    for k in sorted(points):
        if runs and runs[-1][-1] == k - 1:
            runs[-1].append(k)
        else:
            runs.append([k])
    return runs


def by_keypoint_caption(errors: Sequence[Errors]) -> str:
    """HTML of each model's mean error, and its best and worst keypoints."""
    scheme = markups.get(errors[0].markup)
    words = titles.points(scheme.name)
    rmse = len(scheme) <= _FEW and _all_have_rmse(errors)
    summaries = []
    for one in errors:
        measure = _measure(one, rmse)
        values = measure.by_keypoint
        low, high = int(np.nanargmin(values)), int(np.nanargmax(values))
        summaries.append(
            f"{zoo.title(one.model)}: {measure.mean:.2f} {measure.unit} over all, lowest at the "
            f"{words[low]} ({values[low]:.2f}), highest at the {words[high]} ({values[high]:.2f})."
        )
    faces = {(one.faces, titles.source(one.source)) for one in errors}
    where = " or ".join(f"{count:,} faces of {name}" for count, name in sorted(faces))
    unit = " RMSE is in pixels of a crop of 96 × 96." if rmse else ""
    return charts.sentences(summaries, [f"Measured on ground-truth crops of {where}.{unit}"])


def completeness(labels: dict[str, Labels]) -> go.Figure:
    """The share of faces that have each of the 15 labels: Kaggle's own rows as bars.

    Recipes that train with missing labels are markers; those with the same counts share one.
    """
    words = [word[0].upper() + word[1:] for word in titles.points("kaggle-15")]
    chart = charts.figure(
        "Faces, %",
        "",
        height=520,
        margin={"l": 8, "r": 16, "t": 16, "b": 48},
        showlegend=True,
    )
    chart.add_trace(
        go.Bar(
            x=_shares(labels["kaggle"]),
            y=words,
            orientation="h",
            name="Kaggle’s table",
            marker={"color": "rgba(128, 128, 128, 0.45)"},
            hovertemplate="<b>Kaggle’s table</b><br>%{y}<br>%{x:.1f} %<extra></extra>",
        )
    )
    same: dict[tuple[float, ...], list[str]] = {}
    for name in labels.keys() - {"kaggle"}:
        same.setdefault(tuple(_shares(labels[name])), []).append(name)
    for number, (shares, recipes) in enumerate(sorted(same.items(), key=lambda item: item[1])):
        names = ", ".join(zoo.title(name) for name in sorted(recipes))
        chart.add_trace(
            go.Scatter(
                x=shares,
                y=words,
                mode="markers",
                name=f"training faces of {names}",
                marker={
                    "color": colors.css(zoo.color(sorted(recipes)[0])),
                    "symbol": SYMBOLS[number + 1],
                    "size": 10,
                },
                hovertemplate=f"<b>{names}</b><br>%{{y}}<br>%{{x:.1f}} %<extra></extra>",
            )
        )
    chart.update_yaxes(autorange="reversed", automargin=True, showgrid=False)
    chart.update_xaxes(range=[0, 103])
    return chart


def completeness_caption(labels: dict[str, Labels]) -> str:
    """HTML of how many rows are complete, and which labels most rows have."""
    table = labels["kaggle"]
    count = len(table.by_keypoint)
    complete = table.by_points_known.get(count, 0)
    usual, rows = max(
        ((k, n) for k, n in table.by_points_known.items() if k < count),
        key=lambda item: item[1],
        default=(0, 0),
    )
    half = [name.replace("_", " ") for name, n in table.by_keypoint.items() if n > 0.5 * table.rows]
    return charts.sentences(
        [
            f"Of the {table.rows:,} rows of Kaggle’s table {complete:,} have all {count} labels, "
            f"and {rows:,} just {usual}. More than half of the rows have: {', '.join(half)}.",
            "Kaggle’s images were not available: the recipes train on other faces, with the "
            "labels removed that Kaggle’s rows lack.",
        ]
    )


def _shares(labels: Labels) -> list[float]:
    order = markups.get("kaggle-15").names
    return [round(100 * labels.by_keypoint[name] / labels.rows, 2) for name in order]
