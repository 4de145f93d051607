"""`python -m kpdemo.benchmark archive OUT.json`: an archive that is killed twice, and a folder.

Both compute the same photos with the default models, one after the other, on the same cores; one
photo of a hundred is damaged. The archive is killed at random moments and started again, until it
has all photos, which are then compared with what `kpdemo.compare` says.
"""

import os
import random
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections import Counter
from collections.abc import Iterable, Mapping
from itertools import cycle
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import psutil
import pyarrow.parquet as pq

from kpdemo.archive import archive
from kpdemo.archive.places import Place
from kpdemo.benchmark.server import ROOT
from kpdemo.benchmark.visitors import TOLERANCE, write_photos
from kpdemo.engine import folder as folder_mode
from kpdemo.engine.engine import engine
from kpdemo.structures import Comparison

PHOTOS = 2000
DIFFERENT = 50  # of them
ONE_BAD_OF = 100
BATCH = 64
KILLS = 2
SEED = 18
_LATER = 2.0  # seconds at most from a photo to the kill, so that it comes anywhere in a batch
_LAST = 0.75  # of the photos, after which none is killed: it might have ended
_PATIENCE = 300.0


class Audit(NamedTuple):
    """What is wrong with an archive's rows, in photos.

    `wrong` are those with other faces or models than in `kpdemo.compare`, or points further away
    than `TOLERANCE`; `unnamed` are damaged ones without an error. `furthest` is in pixels.
    """

    missing: int
    twice: int
    wrong: int
    unnamed: int
    furthest: float


def measure(photos: int = PHOTOS, kills: int = KILLS, batch: int = BATCH) -> dict[str, Any]:
    """Photos a second of the folder mode and of the archive: with all starts and what the kills
    cost, and without, from each start's first batches to its last one."""
    app, cores, rng = engine(), os.cpu_count() or 1, random.Random(SEED)
    app.warm_up()
    with tempfile.TemporaryDirectory(prefix="kpdemo-") as name:
        scratch = Path(name)
        pictures = write_photos(scratch / "pictures", DIFFERENT)
        used = _write(scratch / "photos", pictures, photos, rng)
        folder = folder_mode.run(app, scratch / "photos", scratch / "out.csv", "csv", None)
        expected = {path: app.compare(path) for path in set(used.values()) if path is not None}
        out = scratch / "out"
        command = [sys.executable, "-m", "kpdemo", "archive", str(scratch / "photos"), str(out)]
        command += ["--workers", f"{cores}:{cores}", "--batch", str(batch)]
        killed_after: list[int] = []
        written: list[set[Path]] = []
        started = time.perf_counter()
        for moment in [*sorted(rng.sample(range(1, int(_LAST * photos)), kills)), None]:
            before = _files(out)
            _run(command, out, moment, rng.uniform(0, _LATER))
            if moment is not None:
                killed_after.append(archive.count(Place.of(str(out))))
            written.append(_files(out) - before)
        seconds = time.perf_counter() - started
        # Of what was half written when it was killed, nothing is left.
        paces = [_pace(files & _files(out), cores) for files in written]
        rows = pq.read_table(out / "photos").to_pylist()
    found = audit(
        rows, {name: None if path is None else expected[path] for name, path in used.items()}
    )
    folder_rate = photos / folder.seconds
    steady = sum(count for count, _ in paces) / sum(duration for _, duration in paces)
    return {
        "photos": photos,
        "damaged": sum(path is None for path in used.values()),
        "cores": cores,
        "killed_after": killed_after,
        **found._asdict(),
        "folder_photos_per_second": round(folder_rate, 2),
        "archive_photos_per_second": round(photos / seconds, 2),
        "archive_photos_per_second_once_started": round(steady, 2),
        "archive_to_folder_ratio_once_started": round(steady / folder_rate, 2),
    }


def audit(rows: Iterable[Mapping[str, Any]], expected: Mapping[str, Comparison | None]) -> Audit:
    """Compare an archive's rows with what is expected of each photo, None where it is damaged."""
    rows = list(rows)
    times = Counter(row["path"] for row in rows)
    distances = [
        _distance(row, comparison)
        for row in rows
        if (comparison := expected[row["path"]]) is not None
    ]
    return Audit(
        missing=len(expected.keys() - times),
        twice=sum(number > 1 for number in times.values()),
        wrong=sum(distance > TOLERANCE for distance in distances),
        unnamed=sum(expected[row["path"]] is None and not row["error"] for row in rows),
        furthest=round(max(distances, default=0.0), 3),
    )


def _distance(row: Mapping[str, Any], comparison: Comparison) -> float:
    """How far a row's points are from a comparison's, at most; infinite if it has others."""
    if row["error"] or len(row["faces"]) != len(comparison.faces):
        return float("inf")
    furthest = 0.0
    for face, own in zip(row["faces"], comparison.faces, strict=True):
        points = {(each["model"], each["markup"]): each for each in face["points"]}
        predictions = {
            (model, markup): keypoints
            for model, prediction in own.predictions.items()
            for markup, keypoints in {
                prediction.markup: prediction.keypoints,
                **prediction.converted,
            }.items()
        }
        if points.keys() != predictions.keys():
            return float("inf")
        for key, keypoints in predictions.items():
            there = np.transpose([points[key]["x"], points[key]["y"]])
            furthest = max(furthest, float(np.abs(there - keypoints).max()))
    return furthest


def _write(
    folder: Path, pictures: list[Path], count: int, rng: random.Random
) -> dict[str, Path | None]:
    """So many photos, some of them cut off: which picture each one is, None for these."""
    folder.mkdir()
    used: dict[str, Path | None] = {}
    for number, picture in zip(range(count), cycle(pictures), strict=False):
        name = f"{number:06}{picture.suffix}"
        shutil.copy(picture, folder / name)
        used[name] = picture
    for name in rng.sample(sorted(used), count // ONE_BAD_OF):
        size = (folder / name).stat().st_size
        os.truncate(folder / name, rng.randrange(size // 2))
        used[name] = None
    return used


def _run(command: list[str], out: Path, until: int | None, later: float) -> None:
    """Run a command, and kill it `later` seconds after so many photos are in `out`, if not None."""
    log = out.with_suffix(".log")
    with (
        log.open("w") as file,
        subprocess.Popen(
            command, cwd=ROOT, stdout=file, stderr=file, start_new_session=True
        ) as process,
    ):
        if until is None:
            return
        while process.poll() is None and archive.count(Place.of(str(out))) < until:
            time.sleep(0.1)
        time.sleep(later)
        if process.poll() is not None:
            raise RuntimeError(f"The archive was not to end by itself:\n{log.read_text()}")
        others = psutil.Process(process.pid).children(recursive=True)
        os.killpg(process.pid, signal.SIGKILL)
    # Ray's own notice, and end.
    if psutil.wait_procs(others, _PATIENCE)[1]:
        raise RuntimeError("Processes of a killed archive are still there.")


def _files(out: Path) -> set[Path]:
    return set((out / "photos").glob("*.parquet"))


def _pace(files: Iterable[Path], workers: int) -> tuple[int, float]:
    """The photos that were written after each worker's first batch, and the seconds they took."""
    by_time = sorted((path.stat().st_mtime, pq.read_metadata(path).num_rows) for path in files)
    if len(by_time) <= workers:
        return 0, 0.0
    return sum(rows for _, rows in by_time[workers:]), by_time[-1][0] - by_time[workers - 1][0]
