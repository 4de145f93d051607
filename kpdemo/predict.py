"""Crops in, keypoints out: one trained model on any number of faces in one batch."""

import time
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from kpdemo import markup
from kpdemo.checkpoint import Model, normalise
from kpdemo.device import autocast
from kpdemo.nets import Output

# Confidence is how little an answer is spread, in units of this share of the crop's side.
TOLERANCE = 0.05


@dataclass(frozen=True)
class Prediction:
    """`keypoints` `(F, K, 2)` in crop coordinates, `confidence` `(F, K)` from 0 to 1.

    `heatmaps` is `(F, K, h, w)` where the net has them. `milliseconds` is the time of the whole
    batch.
    """

    keypoints: np.ndarray
    confidence: np.ndarray
    heatmaps: np.ndarray | None
    milliseconds: float


@torch.inference_mode()
def predict(model: Model, cuts: np.ndarray) -> Prediction:
    """A model's answer on cuts `(F, H, W[, C])` uint8 of its input size.

    Every face is seen twice, as it is and mirrored, in one batch, and the two answers are
    averaged, and calibrated where the model has a calibration. Confidence is the share of a
    heatmap's mass within 5 % of the crop's side around the average; for nets without heatmaps, how
    far the two answers agree on the same scale.
    """
    started = time.perf_counter()
    device = next(model.net.parameters()).device
    pictures = torch.from_numpy(cuts if cuts.ndim == 4 else cuts[..., None]).permute(0, 3, 1, 2)
    both = torch.cat([pictures, pictures.flip(-1)]).to(device)
    with autocast(device):
        output = model.net(normalise(both, model.config.input))
    direct, mirrored = halves(output, model.config.markup)
    keypoints = (direct.keypoints + mirrored.keypoints) / 2
    maps = None
    if direct.heatmaps is None:
        apart = (direct.keypoints - mirrored.keypoints).norm(dim=-1)
        confidence = (1 - apart / (2 * TOLERANCE)).clamp(0, 1)
    else:
        maps = (direct.heatmaps + mirrored.heatmaps) / 2
        confidence = mass_around(maps, keypoints)
    if model.calibration is not None:
        keypoints = calibrated(keypoints.cpu(), model.calibration)
    return Prediction(
        keypoints.cpu().numpy(),
        confidence.cpu().numpy(),
        None if maps is None else maps.cpu().numpy(),
        1000 * (time.perf_counter() - started),
    )


def calibrated(keypoints: Tensor, matrix: Tensor) -> Tensor:
    """Keypoints `(F, K, 2)` in crop coordinates, moved as a linear map of all of them says.

    The `matrix` `(2K + 1, 2K)` is fitted on training faces (`train.calibrate`). It brings back what
    the average with the mirror image takes away, such as labels that lie to one side.
    """
    known = keypoints.flatten(1)
    moves = torch.cat([known, torch.ones_like(known[:, :1])], 1) @ matrix
    return keypoints + moves.unflatten(1, (-1, 2))


def halves(output: Output, markup_name: str) -> tuple[Output, Output]:
    """The answers on the pictures and, turned back, on their mirror images."""
    order = list(markup.get(markup_name).mirror)
    points, turned = output.keypoints.float().chunk(2)
    turned = turned[:, order] * torch.tensor([-1.0, 1.0], device=turned.device)
    if output.heatmaps is None:
        return Output(points), Output(turned)
    maps, turned_maps = output.heatmaps.float().chunk(2)
    return Output(points, maps), Output(turned, turned_maps[:, order].flip(-1))


def mass_around(maps: Tensor, keypoints: Tensor) -> Tensor:
    """Share of each map's mass near its keypoint: `(F, K, h, w)`, `(F, K, 2)` -> `(F, K)`."""
    h, w = maps.shape[-2:]
    place = keypoints[..., None, :]
    x = (2 * torch.arange(w, device=maps.device) + 1) / w - 1 - place[..., 0]
    y = (2 * torch.arange(h, device=maps.device) + 1) / h - 1 - place[..., 1]
    near = (x.square()[..., None, :] + y.square()[..., :, None]) < (2 * TOLERANCE) ** 2
    total = maps.sum((-2, -1)).clamp(min=1e-6)
    return ((maps * near).sum((-2, -1)) / total).clamp(0, 1)
