"""Learning curves of runs and sweeps, and their captions."""

import math
from collections.abc import Iterable, Sequence
from typing import Any

import numpy as np
import plotly.graph_objects as go

from kpdemo import zoo
from kpdemo.records.run import Run
from kpdemo.records.seeds import comparison
from kpdemo.records.settings import setting
from kpdemo.records.smoothing import smooth
from kpdemo.records.sweeps import Sweep, Variant
from kpdemo.ui.shared import charts, colors
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
    """A run's title: its model's, and for a trial the rest of its file's name."""
    if not run.name.startswith("trials/"):
        return zoo.title(run.model)
    rest = run.name.split("/")[-1].removeprefix(run.model).strip("-").replace("-", " ")
    return f"{zoo.title(run.model)}, trial “{rest}”"


def learning(
    runs: Sequence[Run], measure: str, against: str, log: bool, smoothing: float
) -> go.Figure:
    """Curves of runs on common axes: NME, or both losses, against "epoch" or "minutes".

    Validation is solid, training dashed. Runs of one colour get different markers, and so do all
    if they are many. The epoch of the lowest validation NME is marked at its unsmoothed value.
    `layout.meta` has the changes for either scale, "log" and "linear", for Plotly's `relayout`, so
    that the browser can switch without a request.
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
        finite = np.flatnonzero(np.isfinite(run.curves[columns[0]]))
        if run.best and len(finite):
            at = int(np.flatnonzero(run.curves["epoch"] == run.best[0])[0])
            chart.add_trace(_best(run, run.best, x[at], run.curves[columns[0]][at]))
            smoothed = smooth(run.curves[columns[0]], smoothing)
            ends.append((title(run), colors.css(rgb), float(x[finite[-1]]), smoothed[finite[-1]]))
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


def learning_caption(runs: Sequence[Run], measure: str, smoothing: float, stages: str = "") -> str:
    """HTML of the curves' numbers, and of how not to misread them.

    `stages` is a sentence on runs that begin with those of others.
    """
    lines = "Solid: validation." if measure == NME else "Solid: validation; dashed: training."
    notes = [f"{lines} A ring marks the epoch of the lowest validation error.", stages]
    if measure == LOSS:
        if len({run.loss for run in runs}) > 1:
            notes.append(
                "These recipes have losses of different kinds (Wing loss and squared error, say): "
                "compare their shapes, not their heights. The validation error is comparable."
            )
        notes.append(
            "Training faces are augmented, and their loss is taken while the net still learns, so "
            "the training loss can lie above the validation loss."
        )
    elif len({run.validation_set for run in runs}) > 1:
        notes.append(
            "Not all of these recipes are validated on the same faces and points: compare such "
            "errors only roughly."
        )
    if any(run.calibration for run in runs):
        notes.append(
            "The curves are of one prediction per face, without the flip test and the calibration "
            "of the finished model, which is slightly better."
        )
    if smoothing:
        notes.append(
            "Smoothed by an exponential moving average: each value weighs "
            f"{smoothing:g} times as much as the one after it."
        )
    return charts.sentences(map(_summary, runs), filter(None, notes))


def _summary(run: Run) -> str:
    nme = run.curves["validation_nme"]
    finite = nme[np.isfinite(nme)]
    if not run.best:
        return f"{title(run)}: no validation error" + (" (diverged)." if run.diverged else ".")
    epoch, lowest = run.best
    count = f"{len(nme)}" if len(nme) == run.planned else f"{len(nme)} of {run.planned} planned"
    return (
        f"{title(run)}: validation error from {finite[0]:.1f} % to {finite[-1]:.2f} %, lowest "
        f"{lowest:.2f} % in epoch {epoch} of {count}{', then diverged' if run.diverged else ''}."
    )


def _curve(
    run: Run, x: np.ndarray, y: np.ndarray, column: str, symbol: str, marked: bool
) -> go.Scatter:
    training = column == "train_loss"
    rgb = zoo.color(run.model)
    label = {
        "train_loss": "training loss",
        "validation_loss": "validation loss",
        "validation_nme": "validation error",
    }[column]
    unit = " %" if column == "validation_nme" else ""
    best = run.best[0] if run.best else None
    return go.Scatter(
        x=plain(x),
        y=plain(y),
        mode="lines+markers" if marked else "lines",
        name=title(run),
        legendgroup=run.name,
        showlegend=not training,
        line={
            "color": colors.css(rgb, 0.75 if training else 1),
            "width": 1.6 if training else 2.6,
            "dash": "dash" if training else "solid",
        },
        marker={"symbol": symbol, "size": 9, "maxdisplayed": 9},
        customdata=np.stack(
            [run.curves["epoch"], run.curves["minutes"], run.curves[column]], 1
        ).tolist(),
        # Where the ring is, Plotly may tell of either.
        text=["best epoch" if epoch == best else "epoch" for epoch in run.curves["epoch"]],
        hovertemplate=(
            f"<b>{title(run)}</b><br>%{{text}} %{{customdata[0]:.0f}}, "
            f"%{{customdata[1]:.1f}} min<br>"
            f"{label} %{{customdata[2]:.4~g}}{unit}<extra></extra>"
        ),
    )


def _best(run: Run, best: tuple[int, float], x: float, y: float) -> go.Scatter:
    epoch, lowest = best
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
            "color": colors.css(zoo.color(run.model)),
            "line": {"width": 3},
        },
        hovertemplate=(
            f"<b>{title(run)}</b><br>best epoch {epoch}<br>"
            f"validation error {lowest:.2f} %<extra></extra>"
        ),
    )


def _scale(columns: Iterable[np.ndarray], log: bool) -> dict[str, Any]:
    """A y axis with room for all values, and readable ticks on a log axis.

    Keys are paths for Plotly's `relayout`; empty without values.
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
    """For each setting its title, its outcome (HTML) and a small chart, all on the same axes.

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
        run, *others = variant.runs
        if run.best and not others:
            at = int(np.flatnonzero(run.curves["epoch"] == run.best[0])[0])
            chart.add_trace(_best(run, run.best, run.best[0], run.curves[columns[0]][at]))
        _apply(chart, scale)
        chart.update_xaxes(range=[0, last + 1])
        charted.append(
            (setting_title(sweep, variant), charts.sentences([_outcome(variant)]), chart)
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
        _line(run.curves["epoch"], run.curves[column], colors.css(rgb, 0.3), 1)
        for run in variant.runs
    ]
    training = column == "train_loss"
    x, y = variant.mean(column)
    mean = _line(x, y, colors.css(rgb, 0.75 if training else 1), 1.6 if training else 2.6)
    mean.update(
        line={"dash": "dash" if training else "solid"},
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


def setting_title(sweep: Sweep, variant: Variant) -> str:
    """The changed setting of a variant and its value."""
    words = (changed(path, setting(variant.recipe, path)) for path in sweep.changed)
    return ", ".join(filter(None, words)) or NONE


def _outcome(variant: Variant) -> str:
    count = sum(bool(run.diverged) for run in variant.runs)
    if count == len(variant.runs):
        return "Diverged: its loss became NaN."
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
    """The sweep's answer to its question, from its numbers."""
    answer = []
    if ranking := sweep.ranking:
        first, *others = ranking
        answer.append(
            f"Lowest validation error (NME): {first.best.text()} ({setting_title(sweep, first)})"
        )
        if others:
            rest = ", ".join(
                f"{other.best.text()} ({setting_title(sweep, other)}; "
                f"{_VERDICTS[comparison(first.best, other.best)]})"
                for other in others
            )
            answer[-1] += f"; the other{'s' if len(others) > 1 else ''}: {rest}"
        answer[-1] += "."
    for variant in sweep.variants:
        if variant.diverged:
            answer.append(f"Diverged: {setting_title(sweep, variant)}.")
    faces = {run.validation_faces for run in sweep.runs if run.validation_faces}
    if faces:
        count = " or ".join(f"{n:,}" for n in sorted(faces))
        seeds = max(len(variant.runs) for variant in sweep.variants)
        runs = f"{seeds} seeds each: mean ± standard deviation" if seeds > 1 else "One run each"
        answer.append(
            f"Recipe: {zoo.title(sweep.recipe)}. {runs}, on {count} validation faces. A difference "
            "counts if its 95 % interval over the seeds excludes zero."
        )
    return " ".join(answer)


def plain(values: np.ndarray) -> list[float | None]:
    """Numbers for JSON: None instead of NaN."""
    return [float(value) if np.isfinite(value) else None for value in values]
