"""Data augmentation: geometry by random crops, appearance by torchvision.

Rotation, shift and zoom are those of a random `Crop`, sampled by one warp as in the app.
torchvision's affine transform is several times as slow, mostly because it builds a grid.
Training draws its examples here, and the page shows what they look like.
"""

from dataclasses import dataclass, replace

import numpy as np
import torch
from torch import Tensor
from torchvision.transforms import v2

from kpdemo.faces.crop import Crop
from kpdemo.keypoints import markups
from kpdemo.models.config import Input

# Stored faces are this much wider than the crop, so that rotated and shifted crops stay within.
MARGIN = 1.5


@dataclass(frozen=True)
class Augment:
    """Data augmentation: probabilities, or half-widths of uniform ranges.

    `rotate` is in degrees, `shift` a share of the crop, `scale` the range of zoom factors;
    rotation, and shift with zoom, are each applied with the probability `moved`. `brightness`,
    `contrast` and `saturation` are as in torchvision's ColorJitter.
    """

    mirror: float = 0.0
    rotate: float = 0.0
    shift: float = 0.0
    scale: tuple[float, float] = (1.0, 1.0)
    moved: float = 1.0
    brightness: float = 0.0
    contrast: float = 0.0
    saturation: float = 0.0
    blur: float = 0.0
    erase: float = 0.0

    @property
    def active(self) -> bool:
        """Whether it changes anything."""
        return replace(self, moved=1.0) != Augment()


def store(
    crop: Crop, pixels: np.ndarray, size: Input, margin: float = MARGIN
) -> tuple[Crop, np.ndarray]:
    """A face as training stores it: the crop widened by `margin`, and its pixels `(C, h, w)`.

    `pixels` `(H, W[, 3])` uint8 are the photo's, `size` is the net's input.
    """
    stored = crop.scaled(margin)
    image = stored.cut(pixels, round(size.height * margin), round(size.width * margin))
    return stored, image[None] if image.ndim == 2 else image.transpose(2, 0, 1)


class Augmenter:
    """A stored face -> a training example: uint8 `(C, H, W)` and keypoints in crop coordinates.

    All random numbers are from torch's default generator.
    """

    def __init__(self, settings: Augment, size: Input, markup_name: str) -> None:
        self.settings, self.size = settings, size
        self.order = list(markups.get(markup_name).mirror)
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
