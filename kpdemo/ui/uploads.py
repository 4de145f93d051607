"""Gradio's folder of uploads: one of this program's own, where nothing grows old.

Gradio's `delete_cache` forgets some copies, such as a picture that an MCP client sent as text.
"""

import atexit
import os
import shutil
import tempfile
import threading
import time
from contextlib import suppress
from pathlib import Path

# Seconds between looks into the folder, and the age at which a file in it is deleted.
EVERY, AGE = 60, 300
_VARIABLE = "GRADIO_TEMP_DIR"


def claim() -> Path | None:
    """Give Gradio a folder that is deleted with this program; None where the user named one.

    Only before Gradio is imported, because that is when it reads the name.
    """
    if _VARIABLE in os.environ:
        return None
    folder = Path(tempfile.mkdtemp(prefix="kpdemo-uploads-"))
    os.environ[_VARIABLE] = str(folder)
    atexit.register(shutil.rmtree, folder, ignore_errors=True)
    threading.Thread(target=_keep_clean, args=(folder,), daemon=True).start()
    return folder


def sweep(folder: Path, age: float) -> None:
    """Delete the files under `folder` that are older than `age` seconds."""
    eldest = time.time() - age
    for path in folder.rglob("*"):
        try:
            if path.is_file() and path.stat().st_mtime < eldest:
                path.unlink()
        except OSError:  # somebody else deleted it first
            continue


def _keep_clean(folder: Path) -> None:
    while folder.exists():
        with suppress(OSError):  # the folder went while it was looked through
            sweep(folder, AGE)
        time.sleep(EVERY)
