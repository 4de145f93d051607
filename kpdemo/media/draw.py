"""Keypoints and titles drawn onto pictures, in milliseconds.

Pictures are `(H, W, 3)` uint8 RGB and are never modified. Points are photo coordinates of the
picture that is passed in, pixel centres on integers; NaN points are skipped.
"""

from collections.abc import Sequence
from functools import cache
from pathlib import Path

import cv2
import matplotlib
import numpy as np
from PIL import Image, ImageDraw, ImageFont

from kpdemo.keypoints import markups
from kpdemo.keypoints.markup import Markup
from kpdemo.zoo import Color

WHITE: Color = (255, 255, 255)
DARK: Color = (20, 20, 20)
_SHIFT = 4  # OpenCV's fixed point: sixteenths of a pixel
_FAR = 1e6  # points farther out are invisible and would overflow the fixed point


def overlay(
    pixels: np.ndarray,
    keypoints: np.ndarray | Sequence,
    markup_name: str,
    color: Color,
    hollow: np.ndarray | Sequence | None = None,
) -> np.ndarray:
    """A copy of `pixels` with one model's contours and points on it.

    `keypoints` is one face `(K, 2)`, or a list of faces `(F, K, 2)`; `hollow`, if given, is bool
    `(K,)` or `(F, K)` to match: these points are drawn hollow and pale. Lines and points grow with
    each face. Raises ValueError for another number of points than the markup's.
    """
    scheme = markups.get(markup_name)
    faces = np.asarray(keypoints, np.float64)
    if faces.size and faces.shape[-2:] != (len(scheme), 2):
        raise ValueError(
            f"{markup_name} has {len(scheme)} points of x and y, not {faces.shape[-2:]}; "
            "pass keypoints of the markup that you name."
        )
    faces = faces.reshape(-1, len(scheme), 2)
    rings = np.zeros(faces.shape[:2], bool)
    if hollow is not None:
        rings |= np.reshape(hollow, rings.shape)
    canvas = np.array(pixels)
    for face, face_rings in zip(faces, rings, strict=True):
        size = _face_size(face, scheme, canvas)
        width = _line_width(0.02 * size, canvas)
        # A mesh of hundreds of points would hide the face under points of the usual size.
        radius = max(0.04 * size * min(1.0, (68 / len(scheme)) ** 0.5), 1.2 * width)
        _draw_contours(canvas, face, scheme, color, width)
        _draw_points(canvas, face, face_rings, radius, color, width)
    return canvas


