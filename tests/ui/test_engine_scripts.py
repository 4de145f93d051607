"""The engine in the browser, function by function: Node's answers are those of Python."""

import dataclasses
import json
import shutil
import subprocess
from pathlib import Path

import cv2
import numpy as np
import pytest
import torch
from helpers.faces import compared_face

from kpdemo import ui
from kpdemo.faces.crop import Crop
from kpdemo.faces.pyramid import Pyramid
from kpdemo.keypoints import markups
from kpdemo.models import browser_files, crop_rules, mesh_to_ibug
from kpdemo.models.config import ExpectedError, Framing
from kpdemo.models.nets import Output
from kpdemo.models.predict import (
    average,
    calibrated,
    error_signals,
    expected_error,
    halves,
    mass_around,
)
from kpdemo.structures import Comparison, Face, Prediction
from kpdemo.zoo import WEIGHTS_DIR

SCRIPTS = Path(__file__).with_name("scripts")
CROPS = (
    Crop(256.4, 130.2, 70, 70, 11.0),  # enlarged
    Crop(230, 140.5, 200, 200, -33.0),  # shrunk twice
    Crop(20, 15, 400, 400, 170.0),  # beyond the photo
    Crop(250, 250, 900, 900, 4.0),  # all of it
)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The scripts as modules that Node runs, and room for what they are compared with."""
    folder = tmp_path_factory.mktemp("scripts")
    shutil.copytree(Path(ui.__file__).with_name("engine"), folder / "engine")
    shutil.copy(SCRIPTS / "engine.test.js", folder)
    shutil.copy(mesh_to_ibug.FITTED, folder / "mesh_to_ibug.safetensors")
    (folder / "package.json").write_text('{"type": "module"}')
    return folder


def test_functions_answer_as_pythons(folder: Path, astronaut: np.ndarray) -> None:
    node = shutil.which("node")
    if node is None:
        pytest.skip("Node.js is not installed: no unit tests of the engine's scripts.")
    cases = {
        **pixel_cases(folder, astronaut),
        "places": [place_case(crop) for crop in CROPS],
        "framings": framing_cases(),
        "rules": json.loads(crop_rules.MEASURED.read_text()),
        "centerface": settings()["centerface"],
        "mesh": mesh_case(),
        "answers": [answer_case(n, heat, flip) for n, heat, flip in ANSWERS],
        "comparisons": comparison_cases(),
    }
    (folder / "cases.json").write_text(json.dumps(cases))
    command = [node, "--test", "engine.test.js"]
    result = subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120)
    assert result.returncode == 0, result.stdout


def settings() -> dict:
    """What the scripts get from Python."""
    files = browser_files.files({"unet": WEIGHTS_DIR / "unet"})
    return json.loads(files[browser_files.SETTINGS])


def pixel_cases(folder: Path, photo: np.ndarray) -> dict:
    """Crops, levels and greys by OpenCV, each with the file of its pixels."""
    photo = np.ascontiguousarray(photo[:401, :512])
    grey = cv2.cvtColor(photo, cv2.COLOR_RGB2GRAY)
    count = 0

    def file(pixels: np.ndarray) -> str:
        nonlocal count
        count += 1
        (folder / f"{count}.bin").write_bytes(np.ascontiguousarray(pixels).tobytes())
        return f"{count}.bin"

    def picture(pixels: np.ndarray) -> dict:
        height, width = pixels.shape[:2]
        channels = 1 if pixels.ndim == 2 else 3
        return {"file": file(pixels), "width": width, "height": height, "channels": channels}

    pictures = [(photo, picture(photo)), (grey, picture(grey))]
    pyramid = Pyramid(photo)
    return {
        "photo": pictures[0][1],
        "grey": pictures[1][1]["file"],
        "crops": [
            {"photo": row, "crop": vars(crop), "side": side, "file": file(crop.cut(p, side, side))}
            for p, row in pictures
            for crop in CROPS
            for side in (96, 112)
        ],
        "shrunk": [
            {"size": size, "file": file(cv2.resize(photo, size, interpolation=cv2.INTER_AREA))}
            for size in ((256, 201), (171, 134), (128, 401), (205, 160))
        ],
        "pyramid": [
            {"crop": vars(crop), "side": 64, "file": file(pyramid.cut(crop, 64))} for crop in CROPS
        ],
    }


def place_case(crop: Crop) -> dict:
    points = [[-1.0, -1.0], [0.25, 0.5], [1.0, -0.3]]
    return {"crop": vars(crop), "points": points, "photo": crop.to_photo(points).tolist()}


def framing_cases() -> list[dict]:
    points = np.array([[80, 90], [121, 84], [103, 108], [105, 126], [60, 99], [141, 87]])
    face = Face((60.0, 70.0, 142.0, 152.0), 0.9, points.astype(np.float32), -8.3)
    framings = Framing("keypoint-box", 1.2), Framing("kaggle"), Framing("imm-picture")
    return [
        {
            "framing": vars(framing),
            "face": vars(face) | {"keypoints": points.tolist()},
            "crop": list(vars(crop_rules.from_face(framing, face)).values()),
        }
        for framing in framings
    ]


def mesh_case() -> dict:
    mesh = np.random.default_rng(0).uniform(50, 250, (478, 2)).astype(np.float32)
    fitted = mesh_to_ibug.by_map(mesh)
    return {
        "points": mesh.tolist(),
        "settings": settings()["mesh"],
        "readings": {
            "ibug-68": mesh_to_ibug.by_index(mesh).tolist(),
            "ibug-68-fitted": fitted.tolist(),
            "kaggle-15-fitted": markups.convert(fitted, "ibug-68", "kaggle-15").tolist(),
        },
    }


# Markup, whether there are heatmaps, whether the flip test is used.
ANSWERS = (("ibug-68", True, True), ("kaggle-15", True, False), ("ibug-68", False, True))


def answer_case(name: str, with_maps: bool, flip_test: bool) -> dict:
    """Two faces' outputs, and what `kpdemo.models.predict` makes of them."""
    noise = torch.Generator().manual_seed(1)
    scheme = markups.get(name)
    points = len(scheme)
    keypoints = torch.rand(4, points, 2, generator=noise) * 0.1 - 0.05
    maps = torch.rand(4, points, 12, 16, generator=noise) ** 4 if with_maps else None
    matrix = torch.randn(2 * points + 1, 2 * points, generator=noise) / 100
    fitted = ExpectedError(tuple(torch.rand(points, generator=noise).tolist()), (0.2, 0.4))
    direct, mirrored = halves(Output(keypoints, maps), name)
    mean = average(direct, mirrored).keypoints if flip_test else direct.keypoints
    disagreement = (direct.keypoints - mirrored.keypoints).norm(dim=-1)
    confidence = (1 - disagreement / 0.1).clamp(0, 1)
    if maps is not None:
        confidence = mass_around(maps if flip_test else maps[:2], mean, name)
    signals = error_signals(disagreement, None if maps is None else confidence).numpy()
    expected = expected_error(signals, fitted)
    assert expected is not None
    return {
        "name": f"{name}, heatmaps {with_maps}, flip test {flip_test}",
        "count": 2,
        "output": {
            "keypoints": keypoints.tolist(),
            "heatmaps": None if maps is None else maps.tolist(),
            "height": 12,
            "width": 16,
        },
        "settings": {
            "mirror": scheme.mirror,
            "flipTest": flip_test,
            "calibration": matrix.tolist(),
            "expectedError": dataclasses.asdict(fitted),
        },
        "expected": {
            "keypoints": calibrated(mean, matrix).tolist(),
            "confidence": confidence.tolist(),
            "expected_error": expected.tolist(),
        },
    }


