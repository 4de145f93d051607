"""Labelled faces, decoded and cut once, as training and validation examples."""

from collections.abc import Collection, Iterator
from itertools import compress

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset, Sampler

from kpdemo.keypoints import markup
from kpdemo.keypoints.metrics import eye_distance
from kpdemo.models import crop_rules
from kpdemo.models.config import ConfigError
from train.data.augment import MARGIN, Augmenter
from train.data.sources import DataError, LabelledFace, kaggle, load, root, split
from train.recipe import Recipe


class Faces(Dataset[tuple[Tensor, Tensor, Tensor]]):
    """Cut faces in memory. An item is a picture, its keypoints and its eye distance.

    Pictures are uint8 `(C, H, W)`; keypoints `(K, 2)` and the distance of the outer eye corners
    are in crop coordinates (the latter in units of half the crop's width), NaN where unknown.
    Indices are `(epoch, number)`: the random changes of an example depend on the seed, the epoch
    and its number alone, whatever the workers and however often a run was interrupted.
    Faces whose picture is damaged or whose labels are too few are left out; `damaged` has a
    sentence for each.
    """

    def __init__(self, faces: list[LabelledFace], recipe: Recipe, augment: bool) -> None:
        self.seed = recipe.seed
        self.augmenter = None
        margin = 1.0
        if augment:
            self.augmenter = Augmenter(recipe.augment, recipe.input, recipe.markup)
            margin = MARGIN
        size = recipe.input
        height, width = round(size.height * margin), round(size.width * margin)
        self.damaged: list[str] = []
        self.sources: list[LabelledFace] = []
        pictures, keypoints, eyes = [], [], []
        for face in faces:
            try:
                pixels = face.pixels(size.channels)
            except DataError as error:
                self.damaged.append(str(error))
                continue
            crop = crop_rules.from_keypoints(
                recipe.framing, face.keypoints, face.markup, pixels.shape[1], pixels.shape[0]
            )
            if not crop.width > 0:
                self.damaged.append(f"{face.name} has too few labels to cut the face out.")
                continue
            stored = crop.scaled(margin)
            cut = stored.cut(pixels, height, width)
            pictures.append(cut[None] if cut.ndim == 2 else cut.transpose(2, 0, 1))
            points = markup.convert(face.keypoints, face.markup, recipe.markup)
            keypoints.append(stored.to_crop(points))
            eyes.append(eye_distance(face.keypoints, face.markup) / (crop.width / 2))
            self.sources.append(face)
        if not pictures:
            raise DataError(f"{recipe.name}: not one face could be read. {self.damaged[:1]}")
        self.pictures = torch.from_numpy(np.stack(pictures))
        self.keypoints = torch.from_numpy(np.stack(keypoints))
        self.eyes = torch.tensor(eyes, dtype=torch.float32)
        labelled = self.keypoints.isfinite().all(-1).any(0)
        if not labelled.all():
            raise ConfigError(
                f"{recipe.name}: the data has no label for {int((~labelled).sum())} of the "
                f"{len(labelled)} points of the markup {recipe.markup}."
            )

    def drop_labels(self, known: np.ndarray, names: Collection[str]) -> None:
        """Make labels of the faces called `names` missing as in rows of `known`, by the seed.

        `known` is bool `(rows, K)`.
        """
        rows = np.random.default_rng(self.seed).integers(0, len(known), len(self.keypoints))
        hit = [face.name in names for face in self.sources]
        gaps = ~torch.from_numpy(known[rows]) & torch.tensor(hit)[:, None]
        self.keypoints[gaps] = torch.nan

    def settle_gaps(self, incomplete: str) -> None:
        """Leave missing labels as they are ("mask"), or "drop" those faces, or "fill" the gaps.

        Filling takes the label of the last face before that has one, as pandas' `ffill` does with
        Kaggle's table; the first faces take the next one's. Raises DataError if no face is left.
        """
        if incomplete == "drop":
            complete = self.keypoints.isfinite().flatten(1).all(1)
            if not complete.any():
                raise DataError("Not one face has all its labels: `incomplete: drop` leaves none.")
            self.pictures, self.keypoints = self.pictures[complete], self.keypoints[complete]
            self.eyes = self.eyes[complete]
            self.sources = list(compress(self.sources, complete.tolist()))
        elif incomplete == "fill":
            known = self.keypoints.isfinite().all(-1)
            rows = torch.arange(len(known))[:, None]
            before = torch.where(known, rows, -1).cummax(0).values
            first = known.int().argmax(0)
            row = torch.where(before < 0, first, before)
            self.keypoints = self.keypoints.gather(0, row[..., None].expand(-1, -1, 2))

    def __len__(self) -> int:
        return len(self.pictures)

    def __getitem__(self, index: tuple[int, int]) -> tuple[Tensor, Tensor, Tensor]:
        epoch, number = index
        picture, target = self.pictures[number], self.keypoints[number]
        if self.augmenter is not None:
            # Seeding this one generator is much cheaper than `torch.manual_seed` for all devices.
            before = torch.default_generator.get_state()
            torch.default_generator.manual_seed(hash((self.seed, epoch, number)))
            picture, target = self.augmenter(picture, target)
            torch.default_generator.set_state(before)
        return picture, target, self.eyes[number]


class EpochSampler(Sampler[tuple[int, int]]):
    """`(epoch, number)` for every example, in an order that depends on seed and epoch alone."""

    def __init__(self, count: int, seed: int, shuffle: bool) -> None:
        self.count, self.seed, self.shuffle, self.epoch = count, seed, shuffle, 0

    def set_epoch(self, epoch: int) -> None:
        self.epoch = epoch

    def __len__(self) -> int:
        return self.count

    def __iter__(self) -> Iterator[tuple[int, int]]:
        order = np.arange(self.count)
        if self.shuffle:
            order = np.random.default_rng((self.seed, self.epoch)).permutation(self.count)
        return iter((self.epoch, int(number)) for number in order)


def for_training(recipe: Recipe) -> tuple[Faces, Faces]:
    """The recipe's training and validation faces."""
    data = recipe.data
    labelled = [face for name in data.train for face in load(name)]
    if data.validate:
        held_out = [face for name in data.validate for face in load(name)]
    else:
        labelled, held_out = split(labelled, data.holdout)
        if data.judge:
            judges = {face.name for source in data.judge for face in load(source)}
            held_out = [face for face in held_out if face.name in judges]
    train, validation = Faces(labelled, recipe, True), Faces(held_out, recipe, False)
    if data.missing:
        names = {face.name for source in data.missing for face in load(source)}
        train.drop_labels(kaggle.missing_pattern(root()), names)
    train.settle_gaps(data.incomplete)
    return train, validation
