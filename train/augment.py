"""Random changes of training faces: where the crop lies, how it looks, whether it is mirrored.

A moved face is a `Crop` at a random place, cut by one warp as the app cuts it. Everything is done
by OpenCV on the one small cut: torchvision's transforms, which do the same, take four times as
long, most of it around the computing, and would keep the processor from the net.
"""

import math
from dataclasses import replace

import cv2
import numpy as np
import torch
from torch import Tensor

from kpdemo import markup
from kpdemo.config import Input
from kpdemo.crops import Crop
from train.recipe import Augment

# Stored faces are this much wider than the crop that is cut out of them, so that turned and
# shifted crops still find picture at their edges.
MARGIN = 1.5
# Blur's range of Gaussians in pixels; of an erased rectangle, the share of the crop, its height
# over its width, and its grey.
_SIGMA, _SHARE, _RATIO, _GREY = (0.5, 2.0), (0.02, 0.2), (0.4, 2.5), 127


class Augmenter:
    """A stored face -> a training example: uint8 `(C, H, W)` and keypoints in crop coordinates.

    All that is random is drawn from torch's default generator.
    """

    def __init__(self, settings: Augment, size: Input, markup_name: str) -> None:
        self.settings, self.size = settings, size
        self.order = np.array(markup.get(markup_name).mirror)
        colours = [
            (settings.brightness, brightened),
            (settings.contrast, contrasted),
            (settings.saturation if size.channels == 3 else 0.0, saturated),
        ]
        self.colours = [(half, change) for half, change in colours if half]

    def __call__(self, picture: Tensor, keypoints: Tensor) -> tuple[Tensor, Tensor]:
        """`picture` uint8 `(C, h, w)`, `keypoints` `(K, 2)` in its crop coordinates, or NaN."""
        stored = Crop.whole(picture.shape[-1], picture.shape[-2])
        crop = self.place(stored)
        pixels = np.ascontiguousarray(picture.permute(1, 2, 0).numpy())
        cut = self.look(crop.cut(pixels, self.size.height, self.size.width))
        target = crop.to_crop(stored.to_photo(keypoints.numpy()))
        if torch.rand(()) < self.settings.mirror:
            cut = cv2.flip(cut, 1)
            target = target[self.order] * np.float32([-1, 1])
        cut = cut[None] if cut.ndim == 2 else np.ascontiguousarray(cut.transpose(2, 0, 1))
        return torch.from_numpy(cut), torch.from_numpy(target)

    def place(self, stored: Crop) -> Crop:
        """Where to cut: the middle of the stored face, turned, shifted and scaled at random."""
        settings = self.settings
        crop = Crop(stored.x, stored.y, self.size.width, self.size.height)
        turn, across, down = (2 * torch.rand(3) - 1).tolist()
        grow, turned, shifted = torch.rand(3).tolist()
        if turned < settings.moved:
            crop = replace(crop, roll=settings.rotate * turn)
        if shifted < settings.moved:
            low, high = settings.scale
            crop = crop.scaled(1 / (low + (high - low) * grow))
            # A crop is two units of its coordinates wide.
            x, y = crop.to_photo(2 * settings.shift * np.array([across, down])).tolist()
            crop = replace(crop, x=x, y=y)
        return crop

    def look(self, cut: np.ndarray) -> np.ndarray:
        """A cut `(H, W[, 3])` uint8 with random colours, blurred and partly erased at random."""
        if self.colours:
            factors = (2 * torch.rand(len(self.colours)) - 1).tolist()
            for at in torch.randperm(len(self.colours)).tolist():
                half, change = self.colours[at]
                cut = change(cut, max(0.0, 1 + half * factors[at]))
        blur, erase = torch.rand(2).tolist()
        if blur < self.settings.blur:
            cut = cv2.GaussianBlur(cut, (5, 5), _between(_SIGMA))
        if erase < self.settings.erase:
            cut = erased(cut)
        return cut


def brightened(cut: np.ndarray, factor: float) -> np.ndarray:
    """Each value of uint8 `(H, W[, 3])` times the factor."""
    return cv2.addWeighted(cut, factor, cut, 0, 0)


def contrasted(cut: np.ndarray, factor: float) -> np.ndarray:
    """Each value's distance from the mean grey times the factor."""
    grey = cut if cut.ndim == 2 else cv2.cvtColor(cut, cv2.COLOR_RGB2GRAY)
    return cv2.addWeighted(cut, factor, cut, 0, (1 - factor) * cv2.mean(grey)[0])


def saturated(cut: np.ndarray, factor: float) -> np.ndarray:
    """Each value of uint8 `(H, W, 3)`, its distance from the pixel's grey times the factor."""
    grey = cv2.cvtColor(cv2.cvtColor(cut, cv2.COLOR_RGB2GRAY), cv2.COLOR_GRAY2RGB)
    return cv2.addWeighted(cut, factor, grey, 1 - factor, 0)


def erased(cut: np.ndarray) -> np.ndarray:
    """The cut with a random rectangle in grey."""
    rows, columns = cut.shape[:2]
    side = math.sqrt(rows * columns * _between(_SHARE))
    ratio = math.exp(_between((math.log(_RATIO[0]), math.log(_RATIO[1]))))
    height = min(rows, round(side * math.sqrt(ratio)))
    width = min(columns, round(side / math.sqrt(ratio)))
    down, across = torch.rand(2).tolist()
    top, left = int((rows - height + 1) * down), int((columns - width + 1) * across)
    cut = cut.copy()
    cut[top : top + height, left : left + width] = _GREY
    return cut


def _between(ends: tuple[float, float]) -> float:
    low, high = ends
    return low + (high - low) * float(torch.rand(()))
