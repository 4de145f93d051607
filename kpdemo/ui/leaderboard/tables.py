"""The Leaderboard's tables as HTML; `leaderboard.js` sorts them in the browser."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from html import escape

from kpdemo import zoo
from kpdemo.keypoints import markup
from kpdemo.records.leaderboard import Robustness, Standing
from kpdemo.ui.shared import titles
from kpdemo.ui.shared.colors import swatch


def count(value: float) -> str:
    """A number of parameters: 5.9 M, 313.9 k, 870."""
    if value >= 1e6:
        return f"{value / 1e6:.1f} M"
    return f"{value / 1e3:.1f} k" if value >= 1e3 else f"{value:.0f}"


def _size(value: float) -> str:
    return f"{value / 1e6:.1f} MB" if value >= 1e6 else f"{value / 1e3:.1f} kB"


def _fixed(digits: int) -> Callable[[float], str]:
    return lambda value: f"{value:.{digits}f}"


@dataclass(frozen=True)
class _Column:
    """A figure of every row; `best` picks the best one, None where there is no such thing."""

    key: str
    head: str
    unit: str
    help: str
    write: Callable[[float], str]
    best: Callable[[Sequence[float]], float] | None = min

    def of(self, row: Standing) -> float | None:
        if self.key in row.groups:
            return row.groups[self.key]
        return row.figures.get(self.key)


_TWO, _ONE = _fixed(2), _fixed(1)
_COLUMNS = (
    _Column(
        "nme_compare",
        "NME as the app",
        "%",
        "Mean distance of an answer from the mark that a person made, in percent of the distance "
        "between the outer eye corners; the app found the face. Smaller is better.",
        _TWO,
    ),
    _Column(
        "nme",
        "NME label box",
        "%",
        "The same where the face was cut out by its marks, as papers do. MediaPipe finds its faces "
        "itself, so it has none.",
        _TWO,
    ),
    _Column(
        "rmse_96",
        "RMSE label box",
        "px",
        "Root of the mean squared error in pixels of Kaggle’s crops of 96×96, the measure of its "
        "competition.",
        _TWO,
    ),
    _Column(
        "nme_inner_51",
        "Inner 51",
        "%",
        "NME without the 17 points of the jaw, whose places are the least well defined.",
        _TWO,
    ),
    _Column(
        "fr8",
        "FR@8",
        "%",
        "Failure rate: the share of faces with an error above 8 %, lost faces included.",
        _ONE,
    ),
    _Column(
        "auc8",
        "AUC@8",
        "",
        "Area under the curve of cumulative errors up to 8 %: 100 would be no error at all. "
        "Larger is better.",
        _ONE,
        max,
    ),
    _Column("lost", "Lost", "%", "The share of faces that the app did not find.", _ONE, None),
    *(
        _Column(group, group.capitalize(), "%", f"NME of the points of the {group} alone.", _TWO)
        for group in ("jaw", "brows", "nose", "eyes", "mouth")
    ),
    _Column(
        "spread",
        "Spread",
        "",
        "How varied the answers are, with faces cut by their marks: 1 is as much as the marks, 0 "
        "a net that answers the mean face whatever it sees.",
        _TWO,
        None,
    ),
    _Column("parameters", "Para&shy;meters", "", "How many numbers training could set.", count),
    _Column("bytes", "Size", "", "Of the file with the weights.", _size),
    _Column(
        "ms_1",
        "One face",
        "ms",
        "Milliseconds for one face that was found already; MediaPipe’s contain its own cut.",
        _ONE,
    ),
    _Column("ms_8", "One of 8", "ms", "Milliseconds a face with eight of them at once.", _ONE),
)
_SORTED_BY = _COLUMNS[0]
_POINTS = "How many keypoints the model answers."
_MAPS = (
    "MediaPipe’s mesh has no points that are defined as iBUG’s 68 are, those of the jaw least of "
    "all, so it is read in three ways. <b>Index map</b>: the nearest points of the mesh as they "
    "are; its error contains that difference of definition. <b>Offsets</b>: the same points, each "
    "moved by its mean difference on training faces. <b>Ridge map</b>: a linear map of all points "
    "of the mesh, fitted on training faces. Our own four nets end in such a fitted map too, so the "
    "ridge map is the row to compare them with; being ahead of the index map by the jaw alone is "
    "no win."
)


def html(rows: Sequence[Standing]) -> str:
    """The table of some rows, sorted by the app's NME; empty without rows."""
    if not rows:
        return ""
    columns = [c for c in _COLUMNS if any(c.of(row) is not None for row in rows)]
    several = len({row.markup for row in rows}) > 1
    rows = sorted(rows, key=lambda row: _order(_SORTED_BY.of(row)))
    best = _best(columns, rows)
    heads = [_head("Model", "", "none"), *([_head("Points", _POINTS, "none")] * several)]
    heads += [_column_head(column) for column in columns]
    body = "".join(_row(row, columns, best, several) for row in rows)
    return (
        '<div class="kp-scroll" role="region" aria-label="Leaderboard" tabindex="0">'
        f'<table class="kp-sortable"><thead><tr>{"".join(heads)}</tr></thead>'
        f"<tbody>{body}</tbody></table></div>"
        f'<p class="kp-small">{_ground(rows)}</p>'
        + (f'<p class="kp-small">{_MAPS}</p>' if any(row.baseline for row in rows) else "")
        + _help(columns)
    )


