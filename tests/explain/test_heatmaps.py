"""Peaks and ellipses of heatmaps, on maps that are known by hand."""

import numpy as np
import pytest
import torch

from kpdemo import compare
from kpdemo.engine.engine import engine
from kpdemo.explain.distance import distance_unit
from kpdemo.explain.heatmaps import peaks, spread
from kpdemo.media import images
from kpdemo.models.face_crops import crop_face
from kpdemo.models.nets import has_heatmaps
from kpdemo.models.nets.heatmaps import centroid
from kpdemo.models.predict import predict
from kpdemo.zoo import DEFAULT_MODELS


def gaussian(
    at: tuple[float, float],
    radii: tuple[float, float],
    angle: float,
    shape: tuple[int, int] = (96, 96),
) -> np.ndarray:
    """One map `(1, h, w)`: a Gaussian at a place in crop coordinates of a crop of that shape.

    `radii` are its standard deviations in units of half the crop's width, `angle` the first one's
    direction in degrees, clockwise on the screen.
    """
    h, w = shape
    x = (2 * np.arange(w) + 1) / w - 1 - at[0]
    y = ((2 * np.arange(h) + 1) / h - 1 - at[1])[:, None] * h / w
    cos, sin = np.cos(np.radians(angle)), np.sin(np.radians(angle))
    along, across = cos * x + sin * y, -sin * x + cos * y
    return np.exp(-0.5 * ((along / radii[0]) ** 2 + (across / radii[1]) ** 2))[None]


@pytest.mark.parametrize("angle", [0, 30, -60, 89])
@pytest.mark.parametrize("shape", [(96, 96), (60, 120)])
def test_the_ellipse_of_a_gaussian_is_its_own(angle: float, shape: tuple[int, int]) -> None:
    """Whatever the map sums to: the nets of the reports do not make them sum to 1."""
    maps = 7 * gaussian((0.2, -0.1), (0.12, 0.05), angle, shape)
    found = spread(maps, aspect=shape[0] / shape[1])
    assert found.centre[0] == pytest.approx((0.2, -0.1), abs=1e-3)
    assert found.radii[0] == pytest.approx((0.12, 0.05), rel=0.01)
    assert found.angle[0] == pytest.approx(angle, abs=0.5)


def test_two_places_spread_along_the_line_between_them() -> None:
    maps = np.zeros((1, 40, 40), np.float32)
    maps[0, 20, 5] = maps[0, 20, 35] = 0.5
    found = spread(maps)
    assert found.radii[0] == pytest.approx((30 / 40, 0), abs=1e-6)
    assert found.angle[0] == pytest.approx(0)


def test_a_peak_is_the_centre_of_the_highest_cell() -> None:
    """Cell i of n lies at (2i + 1) / n - 1, for both axes and maps that are not square."""
    maps = np.zeros((3, 6, 8), np.float32)
    maps[0, 0, 7], maps[1, 5, 2], maps[1, 4, 2] = 0.2, 0.9, 0.8
    found = peaks(maps)
    assert found[0] == pytest.approx((15 / 8 - 1, 1 / 6 - 1))
    assert found[1] == pytest.approx((5 / 8 - 1, 11 / 6 - 1))
    assert np.isnan(found[2]).all() and np.isnan(spread(maps).radii[2]).all()


@pytest.fixture(scope="module")
def face(hopper_path):
    return compare(hopper_path, ["unet"]).faces[0].detection


@pytest.mark.parametrize("name", DEFAULT_MODELS)
def test_a_net_has_maps_where_its_config_says_so(name, face, hopper_path) -> None:
    model = engine().store.model(name)
    _, cut = crop_face(model.config, images.load(hopper_path), face)
    found = predict(model, cut[None], heatmaps=True)
    assert (found.heatmaps is not None) == has_heatmaps(model.config)
    if found.heatmaps is None:
        return
    maps = found.heatmaps[0]
    # The app's nets answer with the mean of the map: the ellipse's centre is that answer, but for
    # the calibration, and the peak of a face as easy as this one is near.
    centre = spread(maps, cut.shape[0] / cut.shape[1]).centre
    assert centre == pytest.approx(centroid(torch.from_numpy(maps)[None])[0].numpy(), abs=1e-3)
    assert np.abs(peaks(maps) - found.keypoints[0]).max() < 0.3


def test_the_unit_is_the_eyes_where_the_markup_has_them() -> None:
    points = np.zeros((68, 2), np.float32)
    points[36], points[45] = (-0.5, 0), (0.5, 0)
    assert distance_unit(points, "ibug-68", 100, 80) == (pytest.approx(50), True)
    assert distance_unit(points[:1], "nose-1", 100, 80) == (100, False)
