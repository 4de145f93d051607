"""`python -m kpdemo.benchmark browser OUT.json`: the engine in the browser beside Python's.

Needs what the page's benchmark needs, and the runtimes of `python -m kpdemo browser`. With
`--faces FOLDER`, of pictures with labels, it measures the errors on labelled faces too. All figures
are from one run on one machine, with Python and the browser on the same cores.
"""

import os
import statistics
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from kpdemo.benchmark import browser_page
from kpdemo.benchmark.browser_page import BrowserEngine
from kpdemo.benchmark.face_scenes import Scene, heads
from kpdemo.benchmark.page import camera_rates, check_chromium, chromium, write_camera_video
from kpdemo.benchmark.server import serve_page
from kpdemo.benchmark.speed import photo_640x480
from kpdemo.engine.batch import BatchResult, Predictors, compare_many
from kpdemo.engine.engine import Engine, engine
from kpdemo.evaluation import labels as label_files
from kpdemo.evaluation.evaluate import evaluate
from kpdemo.evaluation.labels import Labels
from kpdemo.evaluation.matching import match_by_overlap
from kpdemo.media import corruptions
from kpdemo.models import browser_runtimes
from kpdemo.models.device import has_bf16, pick
from kpdemo.structures import Comparison, Prediction
from kpdemo.zoo import BASELINE

WIDTH, HEIGHT = 640, 480
ROUNDS = 9  # of a comparison in each engine
FACES = 60  # with labels


def measure(faces: Path | None = None) -> dict[str, Any]:
    """Distances between both engines' points, times of a comparison, bytes to load, frames a second
    of the camera in the browser and by the server; errors on the labelled faces of a folder.

    Raises RuntimeError where the browser or its runtimes are missing, and what `labels.read` does.
    """
    if browser_runtimes.missing():
        raise RuntimeError(f"{browser_runtimes.report()} Run {browser_runtimes.COMMAND} first.")
    check_chromium()
    labels = faces and spread(label_files.read(faces))
    from playwright.sync_api import sync_playwright

    app = engine()
    with (
        tempfile.TemporaryDirectory(prefix="kpdemo-") as scratch,
        serve_page(Path(scratch)) as url,
        sync_playwright() as playwright,
    ):
        measured: dict[str, Any] = {
            "cores": os.cpu_count(),
            "python_precision": "bf16" if has_bf16(pick()) else "float32",
        }
        with (
            chromium(playwright.chromium) as browser,
            browser_page.opened(browser, url) as other,
        ):
            measured["browser"] = f"Chromium {browser.version}"
            measured["download_bytes"] = downloads(other.files) | {"compressed": other.transferred}
            measured["pixels"] = distances(app, other, photos())
            measured["compare_milliseconds"] = times(app, other)
            if labels:
                measured["labelled_faces"] = errors(app, other, labels)
        camera = Path(scratch) / "camera.y4m"
        write_camera_video(camera)
        measured["camera_frames_per_second"] = {
            where: camera_rates(playwright.chromium, url, camera, where)
            for where in ("browser", "server")
        }
    return measured


def photos() -> Iterator[np.ndarray]:
    """Twenty photos: faces that are large, small, turned, badly lit and compressed, or two."""
    for head in range(len(heads())):
        large, small, turned, bad, pair = (Scene.plain("", WIDTH, HEIGHT) for _ in range(5))
        large.paste(head, 320, 250, 220)
        small.paste(head, 401, 203, 70)
        turned.paste(head, 300, 240, 150, 25)
        bad.paste(head, 280, 240, 180)
        pair.paste(head, 180, 260, 130)
        pair.paste((head + 1) % len(heads()), 450, 220, 130, -10)
        yield from (large.pixels, small.pixels, turned.pixels, pair.pixels)
        yield corruptions.compress(corruptions.darken(bad.pixels, 0.4), 30)


