"""`python -m kpdemo.benchmark archive OUT.json`: the archive's rate beside the folder mode's.

Both compute the same photos with the default models, one after the other, on the same machine.
"""

import os
import tempfile
from pathlib import Path
from typing import Any

from kpdemo.archive import archive
from kpdemo.archive.archive import Workers
from kpdemo.benchmark.visitors import write_photos
from kpdemo.engine import folder as folder_mode
from kpdemo.engine.engine import engine

PHOTOS = 400
BATCH = 16


def measure(count: int = PHOTOS) -> dict[str, Any]:
    """Photos a second of both; the archive's with Ray's start, and once its first block is written,
    until the last one is."""
    app, cores = engine(), os.cpu_count() or 1
    models, _ = app.choose(None)
    app.warm_up(models)
    with tempfile.TemporaryDirectory(prefix="kpdemo-") as scratch:
        photos = write_photos(Path(scratch) / "photos", count)[0].parent
        folder = folder_mode.run(app, photos, Path(scratch) / "out.csv", "csv", models)
        out = Path(scratch) / "out"
        result = archive.run(str(photos), str(out), models, Workers(cores, cores), BATCH)
        written = sorted(path.stat().st_mtime for path in (out / "photos").iterdir())
    folder_rate = count / folder.seconds
    steady = BATCH * (len(written) - 1) / (written[-1] - written[0])
    return {
        "photo": "640x480, one face",
        "photos": count,
        "cores": cores,
        "folder_photos_per_second": round(folder_rate, 2),
        "archive_photos_per_second": round(count / result.seconds, 2),
        "archive_photos_per_second_once_started": round(steady, 2),
        "archive_to_folder_ratio_once_started": round(steady / folder_rate, 2),
    }
