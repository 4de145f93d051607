import numpy as np
import pytest
from helpers.faces import compared_face

from kpdemo import zoo
from kpdemo.keypoints import markups
from kpdemo.media import draw, images
from kpdemo.media.images import load
from kpdemo.media.sheet import side_by_side
from kpdemo.structures import Comparison, Prediction
from kpdemo.zoo import BASELINE, DEFAULT_MODELS
from train.publish.results import SYSTEMS

GREY = np.full((240, 320, 3), 128, np.uint8)
COLOR = (0, 158, 115)


def face(markup_name: str = "kaggle-15", x: float = 160, y: float = 120, size: float = 100):
    """A made-up face: the markup's points spread over a grid of `size` pixels around (x, y)."""
    count = len(markups.get(markup_name))
    side = int(np.ceil(count**0.5))
    grid = np.stack(np.divmod(np.arange(count), side)[::-1], 1) / max(side - 1, 1) - 0.5
    return (grid * size + (x, y)).astype(np.float32)


def changed(before: np.ndarray, after: np.ndarray) -> np.ndarray:
    """The points `(N, 2)`, x and y, of the pixels that differ."""
    return np.argwhere((before != after).any(-1))[:, ::-1]


def drawn(keypoints, name="kaggle-15", hollow=None):
    return draw.overlay(GREY, keypoints, name, COLOR, hollow)


@pytest.mark.parametrize("name", list(markups.MARKUPS))
def test_each_point_gets_the_color_where_it_lies(name):
    keypoints = face(name)
    for x, y in np.rint(keypoints).astype(int):
        assert tuple(GREY[y, x]) != COLOR
    pixels = drawn(np.rint(keypoints), name)
    for x, y in np.rint(keypoints).astype(int):
        assert tuple(pixels[y, x]) == COLOR


def test_pixel_centers_lie_on_integers():
    at = np.array([[160.0, 120.0]])
    where = changed(GREY, drawn(at, "nose-1"))
    np.testing.assert_allclose(where.mean(0), (160, 120), atol=0.1)
    half = drawn(at + 0.5, "nose-1").astype(float) - 128
    rows, columns = np.indices(half.shape[:2])
    weight = np.abs(half).sum(-1)
    center = (columns * weight).sum() / weight.sum(), (rows * weight).sum() / weight.sum()
    np.testing.assert_allclose(center, (160.5, 120.5), atol=0.15)


def test_nothing_is_drawn_far_from_the_face_and_the_input_stays(hopper_path):
    photo = load(hopper_path).pixels
    before = photo.copy()
    keypoints = face("ibug-68", 250, 240, 120)
    after = draw.overlay(photo, keypoints, "ibug-68", COLOR)
    np.testing.assert_array_equal(photo, before)
    where = changed(before, after)
    assert len(where)
    assert where.min() > 160
    assert where.max() < 330
    assert after.shape == photo.shape
    assert after.dtype == np.uint8


def test_read_only_pictures_can_be_drawn_on():
    pixels = GREY.copy()
    pixels.flags.writeable = False
    assert len(changed(pixels, draw.overlay(pixels, face(), "kaggle-15", COLOR)))


def test_contours_join_the_points():
    keypoints = face(size=200)
    first, second = keypoints[3], keypoints[0]  # the left eye's contour begins so
    x, y = np.rint((first + second) / 2).astype(int)
    # The radius of a point is 4 % of the eyes' distance.
    assert np.linalg.norm(first - second) > 20
    assert (drawn(keypoints)[y - 1 : y + 2, x - 1 : x + 2] != 128).any()


def test_lines_are_anti_aliased():
    pixels = drawn(face(size=150))
    assert len(np.unique(pixels.reshape(-1, 3), axis=0)) > 4


@pytest.mark.parametrize("missing", [np.nan, np.inf, None])
def test_unknown_points_are_skipped(missing):
    keypoints = face().tolist()
    x, y = keypoints[10]
    keypoints[10] = [missing, missing]
    pixels = drawn(keypoints)
    assert (pixels[round(y), round(x)] == 128).all()
    assert (pixels[:10, :10] == 128).all()


