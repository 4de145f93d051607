"""The page's entry on ZeroGPU, where GPUs are lent for a call and MediaPipe must stay outside."""

import json
import os
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from kpdemo import compare
from kpdemo.engine.stages import PreparedPhoto
from kpdemo.engine.zerogpu import seconds
from kpdemo.faces.whole_photo import WholePhoto
from kpdemo.media import images

ROOT = Path(__file__).parents[2]
STAND_IN = Path(__file__).with_name("zerogpu")


@pytest.fixture(scope="module")
def photos(tmp_path_factory, hopper_path) -> list[Path]:
    """One face, six faces, and none."""
    folder = tmp_path_factory.mktemp("photos")
    hopper = np.asarray(Image.open(hopper_path).convert("RGB"))
    pictures = {"six": np.tile(hopper, (2, 3, 1)), "none": np.full((300, 400, 3), 128, np.uint8)}
    for name, pixels in pictures.items():
        Image.fromarray(pixels).save(folder / f"{name}.png")
    return [hopper_path, folder / "six.png", folder / "none.png"]


@pytest.fixture(scope="module")
def there(photos) -> tuple[dict, str]:
    """What the page's engine finds on a machine that takes itself for ZeroGPU, and its log."""
    done = subprocess.run(
        [sys.executable, STAND_IN / "program.py", *photos],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": f"{STAND_IN}{os.pathsep}{ROOT}", "SPACES_ZERO_GPU": "true"},
        capture_output=True,
        text=True,
        timeout=300,
        check=True,
    )
    return json.loads(done.stdout.splitlines()[-1]), done.stderr


def same(found: list[dict], photos: list[Path]) -> None:
    for there, path in zip(found, photos, strict=True):
        here = compare(path).to_dict()
        assert not there["unavailable"]
        for one, other in zip(there["faces"], here["faces"], strict=True):
            assert list(one["models"]) == list(other["models"])
            for name, answer in one["models"].items():
                wanted = other["models"][name]["keypoints"]
                np.testing.assert_allclose(answer["keypoints"], wanted, atol=0.05)


def test_a_gpu_is_borrowed_once_a_photo_and_mediapipe_stays_outside(there, photos):
    said, _ = there
    same(said["found"], photos)
    one, six = said["asked"]  # nothing is asked for a photo without a face
    assert 0 < one < six < 60
    assert said["without"] == 0
    for result in said["found"][:2]:
        devices = dict.fromkeys(result["devices"], "zerogpu") | {"mediapipe": "cpu"}
        assert result["devices"] == devices and len(devices) > 1
    # The stand-in would have noticed.
    assert said["caught"] == "MediaPipe ran in the forked process"


def test_without_a_free_gpu_the_processor_answers(there, photos):
    said, log = there
    same([said["refused"]], photos[:1])
    assert "exceeded your GPU quota" in log
    assert set(said["refused"]["devices"].values()) == {"cpu"}


def test_seconds_follow_faces_and_nets():
    photo = images.from_array(np.zeros((64, 64, 3), np.uint8))
    face = WholePhoto().find(photo.pixels)

    def photo_with(faces: int, nets: str) -> PreparedPhoto:
        return PreparedPhoto(photo.without_pixels(), face * faces, 0, {}, dict.fromkeys(nets))

    assert seconds(photo_with(1, "a")) <= seconds(photo_with(20, "a"))
    assert seconds(photo_with(1, "a")) < seconds(photo_with(20, "abcd")) < 60
