"""Training and validation examples: labelled faces, decoded and cropped once."""

from collections.abc import Collection, Iterator
from itertools import compress

import numpy as np
import torch
from torch import Tensor
from torch.utils.data import Dataset, Sampler

from kpdemo.keypoints import markups
from kpdemo.keypoints.metrics import eye_distance
from kpdemo.models import crop_rules
from kpdemo.models.augment import MARGIN, Augmenter, store
from kpdemo.models.config import ConfigError
from train.data.sources import DataError, LabelledFace, kaggle, load, root, split
from train.recipe import Recipe


class Faces(Dataset[tuple[Tensor, Tensor, Tensor]]):
    """Cropped faces in memory. An item is a picture, its keypoints and its eye distance.

    Pictures are uint8 `(C, H, W)`; keypoints `(K, 2)` and the distance of the outer eye corners
    are in crop coordinates (the latter in units of half the crop's width), NaN where unknown.
    Indices are `(epoch, number)`: the augmentation of an example depends on the seed, the epoch
    and its number alone, whatever the number of workers and of interruptions.
    Faces with a damaged picture or too few labels are left out; `damaged` has a sentence for
    each.
    """

    def __init__(self, faces: list[LabelledFace], recipe: Recipe, augment: bool) -> None:
        self.seed = recipe.seed
        self.augmenter = None
        margin = 1.0
        if augment:
            self.augmenter = Augmenter(recipe.augment, recipe.input, recipe.markup)
            margin = MARGIN
        size = recipe.input
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
                self.damaged.append(f"{face.name} has too few labels to crop the face.")
                continue
            stored, image = store(crop, pixels, size, margin)
            pictures.append(image)
            points = markups.convert(face.keypoints, face.markup, recipe.markup)
            keypoints.append(stored.to_crop(points))
            eyes.append(eye_distance(face.keypoints, face.markup) / (crop.width / 2))
            self.sources.append(face)
        if not pictures:
            raise DataError(f"{recipe.name}: no face could be read. {' '.join(self.damaged[:1])}")
        self.pictures = torch.from_numpy(np.stack(pictures))
        self.keypoints = torch.from_numpy(np.stack(keypoints))
        self.eyes = torch.tensor(eyes, dtype=torch.float32)
        labelled = self.keypoints.isfinite().all(-1).any(0)
        if not labelled.all():
            raise ConfigError(
                f"{recipe.name}: the data has no label for {int((~labelled).sum())} of the "
                f"{len(labelled)} points of the markup {recipe.markup}."
            )

    def drop_labels(self, pattern: np.ndarray, names: Collection[str]) -> None:
        """Remove labels of the faces called `names` as in random rows of `pattern`, by the seed.

        `pattern` is bool `(rows, K)`, true where a row has a label.
        """
        rows = np.random.default_rng(self.seed).integers(0, len(pattern), len(self.keypoints))
        affected = [face.name in names for face in self.sources]
        gaps = ~torch.from_numpy(pattern[rows]) & torch.tensor(affected)[:, None]
        self.keypoints[gaps] = torch.nan

    def treat_gaps(self, incomplete: str) -> None:
        """Keep missing labels ("mask"), or "drop" faces with missing labels, or "fill" them.

        Filling takes the label of the last face before that has one, as pandas' `ffill` does with
        Kaggle's table; the first faces take the next one's. Raises DataError if no face is left.
        """
        if incomplete == "drop":
            complete = self.keypoints.isfinite().flatten(1).all(1)
            if not complete.any():
                raise DataError("No face has all its labels: `incomplete: drop` leaves none.")
            self.pictures, self.keypoints = self.pictures[complete], self.keypoints[complete]
            self.eyes = self.eyes[complete]
            self.sources = list(compress(self.sources, complete.tolist()))
        elif incomplete == "fill":
            labelled = self.keypoints.isfinite().all(-1)
            rows = torch.arange(len(labelled))[:, None]
            before = torch.where(labelled, rows, -1).cummax(0).values
            first = labelled.int().argmax(0)
            row = torch.where(before < 0, first, before)
            self.keypoints = self.keypoints.gather(0, row[..., None].expand(-1, -1, 2))

    def __len__(self) -> int:
        return len(self.pictures)

    def __getitem__(self, index: tuple[int, int]) -> tuple[Tensor, Tensor, Tensor]:
        epoch, number = index
        picture, target = self.pictures[number], self.keypoints[number]
        if self.augmenter is not None:
            # Much cheaper than `torch.manual_seed`, which seeds all devices.
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
            names = {face.name for source in data.judge for face in load(source)}
            held_out = [face for face in held_out if face.name in names]
    train, validation = Faces(labelled, recipe, True), Faces(held_out, recipe, False)
    if data.missing:
        names = {face.name for source in data.missing for face in load(source)}
        train.drop_labels(kaggle.missing_pattern(root()), names)
    train.treat_gaps(data.incomplete)
    return train, validation
