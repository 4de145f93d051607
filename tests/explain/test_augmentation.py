"""Training examples of a photo's face: random crops of it, with the keypoints moved along."""

import dataclasses

import numpy as np
import pytest
import torch

from kpdemo.explain import augmentation
from kpdemo.keypoints import markups
from kpdemo.media.images import Photo, load
from kpdemo.models.augment import Augment
from kpdemo.models.config import ConfigError, Framing, Input, ModelConfig
from kpdemo.models.face_crops import crop_faces
from kpdemo.records.histories import Histories
from kpdemo.structures import Face

SIZE = {"height": 96, "width": 128, "channels": 3}
FRAMING = {"reference": "keypoint-box", "scale": 1.2}
RECIPE = {"markup": "nose-1", "input": SIZE, "framing": FRAMING}
NOSE = np.array([[300.0, 260.0]], np.float32)
FACE = Face(
    (200.0, 160.0, 400.0, 360.0),
    1.0,
    np.array([[250, 220], [350, 220], [300, 260], [300, 310], [210, 230], [390, 230]], np.float32),
    0.0,
)


@pytest.fixture(scope="module")
def photo() -> Photo:
    """Grey, with a red disc on the nose and a brighter left half."""
    pixels = np.full((600, 600, 3), 90, np.uint8)
    pixels[:, :300] += 40
    y, x = np.mgrid[:600, :600]
    pixels[np.hypot(x - NOSE[0, 0], y - NOSE[0, 1]) < 12] = (255, 0, 0)
    return load(pixels)


def examples(photo: Photo, augment: Augment, count: int, recipe=RECIPE):
    return list(augmentation.examples(recipe, photo, FACE, NOSE, augment, count))


def disc(pixels: np.ndarray) -> np.ndarray:
    """The middle of what is red."""
    red = pixels[..., 0].astype(int) - pixels[..., 1] > 60
    return np.argwhere(red).mean(0)[::-1]


@pytest.mark.parametrize(
    "augment",
    [
        Augment(rotate=30.0, shift=0.15, scale=(0.8, 1.25)),
        Augment(mirror=0.5, rotate=10.0, brightness=0.3, contrast=0.3, blur=0.5),
    ],
)
def test_keypoints_move_with_the_pixels(photo, augment):
    torch.manual_seed(1)
    places = []
    for example in examples(photo, augment, 12):
        assert example.pixels.shape == (96, 128, 3) and example.pixels.dtype == np.uint8
        np.testing.assert_allclose(example.keypoints[0], disc(example.pixels), atol=1.0)
        places.append(tuple(example.keypoints[0]))
    assert len(set(places)) == len(places)


def test_without_an_effect_it_is_the_crop_of_the_net(photo):
    config = ModelConfig("simplenet", "nose-1", Input(**SIZE), Framing(**FRAMING))
    crops = crop_faces(config, photo, [FACE])
    (example,) = examples(photo, Augment(), 1)
    assert np.abs(example.pixels.astype(int) - crops.pixels[0]).mean() < 2
    expected = (crops.crops[0].to_crop(NOSE) + 1) * (64, 48) - 0.5
    np.testing.assert_allclose(example.keypoints, expected, atol=0.01)


def test_a_grey_input_gives_grey_pictures(photo):
    recipe = RECIPE | {"input": SIZE | {"channels": 1}}
    (example,) = examples(photo, Augment(brightness=0.5), 1, recipe)
    assert (example.pixels == example.pixels[..., :1]).all()


def test_unknown_points_stay_unknown(photo):
    unknown = np.full((len(markups.get("nose-1")), 2), np.nan, np.float32)
    (example,) = augmentation.examples(RECIPE, photo, FACE, unknown, Augment(rotate=20.0), 1)
    assert np.isnan(example.keypoints).all()


def test_only_recipes_that_change_something_have_an_augmentation():
    models = Histories().read().models
    assert augmentation.of_recipe(models["nosenet-moore"].recipe) is None
    assert augmentation.of_recipe(models["facenet-moore"].recipe) == Augment(
        rotate=10.0, shift=0.0417, moved=0.3
    )
    assert augmentation.of_recipe({}) is None
    assert augmentation.of_recipe({"augment": {"snow": 1.0}}) is None
    assert not dataclasses.replace(Augment(), moved=0.3).active


def test_a_recipe_without_an_input_is_refused(photo):
    with pytest.raises(ConfigError, match="input"):
        examples(photo, Augment(), 1, {"markup": "nose-1"})