def _order(value: float | None) -> float:
    return float("inf") if value is None else value


def _best(
    columns: Sequence[_Column], rows: Sequence[Standing]
) -> Mapping[tuple[str, str | None], float]:
    """The best figure by column and markup: other points are another task."""
    best = {}
    for column in columns:
        for scheme in {row.markup for row in rows}:
            same = [column.of(row) for row in rows if row.markup == scheme]
            known = [value for value in same if value is not None]
            if column.best and len(known) > 1:
                best[column.key, scheme] = column.best(known)
    return best


def _head(title: str, meaning: str, sort: str, first: str = "ascending") -> str:
    tip = f' title="{escape(meaning)}"' if meaning else ""
    return (
        f'<th scope="col" aria-sort="{sort}"><button type="button" data-first="{first}"{tip}>'
        f"{title}</button></th>"
    )


def _column_head(column: _Column) -> str:
    unit = f" <small>{column.unit}</small>" if column.unit else ""
    return _head(
        column.head + unit,
        column.help,
        "ascending" if column is _SORTED_BY else "none",
        "descending" if column.best is max else "ascending",
    )


def _row(
    row: Standing,
    columns: Sequence[_Column],
    best: Mapping[tuple[str, str | None], float],
    several: bool,
) -> str:
    cells = ""
    if several:
        points = len(markup.get(row.markup)) if row.markup else None
        cells = _cell("points", points, str(points or "–"))
    for column in columns:
        value = column.of(row)
        text = "–" if value is None else column.write(value)
        if value is not None and value == best.get((column.key, row.markup)):
            text = f"<b>{text}</b>"
        if column.key in row.intervals:
            text += "<small>{:.2f}–{:.2f}</small>".format(*row.intervals[column.key])
        cells += _cell(column.key, value, text)
    return (
        f'<tr data-model="{escape(row.name)}">'
        f'<th scope="row" data-value="{escape(zoo.title(row.name))}">{_name(row)}</th>'
        f"{cells}</tr>"
    )


def _cell(key: str, value: float | None, text: str) -> str:
    sort = "" if value is None else f' data-value="{value}"'
    return f'<td data-column="{key}"{sort}>{text}</td>'


def _name(row: Standing) -> str:
    said = []
    if row.answers_mean:
        said.append("answers the mean")
    if not row.shipped and not row.baseline:
        said.append("weights not included")
    if row.flip_test is not None:
        said.append("flip test" if row.flip_test else "one pass")
    if row.deviations:
        said.append(f"not as reported: {escape(', '.join(row.deviations))}")
    tags = "".join(f'<small class="kp-tag">{words}</small>' for words in said)
    return f"{swatch(row.name)}{escape(zoo.title(row.name))}{tags}"


