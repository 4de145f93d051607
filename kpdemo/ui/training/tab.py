"""The Training tab: loss curves of all recipes, and what the sweeps found."""

from html import escape
from typing import Any

import gradio as gr
import plotly.graph_objects as go

from kpdemo import zoo
from kpdemo.keypoints import markup
from kpdemo.records.runs import Histories, Library
from kpdemo.ui.shared import charts
from kpdemo.ui.training import bars, curves
from kpdemo.ui.training.tables import claims_html, reports_html, settings_html
from kpdemo.zoo import DEFAULT_MODELS

_HISTORIES = Histories()
# Up to so many models of one markup, less one, are all shown at first.
_FEW_MODELS = 5
_EMPTY = "No recipe is trained yet: python -m train fit NAME leaves a curve to see here."
_UNCOUNTED = "Not counted yet: python -m train completeness counts the labels."
# The chart brings both scales with it.
_SCALE = """(log) => {
  const chart = document.querySelector("#training-curves .js-plotly-plot");
  if (chart) window.Plotly.relayout(chart, chart.layout.meta[log ? "log" : "linear"]);
}"""
_MEASURES = [("Validation error", curves.NME), ("Loss", curves.LOSS)]


def build(tab: gr.Tab) -> None:
    """Lay out the tab."""
    library = _HISTORIES.read()
    gr.HTML(
        "<p>Watch every recipe learn: how its error fell, what one changed setting did, and how "
        "a report’s claim stands beside what was measured here.</p>",
        elem_classes="kp-lead",
    )
    # Every chart is drawn when the tab is first seen, and again when files have changed since.
    version = gr.State(0)
    damaged = gr.HTML(elem_id="training-problems")

    _heading("Learning curves")
    with gr.Row(elem_classes="kp-asked"):
        chosen = gr.Dropdown(
            _runs(library),
            value=[name for name in DEFAULT_MODELS if name in library.runs],
            multiselect=True,
            label="Recipes",
            elem_id="training-recipes",
            scale=2,
            min_width=280,
        )
        measure = gr.Radio(_MEASURES, value=curves.NME, label="Measure", min_width=200)
        against = gr.Radio(
            [("Epochs", "epoch"), ("Minutes", "minutes")],
            value="epoch",
            label="Along",
            min_width=160,
        )
        smoothing = gr.Slider(0, 0.95, 0, step=0.05, label="Smoothing", min_width=240)
        log = gr.Checkbox(value=True, label="Logarithmic scale", elem_id="training-log")
    with gr.Row():
        with gr.Column(scale=5, min_width=300):
            learning, learning_says = charts.build("training-curves", "Learning curves")
        with gr.Column(scale=4, min_width=300):
            told = gr.HTML(elem_id="training-settings", apply_default_css=False)

    _heading("Sweeps: one setting changed")
    with gr.Row(elem_classes="kp-asked"):
        asked = gr.Dropdown(
            _sweeps(library),
            value=next(iter(library.sweeps), None),
            label="Question",
            elem_id="training-sweep",
            scale=3,
            min_width=280,
        )
        asked_measure = gr.Radio(_MEASURES, value=curves.NME, label="Measure", min_width=200)
    answered = gr.HTML(elem_id="training-answer", apply_default_css=False)

    @gr.render(
        [asked, asked_measure],
        triggers=[version.change, asked.input, asked_measure.input],
        show_progress="hidden",
    )
    def small_multiples(name: str | None, measure: str) -> None:
        sweep = _HISTORIES.read().sweeps.get(name or "")
        if not sweep:
            return
        with gr.Row(elem_classes="kp-multiples"):
            for number, (setting, outcome, chart) in enumerate(curves.multiples(sweep, measure)):
                with gr.Column(min_width=280):
                    _multiple(number, setting, outcome, chart)

    _heading("Errors by keypoint")
    with gr.Row(elem_classes="kp-asked"):
        points = gr.Radio(
            _markups(library),
            value=next((name for _, name in _markups(library)), None),
            label="Keypoints",
            min_width=280,
        )
        shown = gr.Dropdown(
            multiselect=True, label="Models", elem_id="training-models", scale=2, min_width=280
        )
    errors, errors_says = charts.build("training-errors", "Errors by keypoint")

    _heading("Label completeness")
    labels, labels_says = charts.build("training-labels", "Share of faces that have each label")

    _heading("What reports claim, and what was measured")
    reports = gr.HTML(elem_id="training-reports", apply_default_css=False)

    _heading("What the authors found, and what we found")
    claims = gr.HTML(elem_id="training-claims", apply_default_css=False)

    # What a handler does not name in its answer stays on the page as it is.
    def look(seen: int, sweep: str | None, layout: str | None) -> dict:
        """What has changed since this visitor's page was drawn, if anything."""
        library = _HISTORIES.read()
        if library.version == seen:
            return {version: seen}
        known = [name for _, name in _markups(library)]
        layout = layout if layout in known else next(iter(known), None)
        return {
            version: library.version,
            chosen: gr.update(choices=_runs(library)),
            asked: gr.update(
                choices=_sweeps(library),
                value=sweep if sweep in library.sweeps else next(iter(library.sweeps), None),
            ),
            points: gr.update(choices=_markups(library), value=layout),
            shown: _models(library, layout),
            damaged: _problems(library),
            reports: reports_html(library),
            claims: claims_html(library),
            **_draw_labels(library),
        }

    def _draw_labels(library: Library) -> dict:
        if "kaggle" not in library.labels:
            return {labels: None, labels_says: charts.sentences([_UNCOUNTED])}
        return {
            labels: bars.completeness(library.labels),
            labels_says: bars.completeness_words(library.labels),
        }

    def draw_curves(
        names: list[str], measure: str, against: str, log: bool, smoothing: float
    ) -> dict:
        library = _HISTORIES.read()
        runs = [library.runs[name] for name in names if name in library.runs]
        if not runs:
            says = "Choose at least one recipe." if library.runs else _EMPTY
            return {learning: None, learning_says: charts.sentences([says]), told: ""}
        return {
            learning: curves.learning(runs, measure, against, log, smoothing),
            learning_says: curves.learning_words(runs, measure, smoothing),
            told: settings_html(runs),
        }

    def say_answer(name: str | None) -> str:
        sweep = _HISTORIES.read().sweeps.get(name or "")
        return _answer(sweep.question, curves.answer(sweep)) if sweep else ""

    def draw_errors(models: list[str], layout: str | None) -> dict:
        library = _HISTORIES.read()
        found = [library.errors[name] for name in models or () if name in library.errors]
        found = [one for one in found if one.markup == layout]
        if not found:
            return {errors: None, errors_says: charts.sentences(["Choose at least one model."])}
        return {errors: bars.by_keypoint(found), errors_says: bars.by_keypoint_words(found)}

    quiet: dict[str, Any] = {
        "show_progress": "hidden",
        "api_visibility": "private",
        "trigger_mode": "always_last",
    }
    tab.select(
        look,
        [version, asked, points],
        [version, chosen, asked, points, shown, damaged, reports, claims, labels, labels_says],
        **quiet,
    )
    gr.on(
        [version.change, chosen.input, measure.input, against.input, smoothing.input],
        draw_curves,
        [chosen, measure, against, log, smoothing],
        [learning, learning_says, told],
        **quiet,
    )
    log.input(None, log, None, js=_SCALE, api_visibility="private")
    gr.on([version.change, asked.input], say_answer, asked, answered, **quiet)
    points.input(lambda layout: _models(_HISTORIES.read(), layout), points, shown, **quiet)
    # Not only on input: another choice of keypoints brings other models.
    gr.on(
        [version.change, shown.change],
        draw_errors,
        [shown, points],
        [errors, errors_says],
        **quiet,
    )


