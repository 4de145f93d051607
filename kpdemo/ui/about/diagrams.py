"""Architecture diagrams: boxes for feature maps, in the order of the forward pass.

A box's height grows with the side of its maps and its width with their number; both stand beneath
it. All numbers come from `kpdemo.explain.architecture`.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from html import escape
from itertools import pairwise

from kpdemo.explain.architecture import Architecture, Shape
from kpdemo.ui.shared.colors import css_color

_GAP = 26  # between two boxes
_TEXT = 32  # room for the two lines beneath a box
_FACE = 60  # side of the input and of the output
_TALLEST, _SHORTEST = 62, 14
_SLANT = 0.3  # how deep a box looks, in shares of its height
_MARGIN = 10
# The outline of a face in a square of 96, as in the page's empty state.
_JAW = "M14 34c0 34 14 52 34 52s34-18 34-52"
_INNER = (
    "M22 30q9-8 20-2M54 28q11-6 20 2M27 41q7-6 14 0q-7 5-14 0"
    "M55 41q7-6 14 0q-7 5-14 0M48 42v16M41 61q7 5 14 0M34 72q14-7 28 0q-14 10-28 0"
)
_FEW = 30  # fewer points than these are drawn far apart, and none of them is on the jaw


def svg(name: str, title: str, net: Architecture, layers: Mapping[str, str] | None = None) -> str:
    """The diagram of a net as an `<svg>` with a title and a description; `name` is its model.

    With the titles of its `layers` by their dotted names, every part is a button for its last
    convolution, which is in its `data-layer`.
    """
    drawing = _Drawing(layers or {})
    if net.net == "unet":
        _u(drawing, net)
    elif net.up:
        _pyramid(drawing, net)
    else:
        _chain(drawing, net)
    color = css_color(name)
    label = f"{'layers' if layers else 'diagram'}-{escape(name)}"
    return (
        f'<svg viewBox="0 0 {drawing.width:.0f} {drawing.height:.0f}" '
        f'width="{drawing.width:.0f}" height="{drawing.height:.0f}" style="--model:{color}" '
        f'role="{"group" if layers else "img"}" aria-labelledby="{label}" '
        f'aria-describedby="{label}-text">'
        f'<title id="{label}">Architecture of {escape(title)}</title>'
        f'<desc id="{label}-text">{escape(description(net))}</desc>{"".join(drawing.parts)}</svg>'
    )


def description(net: Architecture) -> str:
    """The diagram's parts and sizes in order, in words for screen readers."""
    steps = [f"an image of {net.picture[1]}×{net.picture[2]} pixels"]
    if net.stem:
        steps.append(f"stem, {_in_words(net.stem)}")
    steps += [_in_words(shape) for shape in net.down]
    steps += [f"merged, {_in_words(shape)}" for shape in net.up]
    if net.maps:
        steps.append(f"{net.maps[0]} heatmaps of {net.maps[1]}×{net.maps[2]}")
    steps += [f"a fully connected layer of {width}" for width in net.layers]
    return f"In this order: {'; '.join(steps)}; {net.keypoints} points."


def _in_words(shape: Shape) -> str:
    return f"{shape[0]} feature maps of {shape[1]}×{shape[2]}"


