"""`python -m kpdemo.benchmark OUT.json`: every model's size and time beside MediaPipe's, and what a
comparison costs beyond them.

All times are from one run on one machine: compare them with each other, not with other machines'.
"""

import json
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

import matplotlib
import numpy as np
import torch
from gradio_client import Client, handle_file
from PIL import Image
from torch.utils.flop_counter import FlopCounterMode

from kpdemo.benchmark.server import ROOT, serve_page
from kpdemo.engine import export
from kpdemo.engine import folder as folder_mode
from kpdemo.engine.engine import engine
from kpdemo.engine.store import model_folders
from kpdemo.faces.mediapipe_task import BaselineUnavailable, task_bytes
from kpdemo.media import images
from kpdemo.models import checkpoint, model_folder
from kpdemo.models.checkpoint import Model, normalise
from kpdemo.models.device import autocast, describe, has_bf16, pick
from kpdemo.models.model_folder import CheckpointError
from kpdemo.models.predict import predict
from kpdemo.zoo import BASELINE, DEFAULT_MODELS

ROUNDS, STARTS = 30, 3
BATCH = 8


def milliseconds(actions: Mapping[str, Callable[[], object]], rounds: int) -> dict[str, float]:
    """Median time of each action, by name.

    The actions alternate within each round, so that a slow moment of the machine affects all.
    Before each measured call the action runs once unmeasured, so that the caches and spinning
    threads of the action before it do not count.
    """
    times: dict[str, list[float]] = {name: [] for name in actions}
    for _ in range(rounds):
        for name, action in actions.items():
            action()
            started = time.perf_counter()
            action()
            times[name].append(1000 * (time.perf_counter() - started))
    return {name: statistics.median(values) for name, values in times.items()}


def photo_640x480() -> np.ndarray:
    """matplotlib's Grace Hopper on a grey 640×480 ground: one face."""
    path = Path(matplotlib.get_data_path()) / "sample_data" / "grace_hopper.jpg"
    with Image.open(path) as file:
        portrait = file.convert("RGB").resize((410, 480))
    canvas = Image.new("RGB", (640, 480), (128, 128, 128))
    canvas.paste(portrait, (115, 0))
    return np.array(canvas)


def folder_rates(count: int = 64, rounds: int = 3) -> dict[str, float]:
    """Photos per second of the folder mode into a CSV file, and of two ways to compare photo by
    photo: `kpdemo.compare` in this process, and the page's `/compare` endpoint.

    All decode JPEG files, run the default models and MediaPipe, and write the results; they
    alternate, and each rate is the median over the rounds.
    """
    app = engine()
    with tempfile.TemporaryDirectory() as scratch, serve_page(Path(scratch)) as url:
        client = Client(url, verbose=False, analytics_enabled=False)
        photos = Path(scratch) / "photos"
        photos.mkdir()
        for number in range(count):
            # Moved sideways, so that no two files are the same.
            picture = Image.fromarray(np.roll(photo_640x480(), number, 1))
            picture.save(photos / f"{number:03}.jpg", quality=92)
        paths = sorted(photos.iterdir())

        def folder(out: Path) -> None:
            folder_mode.run(app, photos, out, "csv", None)

        def compare(out: Path) -> None:
            with out.open("w") as file:
                for path in paths:
                    file.write(export.to_csv(app.compare(path).to_dict(), path.name))

        def endpoint(out: Path) -> None:
            with out.open("w") as file:
                for path in paths:
                    json.dump(client.predict(handle_file(path), api_name="/compare"), file)

        ways = (folder, compare, endpoint)
        seconds: dict[str, list[float]] = {way.__name__: [] for way in ways}
        for number in range(rounds):
            for way in ways:
                started = time.perf_counter()
                way(Path(scratch) / f"{way.__name__}-{number}")
                seconds[way.__name__].append(time.perf_counter() - started)
    rates = {name: count / statistics.median(times) for name, times in seconds.items()}
    return {f"{name}_photos_per_second": round(rate, 2) for name, rate in rates.items()} | {
        "folder_to_compare_ratio": round(rates["folder"] / rates["compare"], 2),
        "folder_to_endpoint_ratio": round(rates["folder"] / rates["endpoint"], 2),
    }


def seconds_to_first_page(**variables: str) -> float:
    """From starting `python app.py` to the first response, with these environment variables."""
    with tempfile.TemporaryDirectory(prefix="kpdemo-") as scratch:
        started = time.perf_counter()
        with serve_page(Path(scratch), **variables):
            return time.perf_counter() - started


def seconds_with_a_silent_hub() -> float:
    """The same with a Hub that accepts requests and never answers."""
    with socket.socket() as silent, tempfile.TemporaryDirectory() as home:
        silent.bind(("127.0.0.1", 0))
        silent.listen(64)
        address = f"http://127.0.0.1:{silent.getsockname()[1]}"
        return seconds_to_first_page(KPDEMO_HUB="nobody", HF_ENDPOINT=address, HF_HOME=home)


def peak_memory() -> int:
    """Peak memory in MiB of a page's process after ten photos of 11 MP and 36 faces (Linux)."""
    script = """
import numpy, app
from kpdemo.benchmark.memory import peak_mib
from kpdemo.benchmark.speed import photo_640x480
from kpdemo.engine.engine import engine
for _ in range(10):
    engine().compare(numpy.tile(photo_640x480(), (6, 6, 1)))
print(peak_mib())
"""
    command = [sys.executable, "-c", script]
    return int(subprocess.run(command, cwd=ROOT, check=True, capture_output=True).stdout)


