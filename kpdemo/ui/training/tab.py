"""The Training tab: learning curves of all recipes, and the results of sweeps."""

from collections.abc import Sequence
from html import escape
from typing import Any, NamedTuple

import gradio as gr
import plotly.graph_objects as go

from kpdemo import zoo
from kpdemo.engine.engine import Engine, engine
from kpdemo.keypoints import markups
from kpdemo.records.histories import Histories, Library
from kpdemo.ui.shared import charts, component
from kpdemo.ui.training import augmentation, bars, continued_runs, curves, mistakes, outline
from kpdemo.ui.training.tables import claims_html, reports_html, settings_html
from kpdemo.zoo import DEFAULT_MODELS

_HISTORIES = Histories(external=lambda: engine().store.other_weights())
# With fewer models of a markup than this, all are selected at first.
_FEW_MODELS = 5
_LEAD = (
    "<p>Watch every recipe train: how its error fell, what one changed setting did, and how a "
    "report’s claim compares with what was measured here.</p>"
)
_EMPTY = "No recipe is trained yet: python -m train fit NAME leaves a curve to see here."
_UNCOUNTED = "Not counted yet: python -m train completeness counts the labels."
# The chart brings both scales with it.
_SCALE = """(log) => {
  const chart = document.querySelector("#training-curves .js-plotly-plot");
  if (chart) window.Plotly.relayout(chart, chart.layout.meta[log ? "log" : "linear"]);
}"""
_MEASURES = [("Validation error", curves.NME), ("Loss", curves.LOSS)]
_UNCHANGED: Any = gr.skip()
_LATEST: dict[str, Any] = {
    "show_progress": "hidden",
    "api_visibility": "private",
    "trigger_mode": "always_last",
}


class Update(NamedTuple):
    """New values of the tab's parts; what is not given stays on the page as it is."""

    version: Any
    recipes: Any = _UNCHANGED
    sweep: Any = _UNCHANGED
    points: Any = _UNCHANGED
    models: Any = _UNCHANGED
    problems: Any = _UNCHANGED
    reports: Any = _UNCHANGED
    claims: Any = _UNCHANGED
    labels: Any = _UNCHANGED
    labels_caption: Any = _UNCHANGED


def build(engine: Engine, session: gr.State, tab: gr.Tab) -> None:
    """Lay out the tab; `session` holds the last `PhotoResult`."""
    library = _HISTORIES.read()
    gr.HTML(_LEAD, elem_classes="kp-lead")
    # Every chart is drawn when the tab is first opened, and again when files have changed since.
    version = gr.State(0)
    problems = gr.HTML(elem_id="training-problems")
    recipes = _build_curves(library, version)
    sweep = _build_sweeps(library, version)
    component.heading("Augmentation on your photo")
    augmentation.build(engine, _HISTORIES, session, tab)
    component.heading("Two mistakes, made on your photo")
    mistakes.build(engine, _HISTORIES, session, tab)
    points, models = _build_errors(library, version)
    component.heading("Label completeness")
    with gr.Row(elem_classes="kp-captioned"):
        labels, labels_caption = charts.build(
            "training-labels", "Share of faces that have each label"
        )
    component.heading("Reported and measured errors")
    reports = gr.HTML(elem_id="training-reports", apply_default_css=False)
    component.heading("The reports’ findings, checked")
    claims = gr.HTML(elem_id="training-claims", apply_default_css=False)
    tab.select(
        refresh,
        [version, sweep, points],
        [
            *(version, recipes, sweep, points, models, problems),
            *(reports, claims, labels, labels_caption),
        ],
        **_LATEST,
    )