class _Drawing:
    """SVG elements and the room that they take; x to the right, y down.

    Parts that are one of `layers`, titles by name, are buttons.
    """

    def __init__(self, layers: Mapping[str, str]) -> None:
        self.layers = layers
        self.parts: list[str] = []
        self.width = self.height = 0.0

    def _grow_to(self, x: float, y: float) -> None:
        self.width, self.height = max(self.width, x + _MARGIN), max(self.height, y + _MARGIN)

    @contextmanager
    def part(self, layer: str, shape: Shape) -> Iterator[None]:
        """What is drawn inside belongs to the feature maps `shape` of a layer."""
        if layer in self.layers:
            label = escape(f"{self.layers[layer]}, {_in_words(shape)}")
            self.parts.append(
                f'<g class="kp-part" role="button" tabindex="0" data-layer="{escape(layer)}" '
                f'aria-label="{label}">'
            )
        yield
        if layer in self.layers:
            self.parts.append("</g>")

    def box(self, x: float, y: float, shape: Shape, largest: int, layer: str) -> float:
        """Feature maps, with their left edge at `x` and their middle at `y`; returns the right."""
        wide, high = _box(shape, largest)
        with self.part(layer, shape):
            self._box(x, y, wide, high, shape)
        return x + wide + _SLANT * high

    def _box(self, x: float, y: float, wide: float, high: float, shape: Shape) -> None:
        deep = _SLANT * high
        x0, y0, x1, y1 = x, y - (high - deep) / 2, x + wide, y + (high + deep) / 2
        self.parts.append(
            f'<path class="kp-top" d="M{x0:.1f} {y0:.1f}l{deep:.1f} -{deep:.1f}h{wide:.1f}'
            f'l-{deep:.1f} {deep:.1f}z"/>'
            f'<path class="kp-side" d="M{x1:.1f} {y0:.1f}l{deep:.1f} -{deep:.1f}v{high:.1f}'
            f'l-{deep:.1f} {deep:.1f}z"/>'
            f'<rect class="kp-front" x="{x0:.1f}" y="{y0:.1f}" width="{wide:.1f}" '
            f'height="{high:.1f}"/>'
        )
        self.label((x0 + x1 + deep) / 2, y1, str(shape[0]), f"{shape[1]}×{shape[2]}")

    def label(self, x: float, y: float, first: str, second: str) -> None:
        """Two lines beneath something whose lower edge is at `y`."""
        self.parts.append(
            f'<text x="{x:.1f}" y="{y + 14:.1f}"><tspan class="kp-count">{first}</tspan>'
            f'<tspan x="{x:.1f}" dy="14">{second}</tspan></text>'
        )
        self._grow_to(x + 3.3 * max(len(first), len(second)), y + _TEXT)

    def picture(self, x: float, y: float, shape: Shape) -> float:
        self.parts.append(
            f'<rect class="kp-paper" x="{x}" y="{y - _FACE / 2:.1f}" width="{_FACE}" '
            f'height="{_FACE}" rx="3"/>{_face(x, y, "kp-outline", _JAW + _INNER)}'
        )
        self.label(x + _FACE / 2, y + _FACE / 2, "image", f"{shape[1]}×{shape[2]}")
        return x + _FACE

    def points(self, x: float, y: float, count: int) -> float:
        few = count < _FEW
        dots = "kp-dots kp-few" if few else "kp-dots"
        self.parts.append(_face(x, y, dots, _INNER if few else _JAW + _INNER))
        self.label(x + _FACE / 2, y + _FACE / 2, f"{count} points", "x and y")
        return x + _FACE

    def heatmaps(self, x: float, y: float, shape: Shape, layer: str) -> float:
        """A few maps behind each other, with a blob on the first."""
        side, step = 40, 5
        with self.part(layer, shape):
            self._heatmaps(x, y, shape, side, step)
        return x + side + 2 * step

    def _heatmaps(self, x: float, y: float, shape: Shape, side: int, step: int) -> None:
        for k in (2, 1, 0):
            self.parts.append(
                f'<rect class="kp-net-map" x="{x + k * step}" '
                f'y="{y - side / 2 - (k - 1) * step:.1f}" width="{side}" height="{side}"/>'
            )
        for radius in (11, 7, 3):
            self.parts.append(
                f'<circle class="kp-blob" cx="{x + 16}" cy="{y + 9:.1f}" r="{radius}"/>'
            )
        self.label(
            x + side / 2 + step,
            y + side / 2 + step,
            f"{shape[0]} heatmaps",
            f"{shape[1]}×{shape[2]}",
        )

    def vector(self, x: float, y: float, width: int) -> float:
        """The numbers of a fully connected layer."""
        high = 9 * len(f"{width:b}")
        self.parts.append(
            f'<rect class="kp-front" x="{x}" y="{y - high / 2:.1f}" width="9" height="{high}" '
            'rx="4"/>'
        )
        self.label(x + 4.5, y + high / 2, str(width), "numbers")
        return x + 9

    def arrow(self, x0: float, y0: float, x1: float, y1: float, kind: str = "") -> None:
        """A straight arrow, level or upright."""
        across, down = (x1 > x0) - (x1 < x0), (y1 > y0) - (y1 < y0)
        a, b = -4 * across, -4 * down
        self.parts.append(
            f'<path class="kp-arrow {kind}" d="M{x0:.1f} {y0:.1f}L{x1:.1f} {y1:.1f}"/>'
            f'<path class="kp-arrow" d="M{x1 + a - b:.1f} {y1 + b + a:.1f}L{x1:.1f} {y1:.1f}'
            f'L{x1 + a + b:.1f} {y1 + b - a:.1f}"/>'
        )

    def plus(self, x: float, y: float) -> None:
        self.parts.append(
            f'<circle class="kp-plus" cx="{x:.1f}" cy="{y:.1f}" r="6"/>'
            f'<path class="kp-arrow" d="M{x - 3:.1f} {y:.1f}h6M{x:.1f} {y - 3:.1f}v6"/>'
        )


def _box(shape: Shape, largest: int) -> tuple[float, float]:
    """Width and height of a box: small maps and many channels must both stay visible."""
    high = _SHORTEST + (_TALLEST - _SHORTEST) * (max(shape[1:]) / largest) ** 0.5
    return 2.6 * len(f"{shape[0]:b}"), high


def _face(x: float, y: float, kind: str, path: str) -> str:
    scale = _FACE / 96
    return (
        f'<path class="{kind}" transform="translate({x:.1f} {y - _FACE / 2:.1f}) '
        f'scale({scale:.3f})" d="{path}"/>'
    )


