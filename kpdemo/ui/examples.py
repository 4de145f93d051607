"""The example photos: two public-domain portraits from installed packages, and both together."""

import importlib.util
from base64 import b64encode
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape
from io import BytesIO
from pathlib import Path

from PIL import Image

_THUMBNAIL = 112


@dataclass(frozen=True)
class Example:
    """An example photo: its title on the page, and a file without metadata."""

    title: str
    path: Path


def write(folder: Path) -> list[Example]:
    """Write the available example photos into `folder`, and one of two people."""
    portraits = list(_portraits())
    pictures = [(title, picture) for title, picture in portraits]
    if len(portraits) > 1:
        pictures.append(("Two people", _side_by_side([picture for _, picture in portraits])))
    examples = []
    for title, picture in pictures:
        path = folder / f"{title.lower().replace(' ', '-')}.jpg"
        picture.save(path, quality=92)
        examples.append(Example(title, path))
    return examples


def buttons(examples: Sequence[Example]) -> str:
    """HTML of a button with a thumbnail for each example."""
    return "".join(
        f'<button type="button" data-example="{number}"><img alt="" src="{_thumbnail(e.path)}">'
        f"<span>{escape(e.title)}</span></button>"
        for number, e in enumerate(examples)
    )


def _portraits() -> Iterator[tuple[str, Image.Image]]:
    for title, package, name in (
        ("Grace Hopper", "matplotlib", "mpl-data/sample_data/grace_hopper.jpg"),
        ("Eileen Collins", "skimage", "data/astronaut.png"),
    ):
        spec = importlib.util.find_spec(package)  # faster than importing it
        if spec is None or not spec.submodule_search_locations:
            continue
        path = Path(spec.submodule_search_locations[0]) / name
        if path.exists():
            yield title, Image.open(path).convert("RGB")


def _side_by_side(pictures: list[Image.Image]) -> Image.Image:
    height = min(picture.height for picture in pictures)
    scaled = [p.resize((round(p.width * height / p.height), height)) for p in pictures]
    sheet = Image.new("RGB", (sum(picture.width for picture in scaled), height))
    left = 0
    for picture in scaled:
        sheet.paste(picture, (left, 0))
        left += picture.width
    return sheet


def _thumbnail(path: Path) -> str:
    file = BytesIO()
    with Image.open(path) as picture:
        picture.thumbnail((2 * _THUMBNAIL, _THUMBNAIL))
        picture.save(file, "JPEG", quality=80)
    return "data:image/jpeg;base64," + b64encode(file.getvalue()).decode()
