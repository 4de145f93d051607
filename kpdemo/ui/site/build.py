"""Writes the page without a server: a folder for any static host, with all that it loads."""

import hashlib
import json
import shutil
import tempfile
from collections.abc import Iterable, Mapping
from html import escape
from pathlib import Path
from string import Template

from kpdemo import __version__, compare, zoo
from kpdemo.engine import export
from kpdemo.models import browser_assets, browser_files
from kpdemo.system.files import OutputError
from kpdemo.ui import examples, link_preview, theme
from kpdemo.ui.compare import contact_sheet, degrade
from kpdemo.ui.shared import catalogue
from kpdemo.ui.shared.colors import swatch
from kpdemo.ui.site import parts

# What the page and its workers may do: nothing with other hosts.
POLICY = (
    "default-src 'self'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self' 'unsafe-inline'; "
    "img-src 'self' data: blob:; media-src 'self' blob:; connect-src 'self'; worker-src 'self'; "
    "object-src 'none'; base-uri 'none'; form-action 'none'"
)
_UI = Path(__file__).parents[1]
_HERE = Path(__file__).parent
_WORKER = "service_worker.js"
# Folders below `kpdemo/ui` whose scripts the page uses.
_SCRIPTS = ("compare", "engine", "leaderboard", "live", "shared", "site")
_ASSETS, _EXAMPLES = "assets", "examples"
# The first example as it is compared now, which the page opens with.
_OPENING = "opening.json"
_DESCRIPTION = (
    "Drop in a photo of a face and see, side by side, where four neural networks and MediaPipe put "
    "its keypoints. Runs in your own browser; no photo leaves your device."
)


def write(folder: Path) -> int:
    """Write the page into `folder`, which is new, empty or has this page; returns its bytes.

    Raises what `browser_assets.files` raises, and OutputError where the folder has something else
    or cannot be written.
    """
    _check(folder)
    try:
        with tempfile.TemporaryDirectory(
            prefix=".kpdemo-site-", dir=folder.absolute().parent
        ) as scratch:
            site = Path(scratch) / "site"
            site.mkdir()
            _fill(site)
            if folder.exists():
                shutil.rmtree(folder)
            site.rename(folder)
    except OSError as error:
        raise OutputError(f"{folder} cannot be written ({error.strerror or error}).") from error
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())


def _check(folder: Path) -> None:
    if not folder.absolute().parent.is_dir():
        raise OutputError(f"There is no folder {folder.absolute().parent} for {folder.name}.")
    if folder.exists() and not folder.is_dir():
        raise OutputError(f"{folder} is a file; name a folder.")
    if folder.is_dir() and any(folder.iterdir()) and not (folder / _WORKER).exists():
        raise OutputError(f"{folder} has other files in it; name a new or an empty folder.")


def _fill(site: Path) -> None:
    for path, content in browser_assets.files().items():
        target = site / _ASSETS / path
        target.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, bytes):
            target.write_bytes(content)
        else:
            shutil.copyfile(content, target)
    for room in _SCRIPTS:
        for script in (_UI / room).glob("*.js"):
            target = site / "scripts" / room / script.name
            target.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(script, target)
    (site / "scripts" / "site" / _WORKER).unlink()
    (site / _EXAMPLES).mkdir()
    photos = examples.write(site / _EXAMPLES)
    models = [*browser_assets.models(), zoo.BASELINE]
    facts = catalogue.value(models) | {
        "examples": [{"file": photo.path.name, "look": photo.look} for photo in photos],
        "sheet": {"names": models, **contact_sheet.LIMITS},
        "sliders": degrade.sliders(),
    }
    (site / "catalogue.json").write_text(json.dumps(facts, ensure_ascii=False), encoding="utf-8")
    if photos:  # what the page opens with, before any model is loaded
        opening = compare(photos[0].path, models).to_dict()
        (site / _OPENING).write_text(export.to_json(opening), encoding="utf-8")
    (site / "style.css").write_text(_style(), encoding="utf-8")
    shutil.copyfile(_UI / "favicon.svg", site / "favicon.svg")
    (site / "manifest.webmanifest").write_text(json.dumps(_manifest()), encoding="utf-8")
    (site / "index.html").write_text(_page(models, photos), encoding="utf-8")
    # Last, since it knows all the others.
    (site / _WORKER).write_text(_service_worker(site), encoding="utf-8")


def _page(models: Iterable[str], photos: list[examples.Example]) -> str:
    boxes = "".join(
        f'<label><input type="checkbox" value="{name}" checked>{swatch(name)}'
        f"{escape(zoo.title(name))}</label>"
        for name in models
    )
    return _template(
        "page.html",
        {
            "policy": POLICY,
            "title": link_preview.TITLE,
            "description": escape(_DESCRIPTION),
            "icon": (_UI / "favicon.svg").read_text(encoding="utf-8"),
            "examples": examples.buttons(photos),
            "models": boxes,
            "sheet": _read("compare/contact_sheet.html"),
            "panels": _read("compare/panels.html"),
            "table": _read("compare/table.html"),
            "drag": _read("compare/drag.html"),
            "truth": _read("compare/ground_truth.html"),
            "degrade": _read("compare/degrade.html"),
            "degrade_title": escape(degrade.TITLE),
            "live": _read("live/live.html"),
            "leaderboard": parts.leaderboard(),
            "about": parts.about(),
            "version": __version__,
        },
    )


def _read(template: str) -> str:
    return (_UI / template).read_text(encoding="utf-8")


def _style() -> str:
    sheets = [*theme.CSS, _HERE / "site.css"]
    texts = [theme.variables(), *(sheet.read_text(encoding="utf-8") for sheet in sheets)]
    return "\n".join(texts)


def _manifest() -> dict[str, object]:
    return {
        "name": link_preview.TITLE,
        "short_name": "kpdemo",
        "description": _DESCRIPTION,
        "start_url": "./",
        "display": "standalone",
        "background_color": "#f6f4ef",
        "theme_color": "#0f5f59",
        "icons": [{"src": "favicon.svg", "sizes": "any", "type": "image/svg+xml"}],
    }


def _service_worker(site: Path) -> str:
    names = sorted(path.relative_to(site).as_posix() for path in site.rglob("*") if path.is_file())
    digest = hashlib.sha256()
    # The opening result's times are never the same; all else in it follows from the other files.
    for name in (name for name in names if name != _OPENING):
        digest.update(f"{name}\0".encode())
        with (site / name).open("rb") as file:
            digest.update(hashlib.file_digest(file, "sha256").digest())
    page = [name for name in names if not name.startswith(f"{_ASSETS}/") and name != "index.html"]
    values = {
        "VERSION": digest.hexdigest()[:16],
        "PAGE": ["./", *page, f"{_ASSETS}/{browser_files.SETTINGS}"],
        "POLICY": POLICY,
    }
    constants = "".join(f"const {name} = {json.dumps(value)};\n" for name, value in values.items())
    return constants + (_HERE / _WORKER).read_text(encoding="utf-8")


def _template(name: str, values: Mapping[str, str]) -> str:
    return Template((_HERE / name).read_text(encoding="utf-8")).substitute(values)
