"""Learning curves of runs and sweeps, and the sentences that say the same."""

import math
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go

from kpdemo import zoo
from kpdemo.records.runs import Run, Sweep, Variant, setting, smooth
from kpdemo.records.seeds import comparison
from kpdemo.ui.shared import charts
from kpdemo.ui.training.settings import NONE, changed

LOSS, NME = "loss", "nme"
HEIGHT = 460
SMALL_HEIGHT = 230
_AXES = {NME: "Validation error (NME, %)", LOSS: "Loss"}
SYMBOLS = (
    *("circle", "square", "diamond", "triangle-up", "x", "star", "pentagon", "hourglass"),
    *("cross", "triangle-down", "hexagon", "bowtie", "triangle-left", "triangle-right"),
)
# With more lines than this, names at their ends would cover each other.
_LABELLED = 6
_LABEL_WIDTH = 0.25  # of the chart, about, so that names can be moved apart
_PLOT = HEIGHT - 100  # pixels between the axes' ends, about
_NAME_GAP, _LINE_GAP = 17, 11  # pixels from the middle of a name to another, and to a curve
_GREY = "rgba(128, 128, 128, 0.55)"


def title(run: Run) -> str:
    """What the page calls a run: its model, and for a trial what its file is called beyond that."""
    if not run.name.startswith("trials/"):
        return zoo.title(run.model)
    rest = run.name.split("/")[-1].removeprefix(run.model).strip("-").replace("-", " ")
    return f"{zoo.title(run.model)}, trial “{rest}”"


def learning(
    runs: Sequence[Run], measure: str, against: str, log: bool, smoothing: float
) -> go.Figure:
    """Curves of runs on common axes: NME, or both losses, against "epoch" or "minutes".

    Validation is solid, training dashed. Runs of the same colour get marks of their own, and so do
    all where they are many. The best epoch by validation NME is marked where it was measured,
    whatever the smoothing. `layout.meta` has what to change for either scale, "log" and "linear",
    as Plotly's `relayout` takes it, so that the browser can switch without asking for a chart.
    """
    chart = charts.figure(
        {"epoch": "Epoch", "minutes": "Minutes of training"}[against],
        _AXES[measure],
        height=HEIGHT,
        hovermode="closest",
        showlegend=True,
    )
    columns = {NME: ("validation_nme",), LOSS: ("validation_loss", "train_loss")}[measure]
    colours: dict[tuple[int, ...], int] = {}
    many = len(runs) > _LABELLED
    ends, drawn = [], []
    for number, run in enumerate(runs):
        rgb = zoo.color(run.model)
        colours[rgb] = colours.get(rgb, 0) + 1
        marked = many or colours[rgb] > 1
        symbol = SYMBOLS[(number if many else colours[rgb] - 1) % len(SYMBOLS)]
        x = run.curves[against]
        for column in columns:
            y = smooth(run.curves[column], smoothing)
            chart.add_trace(_curve(run, x, y, column, symbol, marked))
            drawn.append((x, y))
        # A loss may not be there where an NME is.
        known = np.flatnonzero(np.isfinite(run.curves[columns[0]]))
        if run.best and len(known):
            at = int(np.flatnonzero(run.curves["epoch"] == run.best[0])[0])
            chart.add_trace(_best(run, x[at], run.curves[columns[0]][at], measure))
            smoothed = smooth(run.curves[columns[0]], smoothing)
            ends.append((title(run), charts.color(rgb), float(x[known[-1]]), smoothed[known[-1]]))
    labelled = 1 < len(runs) <= _LABELLED
    last = max((end[2] for end in ends), default=1) * (1.2 if labelled else 1.03)
    chart.update_xaxes(range=[0, last])
    views = {}
    for name in ("linear", "log"):
        views[name] = _scale([y for _, y in drawn], name == "log")
        if labelled and views[name]:
            views[name]["annotations"] = _labels(ends, drawn, views[name], last)
    _apply(chart, views["log" if log else "linear"])
    return chart.update_layout(meta=views)


