"""The Leaderboard tab: every model and MediaPipe on the same test faces."""

from collections.abc import Sequence
from html import escape
from typing import Any

import gradio as gr
import plotly.graph_objects as go

from kpdemo import zoo
from kpdemo.engine.engine import Engine, engine
from kpdemo.records import leaderboard
from kpdemo.records import reliability as reliability_records
from kpdemo.records.standings import BOARDS, BY_APP, BY_LABEL, Board, Standing, Standings
from kpdemo.ui.leaderboard import charts, latency, own_faces, reliability, strata, tables
from kpdemo.ui.leaderboard import faces as drawn_faces
from kpdemo.ui.shared import component, scripts

TITLES = {
    "ibug-68": "68 points, 300-W common",
    "kaggle-15": "15 points, 300-W common",
    "imm": "Nose tip and 58 points, IMM",
}
_OTHERS = "others"
_CROPS = [("detected faces", BY_APP), ("ground-truth crops", BY_LABEL)]
_LEAD = (
    "<p>Every model, and MediaPipe, on the same test faces, which none of our nets was trained on: "
    "accuracy, failure rate and speed.</p>"
)
_MORE = "Class projects, and the other ways to read MediaPipe’s mesh"
# The chart brings both views with it.
_SHOW = """(all) => {
  const chart = document.querySelector("#speed .js-plotly-plot");
  const view = chart?.layout?.meta?.[all ? "all" : "few"];
  if (view) window.Plotly.update(chart, { visible: view.visible }, view.axes);
}"""
# A chart is a picture with a name for a screen reader; Gradio's own has none.
_NAMED = """const chart = element.closest(".kp-chart");
chart.setAttribute("role", "group");
chart.setAttribute("aria-label", props.chart);"""
_EMPTY = (
    '<div class="kp-empty"><p><strong>Nothing measured yet.</strong></p><p>'
    "<code>python -m train report</code> collects what was measured under <code>weights/</code>; "
    "it appears here when you come back to this tab.</p></div>"
)
_NO_ROBUSTNESS = "Not measured yet: <code>python -m train robustness</code> does it."
_QUIET: dict[str, Any] = {"show_progress": "hidden", "api_visibility": "private"}


def build(engine: Engine, tab: gr.Tab) -> None:
    """Lay out the tab. Files are read when it is opened, and again once they have changed."""
    stamp = gr.State(None)
    gr.HTML(_LEAD, elem_classes="kp-lead")
    with gr.Accordion("Your own labelled faces", open=False, elem_id="own-labels"):
        own_faces.build(engine)
    board = gr.Radio(
        [(title, name) for name, title in TITLES.items()],
        value=BOARDS[0].name,
        label="Points and test faces",
        elem_id="board",
    )
    problems = gr.HTML(elem_id="board-problems", apply_default_css=False)
    table = gr.HTML(
        _small("Reading the measurements …"),
        js_on_load=scripts.loader("leaderboard/leaderboard.js"),
        apply_default_css=False,
        elem_id="leaderboard",
    )
    component.heading("Cumulative error distribution")
    with gr.Row():
        crop = gr.Radio(_CROPS, value=BY_APP, label="Faces", elem_id="curve-crop", min_width=200)
        models = gr.CheckboxGroup([], label="Models", elem_id="curve-models", scale=4)
    curves, curves_caption = _chart("curves", "Cumulative error distribution")
    component.heading("Error by pose, mouth and size")
    parts, parts_caption = _chart("strata", "Error by pose, mouth and size")
    component.heading("Accuracy against latency")
    more = gr.Checkbox(False, label=_MORE, elem_id="speed-all", container=False)
    speed, speed_caption = _chart("speed", "Error against latency")
    component.heading("Best and worst faces")
    model = gr.Dropdown([], label="Model", elem_id="face-model", filterable=False)
    faces = gr.HTML(elem_id="faces", apply_default_css=False)
    component.heading("Robustness to degraded photos")
    robustness = gr.HTML(elem_id="robustness", apply_default_css=False)
    component.heading("Expected and measured error")
    expected = _chart("reliability", "Measured against expected error")

    curve_parts = [curves, curves_caption, parts, parts_caption]
    board_parts = [table, models, model, more, speed, speed_caption, *curve_parts, faces]
    tab.select(
        refresh,
        [stamp, board, crop],
        [stamp, board, problems, robustness, *expected, *board_parts],
        **_QUIET,
    )
    latest = _QUIET | {"trigger_mode": "always_last"}
    board.input(draw_board, [board, crop], board_parts, **latest)
    for control in (crop, models):
        control.input(draw_curves, [board, crop, models], curve_parts, **latest)
    more.input(None, more, None, js=_SHOW, api_visibility="private")
    model.input(draw_faces, [board, model], faces, **latest)


