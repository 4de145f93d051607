"""The benchmark of the engine in the browser, but for the browser itself."""

from collections import defaultdict
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from helpers.faces import compared_face

from kpdemo.benchmark import browser
from kpdemo.benchmark.browser_page import comparison
from kpdemo.evaluation import labels as label_files
from kpdemo.structures import ComparedFace, Comparison, Prediction


def result(*faces: ComparedFace) -> Comparison:
    return Comparison(640, 480, list(faces), {"total": 5.0}, {}, 0, {"unet": "wasm"})


def face(x: float, shift: float = 0.0) -> ComparedFace:
    points = np.array([[x + 10, 20], [x + 30, 20.5]])
    net = Prediction(
        "nose-1", points + shift, np.array([0.5, 1.0]), 3.0, {}, None, np.array([2.5, 3])
    )
    mesh = Prediction("mediapipe-478", points, None, 9.0, {"ibug-68": points + (0, 2 * shift)})
    predictions = {"unet": net, "mediapipe": mesh}
    return compared_face((x, 0, x + 40, 40), predictions, {"simplenet": "no face here"})


def test_a_result_of_the_browser_is_read_whole() -> None:
    data = replace(result(face(0), face(200)), faces_left_out=2).to_dict()
    assert comparison(data).to_dict() == data


def test_distances_are_of_all_points_on_the_faces_of_both() -> None:
    gaps: dict[str, list[np.ndarray]] = defaultdict(list)
    assert browser.add(gaps, result(face(0), face(200)), result(face(203, 3.0), face(400))) == 1
    (net,), (mesh,) = gaps["unet"], gaps["mediapipe"]
    np.testing.assert_allclose(net, [np.hypot(6, 3)] * 2)
    np.testing.assert_allclose(mesh, [3, 3, np.hypot(3, 6), np.hypot(3, 6)])


def test_bytes_are_counted_by_what_they_are_for() -> None:
    files = {
        "runtimes/ort/ort.mjs": 1,
        "runtimes/vision/vision.wasm": 2,
        "models/unet/model.onnx": 4,
        "models/unet/model.safetensors": 8,
        "mediapipe/centerface.onnx": 16,
        "mesh_to_ibug.safetensors": 32,
    }
    expected = {"runtimes": 3, "unet": 12, "mediapipe": 48, "total": 63}
    assert browser.downloads(files) == expected


def test_twenty_photos_of_one_size() -> None:
    photos = list(browser.photos())
    assert [photo.shape for photo in photos] == [(480, 640, 3)] * 20
    assert len({photo.tobytes() for photo in photos}) == 20


def test_labelled_photos_are_taken_from_first_to_last(tmp_path: Path, hopper_path: Path) -> None:
    points = "".join(f"{100 + k} {100 + k % 7}\n" for k in range(68))
    for number in range(7):
        (tmp_path / f"{number}.jpg").symlink_to(hopper_path)
        (tmp_path / f"{number}.pts").write_text(f"version: 1\nn_points: 68\n{{\n{points}}}\n")
    labels = label_files.read(tmp_path)
    assert [photo.name for photo in browser.spread(labels, 3).photos] == ["0.jpg", "3.jpg", "6.jpg"]
    assert browser.spread(labels, 60).photos == labels.photos


def test_without_the_runtimes_it_says_how_to_get_them(tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    with pytest.raises(RuntimeError, match="Run python -m kpdemo browser first"):
        browser.measure()
