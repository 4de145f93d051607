"""Random changes of training faces: torchvision's v2 transforms, and the mirror, which is ours.

Key points are handed to torchvision with pixel edges on integers (pixel centres at .5): that is
where its affine transforms turn a picture.
"""

import torch
from torch import Tensor
from torchvision import tv_tensors
from torchvision.transforms import v2

from kpdemo import markup
from kpdemo.config import Input
from train.recipe import Augment

# Stored faces are this much wider than the crop that is cut out of them, so that turned and
# shifted crops still find picture at their edges.
MARGIN = 1.5


class Augmenter:
    """A stored face -> a training example: uint8 `(C, H, W)` and keypoints in crop coordinates."""

    def __init__(self, settings: Augment, size: Input, markup_name: str) -> None:
        self.mirror = settings.mirror
        self.order = list(markup.get(markup_name).mirror)
        move: list[v2.Transform] = []
        if settings.rotate or settings.shift or settings.scale != (1.0, 1.0):
            shift = settings.shift / MARGIN
            place = {"translate": (shift, shift), "scale": settings.scale}
            # One warp is cheaper than two; two only where each may happen without the other.
            warps = [(settings.rotate, place)]
            if settings.moved < 1:
                warps = [(settings.rotate, {}), (0.0, place)]
            for angle, how in warps:
                warp = v2.RandomAffine(angle, **how, interpolation=v2.InterpolationMode.BILINEAR)
                move.append(v2.RandomApply([warp], settings.moved) if settings.moved < 1 else warp)
        move.append(v2.CenterCrop((size.height, size.width)))
        look: list[v2.Transform] = [v2.Identity()]
        if settings.brightness or settings.contrast or settings.saturation:
            look.append(v2.ColorJitter(settings.brightness, settings.contrast, settings.saturation))
        if settings.blur:
            look.append(v2.RandomApply([v2.GaussianBlur(5, (0.5, 2.0))], p=settings.blur))
        if settings.erase:
            look.append(
                v2.RandomErasing(p=settings.erase, scale=(0.02, 0.2), ratio=(0.4, 2.5), value=127)
            )
        self.move, self.look = v2.Compose(move), v2.Compose(look)

    def __call__(self, picture: Tensor, keypoints: Tensor) -> tuple[Tensor, Tensor]:
        """`picture` uint8 `(C, h, w)`, `keypoints` `(K, 2)` in its crop coordinates, or NaN."""
        h, w = picture.shape[-2:]
        unit = torch.tensor([w, h], dtype=torch.float32)
        points = tv_tensors.KeyPoints((keypoints + 1) / 2 * unit, canvas_size=(h, w))
        picture, points = self.move(tv_tensors.Image(picture), points)
        h, w = picture.shape[-2:]
        unit = torch.tensor([w, h], dtype=torch.float32)
        picture = self.look(picture.as_subclass(Tensor))
        target = points.as_subclass(Tensor) / unit * 2 - 1
        if torch.rand(()) < self.mirror:
            picture = picture.flip(-1)
            target = target[self.order] * torch.tensor([-1.0, 1.0])
        return picture, target