def refresh(stamp: leaderboard.Stamp | None, board: str, crop: str) -> tuple[Any, ...]:
    """The stamp, the boards, the problems, the robustness table, the reliability diagram with its
    caption, and what `draw_board` gives.

    Where no file has changed since `stamp`, all but the stamp stay on the page as they are.
    """
    current = leaderboard.stamp(external=engine().store.other_weights())
    if current == stamp:
        return current, *[gr.skip()] * 16
    standings = _standings()
    boards = [(TITLES[each.name], each.name) for each in BOARDS]
    if standings.on(None):
        boards.append(("Other points", _OTHERS))
    return (
        current,
        gr.Radio(boards, value=board),
        _problems(standings.problems),
        tables.robustness(standings.robustness, standings.rows) or _small(_NO_ROBUSTNESS),
        *_reliability(),
        *draw_board(board, crop),
    )


def draw_board(board: str, crop: str) -> tuple[Any, ...]:
    """A board's table, both lists of models, the latency chart, the curves and the faces."""
    rows = _rows(_standings(), board)
    curved = [row.name for row in rows if row.errors]
    first = [name for name in curved if name in latency.FIRST]
    first = first if len(first) > 1 else curved
    with_faces = [(zoo.title(row.name), row.name) for row in rows if row.best or row.worst]
    model = with_faces[0][1] if with_faces else None
    chart, caption = latency.scatter(rows)
    return (
        tables.html(rows, board) or _EMPTY,
        gr.CheckboxGroup([(zoo.title(name), name) for name in curved], value=first),
        gr.Dropdown(with_faces, value=model),
        gr.Checkbox(value=False, visible=first != curved),
        chart,
        caption,
        *draw_curves(board, crop, first),
        draw_faces(board, model),
    )


def draw_curves(
    board: str, crop: str, models: Sequence[str]
) -> tuple[go.Figure, str, go.Figure, str]:
    """The cumulative error distributions of some models of a board, and their errors by pose, mouth
    and size, each with its caption."""
    rows = [row for row in _rows(_standings(), board) if row.name in models]
    return *charts.curves(rows, crop), *strata.figure(rows, crop)


def draw_faces(board: str, model: str | None) -> str:
    """The best and worst faces of a model on a board; empty without a model."""
    row = next((row for row in _rows(_standings(), board) if row.name == model), None)
    return drawn_faces.html(row) if row else ""


def _reliability() -> tuple[go.Figure, str]:
    chart, caption = reliability.figure(
        reliability_records.read(zoo.DEFAULT_MODELS, external=engine().store.other_weights())
    )
    return chart, _small(caption)


def _standings() -> Standings:
    return leaderboard.read(external=engine().store.other_weights())


def _rows(standings: Standings, board: str) -> list[Standing]:
    boards: dict[str, Board] = {each.name: each for each in BOARDS}
    return standings.on(boards.get(board))


def _chart(elem_id: str, name: str) -> tuple[gr.Plot, gr.HTML]:
    """A chart and its caption, beside it where there is room."""
    with gr.Row(elem_classes="kp-chart"):
        with gr.Column(scale=3, min_width=300):
            chart = gr.Plot(show_label=False, container=False, elem_id=elem_id)
        with gr.Column(scale=1, min_width=260):
            caption = gr.HTML(
                js_on_load=_NAMED,
                apply_default_css=False,
                chart=name,
                elem_classes="kp-chart-caption",
            )
    return chart, caption


def _small(text: str) -> str:
    return f'<p class="kp-small">{text}</p>'


def _problems(problems: Sequence[str]) -> str:
    if not problems:
        return ""
    return _small(f"Left out: {escape('; '.join(problems))}.")
