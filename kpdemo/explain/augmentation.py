"""A recipe's training examples, made of one face of a photo as training makes its own."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch

from kpdemo.faces.crop import Crop
from kpdemo.media.images import Photo
from kpdemo.models import crop_rules
from kpdemo.models.augment import Augment, Augmenter, store
from kpdemo.models.config import ConfigError, Framing, Input, from_dict
from kpdemo.structures import Face


@dataclass(frozen=True, eq=False)
class Example:
    """`pixels` `(H, W, 3)` uint8 of a net's input, and the face's `keypoints` `(K, 2)` on them."""

    pixels: np.ndarray
    keypoints: np.ndarray


def of_recipe(recipe: Mapping[str, Any]) -> Augment | None:
    """The data augmentation of a history's recipe; None if it has none, or one of another kind."""
    try:
        augment = from_dict(Augment, recipe.get("augment") or {}, "augment")
    except ConfigError:
        return None
    return augment if augment.active else None


def examples(
    recipe: Mapping[str, Any],
    photo: Photo,
    face: Face,
    keypoints: np.ndarray,
    augment: Augment,
    count: int,
) -> Iterator[Example]:
    """`count` random training examples of a face, by the augmentation of a history's recipe.

    `face` and `keypoints` `(K, 2)`, of the recipe's markup, are in photo coordinates. Without an
    effect of `augment` all are the net's crop of the face. Raises ConfigError for a recipe whose
    input or framing is not known here.
    """
    size = from_dict(Input, recipe.get("input"), "input")
    framing = from_dict(Framing, recipe.get("framing"), "framing")
    crop = crop_rules.from_face(framing, face.mapped(photo.to_work))
    stored, image = store(crop, photo.grey if size.channels == 1 else photo.pixels, size)
    picture = torch.from_numpy(np.ascontiguousarray(image))
    target = torch.from_numpy(stored.to_crop(photo.to_work(keypoints)))
    whole = Crop.whole(size.width, size.height)
    augmenter = Augmenter(augment, size, recipe["markup"])
    for _ in range(count):
        example, points = augmenter(picture, target)
        pixels = example.expand(3, -1, -1).permute(1, 2, 0).contiguous().numpy()
        yield Example(pixels, whole.to_photo(points.numpy()))
