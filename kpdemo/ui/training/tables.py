"""Tables of the Training tab: settings beside the curves, reports beside what was measured."""

import re
from collections.abc import Mapping, Sequence
from html import escape

from kpdemo import zoo
from kpdemo.records.claims import Claim
from kpdemo.records.histories import Library
from kpdemo.records.run import Run
from kpdemo.ui.shared import titles
from kpdemo.ui.shared.colors import swatch
from kpdemo.ui.training import curves
from kpdemo.ui.training.settings import NONE, table
from kpdemo.zoo import DEFAULT_MODELS


def settings_html(runs: Sequence[Run]) -> str:
    """What differs between the recipes, what they share, and what their authors say of them."""
    heads = [(swatch(run.model), curves.title(run)) for run in runs]
    facts = _facts(runs)
    differing, common = table([run.recipe for run in runs])
    if len(runs) == 1:
        facts |= {name: [text] for name, text in common.items()}
        common = {}
    return (
        _table(heads, facts | differing, "Recipe settings")
        + (_details("Shared settings", _shared(common)) if common else "")
        + _details("Recipe notes", "".join(_note(run) for run in runs))
        + _details("Deviations from the report", "".join(_deviations(run) for run in runs))
    )


def _facts(runs: Sequence[Run]) -> dict[str, list[str]]:
    """Outcomes of training, as opposed to its settings."""
    rows = {
        "Parameters": [_millions(run.parameters) for run in runs],
        "Training faces": [_count(run.train_faces) for run in runs],
        "Validation faces": [_count(run.validation_faces) for run in runs],
        "Training time": [_took(run) for run in runs],
        "Flip test": ["no" if run.recipe.get("flip_test") is False else "yes" for run in runs],
        "NME before → after flip test and calibration": [_calibrated(run) for run in runs],
        "Command": [_command(run) for run in runs],
    }
    return {name: row for name, row in rows.items() if set(row) != {NONE}}


def _command(run: Run) -> str:
    """What makes a model's curve again; a trial, or a sweep's run, has no recipe of its own."""
    if run.recipe.get("name") != run.name:
        return NONE
    first = str(run.recipe.get("start_from") or "").split("/")[-1]
    return " && ".join(f"python -m train fit {name}" for name in (first, run.name) if name)


def _count(faces: int | None) -> str:
    return NONE if faces is None else f"{faces:,}"


def _took(run: Run) -> str:
    minutes = run.curves["minutes"]
    if not len(minutes):
        return NONE
    spent = f"{minutes[-1]:.0f} min" if minutes[-1] >= 10 else f"{minutes[-1]:.1f} min"
    where = f" on {run.device}" if run.device else ""
    if run.diverged:
        return f"{spent}{where}, diverged"
    return f"{spent}{where}" + ("" if run.finished else ", not finished")


def _calibrated(run: Run) -> str:
    before, after = (
        run.calibration.get(key) for key in ("validation_nme_before", "validation_nme")
    )
    if None in (before, after):
        return NONE
    return f"{before:.2f} → {after:.2f} %"


def _millions(count: int | None) -> str:
    return NONE if count is None else f"{count / 1e6:.{1 if count >= 1e6 else 2}f} M"


