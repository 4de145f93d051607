"""Losses on keypoints and heatmaps. Every one skips labels that are missing (NaN).

A batch without a single label gives a zero that still has a gradient, so that no step breaks.
"""

import math

import torch
from torch import Tensor
from torch.nn import functional as F

from kpdemo.models.config import ConfigError
from kpdemo.models.nets import Output
from kpdemo.models.nets.heatmaps import cell_centres
from train.recipe import Loss


def masked_mean(values: Tensor, known: Tensor) -> Tensor:
    """Mean of `values` where `known`; 0 (with a gradient) when nothing is."""
    return torch.where(known, values, 0).sum() / known.sum().clamp(min=1)


def mse(difference: Tensor, loss: Loss) -> Tensor:
    return difference.square()


def l1(difference: Tensor, loss: Loss) -> Tensor:
    return difference.abs()


def smooth_l1(difference: Tensor, loss: Loss) -> Tensor:
    return F.smooth_l1_loss(
        difference, torch.zeros_like(difference), reduction="none", beta=loss.bend
    )


def huber(difference: Tensor, loss: Loss) -> Tensor:
    return F.huber_loss(difference, torch.zeros_like(difference), reduction="none", delta=loss.bend)


def wing(difference: Tensor, loss: Loss) -> Tensor:
    """Wing loss (Feng et al. 2018, https://arxiv.org/abs/1711.06753): log near zero, then L1."""
    size = difference.abs()
    offset = loss.bend - loss.bend * math.log(1 + loss.bend / loss.curvature)
    near = loss.bend * torch.log1p(size / loss.curvature)
    return torch.where(size < loss.bend, near, size - offset)


COORDINATES = {"mse": mse, "l1": l1, "smooth_l1": smooth_l1, "huber": huber, "wing": wing}


def bell(place: Tensor, count: int, sigma: float) -> Tensor:
    """A Gaussian of peak 1 over `count` cells: crop coordinates `(B, K)` -> `(B, K, count)`."""
    cells = (cell_centres(count, place.device) - place[..., None]) * count / 2
    return torch.exp(-0.5 * (cells / sigma).square())


def gaussians(target: Tensor, height: int, width: int, sigma: float) -> Tensor:
    """Heatmaps to aim at: keypoints `(B, K, 2)` in crop coordinates -> `(B, K, h, w)`, peak 1."""
    x, y = bell(target[..., 0], width, sigma), bell(target[..., 1], height, sigma)
    return y[..., :, None] * x[..., None, :]


def heatmap_mse(maps: Tensor, target: Tensor, sigma: float) -> Tensor:
    """Squared difference from the target Gaussian: `(B, K, h, w)`, `(B, K, 2)` -> `(B, K)`."""
    return (maps - gaussians(target, *maps.shape[-2:], sigma)).square().mean((-2, -1))


def marginal_cross_entropy(maps: Tensor, target: Tensor, sigma: float) -> Tensor:
    """Cross-entropy of both marginals of maps that sum to 1 to a Gaussian's, added: `(B, K)`.

    Shapes a map as the cross-entropy over all its cells does, at a small part of the cost: the
    target is separable, so the sums over rows and over columns are enough.
    """
    across, down = maps.sum(-2), maps.sum(-1)
    return _cross_entropy(bell(target[..., 0], across.shape[-1], sigma), across) + _cross_entropy(
        bell(target[..., 1], down.shape[-1], sigma), down
    )


def _cross_entropy(aim: Tensor, share: Tensor) -> Tensor:
    aim = aim / aim.sum(-1, keepdim=True).clamp(min=1e-6)
    return -(aim * share.clamp(min=1e-9).log()).sum(-1)


HEATMAPS = {"mse": heatmap_mse, "marginals": marginal_cross_entropy}


class KeypointLoss:
    """The loss that a recipe asks for, on an input of `width` × `height` pixels.

    Raises ConfigError for a name that is not known, or when nothing is asked for.
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
            known = target.isfinite()
            difference = torch.where(known, output.keypoints - target.nan_to_num(), 0)
            difference = difference * self.unit.to(difference.device)
            total = total + masked_mean(COORDINATES[loss.coordinates](difference, loss), known)
        if loss.heatmaps:
            if output.heatmaps is None:
                raise ConfigError("The recipe's loss is on heatmaps, but its net has none.")
            # A point outside the crop has no place in the maps; NaN compares false.
            known = (target.abs() < 1).all(-1)
            each = HEATMAPS[loss.heatmaps](output.heatmaps, target.nan_to_num(), loss.sigma)
            total = total + loss.heatmap_weight * masked_mean(each, known)
        return total
