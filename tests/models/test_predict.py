import dataclasses

import numpy as np
import pytest
import torch
from torch import Tensor, nn

from kpdemo.keypoints import markups
from kpdemo.models import nets
from kpdemo.models.checkpoint import Model, normalise
from kpdemo.models.config import ExpectedError, Input, ModelConfig
from kpdemo.models.nets import Output
from kpdemo.models.nets.heatmaps import cell_centres, centroid
from kpdemo.models.predict import Predictions, halves, mass_around, predict

KAGGLE = markups.get("kaggle-15")
REGRESSOR = ModelConfig(
    "simplenet", "kaggle-15", Input(32, 32), args={"blocks": [{"channels": 6, "pool": 4}]}
)
UNET = ModelConfig("unet", "kaggle-15", Input(32, 32), args={"base": 4, "depth": 2})


def model(config: ModelConfig) -> Model:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return Model("tiny", config, nets.build(config).eval())


def cuts(count: int) -> np.ndarray:
    return np.random.default_rng(0).integers(0, 256, (count, 32, 32), np.uint8)


class Brightest(nn.Module):
    """Every keypoint is where the picture is bright: a net that treats left and right alike.

    `offset` moves its answers to the right, as a net that has learnt a wrong bias would.
    """

    def __init__(self, offset: float, heatmaps: bool) -> None:
        super().__init__()
        self.offset = nn.Parameter(torch.tensor(offset))
        self.heatmaps = heatmaps

    def forward(self, pictures: Tensor) -> Output:
        bright = (pictures - pictures.amin((-2, -1), keepdim=True)).float()
        maps = (bright / bright.sum((-2, -1), keepdim=True)).expand(-1, 15, -1, -1)
        points = centroid(maps) + torch.stack([self.offset, torch.zeros(())])
        return Output(points, maps) if self.heatmaps else Output(points)


def brightest(offset: float = 0.0, heatmaps: bool = False) -> Model:
    return Model("brightest", REGRESSOR, Brightest(offset, heatmaps))


def spots(*places: tuple[float, float], sigma: float = 0.03) -> np.ndarray:
    """One 32 x 32 picture with soft bright spots at places in crop coordinates: `(1, 32, 32)`."""
    centres = cell_centres(32, torch.device("cpu")).numpy()
    distance = [(centres[None] - x) ** 2 + (centres[:, None] - y) ** 2 for x, y in places]
    return (255 * sum(np.exp(-d / (2 * sigma**2)) for d in distance)).astype(np.uint8)[None]


@pytest.mark.parametrize("config", [REGRESSOR, UNET], ids=["regressor", "unet"])
def test_a_mirrored_picture_gets_the_mirrored_answer(config: ModelConfig) -> None:
    net = model(config)
    direct = predict(net, cuts(2), heatmaps=True)
    mirrored = predict(net, cuts(2)[..., ::-1].copy(), heatmaps=True)
    turned = mirrored.keypoints[:, list(KAGGLE.mirror)] * (-1, 1)
    np.testing.assert_allclose(turned, direct.keypoints, atol=0.02)
    turned = mirrored.confidence[:, list(KAGGLE.mirror)]
    np.testing.assert_allclose(turned, direct.confidence, atol=0.05)
    if direct.heatmaps is not None and mirrored.heatmaps is not None:
        turned = mirrored.heatmaps[:, list(KAGGLE.mirror), :, ::-1]
        np.testing.assert_allclose(turned, direct.heatmaps, atol=1e-4)


def test_a_symmetric_net_is_not_changed_by_the_mirrored_test() -> None:
    answer = predict(brightest(), spots((0.4, -0.3)))
    assert answer.keypoints[0] == pytest.approx(np.tile([0.4, -0.3], (15, 1)), abs=0.02)


