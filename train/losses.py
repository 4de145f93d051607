"""Losses on keypoints and heatmaps. Each ignores missing labels (NaN).

A batch without any label gives a zero with a gradient, so that the training step still works.
"""

import math

import torch
from torch import Tensor
from torch.nn import functional as F

from kpdemo.models.config import ConfigError
from kpdemo.models.nets import Output
from kpdemo.models.nets.heatmaps import cell_centres
from train.recipe import Loss


def masked_mean(values: Tensor, mask: Tensor) -> Tensor:
    """Mean of `values` where `mask` holds; 0 (with a gradient) where it holds nowhere."""
    return torch.where(mask, values, 0).sum() / mask.sum().clamp(min=1)


def mse(difference: Tensor, loss: Loss) -> Tensor:
    """Squared error."""
    return difference.square()


def l1(difference: Tensor, loss: Loss) -> Tensor:
    """Absolute error."""
    return difference.abs()


def smooth_l1(difference: Tensor, loss: Loss) -> Tensor:
    """Half the squared error over `bend` below `bend`, the absolute error less half of it above."""
    return F.smooth_l1_loss(
        difference, torch.zeros_like(difference), reduction="none", beta=loss.bend
    )


def huber(difference: Tensor, loss: Loss) -> Tensor:
    """`bend` times `smooth_l1`."""
    return F.huber_loss(difference, torch.zeros_like(difference), reduction="none", delta=loss.bend)


def wing(difference: Tensor, loss: Loss) -> Tensor:
    """Wing loss (Feng et al. 2018, https://arxiv.org/abs/1711.06753): log near zero, then L1."""
    size = difference.abs()
    offset = loss.bend - loss.bend * math.log(1 + loss.bend / loss.curvature)
    near = loss.bend * torch.log1p(size / loss.curvature)
    return torch.where(size < loss.bend, near, size - offset)


COORDINATES = {"mse": mse, "l1": l1, "smooth_l1": smooth_l1, "huber": huber, "wing": wing}


def gaussian(centres: Tensor, count: int, sigma: float) -> Tensor:
    """A Gaussian of peak 1 over `count` cells: crop coordinates `(B, K)` -> `(B, K, count)`."""
    offsets = (cell_centres(count, centres.device) - centres[..., None]) * count / 2
    return torch.exp(-0.5 * (offsets / sigma).square())


def gaussians(target: Tensor, height: int, width: int, sigma: float) -> Tensor:
    """Target heatmaps: keypoints `(B, K, 2)` in crop coordinates -> `(B, K, h, w)`, peak 1."""
    x, y = gaussian(target[..., 0], width, sigma), gaussian(target[..., 1], height, sigma)
    return y[..., :, None] * x[..., None, :]


def heatmap_mse(maps: Tensor, target: Tensor, sigma: float) -> Tensor:
    """Squared difference from the target Gaussian: `(B, K, h, w)`, `(B, K, 2)` -> `(B, K)`."""
    height, width = maps.shape[-2:]
    return (maps - gaussians(target, height, width, sigma)).square().mean((-2, -1))


def marginal_cross_entropy(maps: Tensor, target: Tensor, sigma: float) -> Tensor:
    """Sum of the cross-entropies of both marginals with a Gaussian's: `(B, K)`.

    `maps` `(B, K, h, w)` sum to 1. The effect is that of the cross-entropy over all cells at a
    fraction of the cost: the target is separable, so the sums over rows and columns are enough.
    """
    across, down = maps.sum(-2), maps.sum(-1)
    target_across = gaussian(target[..., 0], across.shape[-1], sigma)
    target_down = gaussian(target[..., 1], down.shape[-1], sigma)
    return _cross_entropy(target_across, across) + _cross_entropy(target_down, down)


def _cross_entropy(target: Tensor, predicted: Tensor) -> Tensor:
    target = target / target.sum(-1, keepdim=True).clamp(min=1e-6)
    return -(target * predicted.clamp(min=1e-9).log()).sum(-1)


HEATMAPS = {"mse": heatmap_mse, "marginals": marginal_cross_entropy}


class KeypointLoss:
    """A recipe's loss, for an input of `width` × `height` pixels.

    Raises ConfigError for an unknown name, and where both losses are missing.
    """

    def __init__(self, loss: Loss, width: int, height: int) -> None:
        for name, table in ((loss.coordinates, COORDINATES), (loss.heatmaps, HEATMAPS)):
            if name is not None and name not in table:
                raise ConfigError(f"Unknown loss {name!r}; known are {', '.join(table)}.")
        if loss.coordinates is None and loss.heatmaps is None:
            raise ConfigError("The recipe's loss names neither coordinates nor heatmaps.")
        if loss.unit not in ("pixel", "crop"):
            raise ConfigError(f"The loss's unit is {loss.unit!r}; it can be pixel or crop.")
        self.loss = loss
        self.unit = torch.tensor([width / 2, height / 2] if loss.unit == "pixel" else [1.0, 1.0])

    def __call__(self, output: Output, target: Tensor) -> Tensor:
        """Loss of a batch: `target` is `(B, K, 2)` in crop coordinates, NaN where unknown."""
        loss = self.loss
        total = output.keypoints.sum() * 0
        if loss.coordinates:
            labelled = target.isfinite()
            difference = torch.where(labelled, output.keypoints - target.nan_to_num(), 0)
            difference = difference * self.unit.to(difference.device)
            total = total + masked_mean(COORDINATES[loss.coordinates](difference, loss), labelled)
        if loss.heatmaps:
            if output.heatmaps is None:
                raise ConfigError("The recipe's loss is on heatmaps, but its net has none.")
            # A point outside the crop is on no map; NaN compares false.
            inside = (target.abs() < 1).all(-1)
            each = HEATMAPS[loss.heatmaps](output.heatmaps, target.nan_to_num(), loss.sigma)
            total = total + loss.heatmap_weight * masked_mean(each, inside)
        return total
