"""Random changes of training faces: where the crop lies is ours, how it looks is torchvision's.

A moved face is a `Crop` at a random place, cut by one warp as the app cuts it. torchvision's affine
transform, which does the same, takes several times as long, most of it for building its grid, and
would keep the processor from the net.
"""

from dataclasses import replace

import numpy as np
import torch
from torch import Tensor
from torchvision.transforms import v2

from kpdemo.faces.crop import Crop
from kpdemo.keypoints import markup
from kpdemo.models.config import Input
from train.recipe import Augment

# Stored faces are this much wider than the crop that is cut out of them, so that turned and
# shifted crops still find picture at their edges.
MARGIN = 1.5


class Augmenter:
    """A stored face -> a training example: uint8 `(C, H, W)` and keypoints in crop coordinates.

    All that is random is drawn from torch's default generator.
    """

    def __init__(self, settings: Augment, size: Input, markup_name: str) -> None:
        self.settings, self.size = settings, size
        self.order = list(markup.get(markup_name).mirror)
        look: list[v2.Transform] = [v2.Identity()]
        if settings.brightness or settings.contrast or settings.saturation:
            look.append(v2.ColorJitter(settings.brightness, settings.contrast, settings.saturation))
        if settings.blur:
            look.append(v2.RandomApply([v2.GaussianBlur(5, (0.5, 2.0))], p=settings.blur))
        if settings.erase:
            look.append(
                v2.RandomErasing(p=settings.erase, scale=(0.02, 0.2), ratio=(0.4, 2.5), value=127)
            )
        self.look = v2.Compose(look)

    def __call__(self, picture: Tensor, keypoints: Tensor) -> tuple[Tensor, Tensor]:
        """`picture` uint8 `(C, h, w)`, `keypoints` `(K, 2)` in its crop coordinates, or NaN."""
        stored = Crop.whole(picture.shape[-1], picture.shape[-2])
        crop = self.place(stored)
        pixels = np.ascontiguousarray(picture.permute(1, 2, 0).numpy())
        cut = torch.from_numpy(crop.cut(pixels, self.size.height, self.size.width))
        cut = cut[None] if cut.ndim == 2 else cut.permute(2, 0, 1).contiguous()
        target = torch.from_numpy(crop.to_crop(stored.to_photo(keypoints.numpy())))
        cut = self.look(cut)
        if torch.rand(()) < self.settings.mirror:
            cut = cut.flip(-1)
            target = target[self.order] * torch.tensor([-1.0, 1.0])
        return cut, target

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
