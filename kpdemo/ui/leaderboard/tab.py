"""The Leaderboard tab: every model and the baseline on the same test faces."""

from collections.abc import Sequence
from html import escape
from typing import Any

import gradio as gr

from kpdemo import zoo
from kpdemo.records import leaderboard
from kpdemo.records.leaderboard import BOARDS, BY_APP, BY_LABEL, Board, Standing, Standings
from kpdemo.ui.leaderboard import charts, tables
from kpdemo.ui.leaderboard import faces as drawn_faces
from kpdemo.ui.shared import component
from kpdemo.zoo import DEFAULT_MODELS

_BOARDS = {
    "ibug-68": "68 points, 300-W common",
    "kaggle-15": "15 points, 300-W common",
    "imm": "Nose tip and 58 points, IMM",
}
_OTHERS = "others"
_CUTS = [("found by the app", BY_APP), ("cut out by their marks", BY_LABEL)]
# The curves that are drawn first: our own nets, and MediaPipe as it is fair to it.
_FIRST = (*DEFAULT_MODELS, "mediapipe-ridge")
# A chart is a picture with a name for a screen reader; Gradio's own has none.
_NAMED = """const chart = element.closest(".kp-chart");
chart.setAttribute("role", "group");
chart.setAttribute("aria-label", props.chart);"""
_EMPTY = (
    '<div class="kp-empty"><p><strong>Nothing measured yet.</strong></p><p>'
    "<code>python -m train report</code> collects what was measured under <code>weights/</code>; "
    "it appears here when you come back to this tab.</p></div>"
)


def build(tab: gr.Tab) -> None:
    """Lay out the tab. Files are read when it is opened, and again once they have changed."""
    seen = gr.State(None)
    gr.HTML(
        "<p>Every model, and MediaPipe, on the same test faces that none of them learned from: how "
        "far off, how often, how fast.</p>",
        elem_classes="kp-lead",
    )
    board = gr.Radio(
        [(words, name) for name, words in _BOARDS.items()],
        value=BOARDS[0].name,
        label="Points and test faces",
        elem_id="board",
    )
    problems = gr.HTML(elem_id="board-problems", apply_default_css=False)
    table = gr.HTML(
        '<p class="kp-small">Reading what was measured …</p>',
        js_on_load=component.script("leaderboard/leaderboard.js"),
        apply_default_css=False,
        elem_id="leaderboard",
    )
    with gr.Row():
        with gr.Column(min_width=320, elem_classes="kp-chart"):
            _heading("Share of faces up to an error")
            curves = gr.Plot(show_label=False, container=False, elem_id="curves")
            curves_say = _caption("Cumulative error curves")
            with gr.Row():
                cut = gr.Radio(_CUTS, value=BY_APP, label="Faces", elem_id="cut", min_width=200)
                chosen = gr.CheckboxGroup([], label="Models", elem_id="curve-models", scale=2)
        with gr.Column(min_width=320, elem_classes="kp-chart"):
            _heading("Accuracy against time")
            speed = gr.Plot(show_label=False, container=False, elem_id="speed")
            speed_says = _caption("Error against milliseconds")
    _heading("Best and worst faces")
    model = gr.Dropdown([], label="Model", elem_id="face-model", filterable=False)
    faces = gr.HTML(elem_id="faces", apply_default_css=False)
    _heading("The same photos, spoiled")
    spoiled = gr.HTML(elem_id="robustness", apply_default_css=False)

    # What a handler does not name in its answer stays on the page as it is.
    def show_curves(name: str, way: str, models: Sequence[str]) -> dict:
        rows = [row for row in _rows(leaderboard.read(), name) if row.name in models]
        chart, words = charts.curves(rows, way)
        return {curves: chart, curves_say: _small(words)}

    def show_faces(name: str, of: str) -> dict:
        row = next((row for row in _rows(leaderboard.read(), name) if row.name == of), None)
        return {faces: drawn_faces.html(row) if row else ""}

    def show_board(name: str, way: str) -> dict:
        rows = _rows(leaderboard.read(), name)
        curved = [row.name for row in rows if row.errors]
        first = [name for name in curved if name in _FIRST]
        first = first if len(first) > 1 else curved
        drawn = [(zoo.title(row.name), row.name) for row in rows if row.best or row.worst]
        start = drawn[0][1] if drawn else None
        chart, words = charts.speed(rows)
        return (
            {
                table: tables.html(rows) or _EMPTY,
                chosen: gr.CheckboxGroup([(zoo.title(name), name) for name in curved], value=first),
                model: gr.Dropdown(drawn, value=start),
                speed: chart,
                speed_says: _small(words),
            }
            | show_curves(name, way, first)
            | show_faces(name, start)
        )

    def show(last: leaderboard.Stamp | None, name: str, way: str) -> dict:
        now = leaderboard.stamp()
        if now == last:
            return {seen: now}
        found = leaderboard.read()
        boards = [(_BOARDS[known.name], known.name) for known in BOARDS]
        if found.on(None):
            boards.append(("Other points", _OTHERS))
        return {
            seen: now,
            board: gr.Radio(boards, value=name),
            problems: _problems(found.problems),
            spoiled: tables.robustness(found.robustness, found.rows)
            or _small("Not measured yet: <code>python -m train robustness</code> does it."),
        } | show_board(name, way)

    quiet: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}
    of_curves, of_faces = [curves, curves_say], [faces]
    of_board = [table, chosen, model, speed, speed_says, *of_curves, *of_faces]
    tab.select(show, [seen, board, cut], [seen, board, problems, spoiled, *of_board], **quiet)
    board.input(show_board, [board, cut], of_board, trigger_mode="always_last", **quiet)
    for control in (cut, chosen):
        control.input(
            show_curves, [board, cut, chosen], of_curves, trigger_mode="always_last", **quiet
        )
    model.input(show_faces, [board, model], of_faces, trigger_mode="always_last", **quiet)


def _rows(found: Standings, board: str) -> list[Standing]:
    known: dict[str, Board] = {each.name: each for each in BOARDS}
    return found.on(known.get(board))


def _heading(words: str) -> None:
    gr.HTML(f'<h2 class="kp-section">{words}</h2>', apply_default_css=False)


def _caption(chart: str) -> gr.HTML:
    return gr.HTML(js_on_load=_NAMED, apply_default_css=False, chart=chart)


def _small(words: str) -> str:
    return f'<p class="kp-small">{words}</p>'


def _problems(problems: Sequence[str]) -> str:
    if not problems:
        return ""
    return _small(f"Left out of what follows: {escape('; '.join(problems))}.")
