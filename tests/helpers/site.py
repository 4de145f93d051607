"""The page without a server, as any static host serves it."""

import os
import re
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from helpers.visitor import PATIENCE


class StaticHost:
    """`python -m http.server` in a folder, as one would start it by hand."""

    def __init__(self, folder: Path, log: Path) -> None:
        self._log = log
        with socket.socket() as free:
            free.bind(("127.0.0.1", 0))
            port = free.getsockname()[1]
        self.url = f"http://127.0.0.1:{port}/"
        command = [sys.executable, "-m", "http.server", str(port)]
        with log.open("w") as file:
            self._process = subprocess.Popen(
                [*command, "--bind", "127.0.0.1"],
                cwd=folder,
                stdout=subprocess.DEVNULL,
                stderr=file,
                env=os.environ | {"PYTHONUNBUFFERED": "1"},
            )

    def wait(self) -> None:
        end = time.monotonic() + PATIENCE
        while True:
            with suppress(OSError), urllib.request.urlopen(self.url, timeout=5):
                return
            assert time.monotonic() < end, "The static host did not answer."
            time.sleep(0.05)

    def requests(self) -> list[str]:
        """The paths that were asked for so far."""
        return re.findall(r'"GET (\S+) ', self._log.read_text())

    def stop(self) -> None:
        self._process.terminate()
        self._process.wait(PATIENCE)


@contextmanager
def serve_folder(folder: Path, log: Path) -> Iterator[StaticHost]:
    host = StaticHost(folder, log)
    try:
        host.wait()
        yield host
    finally:
        host.stop()