def _heading(text: str) -> None:
    gr.HTML(f'<h2 class="kp-section">{text}</h2>', apply_default_css=False)


def _runs(library: Library) -> list[tuple[str, str]]:
    return [(curves.title(run), name) for name, run in library.runs.items()]


def _sweeps(library: Library) -> list[tuple[str, str]]:
    return [
        (f"{sweep.question} ({zoo.title(sweep.recipe)})", name)
        for name, sweep in library.sweeps.items()
    ]


def _markups(library: Library) -> list[tuple[str, str]]:
    """Markups of several points that errors are known for, those of the default models first."""
    order = [name for name in DEFAULT_MODELS if name in library.errors]
    found = dict.fromkeys(library.errors[name].markup for name in [*order, *library.errors])
    known = [markup.get(name) for name in found]
    return [(each.title, each.name) for each in known if len(each) > 1]


def _models(library: Library, markup_name: str | None) -> gr.Dropdown:
    """The models of a markup: the app's own are chosen, or all where few know it."""
    found = [one.model for one in library.errors.values() if one.markup == markup_name]
    found.sort(key=lambda name: (_rank(name), zoo.title(name)))
    first = [name for name in found if name in DEFAULT_MODELS]
    return gr.Dropdown(
        choices=[(zoo.title(name), name) for name in found],
        value=found if len(found) < _FEW_MODELS else first or found,
    )


def _rank(name: str) -> int:
    """Default models in their order, the others after them."""
    return [*DEFAULT_MODELS, name].index(name)


def _multiple(number: int, setting: str, outcome: str, chart: go.Figure) -> None:
    gr.HTML(f'<h4 class="kp-run">{escape(setting)}</h4>', apply_default_css=False)
    charts.build(f"training-run-{number}", setting, chart, outcome)


def _answer(question: str, answer: str) -> str:
    return f'<h3 class="kp-question">{escape(question)}</h3><p>{escape(answer)}</p>'


def _problems(library: Library) -> str:
    if not library.problems:
        return ""
    files = ", ".join(library.problems)
    return f'<p class="kp-small">Left out because they are damaged: {escape(files)}.</p>'
