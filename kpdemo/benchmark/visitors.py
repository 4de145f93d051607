"""`python -m kpdemo.benchmark visitors OUT.json`: many visitors of the page at the same moment.

All figures are from one run on one machine, with the page and its visitors on the same cores.
"""

import asyncio
import json
import os
import statistics
import tempfile
import time
from collections.abc import Callable, Sequence
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

import httpx
import numpy as np
import psutil
from PIL import Image

from kpdemo.benchmark.memory import peak_mib
from kpdemo.benchmark.server import serve_page
from kpdemo.benchmark.speed import photo_640x480
from kpdemo.engine import folder as folder_mode
from kpdemo.engine.engine import engine

ROUNDS = 3
CROWD = 50  # clients with one photo each
FEW, EACH = 10, 3  # clients, and the photos that each sends one after another
ALONE = 10  # photos of a client that has the page for itself
SHIFT = 2  # pixels between one client's face and the next one's
TOLERANCE = 0.5  # pixels that a point may be away from where it is without others
_PATIENCE = 300.0

T = TypeVar("T")


class Visit(NamedTuple):
    """How long a client waited, and the answer as JSON; None if it was refused."""

    seconds: float
    answer: str | None


class Run(NamedTuple):
    """Photos a second, and the processor's milliseconds for a photo, in the server and here."""

    rate: float
    server: float
    here: float


def measure(rounds: int = ROUNDS, crowd: int = CROWD, few: int = FEW) -> dict[str, Any]:
    """Photos a second of `crowd` clients at once and of the folder mode on the same photos; how
    many clients were refused or got other points than without others; latencies of `few` clients
    and of one; the server's peak memory in MiB (Linux).

    Rates and the processor's milliseconds for a photo are medians over the rounds, in which both
    ways alternate. `few` clients wait on average at least for a photo of each of them, on all
    cores: `least_to_alone_ratio` is that time as the server needs it, over that of one client.
    """
    app = engine()
    with tempfile.TemporaryDirectory(prefix="kpdemo-") as scratch:
        photos = write_photos(Path(scratch) / "photos", crowd)
        expected = [app.compare(photo).to_dict() for photo in photos]
        visitors: list[Run] = []
        folder: list[Run] = []
        refused = wrong = 0
        with serve_page(Path(scratch)) as url:
            (server,) = psutil.Process().children()
            ask(url, photos[:4])
            for number in range(rounds):
                visits, run = _timed(lambda: ask(url, photos), server, crowd)
                visitors.append(run)
                for visit, right in zip(visits, expected, strict=True):
                    refused += visit.answer is None
                    wrong += visit.answer is not None and not same(visit.answer, right)
                out = Path(scratch) / f"{number}.csv"
                work = partial(folder_mode.run, app, photos[0].parent, out, "csv", None)
                folder.append(_timed(work, server, crowd)[1])
            alone = statistics.median(visit.seconds for visit in ask(url, photos[:1], ALONE))
            among = [visit.seconds for visit in ask(url, photos[:few], EACH)]
            memory = peak_mib(server.pid)
    cores = os.cpu_count() or 1
    rate, server_ms, clients_ms = map(statistics.median, zip(*visitors, strict=True))
    folder_rate, _, folder_ms = map(statistics.median, zip(*folder, strict=True))
    slow = float(np.percentile(among, 95))
    return {
        "photo": "640x480, one face",
        "cores": cores,
        "clients": crowd,
        "refused": refused,
        "wrong": wrong,
        "visitors_photos_per_second": round(rate, 2),
        "folder_photos_per_second": round(folder_rate, 2),
        "visitors_to_folder_ratio": round(rate / folder_rate, 2),
        "processor_milliseconds": {
            "server": round(server_ms, 1),
            "clients": round(clients_ms, 1),
            "folder": round(folder_ms, 1),
        },
        "alone_seconds": round(alone, 3),
        "clients_with_three": few,
        "p95_seconds": round(slow, 3),
        "p95_to_alone_ratio": round(slow / alone, 2),
        "least_to_alone_ratio": round(few * server_ms / 1000 / cores / alone, 2),
        "peak_memory_mib": memory,
    }


def write_photos(folder: Path, count: int) -> list[Path]:
    """Photos of the same face, in a different place on each."""
    folder.mkdir()
    paths = [folder / f"{number:03}.jpg" for number in range(count)]
    for number, path in enumerate(paths):
        Image.fromarray(np.roll(photo_640x480(), SHIFT * number, 1)).save(path, quality=92)
    return paths


def _timed(work: Callable[[], T], server: psutil.Process, photos: int) -> tuple[T, Run]:
    """The result of the work on that many photos, and what it took."""
    here = psutil.Process()
    before, started = [_processor_seconds(each) for each in (server, here)], time.perf_counter()
    result = work()
    seconds = time.perf_counter() - started
    spent = [
        1000 * (_processor_seconds(each) - earlier) / photos
        for each, earlier in zip((server, here), before, strict=True)
    ]
    return result, Run(photos / seconds, *spent)


def _processor_seconds(process: psutil.Process) -> float:
    times = process.cpu_times()
    return times.user + times.system


def ask(url: str, photos: Sequence[Path], each: int = 1) -> list[Visit]:
    """Clients that send a photo each at the same moment, `each` times one after another."""

    async def visit(client: httpx.AsyncClient, photo: bytes) -> list[Visit]:
        return [await _compare(client, photo) for _ in range(each)]

    async def visit_all(photos: Sequence[bytes]) -> list[list[Visit]]:
        limits = httpx.Limits(max_connections=None)
        async with httpx.AsyncClient(base_url=url, timeout=_PATIENCE, limits=limits) as client:
            return await asyncio.gather(*(visit(client, photo) for photo in photos))

    visits = asyncio.run(visit_all([photo.read_bytes() for photo in photos]))
    return [visit for own in visits for visit in own]


async def _compare(client: httpx.AsyncClient, photo: bytes) -> Visit:
    """Upload a photo and wait for its comparison, as any program can."""
    started = time.perf_counter()
    (path,) = (await client.post("gradio_api/upload", files={"files": photo})).json()
    body = {"photo": {"path": path, "meta": {"_type": "gradio.FileData"}}}
    event = await client.post("gradio_api/call/v2/compare", json=body)
    kind, data = "", ""
    if event.is_success:
        stream = await client.get(f"gradio_api/call/compare/{event.json()['event_id']}")
        kind, data = stream.text.strip().splitlines()[-2:]
    answer = data.removeprefix("data: ") if kind == "event: complete" else None
    return Visit(time.perf_counter() - started, answer)


def same(result: str, expected: dict) -> bool:
    """Whether two results have the same faces and, within the tolerance, the same points."""
    (answer,) = json.loads(result)
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
