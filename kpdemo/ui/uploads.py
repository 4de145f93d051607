"""Gradio's folder of uploads: one of this program's own, emptied of old files.

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

# Seconds between checks of the folder, and the age at which a file in it is deleted.
EVERY, MAX_AGE = 60, 300
_VARIABLE = "GRADIO_TEMP_DIR"


def claim() -> Path | None:
    """Give Gradio a folder that is deleted with this program; None where the user named one.

    Call it before Gradio is imported, which is when the name is read.
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
    oldest = time.time() - age
    for path in folder.rglob("*"):
        try:
            if path.is_file() and path.stat().st_mtime < oldest:
                path.unlink()
        except OSError:  # somebody else deleted it first
            continue


def _keep_clean(folder: Path) -> None:
    while folder.exists():
        with suppress(OSError):  # the folder was deleted meanwhile
            sweep(folder, MAX_AGE)
        time.sleep(EVERY)
