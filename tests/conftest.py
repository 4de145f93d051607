"""Real faces that come with installed packages: no photograph lies in this repository."""

from pathlib import Path

import matplotlib
import pytest
import skimage


@pytest.fixture(scope="session")
def hopper_path() -> Path:
    """A portrait of Grace Hopper, JPEG, 512 x 600, one frontal face."""
    return Path(matplotlib.get_data_path()) / "sample_data" / "grace_hopper.jpg"


@pytest.fixture(scope="session")
def astronaut_path() -> Path:
    """A portrait of Eileen Collins, PNG, 512 x 512, one face, slightly turned."""
    return Path(skimage.__file__).parent / "data" / "astronaut.png"