def learning_words(runs: Sequence[Run], measure: str, smoothing: float) -> str:
    """HTML of what the curves show, in numbers, and what not to read into them."""
    lines = "Solid: validation." if measure == NME else "Solid: validation; dashed: training."
    said = [f"{lines} A ring marks the epoch of the lowest validation error."]
    if measure == LOSS:
        if len({run.loss for run in runs}) > 1:
            said.append(
                "These recipes have losses of different kinds (Wing loss against squared error, "
                "say): the shapes compare, the heights do not. The validation error compares."
            )
        said.append(
            "Training faces are changed at random and seen while the net still learns, so the "
            "training loss can lie above that of validation."
        )
    elif len({run.validation_set for run in runs}) > 1:
        said.append(
            "Not all of these recipes validate on the same faces and points: errors of such two "
            "compare only roughly."
        )
    if any(run.calibration for run in runs):
        said.append(
            "The curves are of one plain answer a face: a finished model averages it with that "
            "for the mirrored face and calibrates it, which is a little better."
        )
    if smoothing:
        said.append(
            "Smoothed by an exponential moving average: each value weighs "
            f"{smoothing:g} times as much as the one after it."
        )
    return charts.sentences(map(_course, runs), said)


def _course(run: Run) -> str:
    nme = run.curves["validation_nme"]
    known = nme[np.isfinite(nme)]
    if not run.best or not len(known):
        return f"{title(run)}: no validation error" + (" (diverged)." if run.diverged else ".")
    epoch, lowest = run.best
    count = f"{len(nme)}" if len(nme) == run.planned else f"{len(nme)} of {run.planned} planned"
    return (
        f"{title(run)}: validation error from {known[0]:.1f} % to {known[-1]:.2f} %, lowest "
        f"{lowest:.2f} % in epoch {epoch} of {count}{', then diverged' if run.diverged else ''}."
    )


def _curve(
    run: Run, x: np.ndarray, y: np.ndarray, column: str, symbol: str, marked: bool
) -> go.Scatter:
    trained = column == "train_loss"
    rgb = zoo.color(run.model)
    what = {
        "train_loss": "training loss",
        "validation_loss": "validation loss",
        "validation_nme": "validation error",
    }[column]
    unit = " %" if column == "validation_nme" else ""
    return go.Scatter(
        x=plain(x),
        y=plain(y),
        mode="lines+markers" if marked else "lines",
        name=title(run),
        legendgroup=run.name,
        showlegend=not trained,
        line={
            "color": charts.color(rgb, 0.75 if trained else 1),
            "width": 1.6 if trained else 2.6,
            "dash": "dash" if trained else "solid",
        },
        marker={"symbol": symbol, "size": 9, "maxdisplayed": 9},
        customdata=np.stack(
            [run.curves["epoch"], run.curves["minutes"], run.curves[column]], 1
        ).tolist(),
        hovertemplate=(
            f"<b>{title(run)}</b><br>epoch %{{customdata[0]:.0f}}, %{{customdata[1]:.1f}} min<br>"
            f"{what} %{{customdata[2]:.4~g}}{unit}<extra></extra>"
        ),
    )


def _best(run: Run, x: float, y: float, measure: str) -> go.Scatter:
    epoch, lowest = run.best
    return go.Scatter(
        x=[x],
        y=[y],
        mode="markers",
        legendgroup=run.name,
        showlegend=False,
        cliponaxis=False,
        marker={
            "symbol": "circle-open",
            "size": 13,
            "color": charts.color(zoo.color(run.model)),
            "line": {"width": 3},
        },
        hovertemplate=(
            f"<b>{title(run)}</b><br>best epoch {epoch}<br>"
            f"validation error {lowest:.2f} %<extra></extra>"
        ),
    )


def _scale(columns: Iterable[np.ndarray], log: bool) -> dict[str, Any]:
    """A y axis with room for all the values, and on a log axis ticks that can be read.

    By the paths that Plotly's `relayout` takes; nothing where there is no value to show.
    """
    values = np.concatenate([*columns, [np.nan]])
    values = values[np.isfinite(values) & ((values > 0) | (not log))]
    if not len(values):
        return {}
    low, high = float(values.min()), float(values.max())
    if not log:
        return {
            "yaxis.type": "linear",
            "yaxis.range": [min(0, low), high * 1.05],
            "yaxis.tickvals": None,
            "yaxis.ticktext": None,
        }
    ticks = log_ticks(low, high)
    room = 0.04 * (math.log10(high / low) or 1)
    return {
        "yaxis.type": "log",
        "yaxis.range": [math.log10(low) - room, math.log10(high) + room],
        "yaxis.tickvals": ticks,
        "yaxis.ticktext": [f"{tick:g}" for tick in ticks],
    }