def _build_curves(library: Library, version: gr.State) -> gr.Dropdown:
    component.heading("Learning curves")
    with gr.Row(elem_classes="kp-training-choices"):
        recipes = gr.Dropdown(
            _runs(library),
            value=[name for name in DEFAULT_MODELS if name in library.runs],
            multiselect=True,
            label="Recipes",
            elem_id="training-recipes",
            scale=2,
            min_width=280,
        )
        measure = gr.Radio(_MEASURES, value=curves.NME, label="Measure", min_width=200)
        axis = gr.Radio(
            [("Epochs", "epoch"), ("Minutes", "minutes")],
            value="epoch",
            label="Horizontal axis",
            min_width=160,
        )
        smoothing = gr.Slider(0, 0.95, 0, step=0.05, label="Smoothing", min_width=240)
        log = gr.Checkbox(value=True, label="Logarithmic scale", elem_id="training-log")
    with gr.Row():
        with gr.Column(scale=5, min_width=300):
            chart, caption = charts.build("training-curves", "Learning curves")
            component.build("training-play", "training/play.html", "training/play.js")
        with gr.Column(scale=4, min_width=300):
            settings = gr.HTML(elem_id="training-settings", apply_default_css=False)
    gr.on(
        [version.change, recipes.input, measure.input, axis.input, smoothing.input],
        draw_curves,
        [recipes, measure, axis, log, smoothing],
        [chart, caption, settings],
        **_LATEST,
    )
    log.input(None, log, None, js=_SCALE, api_visibility="private")
    return recipes


def _build_sweeps(library: Library, version: gr.State) -> gr.Dropdown:
    component.heading("Sweeps: one setting changed")
    with gr.Row(elem_classes="kp-training-choices"):
        sweep = gr.Dropdown(
            _sweeps(library),
            value=next(iter(library.sweeps), None),
            label="Question",
            elem_id="training-sweep",
            scale=3,
            min_width=280,
        )
        measure = gr.Radio(_MEASURES, value=curves.NME, label="Measure", min_width=200)
    answer = gr.HTML(elem_id="training-answer", apply_default_css=False)
    gr.on([version.change, sweep.input], sweep_answer, sweep, answer, **_LATEST)
    gr.render(
        [sweep, measure],
        triggers=[version.change, sweep.input, measure.input],
        show_progress="hidden",
    )(draw_multiples)
    return sweep


def _build_errors(library: Library, version: gr.State) -> tuple[gr.Radio, gr.Dropdown]:
    component.heading("Errors by keypoint")
    choices = _markups(library)
    with gr.Row(elem_classes="kp-training-choices"):
        points = gr.Radio(
            choices,
            value=choices[0][1] if choices else None,
            label="Keypoints",
            min_width=280,
        )
        models = gr.Dropdown(
            multiselect=True, label="Models", elem_id="training-models", scale=2, min_width=280
        )
    with gr.Row(elem_classes="kp-captioned"):
        chart, caption = charts.build("training-errors", "Errors by keypoint")
    faces = gr.HTML(elem_id="training-faces", apply_default_css=False)
    points.input(list_models, points, models, **_LATEST)
    # Not only on input: another choice of keypoints brings other models.
    gr.on(
        [version.change, models.change],
        draw_errors,
        [models, points],
        [chart, caption, faces],
        **_LATEST,
    )
    return points, models


def refresh(version: int, sweep: str | None, points: str | None) -> Update:
    """What has changed since this visitor's page was drawn, if anything."""
    library = _HISTORIES.read()
    if library.version == version:
        return Update(version)
    names = [name for _, name in _markups(library)]
    points = points if points in names else next(iter(names), None)
    labels, labels_caption = _draw_labels(library)
    return Update(
        library.version,
        recipes=gr.update(choices=_runs(library)),
        sweep=gr.update(
            choices=_sweeps(library),
            value=sweep if sweep in library.sweeps else next(iter(library.sweeps), None),
        ),
        points=gr.update(choices=_markups(library), value=points),
        models=_models(library, points),
        problems=_problems(library),
        reports=reports_html(library),
        claims=claims_html(library),
        labels=labels,
        labels_caption=labels_caption,
    )


