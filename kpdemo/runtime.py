"""The order of start-up, with its reasons: what must happen before other packages are imported.

`kpdemo/__init__.py` calls `prepare` first of all, so it holds for the page, the shell and every
program that imports kpdemo.
"""

import importlib
import os
import signal
import sys
from contextlib import suppress
from threading import Thread

# Packages that would report usage to their makers: the Hub's client and Gradio's (at every call of
# an MCP tool), and ONNX Runtime. They read these variables when they are imported.
_NO_TELEMETRY = {
    "HF_HUB_DISABLE_TELEMETRY": "1",
    "GRADIO_ANALYTICS_ENABLED": "False",
    "ORT_DISABLE_TELEMETRY": "1",
}


def prepare() -> None:
    """Before torch is imported: nobody is told of it, and ZeroGPU comes first."""
    os.environ.update(_NO_TELEMETRY)
    # Idle OpenMP threads sleep instead of spinning: MediaPipe and other visitors need the cores,
    # and on two cores a net would wait for its own second thread.
    os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
    # On ZeroGPU, `spaces` replaces parts of torch, and must be imported before it.
    if os.environ.get("SPACES_ZERO_GPU"):
        with suppress(ImportError):
            importlib.import_module("spaces")


def serve() -> None:
    """Serve the page until the process is terminated."""
    from kpdemo.engine import zerogpu
    from kpdemo.engine.engine import engine

    # Weights are loaded, and the Hub is waited for, while Gradio is imported, which takes long. On
    # ZeroGPU that has to happen in the main thread, before the page is launched.
    if not zerogpu.is_available():
        Thread(target=engine).start()
    # Imports Gradio, after it has been given its folder of uploads (`kpdemo/ui/__init__.py`).
    from kpdemo.ui import LAUNCH, build

    page = build()
    # Clean up photos when the process is terminated (`docker stop`, `kill`).
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())
    page.launch(**LAUNCH)
