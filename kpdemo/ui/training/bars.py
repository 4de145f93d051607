"""Charts of errors and labels by keypoint, and the sentences that say the same."""

from collections.abc import Sequence

import numpy as np
import plotly.graph_objects as go

from kpdemo import zoo
from kpdemo.keypoints import markup
from kpdemo.records.runs import Errors, Labels
from kpdemo.ui.shared import charts, titles
from kpdemo.ui.training.curves import HEIGHT, SYMBOLS, plain

# Up to so many keypoints have room for a bar and a name each.
_FEW = 20
# Models of the same colour differ in these.
_HATCHES = ("", "/", "x", ".")


def by_keypoint(errors: Sequence[Errors]) -> go.Figure:
    """Errors of models of one markup at each keypoint: RMSE where it is measured, else NME.

    Bars where there is room for a name each, else marks along the keypoints' numbers.
    """
    known = markup.get(errors[0].markup)
    words = [word[0].upper() + word[1:] for word in titles.points(known.name)]
    if len(known) <= _FEW:
        axis = _measure(errors)
        chart = charts.figure(
            axis,
            "",
            height=140 + len(known) * (8 + 12 * len(errors)),
            barmode="group",
            bargap=0.25,
            margin={"l": 8, "r": 16, "t": 16, "b": 48},
        )
        colours = [zoo.color(one.model) for one in errors]
        for number, one in enumerate(errors):
            same = colours[:number].count(colours[number])
            chart.add_trace(_bars(one, words, axis, _HATCHES[same % len(_HATCHES)]))
        chart.update_yaxes(autorange="reversed", automargin=True, showgrid=False)
        chart.update_xaxes(rangemode="tozero")
    else:
        axis = "NME, %"
        chart = charts.figure("Keypoint", axis, height=HEIGHT, hovermode="closest")
        for number, one in enumerate(errors):
            chart.add_trace(_marks(one, words, number))
        _name_groups(chart, known)
        chart.update_yaxes(rangemode="tozero")
    chart.update_layout(showlegend=True)
    return chart


def _measure(errors: Sequence[Errors]) -> str:
    both = all(one.rmse_by_keypoint is not None for one in errors)
    return "RMSE, px" if both else "NME, %"


def _bars(one: Errors, words: Sequence[str], axis: str, hatch: str) -> go.Bar:
    values = one.rmse_by_keypoint if axis.startswith("RMSE") else one.nme_by_keypoint
    unit = " px" if axis.startswith("RMSE") else " %"
    return go.Bar(
        x=plain(values),
        y=list(words),
        orientation="h",
        name=zoo.title(one.model),
        marker={
            "color": charts.color(zoo.color(one.model)),
            "pattern": {"shape": hatch, "fillmode": "overlay", "size": 7, "solidity": 0.4},
        },
        hovertemplate=f"<b>{zoo.title(one.model)}</b><br>%{{y}}<br>%{{x:.2f}}{unit}<extra></extra>",
    )


def _marks(one: Errors, words: Sequence[str], number: int) -> go.Scatter:
    return go.Scatter(
        x=list(range(len(words))),
        y=plain(one.nme_by_keypoint),
        mode="markers",
        name=zoo.title(one.model),
        marker={
            "color": charts.color(zoo.color(one.model)),
            "symbol": SYMBOLS[number % len(SYMBOLS)],
            "size": 8,
        },
        text=list(words),
        hovertemplate=(
            f"<b>{zoo.title(one.model)}</b><br>%{{text}} (%{{x}})<br>%{{y:.2f}} %<extra></extra>"
        ),
    )


def _name_groups(chart: go.Figure, known: markup.Markup) -> None:
    """The face's parts under the marks, where a part is a run of numbers."""
    ticks = {}
    for name, points in known.groups.items():
        for run in _runs(points):
            ticks[(run[0] + run[-1]) / 2] = name
            chart.add_vline(x=run[0] - 0.5, line={"color": "rgba(128,128,128,0.35)", "width": 1})
    chart.update_xaxes(
        tickvals=list(ticks),
        ticktext=list(ticks.values()),
        showgrid=False,
        zeroline=False,
        range=[-1, len(known)],
    )


def _runs(points: Sequence[int]) -> list[list[int]]:
    runs: list[list[int]] = []
    for k in sorted(points):
        if runs and runs[-1][-1] == k - 1:
            runs[-1].append(k)
        else:
            runs.append([k])
    return runs


def by_keypoint_words(errors: Sequence[Errors]) -> str:
    """HTML of each model's mean, and the keypoints that it finds best and worst."""
    known = markup.get(errors[0].markup)
    words = titles.points(known.name)
    pixels = len(known) <= _FEW and _measure(errors).startswith("RMSE")
    said = []
    for one in errors:
        values = one.rmse_by_keypoint if pixels else one.nme_by_keypoint
        mean, unit = (one.rmse, "px") if pixels else (one.nme, "%")
        low, high = int(np.nanargmin(values)), int(np.nanargmax(values))
        said.append(
            f"{zoo.title(one.model)}: {mean:.2f} {unit} over all, least at the {words[low]} "
            f"({values[low]:.2f}), most at the {words[high]} ({values[high]:.2f})."
        )
    faces = {(one.faces, titles.source(one.source)) for one in errors}
    where = " or ".join(f"{count:,} faces of {name}" for count, name in sorted(faces))
    unit = " RMSE is in pixels of a crop of 96 × 96." if pixels else ""
    return charts.sentences(said, [f"Measured on ground-truth crops of {where}.{unit}"])


def completeness(labels: dict[str, Labels]) -> go.Figure:
    """The share of faces that know each of the 15 keypoints: Kaggle's own rows as bars.

    Recipes that train with such gaps stand beside them as marks; those with the same counts
    share one.
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
        said = ", ".join(zoo.title(name) for name in sorted(recipes))
        chart.add_trace(
            go.Scatter(
                x=shares,
                y=words,
                mode="markers",
                name=f"training faces of {said}",
                marker={
                    "color": charts.color(zoo.color(sorted(recipes)[0])),
                    "symbol": SYMBOLS[number + 1],
                    "size": 10,
                },
                hovertemplate=f"<b>{said}</b><br>%{{y}}<br>%{{x:.1f}} %<extra></extra>",
            )
        )
    chart.update_yaxes(autorange="reversed", automargin=True, showgrid=False)
    chart.update_xaxes(range=[0, 103])
    return chart


def completeness_words(labels: dict[str, Labels]) -> str:
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
    order = markup.get("kaggle-15").names
    return [round(100 * labels.by_keypoint[name] / labels.rows, 2) for name in order]