def test_contours_do_not_bridge_unknown_points():
    keypoints = face(size=200)
    keypoints[0] = np.nan  # the middle of the left eye's contour 3, 0, 2
    x, y = np.rint(keypoints[[3, 2]].mean(0)).astype(int)
    assert (drawn(keypoints)[y - 1 : y + 2, x - 1 : x + 2] == 128).all()


@pytest.mark.parametrize("missing", [np.nan, None])
def test_a_face_without_any_known_point(missing):
    keypoints = [[missing, missing]] * 15
    pixels = drawn(keypoints)
    np.testing.assert_array_equal(pixels, GREY)


def test_points_far_outside_are_harmless():
    keypoints = face()
    keypoints[3], keypoints[4] = (1e12, -1e12), (-500, 9000)
    pixels = drawn(keypoints)
    assert pixels.shape == GREY.shape


def test_hollow_points_show_what_is_below_them():
    keypoints = np.rint(face(size=180))
    full, mixed = drawn(keypoints), drawn(keypoints, hollow=np.arange(15) == 10)
    x, y = keypoints[10].astype(int)
    assert tuple(full[y, x]) == COLOR
    assert tuple(mixed[y, x]) == (128, 128, 128)
    assert len(changed(GREY[y - 9 : y + 10, x - 9 : x + 10], mixed[y - 9 : y + 10, x - 9 : x + 10]))
    x, y = keypoints[11].astype(int)
    assert tuple(mixed[y, x]) == COLOR


@pytest.mark.parametrize(
    ("confidence", "expected_error", "is_hollow"),
    [
        (None, None, False),
        (0.4, None, True),
        (0.6, None, False),
        (np.nan, None, False),
        (0.4, 7.9, False),
        (0.9, 8.1, True),
    ],
)
def test_doubtful_points_are_hollow_in_the_picture_of_a_comparison(
    confidence, expected_error, is_hollow
):
    keypoints = np.rint(face(size=180))
    measures = [each and np.full(15, each) for each in (confidence, expected_error)]
    answer = Prediction("kaggle-15", keypoints, measures[0], 1.0, expected_error=measures[1])
    faces = [compared_face((70, 30, 250, 210), {"unet": answer})]
    comparison = Comparison(320, 240, faces, {}, {})
    sheet = side_by_side(images.Photo(GREY, 320, 240, 1.0), comparison)
    gap = (sheet.shape[1] - 320) // 2
    picture = sheet[-gap - 240 : -gap, gap:-gap]
    x, y = keypoints[10].astype(int)
    assert tuple(picture[y, x]) == ((128, 128, 128) if is_hollow else zoo.color("unet"))


def test_several_faces_in_one_call_are_as_one_after_another():
    first, second = face(x=80, size=60), face(x=230, size=110)
    hollow = [np.ones(15, bool), np.zeros(15, bool)]
    together = draw.overlay(GREY, [first, second], "kaggle-15", COLOR, hollow)
    apart = draw.overlay(GREY, first, "kaggle-15", COLOR, hollow[0])
    apart = draw.overlay(apart, second, "kaggle-15", COLOR, hollow[1])
    np.testing.assert_array_equal(together, apart)
    np.testing.assert_array_equal(draw.overlay(GREY, [], "kaggle-15", COLOR), GREY)


def test_points_grow_with_the_face():
    black = np.zeros((1000, 1000, 3), np.uint8)
    areas = []
    for size in (100, 400):
        pixels = draw.overlay(black, face("ibug-68", 500, 500, size), "ibug-68", COLOR)
        areas.append(len(changed(black, pixels)))
    assert areas[1] > 4 * areas[0]


@pytest.mark.parametrize("count", [14, 68, 30])
def test_points_of_another_markup_are_refused(count):
    with pytest.raises(ValueError, match="kaggle-15 has 15 points"):
        draw.overlay(GREY, np.zeros((count, 2)), "kaggle-15", COLOR)


def linear(colors: np.ndarray) -> np.ndarray:
    shares = colors / 255
    return np.where(shares <= 0.04045, shares / 12.92, ((shares + 0.055) / 1.055) ** 2.4)