def comparison_cases() -> list[dict]:
    """Results with no face, with one that MediaPipe does not confirm, and with faces left out."""
    points = np.array([[3.14159, 2.5], [40, 30.0004]], np.float32)
    net = Prediction("nose-1", points, np.array([0.12345, 1.0]), 3.14159)
    mesh = Prediction("mediapipe-478", points, None, 20.0)
    both = compared_face((1, 2, 31.234, 32.0), {"simplenet": net, "mediapipe": mesh})
    one = compared_face((1, 2, 31.234, 32.0), {"simplenet": net}, {"mediapipe": "no face here"})
    models = ["simplenet", "mediapipe"]
    cases = ([], 0), ([one], 0), ([both, one], 3)
    return [
        {
            "models": models,
            "left_out": left_out,
            "faces": [
                {
                    "face": vars(f.detection) | {"keypoints": f.detection.keypoints.tolist()},
                    "answers": {
                        name: prediction.to_dict() for name, prediction in f.predictions.items()
                    },
                }
                for f in faces
            ],
            "expected": Comparison(
                64,
                48,
                faces,
                {"load": 1.234, "total": 5.678},
                {},
                left_out,
                dict.fromkeys(models, "cpu"),
            ).to_dict(),
        }
        for faces, left_out in cases
    ]