def contact_sheet(panels: Sequence[tuple[str, str, np.ndarray]], columns: int) -> np.ndarray:
    """Pictures side by side with titles: `(title, subtitle, pixels)` each, `columns` a row.

    Every panel gets the room of the largest picture, which sets the size of the text too; text
    that is too wide is shortened. Returns `(H, W, 3)` uint8 RGB. Raises ValueError without panels.
    """
    if not panels or columns < 1:
        raise ValueError("A contact sheet needs at least one panel and one column.")
    columns = min(columns, len(panels))
    rows = -(-len(panels) // columns)
    width = max(pixels.shape[1] for *_, pixels in panels)
    height = max(pixels.shape[0] for *_, pixels in panels)
    size = max(12, round(width / 22))
    gap, header = size, round(3.2 * size)
    sheet = Image.new(
        "RGB",
        (columns * (width + gap) + gap, rows * (height + header + gap) + gap),
        "white",
    )
    draw = ImageDraw.Draw(sheet)
    bold, plain = _font("DejaVuSans-Bold.ttf", size), _font("DejaVuSans.ttf", round(0.75 * size))
    for number, (title, subtitle, pixels) in enumerate(panels):
        row, column = divmod(number, columns)
        x, y = gap + column * (width + gap), gap + row * (height + header + gap)
        draw.text((x, y), _shorten(title, bold, width), "black", bold)
        draw.text((x, y + 1.5 * size), _shorten(subtitle, plain, width), (80, 80, 80), plain)
        sheet.paste(Image.fromarray(pixels), (x, y + header))
    return np.array(sheet)


def heading(title: str, color: Color, width: int) -> np.ndarray:
    """A dark strip `(H, width, 3)` with a swatch of the colour and a title; H is even.

    It grows with its width; a title that is too wide is shortened.
    """
    size = max(11, round(width / 32))
    height = 2 * round(0.9 * size)
    strip = Image.new("RGB", (width, height), DARK)
    draw = ImageDraw.Draw(strip)
    edge = round(0.45 * size)
    draw.rectangle((edge, edge, height - edge, height - edge), color)
    font = _font("DejaVuSans-Bold.ttf", size)
    text = _shorten(title, font, width - height - edge)
    draw.text((height, height / 2), text, WHITE, font, anchor="lm")
    return np.array(strip)


def _draw_contours(
    canvas: np.ndarray, face: np.ndarray, scheme: Markup, color: Color, width: int
) -> None:
    finite = np.isfinite(face).all(1)
    at = _fixed(face)
    lines = [at[run] for contour in scheme.contours for run in _runs(contour, finite)]
    cv2.polylines(canvas, lines, False, color, width, cv2.LINE_AA, _SHIFT)


def _draw_points(
    canvas: np.ndarray,
    face: np.ndarray,
    hollow: np.ndarray,
    radius: float,
    color: Color,
    width: int,
) -> None:
    at = _fixed(face)
    pale = tuple((channel + 255) // 2 for channel in color)
    inner, outer = round(radius * 2**_SHIFT), round((radius + 1) * 2**_SHIFT)
    for k in np.flatnonzero(np.isfinite(face).all(1)):
        center = int(at[k, 0]), int(at[k, 1])
        if hollow[k]:
            cv2.circle(canvas, center, inner, pale, width, cv2.LINE_AA, _SHIFT)
            continue
        # A dark rim sets a point off from skin and from its own contour, where there is room.
        if radius > 2.5:
            cv2.circle(canvas, center, outer, DARK, cv2.FILLED, cv2.LINE_AA, _SHIFT)
        cv2.circle(canvas, center, inner, color, cv2.FILLED, cv2.LINE_AA, _SHIFT)


def _face_size(face: np.ndarray, scheme: Markup, canvas: np.ndarray) -> float:
    """About the distance between the eyes, in pixels, from whatever the markup offers."""
    if not {"left_eye_center", "right_eye_center"} <= scheme.anatomy.keys():
        return min(canvas.shape[:2]) / 5
    finite = face[np.isfinite(face).all(1)]
    eyes = scheme.place(face, "left_eye_center") - scheme.place(face, "right_eye_center")
    # In profile the eyes come together, while the face stays as high as it was.
    extent = np.ptp(finite, 0).max() / 3 if len(finite) else 0
    return min(float(np.nanmax([np.hypot(*eyes), extent])), max(canvas.shape[:2]))


def _line_width(width: float, canvas: np.ndarray) -> int:
    # At least what remains visible when a large picture is scaled down.
    return max(1, round(width), round(max(canvas.shape[:2]) / 1500))


def _runs(contour: Sequence[int], finite: np.ndarray) -> list[list[int]]:
    """A contour without its missing points: the runs of two and more that remain."""
    runs: list[list[int]] = [[]]
    for k in contour:
        if finite[k]:
            runs[-1].append(k)
        elif runs[-1]:
            runs.append([])
    return [run for run in runs if len(run) > 1]


def _fixed(points: np.ndarray) -> np.ndarray:
    """Points `(..., 2)` in OpenCV's fixed point, NaN as zero."""
    return np.rint(np.nan_to_num(points).clip(-_FAR, _FAR) * 2**_SHIFT).astype(np.int32)


@cache
def _font(name: str, size: int) -> ImageFont.FreeTypeFont:
    # matplotlib ships DejaVu, so that text looks the same everywhere.
    return ImageFont.truetype(Path(matplotlib.get_data_path()) / "fonts" / "ttf" / name, size)


def _shorten(text: str, font: ImageFont.FreeTypeFont, width: int) -> str:
    if font.getlength(text) <= width:
        return text
    while text and font.getlength(text + "…") > width:
        text = text[:-1]
    return text + "…"