def _table(heads: Sequence[tuple[str, str]], rows: dict[str, list[str]], label: str) -> str:
    top = "".join(f'<th scope="col">{swatch}{escape(text)}</th>' for swatch, text in heads)
    body = "".join(
        f'<tr><th scope="row">{escape(name)}</th>'
        + "".join(f"<td>{escape(text)}</td>" for text in row)
        + "</tr>"
        for name, row in rows.items()
    )
    return (
        f'<div class="kp-settings" role="region" aria-label="{label}" tabindex="0"><table><thead>'
        f"<tr><td></td>{top}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def _shared(common: dict[str, str]) -> str:
    pairs = "".join(f"<dt>{escape(k)}</dt><dd>{escape(v)}</dd>" for k, v in common.items())
    return f'<dl class="kp-shared">{pairs}</dl>'


def _details(summary: str, body: str) -> str:
    return f'<details class="kp-more"><summary>{summary}</summary>{body}</details>' if body else ""


def _note(run: Run) -> str:
    tried = run.experiment.get("tried")
    notes = [f"Tried: {tried}." if tried else "", (run.recipe.get("notes") or "").strip()]
    text = " ".join(filter(None, notes))
    written = re.sub(r"`(.+?)`", r"<code>\1</code>", escape(text))
    return f"<p><b>{escape(curves.title(run))}.</b> {written}</p>" if text else ""


def _deviations(run: Run) -> str:
    lines = "".join(
        f"<li><b>{escape(each['what'])}</b>: {escape(each['report'])} in the report, "
        f"{escape(each['ours'])} here; {escape(each['why'])}</li>"
        for each in run.recipe.get("deviations") or ()
    )
    return f"<p><b>{escape(curves.title(run))}</b></p><ul>{lines}</ul>" if lines else ""


def badge(deviations: Sequence[Mapping[str, str]]) -> str:
    """A note beside a system's figures that its settings are not all the report's."""
    if not deviations:
        return ""
    words = ", ".join(each["what"] for each in deviations)
    return (
        f'<small class="kp-badge" title="{escape(words)}">not as reported: {escape(words)}</small>'
    )


_COLUMNS = ("System", "Reported", "Measured here", "Mean-face baseline", "Comparable?")


def reports_html(library: Library) -> str:
    """Every trained class project: the error that its report claims beside what was measured."""
    projects = [name for name in library.models if name not in DEFAULT_MODELS]
    projects.sort(key=zoo.title)
    if not projects:
        return '<p class="kp-small">No class project is trained yet.</p>'
    claimed = [name for name in projects if _claim(library, name)]
    others = [name for name in projects if name not in claimed]
    return (
        (_reports(library, claimed, "Reports and measurements") if claimed else "")
        + _details(
            f"{len(others)} systems whose reports give no error",
            _reports(library, others, "Measurements without a reported error") if others else "",
        )
        + '<p class="kp-small">Measured on ground-truth crops of test faces. NME: the mean '
        "distance to the labelled points, in percent of the distance between the outer eye "
        "corners. RMSE: in pixels of a 96 × 96 crop. The mean-face baseline always predicts the "
        "mean face: a system near it has learned little.</p>"
    )


def _reports(library: Library, names: Sequence[str], label: str) -> str:
    head = "".join(f'<th scope="col">{column}</th>' for column in _COLUMNS)
    body = "".join(_report(library, name) for name in names)
    return (
        f'<div class="kp-scroll" role="region" aria-label="{label}" tabindex="0">'
        f"<table><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>"
    )


def _claim(library: Library, name: str) -> dict | None:
    return library.models[name].recipe.get("reported")


def _report(library: Library, name: str) -> str:
    claim, errors = _claim(library, name), library.errors.get(name)
    here = mean = "not measured yet"
    if errors:
        where = f"{errors.faces:,} faces of {titles.source(errors.source)}"
        pixels = f"RMSE {errors.rmse:.2f} px, " if errors.rmse is not None else ""
        here = f"{pixels}NME {errors.nme:.1f} % on {where}"
        mean = NONE if errors.mean_answer is None else f"NME {errors.mean_answer:.1f} %"
    cells = (
        f"{claim['figure']} {claim['value']:g} {claim['unit']}" if claim else "no error recorded",
        here,
        mean,
        claim["comparable"] if claim else NONE,
    )
    return (
        f'<tr data-model="{escape(name)}"><th scope="row">{swatch(name)}'
        f"{escape(zoo.title(name))}"
        f"{badge(library.models[name].recipe.get('deviations') or ())}</th>"
        + "".join(
            f'<td data-column="{column}"{" data-empty" * (cell == NONE)}>{escape(cell)}</td>'
            for column, cell in zip(_COLUMNS[1:], cells, strict=True)
        )
        + "</tr>"
    )


def claims_html(library: Library) -> str:
    """A card for everything that a report found, with our check, its figures and the verdict."""
    if not library.claims:
        return (
            '<p class="kp-small">No claim is checked yet: <code>python -m train report</code> '
            "reads the figures.</p>"
        )
    sections = "".join(
        f'<section data-model="{escape(name)}"><h3>{swatch(name)}{escape(zoo.title(name))}</h3>'
        f'<div class="kp-claims">{"".join(map(_claim_card, claims))}</div></section>'
        for name, claims in library.claims.items()
    )
    counts = [claim.verdict for claims in library.claims.values() for claim in claims]
    summary = ", ".join(f"{counts.count(each)} {each}" for each in dict.fromkeys(counts))
    return (
        f'<p class="kp-small">{len(counts)} findings of the reports: {escape(summary)}. Figures '
        "over seeds are means ± standard deviations of the lowest validation error.</p>" + sections
    )


def _claim_card(claim: Claim) -> str:
    figures = "".join(f"<li>{escape(each)}</li>" for each in claim.figures)
    return (
        f'<article class="kp-claim" data-verdict="{escape(claim.verdict)}">'
        f"<h4>{escape(claim.claim)}</h4><p>{escape(claim.check)}</p>"
        + (f"<ul>{figures}</ul>" if figures else "")
        + f'<p><strong class="kp-verdict">{escape(claim.verdict)}</strong> '
        f"{escape(claim.because)}</p></article>"
    )
