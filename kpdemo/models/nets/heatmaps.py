"""Heatmaps to coordinates and back: where the cells of a map lie, and how a map names a place."""

import torch
from torch import Tensor
from torch.nn import functional as F


def cell_centres(count: int, device: torch.device) -> Tensor:
    """Crop coordinates of the centres of `count` cells in a row."""
    return (2 * torch.arange(count, device=device, dtype=torch.float32) + 1) / count - 1


def softmax_maps(logits: Tensor) -> Tensor:
    """Each map of `(B, K, h, w)` as a distribution over its cells, in float32."""
    return logits.float().flatten(2).softmax(-1).unflatten(-1, logits.shape[-2:])


def centroid(maps: Tensor) -> Tensor:
    """Mean place of maps that sum to 1: `(B, K, h, w)` -> `(B, K, 2)` in crop coordinates."""
    h, w = maps.shape[-2:]
    # Not a matrix product: under autocast that is rounded to bf16, a tenth of a pixel.
    x = (maps.sum(-2) * cell_centres(w, maps.device)).sum(-1)
    y = (maps.sum(-1) * cell_centres(h, maps.device)).sum(-1)
    return torch.stack([x, y], -1)


def peak(maps: Tensor) -> Tensor:
    """Highest cell, a quarter cell towards its higher neighbour: `(B, K, 2)`, crop coordinates."""
    h, w = maps.shape[-2:]
    at = maps.flatten(2).argmax(-1)
    column, row = at % w, at // w
    padded = F.pad(maps, (1, 1, 1, 1), value=0.0).flatten(2)

    def value(dx: int, dy: int) -> Tensor:
        index = (row + 1 + dy) * (w + 2) + column + 1 + dx
        return padded.gather(2, index[..., None]).squeeze(-1)

    x = column + 0.25 * (value(1, 0) - value(-1, 0)).sign()
    y = row + 0.25 * (value(0, 1) - value(0, -1)).sign()
    return torch.stack([(2 * x + 1) / w - 1, (2 * y + 1) / h - 1], -1)