def _apply(chart: go.Figure, changes: dict[str, Any]) -> None:
    for path, value in changes.items():
        chart.layout[path] = value


def log_ticks(low: float, high: float) -> list[float]:
    """Round values between `low` and `high` (both above 0), as many as an axis can hold."""
    powers = range(math.floor(math.log10(low)), math.ceil(math.log10(high)) + 1)
    decades = math.log10(high / low)
    steps = (1,) if decades > 3 else (1, 3) if decades > 1.6 else (1, 1.5, 2, 3, 4, 5, 7)
    ticks = [s * 10.0**p for p in powers for s in steps]
    if sum(low <= tick <= high for tick in ticks) < 3:
        # Less than an octave or so: there a logarithmic axis is nearly a plain one.
        size = 10.0 ** math.floor(math.log10((high - low) / 2 or low))
        step = size * next(s for s in (1, 2, 5) if high - low <= 8 * s * size)
        ticks = [k * step for k in range(math.ceil(low / step), math.floor(high / step) + 1)]
    return [float(f"{tick:.6g}") for tick in ticks if low <= tick <= high]


def _labels(
    ends: Iterable[tuple[str, str, float, float]],
    drawn: Sequence[tuple[np.ndarray, np.ndarray]],
    scale: dict[str, Any],
    last: float,
) -> list[dict[str, Any]]:
    """Names at the ends of curves, where they cover neither each other nor another curve.

    `ends` are names with their colour, x and y; `drawn` has the x and y of every curve, `scale` is
    from `_scale`, and the x axis ends at `last`.
    """
    log, (low, high) = scale["yaxis.type"] == "log", scale["yaxis.range"]

    def height(y: np.ndarray) -> np.ndarray:
        """Pixels above the lower edge, about; NaN for what the scale does not have."""
        with np.errstate(all="ignore"):
            return _PLOT * ((np.log10(y) if log else y) - low) / (high - low)

    annotations = []
    placed: list[tuple[float, float]] = []
    for text, colour, x, value in sorted(ends, key=lambda end: -end[3]):
        at = float(height(np.array(value)))
        taken = [above for side, above in placed if abs(x - side) < last * _LABEL_WIDTH]
        beside = [height(y[(xs > x) & (xs < x + last * _LABEL_WIDTH)]) for xs, y in drawn]
        lines = np.concatenate(beside)
        free = next(
            (
                at + shift
                for shift in sorted(range(-60, 61, 3), key=abs)
                if _NAME_GAP / 2 <= at + shift <= _PLOT
                and not np.any(np.abs(lines - at - shift) < _LINE_GAP)
                and all(abs(at + shift - other) >= _NAME_GAP for other in taken)
            ),
            at,
        )
        placed.append((x, free))
        annotations.append(
            {
                "x": x,
                "y": math.log10(value) if log else value,
                "text": f"<span style='color:{colour}'>■</span> {text}",
                "showarrow": False,
                "xanchor": "left",
                "xshift": 8,
                "yshift": free - at,
                "font": {"size": 12},
            }
        )
    return annotations


def multiples(sweep: Sweep, measure: str) -> list[tuple[str, str, go.Figure]]:
    """A small chart a setting on the same axes: the setting, what came of it (HTML), and the chart.

    Each seed is a faint curve, their mean a strong one; the means of the other settings stand
    behind in grey.
    """
    columns = {NME: ("validation_nme",), LOSS: ("validation_loss", "train_loss")}[measure]
    drawn = [run.curves[column] for run in sweep.runs for column in columns]
    scale = _scale(drawn, log=True)
    last = max((run.curves["epoch"].max(initial=1) for run in sweep.runs), default=1)
    charted = []
    for variant in sweep.variants:
        chart = charts.figure(
            "Epoch",
            {NME: "NME, %", LOSS: "Loss"}[measure],
            height=SMALL_HEIGHT,
            showlegend=False,
            hovermode="closest",
            margin={"l": 48, "r": 8, "t": 8, "b": 40},
        )
        for other in sweep.variants:
            if other is not variant:
                chart.add_trace(_line(*other.mean(columns[0]), _GREY, 1.2))
        for column in columns:
            for trace in _variant(variant, column):
                chart.add_trace(trace)
        if len(variant.runs) == 1 and variant.runs[0].best:
            run = variant.runs[0]
            at = int(np.flatnonzero(run.curves["epoch"] == run.best[0])[0])
            chart.add_trace(_best(run, run.best[0], run.curves[columns[0]][at], measure))
        _apply(chart, scale)
        chart.update_xaxes(range=[0, last + 1])
        charted.append(
            (setting_words(sweep, variant), charts.sentences([_outcome(variant)]), chart)
        )
    return charted


