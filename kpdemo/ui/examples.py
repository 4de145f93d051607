"""The example photos: public-domain pictures from installed packages, and what they show when they
are turned, darkened, covered or drawn."""

import importlib.util
from base64 import b64encode
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from html import escape
from io import BytesIO
from pathlib import Path

import cv2
import numpy as np
from PIL import Image, ImageDraw, ImageFilter

Picture = Image.Image

_THUMBNAIL = 96
_QUALITY = 92
_HOPPER, _COLLINS, _CAMERA, _COFFEE = "Grace Hopper", "Eileen Collins", "camera", "coffee"
# Portraits by the US Navy and NASA, and two photographs that their makers gave to the public.
_SOURCES = {
    _HOPPER: ("matplotlib", "mpl-data/sample_data/grace_hopper.jpg"),
    _COLLINS: ("skimage", "data/astronaut.png"),
    _CAMERA: ("skimage", "data/camera.png"),
    _COFFEE: ("skimage", "data/coffee.png"),
}
_CLOSE = (110, 0, 350, 260)  # Collins’s head, enlarged for what is drawn on it
_ENLARGED = (480, 520)


@dataclass(frozen=True)
class Example:
    """An example photo: its title on the page, what to look at, and a file without metadata."""

    title: str
    look: str
    path: Path


def write(folder: Path) -> list[Example]:
    """Write the available example photos into `folder`."""
    examples = []
    for title, look, picture in _pictures():
        path = folder / f"{title.lower().replace(' ', '-')}.jpg"
        path.write_bytes(_jpeg(picture))
        examples.append(Example(title, look, path))
    return examples


def first() -> tuple[str, bytes] | None:
    """What to look at in the first example, and its file; None where no photo is installed."""
    for _, look, picture in _pictures():
        return look, _jpeg(picture)
    return None


def _jpeg(picture: Picture) -> bytes:
    file = BytesIO()
    picture.save(file, "JPEG", quality=_QUALITY)
    return file.getvalue()


def buttons(examples: Sequence[Example]) -> str:
    """HTML of a button with a thumbnail for each example."""
    return "".join(
        f'<button type="button" data-example="{number}" tabindex="{-1 if number else 0}" '
        f'title="{escape(e.look)}"><img alt="" src="{_thumbnail(e.path)}">'
        f"<span>{escape(e.title)}</span></button>"
        for number, e in enumerate(examples)
    )


def _pictures() -> Iterator[tuple[str, str, Picture]]:
    """Title, what to look at, and pixels of each example whose sources are installed."""
    sources = dict(_sources())
    for title, look, needed, make in _MAKERS:
        if all(name in sources for name in needed):
            yield title, look, make(*(sources[name] for name in needed))


def _sources() -> Iterator[tuple[str, Picture]]:
    for title, (package, name) in _SOURCES.items():
        spec = importlib.util.find_spec(package)  # faster than importing it
        if spec is None or not spec.submodule_search_locations:
            continue
        path = Path(spec.submodule_search_locations[0]) / name
        if path.exists():
            yield title, Image.open(path).convert("RGB")


def _as_it_is(picture: Picture) -> Picture:
    return picture


def _side_by_side(*pictures: Picture) -> Picture:
    height = min(picture.height for picture in pictures)
    scaled = [p.resize((round(p.width * height / p.height), height)) for p in pictures]
    sheet = Image.new("RGB", (sum(picture.width for picture in scaled), height))
    left = 0
    for picture in scaled:
        sheet.paste(picture, (left, 0))
        left += picture.width
    return sheet


def _profile(camera: Picture) -> Picture:
    return camera.crop((90, 60, 350, 320)).resize((520, 520), Image.Resampling.LANCZOS)


def _head(collins: Picture) -> Picture:
    return collins.crop(_CLOSE).resize(_ENLARGED, Image.Resampling.LANCZOS)


def _sunglasses(collins: Picture) -> Picture:
    picture = _head(collins)
    draw = ImageDraw.Draw(picture)
    for x in (186, 274):
        draw.ellipse((x - 38, 178, x + 38, 242), fill=(16, 16, 18))
    draw.line((222, 204, 238, 204), fill=(16, 16, 18), width=7)
    draw.line((148, 200, 122, 192), fill=(16, 16, 18), width=7)
    draw.line((312, 200, 338, 192), fill=(16, 16, 18), width=7)
    return picture


