"""What the browser is told about maps, without a browser."""

import io
import json
import shutil
from base64 import b64decode

import numpy as np
import pytest
from PIL import Image

from kpdemo import compare
from kpdemo.engine.engine import Engine, engine
from kpdemo.keypoints import markups
from kpdemo.media import images
from kpdemo.models import nets
from kpdemo.models.checkpoint import Model
from kpdemo.models.config import Input, ModelConfig
from kpdemo.models.face_crops import crop_face
from kpdemo.models.predict import Predictions, predict
from kpdemo.ui.heatmaps import maps
from kpdemo.ui.heatmaps.tab import side_by_side
from kpdemo.ui.session import PhotoResult
from kpdemo.zoo import WEIGHTS_DIR


@pytest.fixture(scope="module")
def photo(hopper_path):
    return images.load(hopper_path)


@pytest.fixture(scope="module")
def face(hopper_path):
    return compare(hopper_path, []).faces[0].detection


def picture(uri: str) -> Image.Image:
    return Image.open(io.BytesIO(b64decode(uri.split(",")[1])))


@pytest.fixture
def view_of(photo, face):
    """`view_of(config, …)`: the part of the photo that panels of these nets show."""
    return lambda *configs: maps.View.around(photo, face, *configs)


def told(view: maps.View, panel: maps.Panel) -> dict:
    """The panel as it arrives, and the picture beneath it."""
    value = json.loads(maps.value(view, panel))
    return value["panels"][0] | {"face": value["face"]}


def cells(panel: dict) -> np.ndarray:
    """The maps as the browser reads them: `(K, h, w)`, 0 to 1 of each one's own peak."""
    sheet = np.asarray(picture(panel["sprite"]))
    w, h = panel["grid"]
    places = [divmod(k, panel["columns"]) for k in range(len(panel["names"]))]
    return np.stack([sheet[r * h : (r + 1) * h, c * w : (c + 1) * w] for r, c in places]) / 255


@pytest.mark.parametrize("name", ["unet", "keypoint-resnet"])
def test_all_maps_of_a_model_arrive_in_one_picture(name, photo, face, view_of) -> None:
    model = engine().store.model(name)
    _, cut = crop_face(model.config, photo, face)
    found = predict(model, cut[None], heatmaps=True)
    view = view_of(model.config)
    panel = told(view, maps.heatmaps("Title", model, view, found))
    expected = found.heatmaps[0] / found.heatmaps[0].max((-2, -1), keepdims=True)
    assert cells(panel) == pytest.approx(expected, abs=0.5 / 255 + 1e-6)
    assert panel["kind"] == "shares"
    assert panel["top"] == pytest.approx(100 * found.heatmaps[0].max((-2, -1)), abs=1e-3)
    # Everything lies in the cut's own pixels, and the marked peak is the brightest cell's centre.
    w, h = panel["grid"]
    for (x, y), map_ in zip(panel["peaks"], cells(panel), strict=True):
        column = (x + 0.5) * w / panel["width"] - 0.5
        row = (y + 0.5) * h / panel["height"] - 0.5
        assert (column, row) == pytest.approx((round(column), round(row)), abs=1e-2)
        assert map_[round(row), round(column)] == 1
    assert len(panel["ellipses"]) == len(panel["points"]) == len(panel["names"])
    assert picture(panel["seen"]).size == (panel["width"], panel["height"])
    assert panel["frame"] == pytest.approx([0, 0, 1, 1], abs=1e-3)
    assert picture(panel["face"]).size == (maps.FACE_SIDE, maps.FACE_SIDE)
    assert not picture(panel["face"]).getexif()


