"""Real faces that come with installed packages: no photograph lies in this repository."""

import os
import shutil
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from types import SimpleNamespace

import matplotlib
import numpy as np
import pytest
import skimage
from helpers import network
from helpers.hub_server import TOKEN, Hub
from huggingface_hub import close_session, constants, file_download
from huggingface_hub.utils import _http
from PIL import Image

from kpdemo import compare
from kpdemo.benchmark.server import serve_page
from kpdemo.faces.detector import FaceFinder
from kpdemo.models import browser_runtimes, pins
from kpdemo.zoo import BASELINE

# Gradio's client tells its makers that it is used, unless this is set, whatever it is told.
os.environ["GRADIO_ANALYTICS_ENABLED"] = "False"


# Files whose tests start programs, train, or compare many photos (markers: pyproject.toml).
SLOW = {
    "test_annotated_video.py",
    "test_api.py",
    "test_browser_runtimes.py",
    "test_calibration.py",
    "test_convolution.py",
    "test_detector.py",
    "test_engine.py",
    "test_people.py",
    "test_speed.py",
    "test_evaluate.py",
    "test_folder.py",
    "test_external_onnx.py",
    "test_trainer.py",
    "test_gradients.py",
    "test_network.py",
    "test_onnx.py",
    "test_onnx_graph.py",
    "test_corruptions.py",
    "test_space.py",
    "test_sweep.py",
    "test_toy_net.py",
    "test_training_benchmark.py",
    "test_zerogpu.py",
}


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Mark tests by folder, file and the fixtures that they need."""
    for item in items:
        if item.path.parent.name == "browser":
            item.add_marker(pytest.mark.browser)
        if "local_hub" in getattr(item, "fixturenames", ()):
            item.add_marker(pytest.mark.hub)
        # Golden keypoints are always checked.
        if item.path.name in SLOW and not item.name.startswith("test_golden"):
            item.add_marker(pytest.mark.slow)


@pytest.fixture(scope="session")
def hopper_path() -> Path:
    """A portrait of Grace Hopper, JPEG, 512 x 600, one frontal face."""
    return Path(matplotlib.get_data_path()) / "sample_data" / "grace_hopper.jpg"


@pytest.fixture(scope="session")
def astronaut_path() -> Path:
    """A portrait of Eileen Collins, PNG, 512 x 512, one face, slightly turned."""
    return Path(skimage.__file__).parent / "data" / "astronaut.png"


@pytest.fixture(scope="session")
def hopper(hopper_path: Path) -> np.ndarray:
    return np.asarray(Image.open(hopper_path).convert("RGB"))


@pytest.fixture(scope="session")
def astronaut(astronaut_path: Path) -> np.ndarray:
    return np.asarray(Image.open(astronaut_path).convert("RGB"))


@pytest.fixture(scope="session")
def half_face(hopper_path: Path) -> np.ndarray:
    """A photo of a face, half of it covered: the nets have points on it, MediaPipe has none."""
    for covered in range(230, 310, 10):
        photo = np.array(Image.open(hopper_path).convert("RGB"))
        photo[:, :covered] = 127
        if any(face.missing for face in compare(photo, ["simplenet", BASELINE]).faces):
            return photo
    pytest.fail("MediaPipe finds a mesh on each half of a face.")


@pytest.fixture(scope="session")
def finder() -> Iterator[FaceFinder]:
    with FaceFinder() as finder:
        yield finder


@pytest.fixture(scope="session")
def app_folder(tmp_path_factory) -> Path:
    """Where the running app has its cache and its `log`."""
    return tmp_path_factory.mktemp("app")


@pytest.fixture(scope="session")
def runtimes_cache(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A user's cache (`XDG_CACHE_HOME`) with the browser engine's runtimes, from npm."""
    if shutil.which("npm") is None:
        pytest.skip("npm is not installed: no tests of the engine in the browser.")
    folder = tmp_path_factory.mktemp("runtimes")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(folder))
        try:
            browser_runtimes.fetch()
        except browser_runtimes.RuntimesError as error:  # without a network
            pytest.skip(str(error))
    return folder


@pytest.fixture
def with_runtimes(runtimes_cache: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder with the runtimes in the user's cache."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(runtimes_cache))
    return browser_runtimes.folder()


@pytest.fixture(scope="session")
def recorder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A library that, preloaded, records what its program speaks to."""
    library = tmp_path_factory.mktemp("recorder") / "recorder.so"
    if not network.build(library):
        pytest.skip("There is no C compiler (apt install gcc): who is spoken to is not recorded.")
    return library


@pytest.fixture(scope="session")
def address(app_folder: Path, request: pytest.FixtureRequest) -> Iterator[str]:
    """Where `python app.py` answers, for all tests that visit it; none has it speak to others."""
    log = app_folder / "network"
    variables = {
        "TMPDIR": str(app_folder),
        # A user's cache without the runtimes of the engine in the browser.
        "XDG_CACHE_HOME": str(app_folder / "user"),
    }
    with suppress(pytest.skip.Exception):
        variables |= network.recording(request.getfixturevalue("recorder"), log)
    with serve_page(app_folder, **variables) as url:
        assert [*app_folder.glob("kpdemo-examples-*")]
        yield url
    # It was told to end by a signal, and cleans up after itself.
    assert not [*app_folder.glob("kpdemo-*")]
    # MediaPipe from 0.10.35 on reports late, or when a task is closed.
    assert not log.exists() or network.elsewhere(network.spoken_to(log)) == set()


@pytest.fixture
def local_hub(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Hub]:
    """A Hub on this machine that the real client talks to, with a home and pins of its own.

    The client reads its variables when it is imported, so the values that it made of them are set.
    Its retries do not wait.
    """
    with Hub() as hub:
        home = tmp_path / "hub-home"
        template = constants.HUGGINGFACE_CO_URL_TEMPLATE.replace(constants.ENDPOINT, hub.url)
        monkeypatch.setattr(constants, "HUGGINGFACE_CO_URL_TEMPLATE", template)
        monkeypatch.setattr(constants, "ENDPOINT", hub.url)
        monkeypatch.setattr(constants, "HF_HUB_CACHE", str(home / "hub"))
        monkeypatch.setattr(constants, "HF_TOKEN_PATH", str(home / "token"))
        monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", True)
        monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
        awake = SimpleNamespace(**vars(time) | {"sleep": lambda seconds: None})
        for module in (_http, file_download):
            monkeypatch.setattr(module, "time", awake)
        monkeypatch.setenv("HF_TOKEN", TOKEN)
        monkeypatch.setattr(pins, "FILE", tmp_path / "pins.json")
        # A Hub that answers does so, however busy this machine is.
        monkeypatch.setattr(sys.modules["kpdemo.engine.engine"], "PULL_TIMEOUT", 60.0)
        close_session()
        yield hub
