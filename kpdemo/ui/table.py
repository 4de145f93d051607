"""The table under the panels: what each model costs and how near it is to the baseline."""

from collections.abc import Mapping
from html import escape

from kpdemo import agreement, checkpoint, draw
from kpdemo.checkpoint import CheckpointError, Model
from kpdemo.compare import BASELINE, WEIGHTS, Comparison
from kpdemo.ui import names

_COLUMNS = ("Model", "Keypoints", "ms a face", "Agreement", "Parameters", "Trained on")
_MEANING = (
    "Agreement is the mean distance to MediaPipe’s points at the places that both name, in percent "
    "of the distance between the outer eye corners: smaller is nearer. It is no error, since "
    "MediaPipe is a model too and defines the jaw differently."
)


def html(models: Mapping[str, Model], comparison: Comparison) -> str:
    """The table and the timings of a comparison by `models`; empty without a face."""
    if not comparison.faces:
        return ""
    shown = dict.fromkeys(name for face in comparison.faces for name in face.answers)
    head = "".join(f'<th scope="col">{column}</th>' for column in _COLUMNS)
    body = "".join(_row(models.get(name), comparison, name) for name in shown)
    count = len(comparison.faces)
    several = f" With {count} faces, both are means over the faces." if count > 1 else ""
    return (
        '<div class="kp-scroll" role="region" aria-label="Comparison table" tabindex="0">'
        f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
        f'<p class="kp-small">{_MEANING}{several}</p>'
        f'<p class="kp-small kp-timings">{_timings(comparison.timings)}</p>'
    )


def _row(model: Model | None, comparison: Comparison, name: str) -> str:
    answers = [face.answers[name] for face in comparison.faces if name in face.answers]
    spent = sum(answer.milliseconds for answer in answers) / len(answers)
    red, green, blue = draw.color_of(name)
    cells = (
        str(len(answers[0].keypoints)),
        f"{spent:.1f}",
        _agreement(comparison, name),
        f"{model.parameters / 1e6:.1f} M" if model else "–",
        "Google’s own data" if name == BASELINE else escape(_trained_on(name)),
    )
    swatch = f'<i class="kp-swatch" style="background:rgb({red},{green},{blue})"></i>'
    return (
        f'<tr data-model="{escape(name)}"><th scope="row">{swatch}{escape(names.model(name))}</th>'
        + "".join(
            f'<td data-column="{column}">{cell}</td>'
            for column, cell in zip(_COLUMNS[1:], cells, strict=True)
        )
        + "</tr>"
    )


def _agreement(comparison: Comparison, name: str) -> str:
    if name == BASELINE:
        return "baseline"
    percent = agreement.overall(comparison.faces, name)
    return "–" if percent is None else f"{percent:.1f} %"


def _trained_on(name: str) -> str:
    """The data sets and the number of faces that a model's training wrote down."""
    try:
        history = checkpoint.read_history(WEIGHTS / name)
        sources = " + ".join(names.source(source) for source in history["recipe"]["data"]["train"])
        return f"{sources}, {history['faces']['train']:,} faces"
    except (CheckpointError, KeyError, TypeError):
        return "–"


def _timings(timings: dict[str, float]) -> str:
    titles = {"load": "read the photo", "wait": "wait for others", "detect": "find faces"}
    stages = [
        f"{escape(titles.get(stage, names.model(stage)))} {value:.0f} ms"
        for stage, value in timings.items()
        if stage != "total" and value >= 0.5
    ]
    return f"Together {timings['total']:.0f} ms: " + ", ".join(stages) + "."
