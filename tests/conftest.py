"""Real faces that come with installed packages: no photograph lies in this repository."""

from collections.abc import Iterator
from pathlib import Path

import matplotlib
import numpy as np
import pytest
import skimage
from PIL import Image

from kpdemo.faces import FaceFinder


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
def finder() -> Iterator[FaceFinder]:
    with FaceFinder() as finder:
        yield finder
