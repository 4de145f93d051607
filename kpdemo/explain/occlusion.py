"""Occlusion sensitivity: how far the keypoints move when a patch of the crop is occluded.

After Zeiler & Fergus 2014, https://arxiv.org/abs/1311.2901, who did so with a classifier.
"""

from collections.abc import Iterator

import numpy as np
import torch

from kpdemo.explain.distance import distance_unit
from kpdemo.faces.crop import Crop
from kpdemo.models.checkpoint import Model, normalise
from kpdemo.models.device import autocast

# Patches along the crop's shorter side, and a patch's side as a share of that.
CELLS = 14
PATCH = 1 / 6
_BATCH = 16


@torch.inference_mode()
def sensitivity(
    model: Model,
    crop: np.ndarray,
    cells: int = CELLS,
    patch: float = PATCH,
) -> Iterator[tuple[float, np.ndarray | None]]:
    """How far each keypoint moves when a square of the crop is occluded.

    Yields the progress from 0 to 1, and with the last of it the moves, float32 `(K, gh, gw)`: until
    then None.

    `crop` is `(H, W[, C])` uint8 of the model's input size. It is divided into `cells` cells along
    its shorter side, as nearly square as can be; a square of `patch` times that side, filled with
    the crop's mean colour, is laid on the centre of each. A cell's value is the distance between
    the predictions with and without the square, in percent of `distance_unit`, without calibration
    and without flip test, which would occlude two places.
    """
    height, width = crop.shape[:2]
    device = model.device
    whole = Crop.whole(width, height)

    def predict(pictures: np.ndarray) -> np.ndarray:
        by_channels = pictures.reshape(len(pictures), height, width, -1)
        tensor = torch.from_numpy(by_channels).permute(0, 3, 1, 2).to(device)
        with autocast(device):
            keypoints = model.net(normalise(tensor, model.config.input)).keypoints
        return keypoints.float().cpu().numpy()

    (unoccluded,) = predict(crop[None])
    unit, _ = distance_unit(unoccluded, model.config.markup, width, height)
    places = _places(height, width, cells, patch)
    grey = crop.mean((0, 1)).round().astype(np.uint8)
    moves = []
    for start in range(0, len(places), _BATCH):
        hidden = np.repeat(crop[None], len(places[start : start + _BATCH]), 0)
        for picture, (rows, columns) in zip(hidden, places[start : start + _BATCH], strict=True):
            picture[rows, columns] = grey
        shifts = whole.to_photo(predict(hidden)) - whole.to_photo(unoccluded)
        moves.append(100 * np.linalg.norm(shifts, axis=-1) / unit)
        if start + _BATCH < len(places):
            yield (start + _BATCH) / len(places), None
    gh, gw = grid(height, width, cells)
    yield 1.0, np.concatenate(moves).T.reshape(-1, gh, gw).astype(np.float32)


def grid(height: int, width: int, cells: int = CELLS) -> tuple[int, int]:
    """Rows and columns of the patches in a crop of that size."""
    side = min(height, width)
    return round(cells * height / side), round(cells * width / side)


def _places(height: int, width: int, cells: int, patch: float) -> list[tuple[slice, slice]]:
    """The square on the centre of each cell, row by row, clipped to the crop."""
    rows, columns = grid(height, width, cells)
    side = max(1, round(patch * min(height, width)))

    def spans(count: int, length: int) -> list[slice]:
        starts = [round((k + 0.5) * length / count - side / 2) for k in range(count)]
        return [slice(max(0, start), min(length, start + side)) for start in starts]

    return [(row, column) for row in spans(rows, height) for column in spans(columns, width)]
