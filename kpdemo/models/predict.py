"""Crops in, keypoints out: one trained model on any number of faces in one batch."""

import time
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor

from kpdemo.faces.crop import Crop
from kpdemo.keypoints import markups
from kpdemo.media.images import Photo
from kpdemo.models.checkpoint import Model, normalise
from kpdemo.models.config import ExpectedError
from kpdemo.models.device import autocast
from kpdemo.models.face_crops import FaceCrops, crop_faces
from kpdemo.models.nets import Output
from kpdemo.models.nets.heatmaps import cell_centres
from kpdemo.structures import Face, Prediction

# The scale of confidence, as a share of the crop's side.
TOLERANCE = 0.05
# Faces a batch.
FACES = 8
# What the signals of an expected error cannot fall below: a share of the crop's side, and of the
# heatmap's mass.
_MIN_DISAGREEMENT, _MIN_DISTANT_MASS = 0.001, 0.005


@dataclass(frozen=True)
class Predictions:
    """`keypoints` `(F, K, 2)` in crop coordinates, `confidence` `(F, K)` from 0 to 1.

    `signals` `(F, K, 2)` are those of `error_signals`; `expected_error` `(F, K)` follows from them,
    in percent of the eye distance, None where it was not fitted. `heatmaps` is `(F, K, h, w)` where
    they were requested and the net has them. `milliseconds` is the latency of the whole batch.
    """

    keypoints: np.ndarray
    confidence: np.ndarray
    heatmaps: np.ndarray | None
    milliseconds: float
    signals: np.ndarray
    expected_error: np.ndarray | None = None


@torch.inference_mode()
def predict(model: Model, crops: np.ndarray, heatmaps: bool = False) -> Predictions:
    """A model's prediction on crops `(F, H, W[, C])` uint8 of its input size.

    Every crop is in the batch twice, as it is and mirrored. With the config's flip test the two
    predictions are averaged, without it the first one counts; the calibration follows where the
    model has one. Confidence is the share of the heatmap's mass (the average of both with the flip
    test) within 5 % of the crop's side of the prediction, along x and y; for nets without heatmaps,
    how far the two predictions agree on the same scale. `heatmaps` are returned only on request,
    since they take longer than everything but the net.
    """
    started = time.perf_counter()
    device = model.device
    pictures = torch.from_numpy(crops if crops.ndim == 4 else crops[..., None]).to(device)
    pictures = pictures.permute(0, 3, 1, 2)
    both = torch.cat([pictures, pictures.flip(-1)])
    with autocast(device):
        output = model.inference_net(normalise(both, model.config.input))
    direct, mirrored = halves(output if heatmaps else Output(output.keypoints), model.config.markup)
    flip_test = model.config.flip_test
    keypoints, maps = average(direct, mirrored) if flip_test else direct
    disagreement = (direct.keypoints - mirrored.keypoints).norm(dim=-1)
    if output.heatmaps is None:
        confidence = (1 - disagreement / (2 * TOLERANCE)).clamp(0, 1)
    else:
        all_maps = output.heatmaps.float()
        used = all_maps if flip_test else all_maps[: len(keypoints)]
        confidence = mass_around(used, keypoints, model.config.markup)
    of_maps = None if output.heatmaps is None else confidence
    signals = error_signals(disagreement, of_maps).cpu().numpy()
    if model.calibration is not None:
        keypoints = calibrated(keypoints.cpu(), model.calibration)
    return Predictions(
        keypoints.cpu().numpy(),
        confidence.cpu().numpy(),
        None if maps is None else maps.cpu().numpy(),
        1000 * (time.perf_counter() - started),
        signals,
        expected_error(signals, model.config.expected_error),
    )