def test_a_bias_to_one_side_is_averaged_out_and_lowers_confidence() -> None:
    steady, biased = (predict(brightest(offset), spots((0.4, -0.3))) for offset in (0.0, 0.02))
    np.testing.assert_allclose(biased.keypoints, steady.keypoints, atol=0.01)
    assert steady.confidence.min() > 0.9
    # Both answers are 0.02 off, 0.04 of the 0.1 at which confidence is gone.
    np.testing.assert_allclose(biased.confidence, 0.6, atol=0.1)
    assert predict(brightest(0.2), spots((0.4, -0.3))).confidence.max() == 0


@pytest.mark.parametrize("config", [REGRESSOR, UNET], ids=["regressor", "unet"])
def test_without_the_flip_test_one_pass_is_the_prediction(config: ModelConfig) -> None:
    single = model(dataclasses.replace(config, flip_test=False))
    pixels = cuts(3)
    answer = predict(single, pixels, heatmaps=True)
    with torch.inference_mode():
        output = single.net(normalise(torch.from_numpy(pixels)[:, None], config.input))
    np.testing.assert_allclose(answer.keypoints, output.keypoints, atol=0.02)
    assert (answer.heatmaps is None) == (output.heatmaps is None)
    if output.heatmaps is not None:
        np.testing.assert_allclose(answer.heatmaps, output.heatmaps, atol=0.01)
        expected = mass_around(output.heatmaps, output.keypoints, config.markup)
        np.testing.assert_allclose(answer.confidence, expected, atol=0.05)


def test_without_the_flip_test_a_bias_stays_and_still_lowers_confidence() -> None:
    biased = brightest(0.02)
    single = dataclasses.replace(biased, config=dataclasses.replace(REGRESSOR, flip_test=False))
    both, one = (predict(each, spots((0.4, -0.3))) for each in (biased, single))
    np.testing.assert_allclose(one.keypoints, both.keypoints + (0.02, 0), atol=1e-3)
    np.testing.assert_array_equal(one.confidence, both.confidence)


def test_a_calibration_moves_the_average_and_nothing_else() -> None:
    """Two pixels of 32 to the right, and twice as far from the middle."""
    plain = brightest(heatmaps=True)
    matrix = torch.eye(31)[:, :30]
    matrix[30, 0::2] = 2 / 16
    calibrated = dataclasses.replace(plain, calibration=matrix)
    before, after = (predict(m, spots((0.2, -0.3)), heatmaps=True) for m in (plain, calibrated))
    np.testing.assert_allclose(after.keypoints, 2 * before.keypoints + (2 / 16, 0), atol=1e-5)
    np.testing.assert_array_equal(after.confidence, before.confidence)
    np.testing.assert_array_equal(after.heatmaps, before.heatmaps)


def test_an_ambiguous_picture_has_less_confidence() -> None:
    net = brightest(heatmaps=True)
    clear = predict(net, spots((0.4, -0.3))).confidence
    two = predict(net, spots((0.4, -0.3), (-0.5, 0.5))).confidence
    blurred = predict(net, spots((0.4, -0.3), sigma=0.2)).confidence
    assert clear.min() > 0.9
    assert two.max() < 0.1
    assert 0 < blurred.max() < 0.5


def test_mass_around_by_hand() -> None:
    """5 % of the side around a place: at 40 cells the window reaches two cells far."""
    left, right = KAGGLE.mirror[0], 0
    maps = torch.zeros(2, 15, 40, 40)
    for y, x, value in ((10, 20, 3), (11, 21, 1), (10, 23, 2), (30, 20, 4)):
        maps[0, right, y, x] = value
    # The mirrored picture's map of the other side's point: all of it where the answer is.
    maps[1, left, 10, 39 - 20] = 10
    places = torch.zeros(1, 15, 2)
    places[0, right] = torch.tensor([(2 * 20 + 1) / 40 - 1, (2 * 10 + 1) / 40 - 1])
    shares = mass_around(maps, places, "kaggle-15")
    assert shares[0, right].item() == pytest.approx((4 + 10) / 20)
    assert shares[0, left].item() == 0