def _chain(drawing: _Drawing, net: Architecture) -> None:
    """The parts in a row, from left to right."""
    y = _MARGIN + 46.0
    largest = max(net.picture[1:])
    x = drawing.picture(_MARGIN, y, net.picture)
    stem = [(net.stem, net.convolutions.stem)] if net.stem else []
    for shape, layer in [*stem, *zip(net.down, net.convolutions.down, strict=True)]:
        drawing.arrow(x + 5, y, x + _GAP - 5, y)
        x = drawing.box(x + _GAP, y, shape, largest, layer)
    for width in net.layers:
        drawing.arrow(x + 5, y, x + 1.4 * _GAP - 7, y)
        x = drawing.vector(x + 1.4 * _GAP, y, width)
    drawing.arrow(x + 5, y, x + _GAP - 5, y)
    drawing.points(x + _GAP, y, net.keypoints)


def _pyramid(drawing: _Drawing, net: Architecture) -> None:
    """The bottom-up pathway above from left to right, the merged maps below from right to left."""
    top, bottom = _MARGIN + 42.0, _MARGIN + 170.0
    largest = max(net.picture[1:])
    left = drawing.picture(_MARGIN, top, net.picture)
    right = left
    if net.stem:
        drawing.arrow(left + 5, top, left + 3 * _GAP - 5, top)
        right = drawing.box(left + 3 * _GAP, top, net.stem, largest, net.convolutions.stem)
    columns: list[tuple[float, float]] = []  # left and right edge of the merged maps of each stage
    layers = net.convolutions
    for shape, layer, merged, merging in zip(
        net.down, layers.down, reversed(net.up), reversed(layers.up), strict=True
    ):
        start = max(right, columns[-1][1] if columns else 0) + 1.5 * _GAP
        drawing.arrow(right + 5, top, start - 5, top)
        right = drawing.box(start, top, shape, largest, layer)
        columns.append((start, drawing.box(start, bottom, merged, largest, merging)))
        middle = (start + columns[-1][1]) / 2
        high = _box(merged, largest)[1]
        drawing.arrow(middle, bottom - 57, middle, bottom - (1 + _SLANT) * high / 2 - 3)
    for (_, finer), (coarser, _) in pairwise(columns):
        drawing.arrow(coarser - 4, bottom, finer + 19, bottom)
        drawing.plus(finer + 10, bottom)
    maps = columns[0][0] - 1.5 * _GAP - 50
    if net.maps:
        drawing.arrow(columns[0][0] - 5, bottom, maps + 57, bottom)
        drawing.heatmaps(maps, bottom, net.maps, layers.maps)
    drawing.arrow(maps - 5, bottom, _MARGIN + _FACE + 5, bottom)
    drawing.points(_MARGIN, bottom, net.keypoints)


def _u(drawing: _Drawing, net: Architecture) -> None:
    """The encoder down on the left, the decoder up on the right, skip connections between."""
    largest = max(net.picture[1:])
    y, step = _MARGIN + 42.0, 34.0
    x = drawing.picture(_MARGIN, y, net.picture)
    for shape in [net.stem] if net.stem else []:
        drawing.arrow(x + 5, y, x + _GAP - 5, y)
        x = drawing.box(x + _GAP, y, shape, largest, net.convolutions.stem)
    drawing.arrow(x + 5, y, x + _GAP - 5, y)
    x += _GAP
    levels = []  # of the encoder: right edge and middle
    for shape, layer in zip(net.down, net.convolutions.down, strict=True):
        right = drawing.box(x, y, shape, largest, layer)
        levels.append((right, y))
        x, lower = right + step, y + _box(shape, largest)[1] / 2 + _TEXT + 26
        if shape is not net.down[-1]:
            _corner(drawing, right, y, x, lower)
        y = lower
    right, y = levels[-1]
    for shape, layer, (start, level) in zip(
        net.up, net.convolutions.up, reversed(levels[:-1]), strict=True
    ):
        x = right + step
        drawing.parts.append(
            f'<path class="kp-arrow" d="M{right + 4:.1f} {y:.1f}h{step / 2:.1f}"/>'
        )
        drawing.arrow(right + 4 + step / 2, y, right + 4 + step / 2, level + 6)
        right = drawing.box(x, level, shape, largest, layer)
        drawing.arrow(start + 5, level, x - 5, level, "kp-shortcut")
        y = level
    if net.maps:
        drawing.arrow(right + 5, y, right + _GAP - 2, y)
        right = drawing.heatmaps(right + _GAP + 4, y, net.maps, net.convolutions.maps)
    drawing.arrow(right + 8, y, right + _GAP + 3, y)
    drawing.points(right + _GAP + 6, y, net.keypoints)


def _corner(drawing: _Drawing, x0: float, y0: float, x1: float, y1: float) -> None:
    """From the side of a box down to the side of the next, lower one."""
    middle = (x0 + x1) / 2
    drawing.parts.append(
        f'<path class="kp-arrow" d="M{x0 + 4:.1f} {y0 + 10:.1f}H{middle:.1f}V{y1:.1f}"/>'
    )
    drawing.arrow(middle, y1, x1 - 4, y1)