class NetPredictor:
    """A net as a `Predictor`: crops faces photo by photo, predicts them in batches."""

    def __init__(self, model: Model) -> None:
        self.model = model
        self.name = model.name
        self.markup = model.config.markup

    @property
    def device(self) -> str:
        """The kind of device that the net is on."""
        return self.model.device.type

    def prepare(self, photo: Photo, faces: Sequence[Face]) -> FaceCrops:
        """The faces' crops, see `Predictor.prepare`."""
        return crop_faces(self.model.config, photo, faces)

    def predict(self, prepared: Sequence[FaceCrops]) -> list[list[Prediction | None]]:
        """Keypoints of all faces, never many more than `FACES` of them at a time."""
        pixels = np.concatenate([crops.pixels for crops in prepared])
        parts = [
            predict(self.model, part) for part in np.array_split(pixels, -(-len(pixels) // FACES))
        ]
        each = sum(part.milliseconds for part in parts) / len(pixels)
        faces = (
            (
                part.keypoints[row],
                part.confidence[row],
                None if part.expected_error is None else part.expected_error[row],
            )
            for part in parts
            for row in range(len(part.keypoints))
        )
        return [
            [self._prediction(crops, crop, *next(faces), each) for crop in crops.crops]
            for crops in prepared
        ]

    def _prediction(
        self,
        crops: FaceCrops,
        crop: Crop,
        keypoints: np.ndarray,
        confidence: np.ndarray,
        expected_error: np.ndarray | None,
        milliseconds: float,
    ) -> Prediction:
        return Prediction(
            self.markup,
            crops.photo.to_original(crop.to_photo(keypoints)),
            confidence,
            milliseconds,
            crop_milliseconds=crops.milliseconds / len(crops.crops),
            expected_error=expected_error,
        )


def error_signals(disagreement: Tensor, of_maps: Tensor | None) -> Tensor:
    """What a net's own predictions tell of their errors: `(F, K)` twice -> `(F, K, 2)`.

    The logarithms of the `disagreement`, the distance in crop coordinates between the predictions
    on the crop and on its mirror image, and of the share of the heatmap's mass that is not near the
    prediction. That share is 1 minus the confidence `of_maps`; nets without heatmaps have zero.
    """
    spread = (disagreement / 2).clamp(min=_MIN_DISAGREEMENT).log()
    if of_maps is None:
        return torch.stack([spread, torch.zeros_like(spread)], -1)
    return torch.stack([spread, (1 - of_maps).clamp(min=_MIN_DISTANT_MASS).log()], -1)


def expected_error(signals: np.ndarray, fitted: ExpectedError | None) -> np.ndarray | None:
    """The expected error of each point in percent of the eye distance: `(F, K, 2)` -> `(F, K)`."""
    if fitted is None:
        return None
    return np.exp(np.array(fitted.levels) + signals @ np.array(fitted.slopes)).astype(np.float32)


def calibrated(keypoints: Tensor, matrix: Tensor) -> Tensor:
    """Keypoints `(F, K, 2)` in crop coordinates, corrected by a linear map of all of them.

    The `matrix` `(2K + 1, 2K)` is fitted on training faces (`train.fitting.calibration`). It
    restores what the flip test averages out, such as labels that are biased to one side.
    """
    flat = keypoints.flatten(1)
    moves = torch.cat([flat, torch.ones_like(flat[:, :1])], 1) @ matrix
    return keypoints + moves.unflatten(1, (-1, 2))


def average(direct: Output, mirrored: Output) -> Output:
    """The mean of two predictions of the same faces, and of their heatmaps where both have them."""
    maps = None
    if direct.heatmaps is not None and mirrored.heatmaps is not None:
        maps = (direct.heatmaps + mirrored.heatmaps) / 2
    return Output((direct.keypoints + mirrored.keypoints) / 2, maps)


def halves(output: Output, markup_name: str) -> tuple[Output, Output]:
    """The predictions on the crops and, mirrored back, on their mirror images."""
    # Not `chunk` or `len`, which tie an exported net to one number of faces.
    count = output.keypoints.shape[0] // 2
    points, turned = output.keypoints[:count].float(), output.keypoints[count:].float()
    turned = _mirrored(turned, markup_name)
    if output.heatmaps is None:
        return Output(points), Output(turned)
    maps, turned_maps = output.heatmaps[:count].float(), output.heatmaps[count:].float()
    order = list(markups.get(markup_name).mirror)
    return Output(points, maps), Output(turned, turned_maps[:, order].flip(-1))


def mass_around(maps: Tensor, keypoints: Tensor, markup_name: str) -> Tensor:
    """Share of the mass of maps near `keypoints` `(F, K, 2)`: `(F, K)`.

    `maps` are those of the pictures `(F, K, h, w)`, or `(2F, K, h, w)` with those of their mirror
    images after them.
    """
    h, w = maps.shape[-2:]
    twice = len(maps) > len(keypoints)
    place = torch.cat([keypoints, _mirrored(keypoints, markup_name)]) if twice else keypoints
    x = (cell_centres(w, maps.device) - place[..., :1]).abs() < 2 * TOLERANCE
    y = (cell_centres(h, maps.device) - place[..., 1:]).abs() < 2 * TOLERANCE
    # A square window is a product of two vectors: the maps are read only once, for all sums.
    rows = maps @ torch.stack([x.float(), torch.ones_like(x, dtype=torch.float32)], -1)
    near, total = (rows[..., 0] * y).sum(-1), rows[..., 1].sum(-1)
    if twice:
        order = list(markups.get(markup_name).mirror)
        (near, turned_near), (total, turned_total) = near.chunk(2), total.chunk(2)
        near, total = near + turned_near[:, order], total + turned_total[:, order]
    return (near / total.clamp(min=1e-6)).clamp(0, 1)


def _mirrored(keypoints: Tensor, markup_name: str) -> Tensor:
    """Keypoints `(F, K, 2)` in crop coordinates as they are in the mirrored crop, or back."""
    order = list(markups.get(markup_name).mirror)
    return keypoints[:, order] * torch.tensor([-1.0, 1.0], device=keypoints.device)
