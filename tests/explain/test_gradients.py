"""Gradient × input, on nets whose attribution is known."""

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from kpdemo import compare
from kpdemo.engine.engine import engine
from kpdemo.explain.gradients import CELLS, attribution
from kpdemo.explain.occlusion import grid
from kpdemo.keypoints import markups
from kpdemo.media import images
from kpdemo.models.checkpoint import Model
from kpdemo.models.config import Input, ModelConfig
from kpdemo.models.face_crops import crop_face
from kpdemo.models.nets import Output

HEIGHT, WIDTH = 20, 24


def attribute(*given, **how) -> np.ndarray:
    *_, (done, result) = attribution(*given, **how)
    assert done == 1
    return result


class Linear(nn.Module):
    """Every keypoint is a weighted sum of all pixels."""

    def __init__(self, count: int, channels: int) -> None:
        super().__init__()
        rng = torch.Generator().manual_seed(0)
        weights = torch.randn(count, 2, channels, HEIGHT, WIDTH, generator=rng)
        self.weights = nn.Parameter(weights / 1000)

    def forward(self, pictures: Tensor) -> Output:
        # Not a matrix product, which autocast would round.
        return Output((pictures[:, None, None] * self.weights).sum((3, 4, 5)))


def linear(channels: int) -> Model:
    size = Input(HEIGHT, WIDTH, channels, mean=0.0, std=1.0)
    config = ModelConfig("simplenet", "nose-1", size, args={"blocks": [{"channels": 1}]})
    return Model("linear", config, Linear(1, channels))


def way(model: Model, cut: np.ndarray) -> np.ndarray:
    """How far the keypoint moves from the plain picture to this one, in percent of the width."""
    plain = np.broadcast_to(cut.mean((0, 1)).round(), cut.shape)
    pictures = np.stack([plain, cut]).reshape(2, HEIGHT, WIDTH, -1).transpose(0, 3, 1, 2) / 255
    with torch.inference_mode():
        start, end = model.net(torch.from_numpy(pictures).float()).keypoints.numpy()
    return (end - start) * 100 * np.array([1, HEIGHT / WIDTH]) / 2


@pytest.mark.parametrize("channels", [(), (3,)])
def test_of_a_linear_net_it_is_the_weights_times_the_picture_and_complete(channels) -> None:
    cut = np.random.default_rng(1).integers(0, 256, (HEIGHT, WIDTH, *channels), np.uint8)
    model = linear(*channels or (1,))
    shares = attribute(model, cut, cells=HEIGHT)
    assert shares.shape == (1, 2, HEIGHT, WIDTH)
    picture = cut.reshape(HEIGHT, WIDTH, -1).transpose(2, 0, 1) / 255
    plain = (cut.mean((0, 1)).round() / 255).reshape(-1, 1, 1)
    weights = model.net.weights.detach().numpy()[0]
    # Crop coordinates span 2 over the crop's sides; the unit is the crop's width.
    percent = 100 * np.array([1, HEIGHT / WIDTH]) / 2
    expected = (weights * (picture - plain)).sum(1) * percent[:, None, None]
    assert shares[0] == pytest.approx(expected, abs=1e-4)
    assert shares.sum((2, 3)) == pytest.approx(way(model, cut), abs=1e-3)


def test_larger_cells_keep_the_sum() -> None:
    cut = np.random.default_rng(1).integers(0, 256, (HEIGHT, WIDTH), np.uint8)
    model = linear(1)
    shares = attribute(model, cut, cells=7)
    assert shares.shape == (1, 2, 7, 8)
    assert shares.sum((2, 3)) == pytest.approx(way(model, cut), abs=1e-3)


@pytest.mark.parametrize("name", ["keypoint-resnet", "nosenet-moore", "facialpointsnet"])
def test_progress_grows_and_every_kind_of_model_can_be_asked(name, hopper_path) -> None:
    model = engine().store.model(name)
    face = compare(hopper_path, []).faces[0].detection
    _, cut = crop_face(model.config, images.load(hopper_path), face)
    before = cut.copy()
    progress, results = zip(*attribution(model, cut), strict=True)
    count = len(markups.get(model.config.markup))
    assert progress == tuple(sorted(progress)) and progress[-1] == 1 and len(progress) == count
    assert all(each is None for each in results[:-1])
    assert results[-1].shape == (count, 2, *grid(*cut.shape[:2], CELLS))
    assert np.isfinite(results[-1]).all() and np.abs(results[-1]).max() > 0
    assert np.array_equal(cut, before)