def test_maps_that_do_not_sum_to_one_are_told_by_their_height(view_of) -> None:
    """As those of the report's U-Net; a map of nothing has neither peak nor ellipse."""
    config = ModelConfig(
        "unet", "nose-1", Input(32, 32), args={"base": 4, "depth": 2, "decoding": "argmax"}
    )
    model = Model("tiny", config, nets.build(config).eval())
    bump = np.zeros((1, 1, 32, 32), np.float32)
    sure, unknown = np.ones((1, 1), np.float32), np.zeros((1, 1, 2), np.float32)
    nothing = Predictions(np.zeros((1, 1, 2), np.float32), sure, bump.copy(), 1.0, unknown)
    bump[0, 0, 8, 4:6] = 0.25, 0.5
    some = Predictions(np.zeros((1, 1, 2), np.float32), sure, bump, 1.0, unknown)
    view = view_of(config)
    panel = told(view, maps.heatmaps("Title", model, view, some))
    assert (panel["kind"], panel["top"], panel["peaks"]) == ("heights", [0.5], [[5, 8]])
    assert panel["unit"] == "of the picture’s width"
    # From the cell at (5, 8) to the middle of the crop at (15.5, 15.5).
    assert panel["gap"] == pytest.approx([100 * np.hypot(10.5, 7.5) / 32], abs=0.01)
    panel = told(view, maps.heatmaps("Title", model, view, nothing))
    assert panel["peaks"] == [[None, None]] and panel["ellipses"] == [[None] * 5]
    assert cells(panel).max() == 0


def test_moves_keep_their_size_in_percent(photo, face, view_of) -> None:
    model = engine().store.model("facialpointsnet")  # its cut is not square
    count = len(markups.get(model.config.markup))
    _, cut = crop_face(model.config, photo, face)
    found = predict(model, cut[None], heatmaps=True)
    moves = np.random.default_rng(0).uniform(0, 9, (count, 6, 8)).astype(np.float32)
    view = view_of(model.config)
    panel = told(view, maps.sensitivity("Title", model, view, found, moves))
    back = cells(panel) * np.array(panel["top"])[:, None, None]
    assert back == pytest.approx(moves, abs=9 / 255)
    assert panel["grid"] == [8, 6] and panel["kind"] == "moves"
    assert picture(panel["face"]).size == (560, 420)


def test_nets_side_by_side_share_one_picture_with_every_crop_in_its_place(photo, face) -> None:
    """A net's place on the picture is where its crop has it on the photo."""
    names = ["resnet18", "unet", "keypoint-resnet"]
    configs = [engine().store.configs[name] for name in names]
    view = maps.View.around(photo, face, *configs)
    rng = np.random.default_rng(3)
    for config in configs:
        crop, _ = crop_face(config, photo, face)
        left, top, width, height = view.frame(crop)
        assert min(left, top) >= -1e-4 and max(left + width, top + height) <= 1 + 1e-4
        shares = rng.uniform(0, 1, (5, 2))
        on_picture = np.array([left, top]) + shares * [width, height]
        np.testing.assert_allclose(
            view.crop.to_photo(2 * on_picture - 1), crop.to_photo(2 * shares - 1), atol=0.01
        )
    assert max(view.pixels.shape) == maps.FACE_SIDE


def test_a_net_that_cannot_be_opened_leaves_the_others_side_by_side(hopper_path, tmp_path) -> None:
    broken = tmp_path / "broken"
    shutil.copytree(WEIGHTS_DIR / "unet", broken)
    (broken / "model.safetensors").write_bytes(b"nothing")
    comparison = compare(hopper_path, [])
    result = PhotoResult("", images.load(hopper_path), comparison)
    with Engine([WEIGHTS_DIR / "keypoint-resnet", broken]) as small:
        nets = {"broken": "Broken net", "keypoint-resnet": "Small net"}
        value = json.loads(side_by_side(small, result, 0, nets, ["keypoint-resnet"]))
    assert [panel["title"] for panel in value["panels"]] == ["Small net"]
    assert len(value["says"]) == 1 and value["says"][0].startswith("Broken net cannot be opened")


def test_the_length_of_a_pull_keeps_its_size_in_percent(photo, face, view_of) -> None:
    model = engine().store.model("facialpointsnet")
    count = len(markups.get(model.config.markup))
    _, cut = crop_face(model.config, photo, face)
    found = predict(model, cut[None], heatmaps=True)
    shares = np.zeros((count, 2, 21, 28), np.float32)
    shares[0, :, 4, 5] = 3, -4
    view = view_of(model.config)
    panel = told(view, maps.gradients("Title", model, view, found, shares))
    assert (panel["kind"], panel["method"]) == ("moves", "gradients")
    assert panel["top"][0] == 5 and panel["mean"][0] == pytest.approx(5 / (21 * 28), abs=1e-3)
    assert cells(panel)[0, 4, 5] == 1
