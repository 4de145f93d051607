"""The Space's entry: `python app.py` starts the page."""

from contextlib import suppress

with suppress(ImportError):
    import spaces  # noqa: F401  on ZeroGPU it must come before torch

from kpdemo.ui import LAUNCH, build

demo = build()

if __name__ == "__main__":
    demo.launch(**LAUNCH)
