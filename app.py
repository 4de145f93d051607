"""The Space's entry: `python app.py` starts the page."""

import os
import signal
import sys
from contextlib import suppress
from threading import Thread

# Before torch: its threads shall sleep, not spin, while others work. MediaPipe's threads and other
# visitors need the cores, and on two of them a net then waits for its own second thread.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")

with suppress(ImportError):
    import spaces  # noqa: F401  on ZeroGPU it must come before torch

from kpdemo.engine import zerogpu
from kpdemo.engine.engine import engine

# Weights are loaded, and the Hub is waited for, while Gradio is imported, which takes long.
if not zerogpu.here():
    Thread(target=engine).start()

from kpdemo.ui import LAUNCH, build

demo = build()

if __name__ == "__main__":
    # Else photos stay on the disk when the program is told to end (`docker stop`, `kill`).
    signal.signal(signal.SIGTERM, lambda *_: sys.exit())
    demo.launch(**LAUNCH)