def _variant(variant: Variant, column: str) -> list[go.Scatter]:
    """The curve of a setting's only seed, or a faint one of each seed and their mean."""
    first, *others = variant.runs
    if not others:
        x = first.curves["epoch"]
        return [_curve(first, x, first.curves[column], column, "x", False)]
    rgb = zoo.color(first.model)
    faint = [
        _line(run.curves["epoch"], run.curves[column], charts.color(rgb, 0.3), 1)
        for run in variant.runs
    ]
    trained = column == "train_loss"
    x, y = variant.mean(column)
    mean = _line(x, y, charts.color(rgb, 0.75 if trained else 1), 1.6 if trained else 2.6)
    mean.update(
        line={"dash": "dash" if trained else "solid"},
        hoverinfo="all",
        hovertemplate=f"mean of {len(variant.runs)} seeds<br>epoch %{{x}}: %{{y:.4~g}}"
        "<extra></extra>",
    )
    return [*faint, mean]


def _line(x: np.ndarray, y: np.ndarray, color: str, width: float) -> go.Scatter:
    return go.Scatter(
        x=plain(x),
        y=plain(y),
        mode="lines",
        line={"color": color, "width": width},
        hoverinfo="skip",
    )


def setting_words(sweep: Sweep, variant: Variant) -> str:
    """The changed setting of a variant and its value."""
    words = (changed(path, setting(variant.recipe, path)) for path in sweep.changed)
    return ", ".join(filter(None, words)) or NONE


def _outcome(variant: Variant) -> str:
    count = sum(bool(run.diverged) for run in variant.runs)
    if count == len(variant.runs):
        return "Diverged: its loss was no number any more."
    if not variant.best.values:
        return "No validation error."
    epochs = sorted({run.best[0] for run in variant.runs if run.best})
    when = f"epoch {epochs[0]}" + (f" to {epochs[-1]}" if len(epochs) > 1 else "")
    stopped = "" if all(run.finished or run.diverged for run in variant.runs) else ", not finished"
    diverged = f"; {count} of {len(variant.runs)} seeds diverged" if count else ""
    planned = max(len(run.curves["epoch"]) for run in variant.runs)
    return f"Lowest {variant.best.text(2)} in {when} of {planned}{stopped}{diverged}."


_VERDICTS = {
    "higher": "higher by more than the seeds explain",
    "may be chance": "the difference may be chance",
    "one seed says nothing": "one seed cannot tell them apart",
}


def answer(sweep: Sweep) -> str:
    """What the sweep says to its question, from its numbers."""
    said = []
    if ranking := sweep.ranking:
        first, *others = ranking
        said.append(
            f"Lowest validation error (NME): {first.best.text()} ({setting_words(sweep, first)})"
        )
        if others:
            rest = ", ".join(
                f"{other.best.text()} ({setting_words(sweep, other)}; "
                f"{_VERDICTS[comparison(first.best, other.best)]})"
                for other in others
            )
            said[-1] += f"; the other{'s' if len(others) > 1 else ''}: {rest}"
        said[-1] += "."
    for variant in sweep.variants:
        if variant.diverged:
            said.append(f"Diverged: {setting_words(sweep, variant)}.")
    faces = {run.validation_faces for run in sweep.runs if run.validation_faces}
    if faces:
        count = " or ".join(f"{n:,}" for n in sorted(faces))
        seeds = max(len(variant.runs) for variant in sweep.variants)
        runs = f"{seeds} seeds each: mean ± standard deviation" if seeds > 1 else "One run each"
        said.append(
            f"Recipe: {zoo.title(sweep.recipe)}. {runs}, judged on {count} validation faces. "
            "A difference counts where its 95 % interval over the seeds leaves out zero."
        )
    return " ".join(said)


def plain(values: np.ndarray) -> list[float | None]:
    """Numbers as JSON has them: None where there is none."""
    return [float(value) if np.isfinite(value) else None for value in values]
