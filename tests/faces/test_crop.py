import cv2
import numpy as np
import pytest

from kpdemo.faces.crop import Crop

CROPS = {
    "square": Crop(100.5, 80.25, 64, 64),
    "rolled": Crop(100.5, 80.25, 90, 90, roll=33),
    "4:3, rolled far": Crop(150, 100, 160, 120, roll=-140),
    "small": Crop(60, 50, 21, 17, roll=5),
    "partly outside": Crop(20, 190, 120, 120, roll=-20),
}
each_crop = pytest.mark.parametrize("crop", CROPS.values(), ids=CROPS)
HEIGHT, WIDTH = 220, 300


def dot_on_photo(at: np.ndarray, sigma: float = 2.5) -> np.ndarray:
    """A photo with one soft white dot on black, its centre between pixels if need be."""
    y, x = np.mgrid[:HEIGHT, :WIDTH]
    dot = np.exp(-((x - at[0]) ** 2 + (y - at[1]) ** 2) / (2 * sigma**2))
    return (255 * dot).round().astype(np.uint8)


def dot_in(cut: np.ndarray) -> np.ndarray:
    """Where a dot is, as the centre of mass, in crop coordinates."""
    height, width = cut.shape
    mass = cut.astype(float)
    x = (mass.sum(0) * np.arange(width)).sum() / mass.sum()
    y = (mass.sum(1) * np.arange(height)).sum() / mass.sum()
    return np.array([(2 * x + 1) / width - 1, (2 * y + 1) / height - 1])


@each_crop
def test_there_and_back(crop: Crop) -> None:
    points = np.random.default_rng(0).uniform(-500, 4000, (3, 50, 2)).astype(np.float32)
    assert np.abs(crop.to_photo(crop.to_crop(points)) - points).max() < 0.01
    inside = np.random.default_rng(1).uniform(-1, 1, (50, 2)).astype(np.float32)
    assert np.abs(crop.to_crop(crop.to_photo(inside)) - inside).max() < 1e-4


def test_there_and_back_at_the_end_of_a_large_photo() -> None:
    crop = Crop(7900.3, 4900.7, 130, 130, roll=17)
    points = np.float32([[7900.3, 4900.7], [7999, 4999], [7850, 4950]])
    assert np.abs(crop.to_photo(crop.to_crop(points)) - points).max() < 0.01


def test_missing_points_stay_missing() -> None:
    points = np.float32([[np.nan, np.nan], [10, 10]])
    there = CROPS["rolled"].to_crop(points)
    assert np.isnan(there).tolist() == [[True, True], [False, False]]


def test_corners_of_a_rolled_crop() -> None:
    """Rolled by 90 degrees clockwise, the crop's right is the photo's down."""
    crop = Crop(100, 50, 40, 20, roll=90)
    corners = crop.to_photo([[1, 0], [0, 1], [-1, -1]])
    np.testing.assert_allclose(corners, [[100, 70], [90, 50], [110, 30]], atol=1e-4)


def test_whole_picture_has_pixel_centres_where_grid_sample_has_them() -> None:
    crop = Crop.whole(7, 4)
    pixels = np.stack(np.meshgrid(np.arange(7), np.arange(4)), -1)
    expected = np.stack(
        np.meshgrid((2 * np.arange(7) + 1) / 7 - 1, (2 * np.arange(4) + 1) / 4 - 1), -1
    )
    np.testing.assert_allclose(crop.to_crop(pixels), expected, atol=1e-6)


def test_whole_picture_is_cut_as_it_is() -> None:
    photo = np.random.default_rng(0).integers(0, 256, (23, 31, 3), np.uint8)
    assert np.array_equal(Crop.whole(31, 23).cut(photo, 23, 31), photo)


@pytest.mark.parametrize("height", [200, 48, 18])
@pytest.mark.parametrize("place", [(0, 0), (0.41, -0.37), (0.3, 0.1)], ids=str)
@each_crop
def test_cut_agrees_with_coordinates(crop: Crop, place: tuple[float, float], height: int) -> None:
    """Enlarged, shrunk a little, and shrunk so much that the cut is averaged down."""
    at = crop.to_photo(place)
    sigma = 1.2 if crop is CROPS["small"] else 2.5
    width = round(height * crop.width / crop.height)
    cut = crop.cut(dot_on_photo(at, sigma), height, width)
    assert cut.shape == (height, width)
    off = (dot_in(cut) - crop.to_crop(at)) / 2
    pixel = max(1 / crop.width, 1 / width)  # the coarser of the photo's and the cut's
    assert np.abs(off).max() < 0.1 * pixel


def test_what_leaves_the_photo_is_black() -> None:
    white = np.full((50, 50), 255, np.uint8)
    cut = Crop(0, 24.5, 60, 60).cut(white, 30, 30)
    assert cut[:, :14].max() == 0
    assert cut[4:26, 16:].min() == 255
    assert cut[:2].max() == cut[-2:].max() == 0


@pytest.mark.parametrize("shrink", [2, 3, 8])
def test_fine_stripes_become_grey_when_shrunk(shrink: int) -> None:
    """Bilinear sampling alone would make false stripes or pick the black ones."""
    photo = np.zeros((240, 240), np.uint8)
    photo[:, ::2] = 255
    cut = Crop.whole(240, 240).cut(photo, 240 // shrink, 240 // shrink)
    assert np.abs(cut.astype(int) - 128).max() <= 129 / shrink


def test_colour_is_kept() -> None:
    photo = np.zeros((40, 40, 3), np.uint8)
    photo[:] = (200, 10, 60)
    cut = Crop(20, 20, 20, 20, roll=30).cut(photo, 10, 12)
    assert cut.shape == (10, 12, 3)
    assert np.array_equal(np.unique(cut.reshape(-1, 3), axis=0), [[200, 10, 60]])


@each_crop
def test_mirrored_cut_is_the_cut_of_the_mirrored_photo(crop: Crop) -> None:
    photo = np.random.default_rng(0).integers(0, 256, (HEIGHT, WIDTH), np.uint8)
    photo = cv2.GaussianBlur(photo, (0, 0), 3)
    other = Crop(WIDTH - 1 - crop.x, crop.y, crop.width, crop.height, -crop.roll)
    mirrored = other.cut(np.ascontiguousarray(photo[:, ::-1]), 40, 48)
    assert np.abs(mirrored[:, ::-1].astype(int) - crop.cut(photo, 40, 48)).max() <= 3


def test_scaled_keeps_centre_and_roll() -> None:
    crop = CROPS["4:3, rolled far"]
    larger = crop.scaled(1.5)
    np.testing.assert_allclose(larger.to_photo([[1, 1]]), crop.to_photo([[1.5, 1.5]]), atol=1e-3)
    assert larger.roll == crop.roll