def oklab(light: np.ndarray) -> np.ndarray:
    """Linear RGB `(..., 3)` in Ottosson's OKLab, where distances are as eyes see them."""
    to_cones = [
        [0.4122214708, 0.5363325363, 0.0514459929],
        [0.2119034982, 0.6806995451, 0.1073969566],
        [0.0883024619, 0.2817188376, 0.6299787005],
    ]
    to_lab = [
        [0.2104542553, 0.7936177850, -0.0040720468],
        [1.9779984951, -2.4285922050, 0.4505937099],
        [0.0259040371, 0.7827717662, -0.8086757660],
    ]
    return np.cbrt(light @ np.transpose(to_cones)) @ np.transpose(to_lab)


# What is left of linear RGB without one kind of cones (Machado, Oliveira & Fernandes 2009), and
# how near two models' colours may come.
EYES = {
    "usual": (np.eye(3), 0.1),
    "no red": (
        [
            [0.152286, 1.052583, -0.204868],
            [0.114503, 0.786281, 0.099216],
            [-0.003882, -0.048116, 1.051998],
        ],
        0.05,
    ),
    "no green": (
        [
            [0.367322, 0.860646, -0.227968],
            [0.280085, 0.672501, 0.047413],
            [-0.011820, 0.042940, 0.968881],
        ],
        0.05,
    ),
    "no blue": (
        [
            [1.255528, -0.076749, -0.178779],
            [-0.078411, 0.930809, 0.147602],
            [0.004733, 0.691367, 0.303900],
        ],
        0.045,
    ),
}


@pytest.mark.parametrize("eyes", EYES)
def test_all_eyes_tell_the_models_apart(eyes):
    left, least = EYES[eyes]
    light = linear(np.array([*{entry.color for entry in zoo.MODELS.values()}]))
    colors = oklab((light @ np.transpose(left)).clip(0, 1))
    apart = np.linalg.norm(colors[:, None] - colors, axis=-1)
    assert apart[np.triu_indices(len(colors), 1)].min() > least


def test_every_model_has_its_own_color_the_same_in_every_process():
    assert {*DEFAULT_MODELS, BASELINE, *SYSTEMS} <= zoo.MODELS.keys()
    for name, entry in zoo.MODELS.items():
        assert zoo.color(name) == entry.color
    assert zoo.color("my-own-net") not in {entry.color for entry in zoo.MODELS.values()}
    # Python's own hash would give others in every process.
    assert [zoo.color(f"net-{k}")[0] for k in range(9)] == [0, 240, 0, 0, 0, 240, 150, 0, 0]


def test_contact_sheet_holds_every_panel_and_its_titles():
    colors = [(255, 0, 0), (0, 255, 0), (0, 0, 255)]
    panels = [
        (f"Model {k}", "ibug-68 · 3 ms", np.full((100, 150 - 10 * k, 3), color, np.uint8))
        for k, color in enumerate(colors)
    ]
    sheet = draw.contact_sheet(panels, columns=2)
    corners = []
    for k, color in enumerate(colors):
        where = np.argwhere((sheet == color).all(-1))
        assert len(where) == 100 * (150 - 10 * k)
        corners.append(where.min(0))
        title = sheet[corners[-1][0] - 35 : corners[-1][0], corners[-1][1] :][:, :100]
        assert title.min() < 60
    assert corners[0][0] == corners[1][0] < corners[2][0]
    assert corners[0][1] == corners[2][1] < corners[1][1]
    assert sheet.dtype == np.uint8


def test_contact_sheet_cuts_long_titles_and_needs_no_full_row():
    panels = [("A title that never ends " * 9, "and its subtitle " * 20, GREY)]
    sheet = draw.contact_sheet(panels, columns=4)
    assert sheet.shape[1] < GREY.shape[1] + 60
    assert (sheet[:, -4:] == 255).all()
    empty_titles = draw.contact_sheet([("", "", GREY)], columns=4)
    assert empty_titles.shape == sheet.shape
    assert (empty_titles != sheet).any()


def test_an_empty_contact_sheet_is_refused():
    with pytest.raises(ValueError, match="at least one panel"):
        draw.contact_sheet([], columns=2)
