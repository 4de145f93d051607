"""`python -m kpdemo.benchmark OUT.json`: what a comparison costs beyond the bare nets.

Times are ratios from one run on one machine; nothing here is a test.
"""

import argparse
import json
import resource
import statistics
import time
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
        "peak_memory_mib": round(resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024),
    }


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("output", type=Path, nargs="?")
    options = parser.parse_args()
    measured = json.dumps(measure(), indent=1)
    print(measured)
    if options.output:
        options.output.write_text(measured + "\n")