def draw_curves(
    names: Sequence[str], measure: str, axis: str, log: bool, smoothing: float
) -> tuple[go.Figure | None, str, str]:
    """The learning curves of some runs, their caption and their settings."""
    library = _HISTORIES.read()
    runs = [library.runs[name] for name in names if name in library.runs]
    if not runs:
        hint = "Choose at least one recipe." if library.runs else _EMPTY
        return None, charts.sentences([hint]), ""
    whole = [continued_runs.join(run, library) for run in runs]
    return (
        curves.learning(whole, measure, axis, log, smoothing),
        curves.learning_caption(whole, measure, smoothing, continued_runs.note(runs, library)),
        settings_html(runs),
    )


def draw_multiples(name: str | None, measure: str) -> None:
    """Lay out a small chart for each setting of a sweep."""
    sweep = _HISTORIES.read().sweeps.get(name or "")
    if not sweep:
        return
    with gr.Row(elem_classes="kp-multiples"):
        for number, (setting, outcome, chart) in enumerate(curves.multiples(sweep, measure)):
            with gr.Column(min_width=280):
                gr.HTML(f'<h4 class="kp-run">{escape(setting)}</h4>', apply_default_css=False)
                charts.build(f"training-run-{number}", setting, chart, outcome)


def sweep_answer(name: str | None) -> str:
    """HTML of a sweep's question and its answer."""
    sweep = _HISTORIES.read().sweeps.get(name or "")
    if not sweep:
        return ""
    answer = escape(curves.answer(sweep))
    command = f"<p>Repeat it: <code>python -m train sweep {escape(sweep.name)}</code></p>"
    return f'<h3 class="kp-question">{escape(sweep.question)}</h3><p>{answer}</p>{command}'


def list_models(points: str | None) -> gr.Dropdown:
    """The models of a markup to choose from."""
    return _models(_HISTORIES.read(), points)


def draw_errors(
    models: Sequence[str] | None, points: str | None
) -> tuple[go.Figure | None, str, str]:
    """The errors of some models at each keypoint of a markup, their caption, and their faces."""
    library = _HISTORIES.read()
    errors = [library.errors[name] for name in models or () if name in library.errors]
    errors = [one for one in errors if one.markup == points]
    if not errors:
        return None, charts.sentences(["Choose at least one model."]), ""
    return bars.by_keypoint(errors), bars.by_keypoint_caption(errors), outline.html(errors)


def _draw_labels(library: Library) -> tuple[go.Figure | None, str]:
    if "kaggle" not in library.labels:
        return None, charts.sentences([_UNCOUNTED])
    return bars.completeness(library.labels), bars.completeness_caption(library.labels)


def _runs(library: Library) -> list[tuple[str, str]]:
    return [(curves.title(run), name) for name, run in library.runs.items()]


def _sweeps(library: Library) -> list[tuple[str, str]]:
    return [
        (f"{sweep.question} ({zoo.title(sweep.recipe)})", name)
        for name, sweep in library.sweeps.items()
    ]


def _markups(library: Library) -> list[tuple[str, str]]:
    """Titles and names of markups with measured errors, those of the default models first."""
    order = [name for name in DEFAULT_MODELS if name in library.errors]
    names = dict.fromkeys(library.errors[name].markup for name in [*order, *library.errors])
    schemes = map(markups.get, names)
    return [(scheme.title, scheme.name) for scheme in schemes if len(scheme) > 1]


def _models(library: Library, markup_name: str | None) -> gr.Dropdown:
    """The models of a markup: the default ones are selected, or all where there are few."""
    names = [errors.model for errors in library.errors.values() if errors.markup == markup_name]
    names.sort(key=lambda name: (_rank(name), zoo.title(name)))
    first = [name for name in names if name in DEFAULT_MODELS]
    return gr.Dropdown(
        choices=[(zoo.title(name), name) for name in names],
        value=names if len(names) < _FEW_MODELS else first or names,
        multiselect=True,
    )


def _rank(name: str) -> int:
    """Default models in their order, the others after them."""
    return [*DEFAULT_MODELS, name].index(name)


def _problems(library: Library) -> str:
    if not library.problems:
        return ""
    files = ", ".join(library.problems)
    return f'<p class="kp-small">Damaged files, left out: {escape(files)}.</p>'