def distances(app: Engine, other: BrowserEngine, pictures: Iterable[np.ndarray]) -> dict[str, Any]:
    """How far, in pixels, each model's points by the browser are from those by Python.

    "same_face": on the face that Python found; "own_search": each engine searches by itself.
    `faces` were found by both, `missed` by only one of them.
    """
    count = common = alone = 0
    gaps: dict[str, dict[str, list[np.ndarray]]] = {
        way: defaultdict(list) for way in ("same_face", "own_search")
    }
    for picture in pictures:
        count += 1
        file = BytesIO()
        Image.fromarray(picture).save(file, "PNG")
        expected = app.compare(picture)
        given = [face.detection for face in expected.faces]
        add(gaps["same_face"], expected, other.compare(file.getvalue(), given))
        result = other.compare(file.getvalue())
        pairs = add(gaps["own_search"], expected, result)
        common += pairs
        alone += len(expected.faces) + len(result.faces) - 2 * pairs
    return {
        "photos": count,
        "faces": common,
        "missed": alone,
        **{way: {name: _figures(each) for name, each in by.items()} for way, by in gaps.items()},
    }


def add(gaps: dict[str, list[np.ndarray]], expected: Comparison, result: Comparison) -> int:
    """Add the distances of all points on the faces of both; returns how many these are."""
    count = 0
    for face in expected.faces:
        match = match_by_overlap(result.faces, np.reshape(face.box, (2, 2)))
        if match is None:
            continue
        count += 1
        for name in face.predictions.keys() & match.predictions.keys():
            gaps[name].append(apart(face.predictions[name], match.predictions[name]))
    return count


def apart(prediction: Prediction, other: Prediction) -> np.ndarray:
    """The distances between two answers' points `(N,)`, those of their conversions among them."""
    readings = (
        (a.keypoints, *(a.converted[name] for name in prediction.converted))
        for a in (prediction, other)
    )
    return np.linalg.norm(np.subtract(*map(np.concatenate, readings)), axis=-1)


def _figures(gaps: Sequence[np.ndarray]) -> dict[str, float]:
    all_of_them = np.concatenate(gaps)
    return {
        "p95": round(float(np.percentile(all_of_them, 95)), 4),
        "max": round(float(all_of_them.max()), 4),
    }


def times(app: Engine, other: BrowserEngine, rounds: int = ROUNDS) -> dict[str, float]:
    """Milliseconds of a comparison of one face by all models, once both engines are warm."""
    file = BytesIO()
    Image.fromarray(photo_640x480()).save(file, "PNG")
    there, here = [], []
    for _ in range(rounds + 1):
        there.append(other.milliseconds(file.getvalue()))
        started = time.perf_counter()
        app.compare(photo_640x480())
        here.append(1000 * (time.perf_counter() - started))
    return {
        name: round(statistics.median(each[1:]), 1)
        for name, each in (("browser", there), ("python", here))
    }


def downloads(files: Mapping[str, int]) -> dict[str, int]:
    """Bytes to load, of files by path: the runtimes, each net, and MediaPipe with the detector."""
    sizes: dict[str, int] = defaultdict(int)
    for path, size in files.items():
        folder, *rest = path.split("/")
        part = {"runtimes": folder, "models": rest[0] if rest else ""}.get(folder, BASELINE)
        sizes[part] += size
    return {**sizes, "total": sum(files.values())}


def spread(labels: Labels, count: int = FACES) -> Labels:
    """So many of the labelled photos, from first to last."""
    chosen = np.linspace(0, len(labels.photos) - 1, min(count, len(labels.photos)))
    return replace(labels, photos=[labels.photos[k] for k in chosen.round().astype(int)])


def errors(app: Engine, other: BrowserEngine, labels: Labels) -> dict[str, Any]:
    """NME, in percent, of every model by Python and by the browser on the labelled faces."""

    def in_browser(_: Engine, paths: Iterable[Path], __: Predictors) -> Iterator[BatchResult]:
        return (BatchResult(other.compare(path.read_bytes())) for path in paths)

    python, browser = (evaluate(app, labels, compare=way) for way in (compare_many, in_browser))
    nme: dict[str, dict[str, float]] = {}
    for one, two in zip(python.results, browser.results, strict=True):
        here, there = one.figures["nme"], two.figures["nme"]
        difference = round(there - here, 4)
        nme[one.name] = {"python": here, "browser": there, "difference": difference}
    return {
        "faces": len(python.faces),
        "not_found": {"python": len(python.not_found), "browser": len(browser.not_found)},
        "nme": nme,
    }
