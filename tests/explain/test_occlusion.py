"""Occlusion sensitivity, on nets whose answer is known to rest on one place."""

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from kpdemo import compare
from kpdemo.engine.engine import engine
from kpdemo.explain.occlusion import grid, sensitivity
from kpdemo.keypoints import markups
from kpdemo.media import images
from kpdemo.models.checkpoint import Model
from kpdemo.models.config import Input, ModelConfig
from kpdemo.models.face_crops import crop_face
from kpdemo.models.nets import Output
from kpdemo.zoo import DEFAULT_MODELS


def moves(*given, **how) -> np.ndarray:
    *_, (done, found) = sensitivity(*given, **how)
    assert done == 1
    return found


class Corner(nn.Module):
    """Keypoint 0 moves right by how bright the last eighth of rows and columns is; 1 never moves.

    The others stay where they are too, with eyes one crop width apart.
    """

    def __init__(self, count: int) -> None:
        super().__init__()
        self.gain = nn.Parameter(torch.tensor(0.1))
        self.count = count

    def forward(self, pictures: Tensor) -> Output:
        h, w = pictures.shape[-2] // 8, pictures.shape[-1] // 8
        bright = pictures[..., -h:, -w:].float().mean((1, 2, 3))
        points = torch.zeros(len(pictures), self.count, 2)
        points[:, 0, 0] = self.gain * bright
        if self.count == 68:
            points[:, 36, 0], points[:, 45, 0] = -1, 1
        return Output(points)


def planted(markup_name: str, channels: int = 1) -> Model:
    # Mean 0 and deviation 1: brightness is from 0 to 1.
    size = Input(48, 64, channels, mean=0.0, std=1.0)
    config = ModelConfig("simplenet", markup_name, size, args={"blocks": [{"channels": 1}]})
    return Model("corner", config, Corner(len(markups.get(markup_name))))


def dark_with_a_bright_corner(*channels: int) -> np.ndarray:
    cut = np.zeros((48, 64, *channels), np.uint8)
    cut[-6:, -8:] = 255
    return cut


@pytest.mark.parametrize("channels", [(), (3,)])
def test_what_the_answer_rests_on_is_found(channels: tuple[int, ...]) -> None:
    cut = dark_with_a_bright_corner(*channels)
    found = moves(planted("ibug-68", *channels), cut, cells=6, patch=0.25)
    assert found.shape == (68, *grid(48, 64, 6)) == (68, 6, 8)
    assert np.unravel_index(found[0].argmax(), found[0].shape) == (5, 7)
    # From 0.1 of half the crop's width to nearly nothing; the eyes are the crop's width apart.
    assert found[0].max() == pytest.approx(5, rel=0.1)
    assert found[0, :4].max() == found[0, :, :5].max() == found[1:].max() == 0


def test_without_eyes_moves_are_told_in_widths_of_the_crop() -> None:
    cut = dark_with_a_bright_corner()
    by_eyes, by_width = (
        moves(planted(name), cut, cells=6, patch=0.25)[0] for name in ("ibug-68", "nose-1")
    )
    np.testing.assert_allclose(by_width, by_eyes, rtol=1e-3, atol=1e-3)


def test_it_tells_how_far_it_is_and_leaves_the_cut_alone() -> None:
    cut = dark_with_a_bright_corner()
    told, found = zip(*sensitivity(planted("nose-1"), cut, cells=6), strict=True)
    assert told == tuple(sorted(told)) and len(told) > 1 and told[-1] == 1
    assert not any(each is not None for each in found[:-1]) and found[-1] is not None
    assert np.array_equal(cut, dark_with_a_bright_corner())


@pytest.mark.parametrize("name", [*DEFAULT_MODELS, "facialpointsnet"])
def test_every_kind_of_model_can_be_asked(name, hopper_path) -> None:
    model = engine().store.model(name)
    face = compare(hopper_path, []).faces[0].detection
    _, cut = crop_face(model.config, images.load(hopper_path), face)
    found = moves(model, cut, cells=4)
    rows, columns = grid(*cut.shape[:2], 4)
    assert found.shape == (len(markups.get(model.config.markup)), rows, columns)
    assert np.isfinite(found).all() and found.min() >= 0 and found.max() > 1
