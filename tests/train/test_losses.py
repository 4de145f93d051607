import math

import pytest
import torch

from kpdemo.models.config import ConfigError
from kpdemo.models.nets import Output
from train.losses import COORDINATES, HEATMAPS, KeypointLoss, gaussians
from train.recipe import Loss

NAN = math.nan


def points(*rows: list[tuple[float, float]]) -> torch.Tensor:
    return torch.tensor(rows, dtype=torch.float32)


def value(name: str, difference: float, **settings: float) -> float:
    """The loss of one coordinate that is off by `difference` pixels (the other is exact)."""
    loss = KeypointLoss(Loss(coordinates=name, **settings), width=2, height=2)
    answer = points([(difference, 0.0)])
    target = points([(0.0, NAN)])
    return loss(Output(answer), target).item()


def test_masked_mse_by_hand() -> None:
    """Width 20: 10 px a unit; height 40: 20 px. Only the five known coordinates count."""
    loss = KeypointLoss(Loss(coordinates="mse", unit="pixel"), width=20, height=40)
    answer = points([(0.1, 0.2), (0.5, 0.5)], [(0.0, 0.0), (-0.3, 0.9)])
    target = points([(0.0, 0.0), (NAN, NAN)], [(0.2, NAN), (-0.3, 0.4)])
    answer.requires_grad_()
    result = loss(Output(answer), target)
    # (0.1·10)², (0.2·20)², (0.2·10)², 0², (0.5·20)²
    assert result.item() == pytest.approx((1 + 16 + 4 + 0 + 100) / 5)
    result.backward()
    # d/da of (10 a)²/5 at 0.1 is 2·100·0.1/5.
    expected = points([(4, 32), (0, 0)], [(-8, 0), (0, 80)])
    torch.testing.assert_close(answer.grad, expected)


def test_unit_crop_does_not_depend_on_the_size() -> None:
    answer, target = points([(0.1, 0.2)]), points([(0.0, 0.0)])
    for width, height in ((20, 40), (300, 100)):
        loss = KeypointLoss(Loss(coordinates="mse", unit="crop"), width, height)
        assert loss(Output(answer), target).item() == pytest.approx((0.01 + 0.04) / 2)


@pytest.mark.parametrize("heatmaps", [None, *HEATMAPS])
@pytest.mark.parametrize("coordinates", COORDINATES)
def test_a_batch_without_labels_gives_zero_with_a_gradient(
    coordinates: str, heatmaps: str | None
) -> None:
    loss = KeypointLoss(Loss(coordinates=coordinates, heatmaps=heatmaps), 32, 32)
    answer = torch.rand(2, 3, 2, requires_grad=True)
    logits = torch.rand(2, 3, 8, 8, requires_grad=True)
    maps = logits.flatten(2).softmax(-1).unflatten(-1, (8, 8))
    result = loss(Output(answer, maps), torch.full((2, 3, 2), NAN))
    assert result.item() == 0
    result.backward()
    for tensor in (answer, logits) if heatmaps else (answer,):
        assert tensor.grad is not None
        assert (tensor.grad == 0).all()


@pytest.mark.parametrize("heatmaps", [None, *HEATMAPS])
@pytest.mark.parametrize("coordinates", COORDINATES)
def test_gradients_are_finite_where_some_labels_are_missing_or_met(
    coordinates: str, heatmaps: str | None
) -> None:
    loss = KeypointLoss(Loss(coordinates=coordinates, heatmaps=heatmaps), 32, 32)
    answer = points([(0.5, 0.5), (0.1, 0.1), (-2.0, 3.0)]).requires_grad_()
    maps = torch.zeros(1, 3, 8, 8, requires_grad=True)
    target = points([(0.5, 0.5), (NAN, NAN), (0.0, NAN)])
    loss(Output(answer, maps), target).backward()
    assert answer.grad.isfinite().all()
    assert answer.grad[0, 1].tolist() == [0, 0]
    assert answer.grad[0, 2, 0] != 0
    if heatmaps:
        assert maps.grad.isfinite().all()
        assert maps.grad[0, 1:].abs().sum() == 0


def test_l1_and_mse_at_known_points() -> None:
    assert value("l1", -3) == 3
    assert value("mse", -3) == 9


def test_smooth_l1_at_known_points() -> None:
    """Quadratic over 2·bend below the bend, then linear."""
    assert value("smooth_l1", 1, bend=2.0) == pytest.approx(1 / 4)
    assert value("smooth_l1", -5, bend=2.0) == pytest.approx(5 - 1)


def test_huber_at_known_points() -> None:
    assert value("huber", 1, bend=2.0) == pytest.approx(1 / 2)
    assert value("huber", -5, bend=2.0) == pytest.approx(2 * (5 - 1))


def test_wing_at_known_points() -> None:
    """Feng et al. 2018: w ln(1 + |x|/ε) below w, |x| - C above, C = w - w ln(1 + w/ε)."""
    assert value("wing", 0, bend=10.0, curvature=2.0) == 0
    assert value("wing", -4, bend=10.0, curvature=2.0) == pytest.approx(10 * math.log(3))
    expected = 25 - (10 - 10 * math.log(6))
    assert value("wing", 25, bend=10.0, curvature=2.0) == pytest.approx(expected)