def multiply_adds(model: Model) -> int:
    """Multiply-adds of the bare net on one picture: convolutions and matrix products count."""
    size = model.config.input
    picture = torch.zeros(1, size.channels, size.height, size.width, device=model.device)
    with torch.inference_mode(), FlopCounterMode(display=False) as counter:
        model.net(picture)
    return counter.get_total_flops() // 2


def load_models(folders: Sequence[Path]) -> tuple[dict[str, Model], dict[str, str]]:
    """The models that can be used, on the engine's device; a sentence for each of the others."""
    models, unavailable = {}, {}
    for folder in folders:
        try:
            model = checkpoint.load(folder)
        except CheckpointError as error:
            unavailable[folder.name] = str(error)
        else:
            model.net.to(pick())
            models[folder.name] = model
    return models, unavailable


def measure(folders: Sequence[Path] | None = None, rounds: int = ROUNDS) -> dict:
    """Sizes and times of the models in `folders` (by default all that ship) and of MediaPipe.

    "models": `ms_1` is the time of one face, `ms_8` a face's share of eight in one batch, as the
    engine runs a net (a crop and its mirror image, made before); MediaPipe's time contains
    its own crop. `times_mediapipe` is the ratio for one face. "forward_milliseconds": bare forward
    passes of the default models on such a pair, against the whole comparison of a photo.
    Raises BaselineUnavailable where MediaPipe cannot run: it is what all else is compared with.
    """
    folders = model_folders() if folders is None else folders
    models, unavailable = load_models(folders)
    app = engine()
    if BASELINE not in app.names:
        raise BaselineUnavailable(app.unavailable[BASELINE])
    baseline = app.predictor(BASELINE)
    photo = images.from_array(photo_640x480())
    faces = app.detector.find(photo.pixels)[:1]
    actions: dict[str, Callable[[], object]] = {
        "detect": lambda: app.detector.find(photo.pixels),
        "compare": lambda: app.compare(photo),
        f"{BASELINE} 1": lambda: baseline.prepare(photo, faces),
        f"{BASELINE} {BATCH}": lambda: baseline.prepare(photo, faces * BATCH),
    }
    for name, model in models.items():
        actions[f"{name} 1"] = _prediction(model, 1)
        actions[f"{name} {BATCH}"] = _prediction(model, BATCH)
        if name in DEFAULT_MODELS:
            actions[f"{name} forward"] = _forward(model)
    times = milliseconds(actions, rounds)
    forward = {name: times[f"{name} forward"] for name in models if name in DEFAULT_MODELS}
    forward[BASELINE] = times[f"{BASELINE} 1"]
    sizes: dict[str, dict[str, int | None]] = {
        folder.name: {
            "parameters": models[folder.name].parameters,
            "bytes": (folder / model_folder.WEIGHTS).stat().st_size,
            "multiply_adds": multiply_adds(models[folder.name]),
        }
        for folder in folders
        if folder.name in models
    }
    sizes[BASELINE] = {"parameters": None, "bytes": len(task_bytes()), "multiply_adds": None}
    return {
        "photo": "640x480, one face",
        "device": describe(pick()),
        "precision": "bf16" if has_bf16(pick()) else "float32",
        "forward_milliseconds": {name: round(value, 2) for name, value in forward.items()},
        "detect_milliseconds": round(times["detect"], 2),
        "compare_milliseconds": round(times["compare"], 2),
        "compare_to_forward_ratio": round(times["compare"] / sum(forward.values()), 3),
        "models": {
            name: size
            | {
                "ms_1": round(times[f"{name} 1"], 2),
                "ms_8": round(times[f"{name} {BATCH}"] / BATCH, 2),
                "times_mediapipe": round(times[f"{name} 1"] / times[f"{BASELINE} 1"], 3),
            }
            for name, size in sizes.items()
        },
        "unavailable": unavailable,
    }


def _crops(model: Model, count: int) -> np.ndarray:
    """Noise in the shape of `count` face crops: no net is faster on one picture than on another."""
    shape = (count, *model.config.input.shape)
    return np.random.default_rng(0).integers(0, 256, shape, np.uint8)


def _prediction(model: Model, count: int) -> Callable[[], object]:
    crops = _crops(model, count)
    return lambda: predict(model, crops)


def _forward(model: Model) -> Callable[[], object]:
    size, device = model.config.input, model.device
    pair = torch.from_numpy(_crops(model, 2)).reshape(2, size.height, size.width, size.channels)
    pictures = normalise(pair.permute(0, 3, 1, 2).to(device), size)

    @torch.inference_mode()
    def run() -> object:
        with autocast(device):
            # Copying to the CPU waits for the GPU to finish.
            return model.inference_net(pictures).keypoints.cpu()

    return run


def measure_all() -> dict:
    """Nets and MediaPipe, the start of the page, its memory, and folders; raises RuntimeError."""
    measured = measure()
    for start in (seconds_to_first_page, seconds_with_a_silent_hub):
        measured[start.__name__] = round(statistics.median(start() for _ in range(STARTS)), 1)
    measured["peak_memory_mib_after_ten_photos"] = peak_memory()
    return measured | folder_rates()