def _hand(hopper: Picture) -> Picture:
    """A flat drawing of a hand over mouth and chin."""
    picture = hopper.copy()
    draw = ImageDraw.Draw(picture)
    skin, edge = (205, 158, 132), (150, 104, 84)
    draw.ellipse((300, 250, 440, 400), fill=skin, outline=edge, width=3)
    for top, length in ((252, 130), (284, 145), (316, 138), (348, 110)):
        box = (345 - length, top, 365, top + 34)
        draw.rounded_rectangle(box, 17, fill=skin, outline=edge, width=3)
    draw.rectangle((335, 256, 380, 378), fill=skin)
    return picture.filter(ImageFilter.GaussianBlur(0.8))


def _dark(hopper: Picture) -> Picture:
    noise = np.random.default_rng(0).normal(0, 5, (hopper.height, hopper.width, 3))
    return Image.fromarray(np.clip(0.08 * np.asarray(hopper) + noise, 0, 255).astype(np.uint8))


def _turned(collins: Picture) -> Picture:
    return _head(collins).rotate(70, Image.Resampling.BICUBIC, expand=True, fillcolor=(90, 90, 90))


def _drawn(collins: Picture) -> Picture:
    """A pencil drawing: where the picture is darker than its blurred self."""
    grey = np.asarray(_head(collins).convert("L")).astype(np.float32)
    paper = cv2.GaussianBlur(grey, (0, 0), 7)
    return Image.fromarray(np.clip(255 * grey / (paper + 1), 0, 255).astype(np.uint8)).convert(
        "RGB"
    )


def _small(hopper: Picture) -> Picture:
    """Forty pixels of face, and no more."""
    small = hopper.resize((104, 122), Image.Resampling.LANCZOS)
    return small.resize((416, 488), Image.Resampling.BICUBIC)


def _crowd(hopper: Picture, collins: Picture) -> Picture:
    """Twelve faces of different size, light and direction."""
    rng = np.random.default_rng(5)
    heads = hopper.crop((60, 20, 460, 420)), collins.crop((100, 10, 360, 270))
    sheet = Image.new("RGB", (4 * 240, 3 * 240))
    for at in range(12):
        head = heads[(at + at // 4) % 2].resize((240, 240), Image.Resampling.LANCZOS)
        if rng.random() < 0.5:
            head = head.transpose(Image.Transpose.FLIP_LEFT_RIGHT)
        shrunk = head.resize((120, 120)).resize((240, 240)) if at % 5 == 3 else head
        lit = np.clip(np.asarray(shrunk) * rng.uniform(0.4, 1.25), 0, 255).astype(np.uint8)
        sheet.paste(Image.fromarray(lit), (240 * (at % 4), 240 * (at // 4)))
    return sheet


_Maker = Callable[..., Picture]
_MAKERS: tuple[tuple[str, str, tuple[str, ...], _Maker], ...] = (
    (
        _HOPPER,
        "Frontal and sharp, the easy case: look at the brows behind the glasses.",
        (_HOPPER,),
        _as_it_is,
    ),
    (
        _COLLINS,
        "Turned a little, with teeth: look at the lips and the far side of the jaw.",
        (_COLLINS,),
        _as_it_is,
    ),
    (
        "Profile",
        "Half of the face is out of sight: who invents it, and where?",
        (_CAMERA,),
        _profile,
    ),
    (
        "Sunglasses",
        "No eye to see: the nets guess from the rest of the face.",
        (_COLLINS,),
        _sunglasses,
    ),
    ("Hand", "Mouth and chin are covered: compare where each model puts them.", (_HOPPER,), _hand),
    ("Dark", "A twelfth of the light, and noise: whose points drift first?", (_HOPPER,), _dark),
    ("Turned", "By 70 degrees: do left and right stay where they belong?", (_COLLINS,), _turned),
    (
        "Drawing",
        "A drawing made of the photo: what moves against the photo itself?",
        (_COLLINS,),
        _drawn,
    ),
    ("Few pixels", "A face of forty pixels, enlarged: what is left to go by?", (_HOPPER,), _small),
    ("Two people", "Two faces: pick one under “View”.", (_HOPPER, _COLLINS), _side_by_side),
    (
        "Crowd",
        "Twelve faces in one pass: which one do the models disagree on?",
        (_HOPPER, _COLLINS),
        _crowd,
    ),
    ("No face", "A cup of coffee: no face, so there should be no points.", (_COFFEE,), _as_it_is),
)


def _thumbnail(path: Path) -> str:
    file = BytesIO()
    with Image.open(path) as picture:
        picture.thumbnail((2 * _THUMBNAIL, _THUMBNAIL))
        picture.save(file, "JPEG", quality=75)
    return "data:image/jpeg;base64," + b64encode(file.getvalue()).decode()