@pytest.mark.parametrize("name", ["smooth_l1", "huber", "wing"])
def test_robust_losses_are_continuous_at_the_bend_and_rising(name: str) -> None:
    below, above = (value(name, 5 + d, bend=5.0, curvature=1.0) for d in (-1e-5, 1e-5))
    assert below == pytest.approx(above, abs=1e-3)
    seen = [value(name, d / 2, bend=5.0, curvature=1.0) for d in range(20)]
    assert seen == sorted(seen)
    assert len(set(seen)) == len(seen)


def test_gaussian_peaks_in_the_cell_of_the_keypoint() -> None:
    """Row 2 of 6, column 5 of 8, by the convention of grid_sample(align_corners=False)."""
    place = points([((2 * 5 + 1) / 8 - 1, (2 * 2 + 1) / 6 - 1)])
    (aim,) = gaussians(place, 6, 8, sigma=1.5)[0]
    assert aim.shape == (6, 8)
    assert divmod(int(aim.argmax()), 8) == (2, 5)
    assert aim[2, 5].item() == pytest.approx(1)
    assert aim[2, 6].item() == pytest.approx(math.exp(-0.5 / 1.5**2))
    assert aim[4, 4].item() == pytest.approx(math.exp(-0.5 * (4 + 1) / 1.5**2))


def test_gaussian_between_cells_is_symmetric() -> None:
    (aim,) = gaussians(points([(0.0, 0.0)]), 4, 4, sigma=1.0)[0]
    torch.testing.assert_close(aim, aim.flip(0))
    torch.testing.assert_close(aim, aim.flip(1))
    assert aim[1, 1] == aim.max()


@pytest.mark.parametrize("name", HEATMAPS)
def test_heatmap_losses_are_least_at_the_aim(name: str) -> None:
    loss = KeypointLoss(Loss(heatmaps=name, sigma=1.0), 32, 32)
    target = points([(0.3, -0.2)])
    aim = gaussians(target, 16, 16, 1.0)
    other = gaussians(points([(0.5, -0.2)]), 16, 16, 1.0)
    if name != "mse":
        aim, other = aim / aim.sum(), other / other.sum()
    at_aim, beside, flat = (
        loss(Output(target, maps), target).item()
        for maps in (aim, other, torch.full_like(aim, aim.mean().item()))
    )
    assert at_aim < beside
    assert at_aim < flat


def test_heatmap_mse_by_hand() -> None:
    loss = KeypointLoss(Loss(heatmaps="mse", heatmap_weight=3.0, sigma=1.0), 32, 32)
    target = points([(0.3, -0.2), (NAN, NAN)])
    maps = torch.zeros(1, 2, 4, 4)
    expected = 3 * gaussians(target[:, :1], 4, 4, 1.0).square().mean()
    assert loss(Output(target.nan_to_num(), maps), target).item() == pytest.approx(expected.item())


@pytest.mark.parametrize("name", HEATMAPS)
def test_heatmap_losses_ignore_points_outside_the_crop(name: str) -> None:
    loss = KeypointLoss(Loss(heatmaps=name), 32, 32)
    maps = torch.rand(1, 2, 8, 8)
    inside = loss(Output(torch.zeros(1, 1, 2), maps[:, :1]), points([(0.2, 0.2)]))
    for outside in ((1.2, 0.0), (0.0, -1.01), (NAN, NAN)):
        both = loss(Output(torch.zeros(1, 2, 2), maps), points([(0.2, 0.2), outside]))
        assert both.item() == pytest.approx(inside.item())


def test_both_parts_are_added() -> None:
    answer, target = points([(0.1, 0.2)]), points([(0.0, 0.0)])
    output = Output(answer, torch.zeros(1, 1, 8, 8))
    one, other, both = (
        KeypointLoss(loss, 32, 32)(output, target).item()
        for loss in (
            Loss(coordinates="mse"),
            Loss(heatmaps="mse", heatmap_weight=50.0),
            Loss(coordinates="mse", heatmaps="mse", heatmap_weight=50.0),
        )
    )
    assert one > 0
    assert other > 0
    assert both == pytest.approx(one + other)


@pytest.mark.parametrize(
    ("loss", "words"),
    [
        (Loss(coordinates="l2"), ["'l2'", "mse, l1"]),
        (Loss(heatmaps="wing"), ["'wing'", "marginals"]),
        (Loss(), ["neither"]),
        (Loss(coordinates="mse", unit="inch"), ["inch", "pixel or crop"]),
    ],
)
def test_bad_losses_are_refused(loss: Loss, words: list[str]) -> None:
    with pytest.raises(ConfigError) as caught:
        KeypointLoss(loss, 32, 32)
    for word in words:
        assert word in str(caught.value)


def test_a_heatmap_loss_needs_heatmaps() -> None:
    with pytest.raises(ConfigError, match="net has none"):
        KeypointLoss(Loss(heatmaps="mse"), 32, 32)(Output(torch.zeros(1, 1, 2)), points([(0, 0)]))