@pytest.mark.parametrize("config", [REGRESSOR, UNET], ids=["regressor", "unet"])
def test_a_face_in_a_batch_is_answered_as_alone(config: ModelConfig) -> None:
    net = model(config)
    together, alone = predict(net, cuts(5)), predict(net, cuts(5)[3:4])
    # Where nets run in bf16, other batch sizes take other ways through a product.
    np.testing.assert_allclose(together.keypoints[3], alone.keypoints[0], atol=0.01)
    np.testing.assert_allclose(together.confidence[3], alone.confidence[0], atol=0.1)


@pytest.mark.parametrize("config", [REGRESSOR, UNET], ids=["regressor", "unet"])
def test_shapes_and_ranges(config: ModelConfig) -> None:
    answer = predict(model(config), cuts(3))
    assert isinstance(answer, Predictions)
    assert answer.keypoints.shape == (3, 15, 2)
    assert answer.confidence.shape == (3, 15)
    assert answer.keypoints.dtype == answer.confidence.dtype == np.float32
    assert np.isfinite(answer.keypoints).all()
    assert answer.confidence.min() >= 0
    assert answer.confidence.max() <= 1
    assert answer.milliseconds > 0
    assert answer.heatmaps is None
    maps = predict(model(config), cuts(3), heatmaps=True).heatmaps
    assert (maps is None) if config is REGRESSOR else (maps.shape == (3, 15, 32, 32))


def test_colour_cuts() -> None:
    config = ModelConfig("unet", "nose-1", Input(16, 24, 3), args={"base": 4, "depth": 1})
    photo = np.random.default_rng(0).integers(0, 256, (2, 16, 24, 3), np.uint8)
    net = model(config)
    answer = predict(net, photo)
    assert answer.keypoints.shape == (2, 1, 2)
    swapped = predict(net, photo[..., ::-1].copy())
    assert np.abs(swapped.keypoints - answer.keypoints).max() > 1e-4


def test_halves_puts_the_mirrored_answer_back() -> None:
    """Answers on a picture and its mirror image that agree with each other are the same after."""
    rng = np.random.default_rng(0)
    points = torch.from_numpy(rng.uniform(-1, 1, (2, 15, 2)).astype(np.float32))
    maps = torch.from_numpy(rng.uniform(0, 1, (2, 15, 6, 8)).astype(np.float32))
    order = list(KAGGLE.mirror)
    seen_mirrored = points[:, order] * torch.tensor([-1.0, 1.0])
    both = Output(torch.cat([points, seen_mirrored]), torch.cat([maps, maps[:, order].flip(-1)]))
    direct, turned = halves(both, "kaggle-15")
    assert torch.equal(direct.keypoints, turned.keypoints)
    assert torch.equal(direct.heatmaps, turned.heatmaps)
    assert torch.equal(direct.keypoints, points)


@pytest.mark.parametrize("heatmaps", [False, True])
def test_an_expected_error_follows_the_nets_own_signals(heatmaps: bool) -> None:
    config = dataclasses.replace(
        REGRESSOR, expected_error=ExpectedError((1.0,) * 14 + (2.0,), (0.5, 0.25))
    )
    sure, biased = (
        predict(Model("b", config, Brightest(offset, heatmaps)), spots((0.4, -0.3)))
        for offset in (0.0, 0.02)
    )
    assert sure.expected_error is not None and biased.expected_error is not None
    assert sure.expected_error.shape == (1, 15)
    # The answers to the two pictures are 0.04 apart.
    assert biased.signals[0, :, 0] == pytest.approx(np.log(0.02), abs=0.05)
    assert (biased.expected_error > sure.expected_error).all()
    assert biased.expected_error[0, 14] == pytest.approx(np.e * biased.expected_error[0, 0])
    exponent = 1 + biased.signals[0, 0] @ (0.5, 0.25)
    assert biased.expected_error[0, 0] == pytest.approx(np.exp(exponent))


def test_a_net_without_a_fit_has_no_expected_error() -> None:
    assert predict(brightest(), spots((0.4, -0.3))).expected_error is None
