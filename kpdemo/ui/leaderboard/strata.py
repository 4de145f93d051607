"""Errors by the head's pose, the mouth and the face's size, and their caption."""

from collections.abc import Sequence
from html import escape

import plotly.graph_objects as go

from kpdemo import zoo
from kpdemo.records.standings import Standing, Stratum
from kpdemo.ui.shared import charts, colors

_HEIGHT = 420
# A stratum's fact and name -> the two lines of its label.
_LABELS = {
    ("yaw", "left"): ("head", "left"),
    ("yaw", "front"): ("head", "frontal"),
    ("yaw", "right"): ("head", "right"),
    ("mouth_open", "closed"): ("mouth", "closed"),
    ("mouth_open", "between"): ("mouth", "half"),
    ("mouth_open", "open"): ("mouth", "open"),
    ("size", "small"): ("face", "small"),
    ("size", "between"): ("face", "medium"),
    ("size", "large"): ("face", "large"),
}


def figure(rows: Sequence[Standing], crop: str) -> tuple[go.Figure, str]:
    """The mean error of each stratum with its interval, a colour a model; and the caption."""
    chart = charts.figure("", "NME, % of the eye distance", height=_HEIGHT, hovermode="closest")
    measured = {row.name: row.strata[crop] for row in rows if crop in row.strata}
    for name, strata in measured.items():
        title = zoo.title(name)
        labels = [_label(each) for each in strata]
        bounds = [each.interval or (each.nme, each.nme) for each in strata]
        chart.add_scatter(
            x=[[group for group, _ in labels], [word for _, word in labels]],
            y=[each.nme for each in strata],
            error_y={
                "symmetric": False,
                "array": [high - each.nme for each, (_, high) in zip(strata, bounds, strict=True)],
                "arrayminus": [
                    each.nme - low for each, (low, _) in zip(strata, bounds, strict=True)
                ],
                "thickness": 1.5,
                "width": 0,
            },
            customdata=[each.faces for each in strata],
            name=title,
            mode="markers",
            marker={"color": colors.css(zoo.color(name)), "size": 8},
            offsetgroup=name,
            hovertemplate=(
                f"{title}<br>%{{x}}: %{{y:.2f}} %<br>%{{customdata}} faces<extra></extra>"
            ),
        )
    chart.update_layout(scattermode="group", scattergap=0.5, margin_b=96)
    chart.update_yaxes(title_font_size=13, rangemode="tozero", ticksuffix=" %")
    return chart, _in_words(measured)


def _in_words(measured: dict[str, Sequence[Stratum]]) -> str:
    if not measured:
        return "<p>Choose at least one model that was measured in this way.</p>"
    body = "".join(
        f'<tr><th scope="row">{colors.swatch(name)}{escape(zoo.title(name))}</th>'
        + "".join(
            f"<td>{escape(' '.join(_label(each)))}, {each.nme:.2f} %</td>"
            for each in (min(strata, key=_error), max(strata, key=_error))
        )
        + "</tr>"
        for name, strata in measured.items()
    )
    return (
        "<p>Mean error of the models and faces chosen above, with its 95 % interval: by the side "
        "of the picture that the head is turned to, and for thirds of all faces by how far the "
        "mouth is open and by the face’s size.</p>"
        '<table class="kp-readings"><thead><tr><td></td><th scope="col">least</th>'
        f'<th scope="col">greatest</th></tr></thead><tbody>{body}</tbody></table>'
    )


def _label(stratum: Stratum) -> tuple[str, str]:
    key = stratum.fact, stratum.name
    return _LABELS.get(key, key)


def _error(stratum: Stratum) -> float:
    return stratum.nme
