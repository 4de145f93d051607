"""`python -m kpdemo.benchmark visitors OUT.json`: many visitors of the page at the same moment.

All figures are from one run on one machine, with the page and its visitors on the same cores.
"""

import json
import os
import resource
import statistics
import tempfile
import threading
import time
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import Any

import httpx
import numpy as np
from PIL import Image

from kpdemo.benchmark.server import served
from kpdemo.benchmark.speed import photo_640x480
from kpdemo.engine import folder as folder_mode
from kpdemo.engine.engine import engine

ROUNDS = 3
CROWD = 50  # clients with one photo each
FEW, EACH = 10, 3  # clients, and the photos that each sends one after another
ALONE = 10  # photos of a client that has the page for itself
APART = 2  # pixels between one client's face and the next one's
TOLERANCE = 0.5  # pixels that a point may be away from where it is without others
_PATIENCE = 300.0


def measure(rounds: int = ROUNDS, crowd: int = CROWD, few: int = FEW) -> dict[str, Any]:
    """Photos a second of `crowd` clients at once and of the folder mode on the same photos; how
    many clients were refused or got other points than without others; latencies of `few` clients
    and of one; the server's peak memory in MiB (Linux).

    Both rates are medians over the rounds, in which they alternate.
    """
    app = engine()
    with tempfile.TemporaryDirectory(prefix="kpdemo-") as scratch:
        photos = write_photos(Path(scratch) / "photos", crowd)
        expected = [app.compare(photo).to_dict() for photo in photos]
        rates: dict[str, list[float]] = {"visitors": [], "folder": []}
        refused = wrong = 0
        with served(Path(scratch)) as url:
            _ask(url, photos[:4])
            for number in range(rounds):
                seconds, answers = _clock(lambda: _ask(url, photos))
                refused += answers.count(None)
                wrong += sum(
                    answer is not None and not _same(answer, right)
                    for answer, right in zip(answers, expected, strict=True)
                )
                rates["visitors"].append(crowd / seconds)
                out = Path(scratch) / f"{number}.csv"
                work = partial(folder_mode.run, app, photos[0].parent, out, "csv", None)
                seconds, _ = _clock(work)
                rates["folder"].append(crowd / seconds)
            alone = _latencies(url, photos[:1], ALONE)
            among = _latencies(url, photos[:few], EACH)
    visitors, folder = (statistics.median(rates[way]) for way in ("visitors", "folder"))
    typical, slow = statistics.median(alone), float(np.percentile(among, 95))
    return {
        "photo": "640x480, one face",
        "cores": os.cpu_count(),
        "clients": crowd,
        "refused": refused,
        "wrong": wrong,
        "visitors_photos_per_second": round(visitors, 2),
        "folder_photos_per_second": round(folder, 2),
        "visitors_to_folder_ratio": round(visitors / folder, 2),
        "alone_seconds": round(typical, 3),
        "clients_with_three": few,
        "p95_seconds": round(slow, 3),
        "p95_to_alone_ratio": round(slow / typical, 2),
        "peak_memory_mib": resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss // 1024,
    }


def write_photos(folder: Path, count: int) -> list[Path]:
    """Photos of the same face, in a different place on each."""
    folder.mkdir()
    paths = [folder / f"{number:03}.jpg" for number in range(count)]
    for number, path in enumerate(paths):
        Image.fromarray(np.roll(photo_640x480(), APART * number, 1)).save(path, quality=92)
    return paths


def _clock(work: Callable[[], Any]) -> tuple[float, Any]:
    started = time.perf_counter()
    result = work()
    return time.perf_counter() - started, result


def _ask(url: str, photos: Sequence[Path]) -> list[dict | None]:
    """The answers to clients that send a photo each at the same moment; None if refused."""
    start = threading.Barrier(len(photos))

    def visit(photo: Path) -> dict | None:
        with httpx.Client(base_url=url, timeout=_PATIENCE) as client:
            start.wait()
            return _compare(client, photo)

    with ThreadPoolExecutor(len(photos)) as pool:
        return list(pool.map(visit, photos))


def _latencies(url: str, photos: Sequence[Path], each: int) -> list[float]:
    """Seconds of each request of clients that send their photo so many times, one after another."""

    def visit(photo: Path) -> list[float]:
        with httpx.Client(base_url=url, timeout=_PATIENCE) as client:
            return [_clock(lambda: _compare(client, photo))[0] for _ in range(each)]

    with ThreadPoolExecutor(len(photos)) as pool:
        return [seconds for times in pool.map(visit, photos) for seconds in times]


def _compare(client: httpx.Client, photo: Path) -> dict | None:
    """Upload a photo and wait for its comparison, as any program can; None if it is refused."""
    path = client.post("gradio_api/upload", files={"files": photo.read_bytes()}).json()[0]
    body = {"photo": {"path": path, "meta": {"_type": "gradio.FileData"}}}
    event = client.post("gradio_api/call/v2/compare", json=body)
    if event.is_error:
        return None
    stream = client.get(f"gradio_api/call/compare/{event.json()['event_id']}").text
    kind, data = stream.strip().splitlines()[-2:]
    return json.loads(data.removeprefix("data: "))[0] if kind == "event: complete" else None


def _same(answer: dict, expected: dict) -> bool:
    """Whether two results have the same faces and, within the tolerance, the same points."""
    pairs = zip(answer["faces"], expected["faces"], strict=False)
    return len(answer["faces"]) == len(expected["faces"]) and all(
        face["models"].keys() == right["models"].keys()
        and all(
            np.abs(
                np.subtract(face["models"][name]["keypoints"], right["models"][name]["keypoints"])
            ).max()
            < TOLERANCE
            for name in right["models"]
        )
        for face, right in pairs
    )
