"""Data augmentation: geometry by random crops, appearance by torchvision.

Rotation, shift and zoom are those of a random `Crop`, sampled by one warp as in the app.
torchvision's affine transform is several times as slow, mostly because it builds a grid.
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

# Stored faces are this much wider than the crop, so that rotated and shifted crops stay within.
MARGIN = 1.5


class Augmenter:
    """A stored face -> a training example: uint8 `(C, H, W)` and keypoints in crop coordinates.

    All random numbers are from torch's default generator.
    """

    def __init__(self, settings: Augment, size: Input, markup_name: str) -> None:
        self.settings, self.size = settings, size
        self.order = list(markup.get(markup_name).mirror)
        steps: list[v2.Transform] = [v2.Identity()]
        if settings.brightness or settings.contrast or settings.saturation:
            steps.append(
                v2.ColorJitter(settings.brightness, settings.contrast, settings.saturation)
            )
        if settings.blur:
            steps.append(v2.RandomApply([v2.GaussianBlur(5, (0.5, 2.0))], p=settings.blur))
        if settings.erase:
            steps.append(
                v2.RandomErasing(p=settings.erase, scale=(0.02, 0.2), ratio=(0.4, 2.5), value=127)
            )
        self.appearance = v2.Compose(steps)

    def __call__(self, picture: Tensor, keypoints: Tensor) -> tuple[Tensor, Tensor]:
        """`picture` is uint8 `(C, h, w)`, `keypoints` `(K, 2)` in its crop coordinates or NaN."""
        stored = Crop.whole(picture.shape[-1], picture.shape[-2])
        crop = self.random_crop(stored)
        pixels = np.ascontiguousarray(picture.permute(1, 2, 0).numpy())
        image = torch.from_numpy(crop.cut(pixels, self.size.height, self.size.width))
        image = image[None] if image.ndim == 2 else image.permute(2, 0, 1).contiguous()
        target = torch.from_numpy(crop.to_crop(stored.to_photo(keypoints.numpy())))
        image = self.appearance(image)
        if torch.rand(()) < self.settings.mirror:
            image = image.flip(-1)
            target = target[self.order] * torch.tensor([-1.0, 1.0])
        return image, target

    def random_crop(self, stored: Crop) -> Crop:
        """A crop at the centre of the stored face, randomly rotated, shifted and scaled."""
        settings = self.settings
        crop = Crop(stored.x, stored.y, self.size.width, self.size.height)
        rotation, across, down = (2 * torch.rand(3) - 1).tolist()
        zoom, chance_of_rotation, chance_of_shift = torch.rand(3).tolist()
        if chance_of_rotation < settings.moved:
            crop = replace(crop, roll=settings.rotate * rotation)
        if chance_of_shift < settings.moved:
            low, high = settings.scale
            crop = crop.scaled(1 / (low + (high - low) * zoom))
            # Crop coordinates are 2 units wide.
            x, y = crop.to_photo(2 * settings.shift * np.array([across, down])).tolist()
            crop = replace(crop, x=x, y=y)
        return crop
