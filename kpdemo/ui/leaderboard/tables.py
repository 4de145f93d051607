"""The Leaderboard's tables as HTML; `leaderboard.js` sorts them in the browser."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from html import escape

from kpdemo import zoo
from kpdemo.keypoints import markups
from kpdemo.records.standings import Robustness, Standing
from kpdemo.records.table import licence
from kpdemo.ui.leaderboard import downloads
from kpdemo.ui.shared import titles
from kpdemo.ui.shared.colors import swatch
from kpdemo.ui.shared.numbers import count


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
        "NME, detected",
        "%",
        "Mean distance between prediction and ground truth, in percent of the distance between the "
        "outer eye corners, on faces that the app detected. Smaller is better.",
        _TWO,
    ),
    _Column(
        "nme",
        "NME, ground-truth crop",
        "%",
        "The same on crops around the ground truth, as papers do. MediaPipe detects its faces "
        "itself, so it has none.",
        _TWO,
    ),
    _Column(
        "rmse_96",
        "RMSE, ground-truth crop",
        "px",
        "Root of the mean squared error in pixels of Kaggle’s crops of 96×96, the measure of its "
        "competition.",
        _TWO,
    ),
    _Column(
        "nme_inner_51",
        "Inner 51",
        "%",
        "NME without the 17 points of the jaw, which are the least well defined.",
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
        "Area under the cumulative error distribution up to 8 %: 100 would be no error at all. "
        "Larger is better.",
        _ONE,
        max,
    ),
    _Column("lost", "Lost", "%", "Share of faces that the app did not detect.", _ONE, None),
    *(
        _Column(group, group.capitalize(), "%", f"NME of the points of the {group} alone.", _TWO)
        for group in ("jaw", "brows", "nose", "eyes", "mouth")
    ),
    _Column(
        "spread",
        "Spread",
        "",
        "Variation of the predictions on ground-truth crops: 1 is that of the ground truth, 0 a "
        "net that always predicts the mean face.",
        _TWO,
        None,
    ),
    _Column("parameters", "Para&shy;meters", "", "Trainable parameters.", count),
    _Column("bytes", "Size", "", "Size of the weights file.", _size),
    _Column(
        "ms_1",
        "One face",
        "ms",
        "Milliseconds for one face that is already detected; MediaPipe’s include its own crop.",
        _ONE,
    ),
    _Column("ms_8", "Per face, batch of 8", "ms", "Milliseconds per face in a batch of 8.", _ONE),
)
# The others are there on demand.
_FIRST = ("nme_compare", "nme", "fr8", "parameters", "ms_1")
_SORTED_BY = _COLUMNS[0]
_BEST = "The best figure of a column is in bold, among models that beat the mean-face baseline."
_LICENCE = (
    "Terms of the weights. Ours follow the data sets that they were trained on: for research, not "
    "for commercial use."
)
_POINTS = "How many keypoints the model predicts."
_MAPS = (
    "MediaPipe’s mesh has no points that are defined as iBUG’s 68 are, those of the jaw least of "
    "all, so it is read in three ways. <b>Index map</b>: the nearest points of the mesh as they "
    "are; its error contains that difference of definition. <b>Offsets</b>: the same points, each "
    "moved by its mean offset on training faces. <b>Ridge map</b>: a linear map of all points "
    "of the mesh, fitted on training faces. Our own four nets end in such a fitted map too, so "
    "compare them with the ridge map; a lead over the index map that comes from the jaw alone is "
    "no win."
)


def html(rows: Sequence[Standing], board: str = "") -> str:
    """The table of a board's rows, sorted by the app's NME, with its tools; empty without rows."""
    if not rows:
        return ""
    columns = [c for c in _COLUMNS if any(c.of(row) is not None for row in rows)]
    several = len({row.markup for row in rows}) > 1
    rows = sorted(rows, key=lambda row: _order(_SORTED_BY.of(row)))
    best = _best(columns, rows)
    has_maps = any(row.baseline for row in rows)
    heads = [_head("Model", "", "none"), *([_head("Points", _POINTS, "none")] * several)]
    heads += [_column_head(column) for column in columns]
    heads += [_head("Licence", _LICENCE, "none")]
    body = "".join(_row(row, columns, best, several) for row in rows)
    return (
        '<div class="kp-tools"><label><input type="checkbox" name="all-columns">All columns</label>'
        f'<span class="kp-switches">Download {downloads.links(rows, board)}</span></div>'
        '<div class="kp-scroll" role="region" aria-label="Leaderboard" tabindex="0">'
        f'<table class="kp-sortable"><thead><tr>{"".join(heads)}</tr></thead>'
        f"<tbody>{body}</tbody></table></div>"
        f'<p class="kp-small">{_ground(rows)}</p>'
        + (_details("Three ways to read MediaPipe’s mesh", f"<p>{_MAPS}</p>") if has_maps else "")
        + _details("How to read the columns", _help(columns))
    )


def _details(summary: str, body: str) -> str:
    return f'<details class="kp-read"><summary>{summary}</summary>{body}</details>'


def _order(value: float | None) -> float:
    return float("inf") if value is None else value


def _best(
    columns: Sequence[_Column], rows: Sequence[Standing]
) -> Mapping[tuple[str, str | None], float]:
    """The best figure by column and markup, among rows that beat the mean face.

    Another markup is another task.
    """
    best = {}
    for column in columns:
        for scheme in {row.markup for row in rows}:
            same = [row for row in rows if row.markup == scheme and _beats_mean_face(row)]
            values = [value for row in same if (value := column.of(row)) is not None]
            if column.best and len(values) > 1:
                best[column.key, scheme] = column.best(values)
    return best


def _beats_mean_face(row: Standing) -> bool:
    mean, nme = row.figures.get("mean_answer_nme"), row.figures.get("nme")
    return mean is None or nme is None or nme < mean


def _head(title: str, meaning: str, sort: str, first: str = "ascending", extra: str = "") -> str:
    tip = f' title="{escape(meaning)}"' if meaning else ""
    return (
        f'<th scope="col" aria-sort="{sort}"{extra}><button type="button" data-first="{first}"'
        f"{tip}>{title}</button></th>"
    )


def _extra(key: str) -> str:
    """The mark of a cell that is there on demand."""
    return "" if key in _FIRST else ' class="kp-extra"'


def _column_head(column: _Column) -> str:
    unit = f" <small>{column.unit}</small>" if column.unit else ""
    return _head(
        column.head + unit,
        column.help,
        "ascending" if column is _SORTED_BY else "none",
        "descending" if column.best is max else "ascending",
        _extra(column.key),
    )


def _row(
    row: Standing,
    columns: Sequence[_Column],
    best: Mapping[tuple[str, str | None], float],
    several: bool,
) -> str:
    cells = ""
    if several:
        points = len(markups.get(row.markup)) if row.markup else None
        cells = _cell("points", points, str(points or "–"))
    for column in columns:
        value = column.of(row)
        text = "–" if value is None else column.write(value)
        if value is not None and value == best.get((column.key, row.markup)):
            text = f"<b>{text}</b>"
        if column.key in row.intervals:
            text += "<small>{:.2f}–{:.2f}</small>".format(*row.intervals[column.key])
        cells += _cell(column.key, value, text, _extra(column.key))
    return (
        f'<tr data-model="{escape(row.name)}">'
        f'<th scope="row" data-value="{escape(zoo.title(row.name))}">{_name(row)}</th>'
        f'{cells}<td data-column="licence" data-value="{licence(row)}">'
        f"{licence(row)}</td></tr>"
    )


def _cell(key: str, value: float | None, text: str, extra: str = "") -> str:
    sort = "" if value is None else f' data-value="{value}"'
    return f'<td data-column="{key}"{sort}{extra}>{text}</td>'


def _name(row: Standing) -> str:
    tags = []
    if row.answers_mean:
        tags.append("predicts the mean face")
    if row.pulled:
        tags.append("weights from the Hub")
    elif not row.shipped and not row.baseline:
        tags.append("weights not included")
    if row.flip_test is not None:
        tags.append("flip test" if row.flip_test else "one pass")
    if row.deviations:
        tags.append(f"not as reported: {escape(', '.join(row.deviations))}")
    html = "".join(f'<small class="kp-tag">{tag}</small>' for tag in tags)
    return f"{swatch(row.name)}{escape(zoo.title(row.name))}{html}"


def _ground(rows: Sequence[Standing]) -> str:
    """Which faces these are, and the error of the mean-face baseline."""
    faces = {(row.faces, row.source) for row in rows if row.faces and row.source}
    sentences = [
        f"Measured on {number} faces of {titles.source(source)}, none of them a training face of "
        "our nets."
        for number, source in sorted(faces)
    ]
    for scheme in sorted({row.markup for row in rows if row.markup}):
        mean = [
            row.figures["mean_answer_nme"]
            for row in rows
            if row.markup == scheme and "mean_answer_nme" in row.figures
        ]
        if mean:
            points = len(markups.get(scheme))
            what = "the point" if points == 1 else f"{points} points"
            sentences.append(
                f"The mean-face baseline of {what} has {min(mean):.2f} % on ground-truth crops."
            )
    return " ".join(sentences) + f" {_BEST} Press a heading to sort."


def _help(columns: Sequence[_Column]) -> str:
    terms = "".join(
        f"<dt>{column.head}{f', {column.unit}' if column.unit else ''}</dt><dd>{column.help}</dd>"
        for column in columns
    )
    return (
        "<p>Unless a heading says otherwise, errors are end to end: detect the face, crop it, run "
        "the model. With the flip test a prediction is averaged with that on the mirrored crop; "
        "one pass is a single prediction, as in the reports. “Not as reported” names settings "
        "that differ from the report’s. Small figures are 95 % bootstrap intervals over the test "
        f"faces.</p><dl>{terms}<dt>Licence</dt><dd>{_LICENCE}</dd></dl>"
    )


def robustness(measured: Robustness | None, rows: Sequence[Standing]) -> str:
    """Errors on degraded photos, coloured by how much they rise; empty if not measured."""
    if measured is None:
        return ""
    points = {row.name: len(markups.get(row.markup)) for row in rows if row.markup}
    first = next(iter(measured.conditions.values()))
    heads = "".join(
        f'<th scope="col">{swatch(name)}{escape(zoo.title(name))}'
        f"<small>{f'{points[name]} points' if name in points else ''}</small></th>"
        for name in measured.models
    )
    body = "".join(
        f'<tr><th scope="row">{escape(condition[:1].upper() + condition[1:])}</th>'
        + "".join(_degraded(row.get(name), first.get(name), name) for name in measured.models)
        + "</tr>"
        for condition, row in measured.conditions.items()
    )
    where = (
        f"{measured.faces} faces of {titles.source(measured.source)}; " if measured.source else ""
    )
    return (
        '<div class="kp-scroll" role="region" aria-label="Errors on degraded photos" tabindex="0">'
        f'<table class="kp-heat"><thead><tr><th scope="col">Photo</th>{heads}</tr></thead>'
        f"<tbody>{body}</tbody></table></div>"
        f'<p class="kp-small">{where}end to end. NME in percent of the eye distance, on the faces '
        "that were detected; below it the change from the same model’s error on the original "
        "photos, and the share of faces that were not detected. The stronger the colour, the more "
        "the error rose.</p>"
    )


def _degraded(
    cell: Mapping[str, float] | None, plain: Mapping[str, float] | None, name: str
) -> str:
    if not cell or "nme" not in cell:
        return f'<td data-model="{escape(name)}">–</td>'
    change, heat = "", 0.0
    if plain and plain.get("nme") and cell is not plain:
        rise = cell["nme"] / plain["nme"] - 1
        heat = min(max(rise, 0.0), 0.5)
        rounded = round(100 * rise)
        change = (
            f"<small>{'+' if rounded > 0 else '−' if rounded < 0 else '±'}{abs(rounded)} %</small>"
        )
    lost = f"<small>{cell['lost']:.1f} % lost</small>" if cell.get("lost") else ""
    tip = f' title="Errors above 8 %: {cell["fr8"]:.1f} %"' if "fr8" in cell else ""
    return (
        f'<td data-model="{escape(name)}" style="--heat:{100 * heat:.0f}%"{tip}>'
        f"{cell['nme']:.2f}{change}{lost}</td>"
    )
