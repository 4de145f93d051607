"""A report as one HTML page: all it needs is in the file, and it holds no photo."""

from collections.abc import Sequence
from html import escape

import numpy as np
import plotly.graph_objects as go

from kpdemo import zoo
from kpdemo.evaluation import error_curves, table
from kpdemo.evaluation.evaluate import FAILURE, Report, Result
from kpdemo.keypoints import markups
from kpdemo.media import svg
from kpdemo.records.standings import shares_below

_SIDE = 240  # units of a drawing, about its pixels
_MARGIN = 1.16
_FAINT = "rgba(128, 128, 128, 0.25)"
_STYLE = """
:root { color-scheme: light dark; --text: #1f2328; --ground: #fff; --faint: #d0d7de;
  --truth: #57606a }
@media (prefers-color-scheme: dark) {
  :root { --text: #e6edf3; --ground: #0d1117; --faint: #444c56; --truth: #adbac7 } }
body { font: 16px/1.5 ui-sans-serif, system-ui, sans-serif; color: var(--text);
  background: var(--ground); max-width: 70rem; margin: 0 auto; padding: 1rem }
h1 { font-size: 1.6rem } h2 { font-size: 1.2rem; margin-top: 2rem } h3 { font-size: 1rem }
.wide { overflow-x: auto }
table { border-collapse: collapse; font-variant-numeric: tabular-nums }
th, td { text-align: left; padding: .3rem .8rem .3rem 0; border-bottom: 1px solid var(--faint);
  white-space: nowrap }
.plotly text { fill: var(--text) !important } .plotly .hoverlayer text { fill: #1f2328 !important }
.faces { display: grid; grid-template-columns: repeat(auto-fill, minmax(9rem, 1fr)); gap: 1rem }
figure { margin: 0 } figcaption { font-size: .85rem; overflow-wrap: anywhere }
svg.face { width: 100%; border: 1px solid var(--faint); border-radius: 6px }
svg.face path { fill: none; stroke-width: 1.5 }
.truth { stroke: var(--truth) } .truth circle { fill: var(--truth); stroke: none }
.answer { stroke: var(--model) } .answer circle { fill: var(--model); stroke: none }
"""


def html(report: Report) -> str:
    """The whole page."""
    title = f"{len(report.faces)} labelled faces"
    plot = curves(report).to_html(
        full_html=False,
        include_plotlyjs=True,
        div_id="curves",
        config={"displayModeBar": False, "responsive": True},
    )
    sections = [
        f"<h1>{title}</h1>",
        errors(report),
        "<h2>Cumulative error distribution</h2>",
        f'<div role="figure" aria-label="Cumulative error distribution">{plot}</div>',
        f"<p>{escape(readings(report))}</p>",
        details(report),
    ]
    return (
        f'<!doctype html><html lang="en"><head><meta charset="utf-8"><title>{title}</title>'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        # An empty icon, so that browsers do not request one.
        f'<link rel="icon" href="data:,"><style>{_STYLE}</style></head><body><main>'
        f"{''.join(sections)}</main></body></html>\n"
    )


def errors(report: Report) -> str:
    """What was measured, and the table of all models, as HTML."""
    sections = [
        f"<p>{report.labels.markup} labels in {report.photos} photos, through the whole way from "
        "the photo to the points. NME is the mean distance to the label in percent of the distance "
        "between the outer eye corners, over the faces that were found; one that was not found "
        "counts as above every limit. Intervals are 95 %, from resampled photos.</p>",
        *(f"<p>{escape(sentence)}</p>" for sentence in table.notices(report)),
        _table("Errors", table.HEADINGS, [table.cells(each) for each in report.results]),
    ]
    return "".join(sections)


def details(report: Report) -> str:
    """Paired differences, folders, the worst faces, and what could not be used, as HTML."""
    sections = [
        *_differences(report),
        *_folders(report),
        "<h2>Worst faces</h2>",
        "<p>Grey: label. In colour: prediction. Photos are not shown.</p>",
        *(_worst(result) for result in report.results),
        *_list(f"{len(report.not_found)} faces that were not found", report.not_found),
        *_list(
            f"{len(report.bad)} that could not be used",
            [f"{name}: {why}" for name, why in report.bad.items()],
        ),
        *_list(
            "Unavailable models",
            [f"{name}: {why}" for name, why in report.unavailable.items()],
        ),
    ]
    return "".join(sections)


