"""The About tab: what the nets are, what they learned from, and what the page does not do."""

from html import escape
from pathlib import Path

import gradio as gr

from kpdemo import architecture, checkpoint
from kpdemo.architecture import Architecture
from kpdemo.checkpoint import CheckpointError
from kpdemo.compare import DEFAULT_MODELS, WEIGHTS
from kpdemo.config import ConfigError
from kpdemo.ui import diagrams, names
from kpdemo.ui.standings_table import count

_TEXT = Path(__file__).parent / "assets" / "about.md"
_LEAD = (
    "<p>What the four networks are, what they learned from, what happens to your photo, and where "
    "they fail.</p>"
)
_HERE = "<!-- nets -->"
_HOW = (
    "How to read the pictures: a box is a set of feature maps, how many of them and how many cells "
    "each has stand beneath it. Higher boxes are larger maps, wider boxes more of them. Dotted "
    "arrows hand maps on as they are."
)


def build() -> None:
    """Lay out the tab; a net whose config cannot be read has no picture."""
    before, after = _TEXT.read_text(encoding="utf-8").split(_HERE)
    pictures = "".join(_picture(name) for name in DEFAULT_MODELS)
    with gr.Column(elem_id="about"):
        gr.HTML(_LEAD, elem_classes="kp-lead")
        gr.Markdown(before)
        gr.HTML(f'{pictures}<p class="kp-small">{_HOW}</p>', apply_default_css=False)
        gr.Markdown(after)


def _picture(name: str) -> str:
    try:
        net = architecture.of(checkpoint.read_config(WEIGHTS / name))
    except (CheckpointError, ConfigError):
        return ""
    title = names.model(name)
    size = count(net.parameters).replace(" ", "&nbsp;")
    return (
        f'<figure class="kp-net" data-model="{name}"><h3>{escape(title)}</h3>'
        f'<div class="kp-scroll" role="region" aria-label="Architecture of {escape(title)}" '
        f'tabindex="0">{diagrams.svg(name, title, net)}</div>'
        f"<figcaption>{_CAPTIONS[net.net](net)} {size} parameters.</figcaption>"
        "</figure>"
    )


def _simplenet(net: Architecture) -> str:
    channels, height, width = net.down[-1]
    layers = "one fully connected layer turns"
    if len(net.layers) > 1:
        layers = f"{len(net.layers)} fully connected layers turn"
    return (
        f"Its {len(net.down)} convolutions make {channels} maps of {height}×{width} out of the "
        f"face; {layers} these {channels * height * width:,} numbers into {net.layers[-1]}: x and "
        "y of every point, all at once. No map says where a point is, so the last layers have to "
        "learn every place by heart."
    )


def _resnet(net: Architecture) -> str:
    return (
        "In a residual network a shortcut leads around every two convolutions, so that they only "
        "have to learn what to change. The upper row gets coarser and knows more and more about "
        f"the whole face; {_heads(net)}"
    )


def _keypoint_resnet(net: Architecture) -> str:
    return (
        f"ResNet-18’s idea, narrower, in {len(net.down) + 1} stages counting the first "
        f"convolution, for smaller faces; {_heads(net)} "
        "What is special is its training: many of its faces lack most labels, and the loss counts "
        "those that are there."
    )


def _heads(net: Architecture) -> str:
    if not net.maps:
        return "a fully connected layer reads the points off the last maps."
    return (
        "the lower row adds that knowledge to the finer maps again, from right to left. What "
        f"comes out is one heatmap of {net.maps[1]}×{net.maps[2]} cells a point, whose centre of "
        "mass is the answer."
    )


def _unet(net: Architecture) -> str:
    maps = f" of {net.maps[1]}×{net.maps[2]} cells" if net.maps else ""
    return (
        "Down on the left the maps get smaller and know more of the face; up on the right they get "
        "fine again, and at every level the shortcut brings back the detail that was lost. Each "
        f"point has a heatmap{maps}, and lies where the map has its centre of mass."
    )


_CAPTIONS = {
    "simplenet": _simplenet,
    "resnet18": _resnet,
    "keypoint-resnet": _keypoint_resnet,
    "unet": _unet,
}
