"""The page in a process of its own, as for visitors and other programs."""

import os
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

ROOT = Path(__file__).parents[2]
_PATIENCE = 240  # seconds; ten where nothing else runs
_LOG_TAIL = 3000  # characters of the log in an error


@contextmanager
def serve_page(folder: Path, **variables: str) -> Iterator[str]:
    """The address at which `python app.py` answers, until the block ends.

    Its cache and its `log` are in `folder`; `variables` are put into its environment. Raises
    RuntimeError, with the end of the log, if it does not answer.
    """
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    own = {"GRADIO_SERVER_PORT": str(port), "GRADIO_TEMP_DIR": str(folder / "cache")}
    environment, log = os.environ | own | variables, folder / "log"
    with log.open("w") as file:
        app = subprocess.Popen(
            [sys.executable, "app.py"], cwd=ROOT, env=environment, stdout=file, stderr=file
        )
    url = f"http://127.0.0.1:{port}/"
    try:
        end = time.monotonic() + _PATIENCE
        while not _answers(url):
            if time.monotonic() > end or app.poll() is not None:
                raise RuntimeError(f"The app did not answer:\n{log.read_text()[-_LOG_TAIL:]}")
            time.sleep(0.1)
        yield url
    finally:
        app.terminate()
        app.wait(_PATIENCE)


def _answers(url: str) -> bool:
    with suppress(OSError), urllib.request.urlopen(url, timeout=5):
        return True
    return False