def _ground(rows: Sequence[Standing]) -> str:
    """Which faces these are, and what a constant answer would have."""
    faces = {(row.faces, row.source) for row in rows if row.faces and row.source}
    said = [
        f"Measured on {number} faces of {titles.source(source)}, none of them a training face."
        for number, source in sorted(faces)
    ]
    for scheme in sorted({row.markup for row in rows if row.markup}):
        mean = [
            row.figures["mean_answer_nme"]
            for row in rows
            if row.markup == scheme and "mean_answer_nme" in row.figures
        ]
        if mean:
            points = len(markup.get(scheme))
            what = "the point" if points == 1 else f"{points} points"
            said.append(
                f"With faces cut out by their marks, always answering the mean of {what} would "
                f"give {min(mean):.2f} %."
            )
    return " ".join(said) + " The best figure of a column is in bold; press a heading to sort."


def _help(columns: Sequence[_Column]) -> str:
    terms = "".join(
        f"<dt>{column.head}{f', {column.unit}' if column.unit else ''}</dt><dd>{column.help}</dd>"
        for column in columns
    )
    return (
        '<details class="kp-read"><summary>How to read the columns</summary>'
        f"<p>Where a heading does not say otherwise, errors are those of the whole way through the "
        "app: find the face, cut it out, ask the model. With the flip test a prediction is "
        "averaged with that for the mirrored crop; one pass is a single prediction, as in the "
        "reports. “Not as reported” names settings that are not the report’s. Small figures are "
        "95 % bootstrap intervals over the test faces.</p>"
        f"<dl>{terms}</dl></details>"
    )


def robustness(found: Robustness | None, rows: Sequence[Standing]) -> str:
    """Errors on changed photos, coloured by how much each model loses; empty if not measured."""
    if found is None:
        return ""
    points = {row.name: len(markup.get(row.markup)) for row in rows if row.markup}
    first = next(iter(found.conditions.values()))
    heads = "".join(
        f'<th scope="col">{swatch(name)}{escape(zoo.title(name))}'
        f"<small>{f'{points[name]} points' if name in points else ''}</small></th>"
        for name in found.models
    )
    body = "".join(
        f'<tr><th scope="row">{escape(condition[:1].upper() + condition[1:])}</th>'
        + "".join(_changed(row.get(name), first.get(name), name) for name in found.models)
        + "</tr>"
        for condition, row in found.conditions.items()
    )
    where = f"{found.faces} faces of {titles.source(found.source)}; " if found.source else ""
    return (
        '<div class="kp-scroll" role="region" aria-label="Errors on changed photos" tabindex="0">'
        f'<table class="kp-heat"><thead><tr><th scope="col">Photo</th>{heads}</tr></thead>'
        f"<tbody>{body}</tbody></table></div>"
        f'<p class="kp-small">{where}all the way through the app. NME in percent of the eye '
        "distance, of the faces that were found, and beneath it how much that is above the same "
        "model’s error on the photos as they are: the stronger the colour, the more it lost.</p>"
    )


def _changed(cell: Mapping[str, float] | None, plain: Mapping[str, float] | None, name: str) -> str:
    if not cell or "nme" not in cell:
        return f'<td data-model="{escape(name)}">–</td>'
    more = ""
    heat = 0.0
    if plain and plain.get("nme") and cell is not plain:
        rise = cell["nme"] / plain["nme"] - 1
        heat = min(max(rise, 0.0), 0.5)
        rounded = round(100 * rise)
        more = (
            f"<small>{'+' if rounded > 0 else '−' if rounded < 0 else '±'}{abs(rounded)} %</small>"
        )
    told = [
        f"{what} {cell[key]:.1f} %"
        for key, what in (("fr8", "errors above 8 %:"), ("lost", "faces lost:"))
        if key in cell
    ]
    return (
        f'<td data-model="{escape(name)}" style="--heat:{100 * heat:.0f}%"'
        f' title="{escape("; ".join(told).capitalize())}">{cell["nme"]:.2f}{more}</td>'
    )
