"""`python -m kpdemo.benchmark OUT.json`: what a comparison costs beyond the bare nets.

Times are ratios from one run on one machine; nothing here is a test.
"""

import argparse
import contextlib
import json
import os
import socket
import statistics
import subprocess
import sys
import time
import urllib.request
from collections.abc import Callable
from pathlib import Path

import matplotlib
import numpy as np
import torch
from PIL import Image

from kpdemo.checkpoint import normalise
from kpdemo.compare import DEFAULT_MODELS, engine
from kpdemo.device import autocast

ROUNDS = 30
ROOT = Path(__file__).parents[1]


def milliseconds(action: Callable[[], object], rounds: int = ROUNDS) -> float:
    """Median time of an action after three warm-up calls."""
    times = []
    for number in range(rounds + 3):
        started = time.perf_counter()
        action()
        if number >= 3:
            times.append(1000 * (time.perf_counter() - started))
    return statistics.median(times)


def photo_640x480() -> np.ndarray:
    """matplotlib's Grace Hopper on a grey 640×480 ground: one face."""
    path = Path(matplotlib.get_data_path()) / "sample_data" / "grace_hopper.jpg"
    with Image.open(path) as picture:
        picture = picture.convert("RGB").resize((410, 480))
    canvas = Image.new("RGB", (640, 480), (128, 128, 128))
    canvas.paste(picture, (115, 0))
    return np.array(canvas)


def seconds_to_first_page() -> float:
    """From `python app.py` to the page's first answer."""
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    started = time.perf_counter()
    environment = os.environ | {"GRADIO_SERVER_PORT": str(port)}
    with subprocess.Popen(
        [sys.executable, "app.py"], cwd=ROOT, env=environment, stdout=subprocess.DEVNULL
    ) as process:
        try:
            while process.poll() is None:
                with contextlib.suppress(OSError):
                    urllib.request.urlopen(f"http://127.0.0.1:{port}/", timeout=5).read()
                    return time.perf_counter() - started
                time.sleep(0.1)
            raise RuntimeError(f"app.py ended with status {process.returncode}.")
        finally:
            process.terminate()


def peak_memory() -> int:
    """Mebibytes that a process with the app's page takes for ten photos of 11 MP and 36 faces."""
    script = """
import resource, numpy, app
from kpdemo.benchmark import photo_640x480
from kpdemo.compare import engine
for _ in range(10):
    engine().compare(numpy.tile(photo_640x480(), (6, 6, 1)))
print(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss // 1024)
"""
    command = [sys.executable, "-c", script]
    return int(subprocess.run(command, cwd=ROOT, check=True, capture_output=True).stdout)


def measure() -> dict:
    """Bare forward passes (one face, as the engine feeds them) against the whole comparison."""
    models = engine()
    photo = photo_640x480()
    forward = {}
    with torch.inference_mode():
        for name in DEFAULT_MODELS:
            model = models.models[name]
            size = model.config.input
            face = torch.randint(0, 256, (2, size.channels, size.height, size.width))
            picture = normalise(face.to(torch.uint8), size)

            def run(net=model.net, picture=picture) -> None:
                with autocast(torch.device("cpu")):
                    net(picture)

            forward[name] = milliseconds(run)
    faces = models.finder.find(photo)
    forward["mediapipe"] = milliseconds(lambda: models.baseline.keypoints(photo, faces))
    whole = milliseconds(lambda: models.compare(photo))
    detect = milliseconds(lambda: models.finder.find(photo))
    return {
        "photo": "640x480, one face",
        "threads": torch.get_num_threads(),
        "forward_milliseconds": {name: round(value, 2) for name, value in forward.items()},
        "detect_milliseconds": round(detect, 2),
        "compare_milliseconds": round(whole, 2),
        "compare_to_forward_ratio": round(whole / sum(forward.values()), 3),
        "seconds_to_first_page": round(seconds_to_first_page(), 1),
        "peak_memory_mib_after_ten_photos": peak_memory(),
    }


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("output", type=Path, nargs="?")
    options = parser.parse_args()
    measured = json.dumps(measure(), indent=1)
    print(measured)
    if options.output:
        options.output.write_text(measured + "\n")
