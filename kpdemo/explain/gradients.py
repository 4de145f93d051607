"""Gradient × input: how each part of the crop's contrast pulls the keypoints.

After Shrikumar et al. 2016, https://arxiv.org/abs/1605.01713. Of a linear net it is exact: the
parts add up to how far the point moves from a plain picture to this one. Integrated gradients would
add up for every net, but between a plain picture and a face these nets' predictions jump: eight
gradients a point, all that there is time for, miss by more than the way itself.
"""

from collections.abc import Iterator

import numpy as np
import torch

from kpdemo.explain.distance import distance_unit
from kpdemo.explain.occlusion import grid
from kpdemo.models.checkpoint import Model, normalise
from kpdemo.models.device import autocast

CELLS = 28  # along the crop's shorter side


def attribution(
    model: Model, pixels: np.ndarray, cells: int = CELLS
) -> Iterator[tuple[float, np.ndarray | None]]:
    """The attribution of every keypoint to `grid(…, cells)` parts of the crop.

    Yields the progress from 0 to 1, and with the last of it the result, float32 `(K, 2, gh, gw)`:
    until then None. A part's value is the sum over its pixels of the gradient of the keypoint's x
    and y times the pixel's difference from the crop's mean colour, in percent of `distance_unit`.
    `pixels` is `(H, W[, C])` uint8 of the model's input size. Without calibration and without flip
    test, as in occlusion.
    """
    height, width = pixels.shape[:2]
    plain = np.broadcast_to(pixels.mean((0, 1)).round().astype(np.uint8), pixels.shape)
    both = torch.from_numpy(np.stack([pixels, plain]).reshape(2, height, width, -1))
    both = normalise(both.permute(0, 3, 1, 2).to(model.device), model.config.input)
    contrast = both[0] - both[1]
    picture = both[:1].clone(memory_format=torch.channels_last).requires_grad_()
    with torch.enable_grad(), autocast(model.device):
        keypoints = model.net(picture).keypoints
    gh, gw = grid(height, width, cells)
    rows, columns = _pooling(height, gh), _pooling(width, gw)
    shares = np.zeros((keypoints.shape[1], 2, gh, gw), np.float32)
    for k in range(len(shares)):
        for axis in (0, 1):
            (gradient,) = torch.autograd.grad(keypoints[0, k, axis], picture, retain_graph=True)
            share = (contrast * gradient[0]).sum(0).float().cpu().numpy()
            shares[k, axis] = rows @ share @ columns.T
        if k + 1 < len(shares):
            yield (k + 1) / len(shares), None
    prediction = keypoints[0].detach().float().cpu().numpy()
    unit, _ = distance_unit(prediction, model.config.markup, width, height)
    to_percent = 100 / unit * np.array([width / 2, height / 2], np.float32)
    yield 1.0, shares * to_percent[:, None, None]


def _pooling(length: int, cells: int) -> np.ndarray:
    """Sums of neighbouring pixels as a matrix `(cells, length)`; each pixel counts once."""
    return (np.arange(length) * cells // length == np.arange(cells)[:, None]).astype(np.float32)