def curves(report: Report) -> go.Figure:
    """The cumulative error distributions."""
    chart = go.Figure()
    error_curves.draw(chart, _found(report))
    axis = {"gridcolor": _FAINT, "zerolinecolor": _FAINT, "linecolor": _FAINT}
    chart.update_layout(
        template="none",
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        margin={"l": 64, "r": 16, "t": 16, "b": 56},
        legend={"orientation": "h", "x": 0, "y": 1.02, "yanchor": "bottom"},
        hovermode="x unified",
        hoverlabel={"bgcolor": "white"},
        dragmode=False,
        xaxis={"title": {"text": "error of a face, % of the eye distance"}, **axis},
        yaxis={"title": {"text": "share of faces, %"}, **axis},
    )
    return chart


def readings(report: Report) -> str:
    """The curves in words, for those who cannot see them."""
    shares = "; ".join(
        f"{zoo.title(name)} {shares_below(found, faces, np.array([FAILURE]))[0]:.1f} %"
        for name, (found, faces) in _found(report).items()
    )
    return (
        "The nearer a curve is to the upper left corner, the better. Share of faces with an error "
        f"of at most {FAILURE:g} %: {shares}."
    )


def _table(title: str, headings: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    head = "".join(f'<th scope="col">{escape(each)}</th>' for each in headings)
    body = "".join(
        f'<tr><th scope="row">{escape(zoo.title(name))}</th>'
        + "".join(f"<td>{escape(cell)}</td>" for cell in cells)
        + "</tr>"
        for name, *cells in rows
    )
    return (
        f'<div class="wide" tabindex="0" role="region" aria-label="{title}"><table>'
        f"<thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def _found(report: Report) -> dict[str, tuple[np.ndarray, int]]:
    """By model, the errors of the faces that were found, sorted, and the number of all faces.

    Faces whose labels lack the model's points do not count.
    """
    measured = {each.name: each.errors[~np.isnan(each.errors)] for each in report.results}
    return {
        name: (np.sort(errors[np.isfinite(errors)]), len(errors))
        for name, errors in measured.items()
    }


def _differences(report: Report) -> list[str]:
    rows = [
        table.difference_cells(each) for each in report.results if each.figures.get("difference")
    ]
    if not rows:
        return []
    return [
        f"<h2>Paired differences to {escape(zoo.title(report.reference))}</h2>",
        "<p>Error minus that of the reference, on the faces that both found; below zero is better "
        "than the reference. An interval without zero is more than chance.</p>",
        _table("Paired differences", table.DIFFERENCE_HEADINGS, rows),
    ]


def _folders(report: Report) -> list[str]:
    if not report.folders:
        return []
    title = "NME by folder"
    return [f"<h2>{title}</h2>", _table(title, *table.by_folder(report))]


def _worst(result: Result) -> str:
    figures = "".join(_figure(face, result) for face in result.figures["worst"])
    name = escape(zoo.title(result.name))
    return f'<h3>{name}</h3><div class="faces" style="--model:{_css(result.name)}">{figures}</div>'


def _figure(face: dict, result: Result) -> str:
    """One face: label and prediction as points and contours."""
    shapes = [
        np.array([point or (np.nan, np.nan) for point in face[key]], float)
        for key in ("truth", "keypoints")
    ]
    points = np.concatenate(shapes)
    points = points[np.isfinite(points).all(1)]
    low, high = points.min(0), points.max(0)
    side = max(_MARGIN * float((high - low).max()), 1.0)
    origin, unit = (low + high) / 2 - side / 2, _SIDE / side
    drawings = "".join(
        f'<g class="{name}">{_shape(unit * (shape - origin), result.scheme)}</g>'
        for name, shape in zip(("truth", "answer"), shapes, strict=True)
    )
    words = f"{face['face']}: {face['error']:.1f}\N{NO-BREAK SPACE}%"
    return (
        f'<figure><svg class="face" viewBox="0 0 {_SIDE} {_SIDE}" role="img">'
        f"<title>{escape(words)}</title>{drawings}</svg><figcaption>{escape(words)}</figcaption>"
        "</figure>"
    )


def _shape(points: np.ndarray, scheme: str) -> str:
    """Points `(K, 2)` in units of the drawing as dots, and the markup's contours between them."""
    path = svg.contours(points, markups.get(scheme).contours)
    return f'<path d="{path}"/>{svg.dots(points, 1.8)}'


def _list(title: str, items: Sequence[str]) -> list[str]:
    if not items:
        return []
    entries = "".join(f"<li>{escape(item)}</li>" for item in items)
    return [f"<h2>{escape(title)}</h2><ul>{entries}</ul>"]


def _css(model: str) -> str:
    return "#{:02x}{:02x}{:02x}".format(*zoo.color(model))
