"""The About tab: the networks, their training data, privacy, limits, and how to cite."""

from html import escape
from pathlib import Path

import gradio as gr

from kpdemo import zoo
from kpdemo.explain import architecture
from kpdemo.explain.architecture import Architecture
from kpdemo.models import checkpoint
from kpdemo.models.config import ConfigError
from kpdemo.models.model_folder import CheckpointError
from kpdemo.records import browser_benchmark
from kpdemo.ui.about import diagrams
from kpdemo.ui.shared import scripts
from kpdemo.ui.shared.numbers import count
from kpdemo.zoo import DEFAULT_MODELS, WEIGHTS_DIR

_TEXT = Path(__file__).with_name("about.md")
_LEAD = (
    "<p>What the four networks are, what they were trained on, what happens to your photo, and "
    "where they fail.</p>"
)
_DIAGRAMS_PLACE = "<!-- nets -->"
_BROWSER_PLACE = "<!-- browser -->"
_LEGEND = (
    "How to read the diagrams: a box is a set of feature maps; their number and size stand beneath "
    "it. Taller boxes are larger maps, wider boxes more channels. Dotted arrows are skip "
    "connections."
)
_DIALOG = """<dialog class="kp-large" closedby="any"><header><h3></h3>
<button type="button" class="kp-button">Close</button></header>
<div class="kp-scroll" tabindex="0" role="region" aria-label="The diagram, large"></div></dialog>"""


def build() -> None:
    """Lay out the tab; a net whose config cannot be read has no diagram."""
    before, diagrams_html, after = parts()
    with gr.Column(elem_id="about"):
        gr.HTML(_LEAD, elem_classes="kp-lead")
        gr.Markdown(before)
        gr.HTML(
            diagrams_html + _DIALOG,
            js_on_load=scripts.loader("about/about.js"),
            apply_default_css=False,
            elem_id="diagrams",
        )
        gr.Markdown(after)


def parts() -> tuple[str, str, str]:
    """Markdown before the diagrams, HTML of the diagrams, Markdown after them."""
    text = _TEXT.read_text(encoding="utf-8").replace(_BROWSER_PLACE, browser_benchmark.summary())
    before, after = text.split(_DIAGRAMS_PLACE)
    diagrams_html = "".join(_figure(name) for name in DEFAULT_MODELS)
    return before, f'{diagrams_html}<p class="kp-small">{_LEGEND}</p>', after


def _figure(name: str) -> str:
    try:
        net = architecture.of(checkpoint.read_config(WEIGHTS_DIR / name))
    except (CheckpointError, ConfigError):
        return ""
    title = zoo.title(name)
    size = count(net.parameters).replace(" ", "&nbsp;")
    return (
        f'<figure class="kp-net" data-model="{name}"><h3>{escape(title)}</h3>'
        f'<button type="button" class="kp-button" aria-label="Enlarge {escape(title)}" hidden>'
        "Enlarge</button>"
        f'<div class="kp-scroll" role="region" aria-label="Architecture of {escape(title)}" '
        f'tabindex="0">{diagrams.svg(name, title, net)}</div>'
        f"<figcaption>{_caption(name, net)} {size} parameters.</figcaption>"
        "</figure>"
    )


def _caption(name: str, net: Architecture) -> str:
    channels, height, width = net.down[-1]
    return zoo.MODELS[name].caption.format(
        convolutions=len(net.down),
        last=net.down[-1],
        numbers=channels * height * width,
        stages=len(net.down) + 1,
        maps="×".join(map(str, net.maps[1:])) if net.maps else "",
    )
