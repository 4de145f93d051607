import dataclasses
from collections.abc import Iterator

import numpy as np
import pytest
import torch
from helpers.mirror import mirrored

from kpdemo.faces.crop import Crop
from kpdemo.models import crop_rules
from kpdemo.models.augment import MARGIN, Augment, Augmenter
from kpdemo.models.config import Framing, Input
from train import recipe
from train.data.dataset import Faces
from train.data.sources import DataError, LabelledFace
from train.recipe import Recipe

SIZE = Input(64, 80, channels=3)
STORED = (96, 120)  # a height and width of SIZE times MARGIN
# The left eye is painted red, the right eye green, the nose blue; nothing else is labelled.
PAINTED = (0, 1, 10)
MOVES = Augment(rotate=30.0, shift=0.1, scale=(0.8, 1.25))
LOOKS = dataclasses.replace(MOVES, brightness=0.4, contrast=0.4, blur=0.5)


@pytest.fixture(autouse=True)
def _seeded() -> Iterator[None]:
    with torch.random.fork_rng():
        torch.manual_seed(0)
        yield


def keypoints() -> torch.Tensor:
    """Labels in crop coordinates of the stored picture."""
    points = torch.full((15, 2), torch.nan)
    points[list(PAINTED)] = torch.tensor([[0.21, -0.18], [-0.17, -0.13], [0.05, 0.17]])
    return points


def painted(points: torch.Tensor, height: int, width: int) -> torch.Tensor:
    """A picture whose three channels have a soft dot each, at the three labelled points."""
    whole = Crop.whole(width, height)
    y, x = np.mgrid[:height, :width]
    channels = []
    for at in whole.to_photo(points[list(PAINTED)].numpy()):
        dot = np.exp(-((x - at[0]) ** 2 + (y - at[1]) ** 2) / (2 * 1.5**2))
        channels.append((20 + 180 * dot).round())
    return torch.from_numpy(np.stack(channels).astype(np.uint8))


def dots(picture: torch.Tensor) -> torch.Tensor:
    """Where the three dots are, in crop coordinates: `(3, 2)`."""
    _, height, width = picture.shape
    # Black corners of a turned picture and its plain ground are both no dot.
    mass = picture.double() - 0.6 * picture.double().amax((1, 2), keepdim=True)
    mass = mass.clamp(min=0)
    total = mass.sum((1, 2))
    x = (mass.sum(1) * torch.arange(width)).sum(1) / total
    y = (mass.sum(2) * torch.arange(height)).sum(1) / total
    return torch.stack([(2 * x + 1) / width - 1, (2 * y + 1) / height - 1], 1)


@pytest.mark.parametrize(
    "settings",
    [
        Augment(),
        Augment(rotate=45.0),
        Augment(shift=0.15),
        Augment(scale=(0.7, 0.7)),
        Augment(scale=(1.4, 1.4)),
        MOVES,
        LOOKS,
    ],
    ids=["nothing", "rotate", "shift", "shrink", "enlarge", "all moves", "moves and looks"],
)
@pytest.mark.parametrize("mirror", [0.0, 1.0])
def test_keypoints_follow_the_picture(settings: Augment, mirror: float) -> None:
    augment = Augmenter(dataclasses.replace(settings, mirror=mirror), SIZE, "kaggle-15")
    # In the mirrored picture the red dot is at what is now the right eye.
    expected = [1, 0, 10] if mirror else [0, 1, 10]
    for _ in range(6):
        picture, target = augment(painted(keypoints(), *STORED), keypoints())
        assert picture.shape == (3, SIZE.height, SIZE.width)
        assert picture.dtype == torch.uint8
        off = (target[expected] - dots(picture)) * torch.tensor([SIZE.width, SIZE.height]) / 2
        assert off.norm(dim=1).max() < 0.6  # pixels


def test_mirror_is_as_frequent_as_asked_for_and_swaps_names() -> None:
    augment = Augmenter(Augment(mirror=0.3), SIZE, "kaggle-15")
    stored = painted(keypoints(), *STORED)
    plain, _ = Augmenter(Augment(), SIZE, "kaggle-15")(stored, keypoints())
    turned_round = 0
    for _ in range(200):
        picture, target = augment(stored, keypoints())
        turned = not torch.equal(picture, plain)
        turned_round += turned
        assert torch.equal(picture, plain.flip(-1) if turned else plain)
        assert target[0, 0] > target[1, 0]  # the left eye stays on the picture's right
    assert 40 < turned_round < 80


def test_missing_labels_stay_missing_and_no_other() -> None:
    everything = dataclasses.replace(LOOKS, mirror=0.5, erase=0.5)
    augment = Augmenter(everything, SIZE, "kaggle-15")
    for _ in range(20):
        _, target = augment(painted(keypoints(), *STORED), keypoints())
        known = target.isfinite().all(1)
        assert known.nonzero().flatten().tolist() == list(PAINTED)


def test_a_label_that_leaves_the_crop_is_not_pulled_back_to_its_edge() -> None:
    points = keypoints()
    points[10] = torch.tensor([0.5, 0.9])  # stored, but outside the crop itself
    _, target = Augmenter(Augment(), SIZE, "kaggle-15")(painted(points, *STORED), points)
    assert target[10].tolist() == pytest.approx([0.5 * MARGIN, 0.9 * MARGIN])


def test_ranges_are_used_and_kept() -> None:
    augment = Augmenter(MOVES, SIZE, "kaggle-15")
    turns, zooms, shifts = [], [], []
    before = keypoints()[:2] * torch.tensor([STORED[1], STORED[0]]) / 2
    for _ in range(200):
        _, target = augment(torch.zeros(3, *STORED, dtype=torch.uint8), keypoints())
        after = target[:2] * torch.tensor([SIZE.width, SIZE.height]) / 2
        between, was = after[0] - after[1], before[0] - before[1]
        turn = torch.atan2(between[1], between[0]) - torch.atan2(was[1], was[0])
        zoom = between.norm() / was.norm()
        cos, sin = zoom * turn.cos(), zoom * turn.sin()
        moved = after[0] - torch.stack(
            [cos * before[0, 0] - sin * before[0, 1], sin * before[0, 0] + cos * before[0, 1]]
        )
        turns.append(turn.rad2deg().item())
        zooms.append(zoom.item())
        shifts.append((moved / torch.tensor([SIZE.width, SIZE.height])).tolist())
    assert -30 <= min(turns) < -25 < 25 < max(turns) <= 30
    assert 0.8 <= min(zooms) < 0.85 < 1.2 < max(zooms) <= 1.25
    # Shifts are a share of the crop, not of the wider stored picture.
    for axis in (0, 1):
        seen = [shift[axis] for shift in shifts]
        assert -0.101 <= min(seen) < -0.08 < 0.08 < max(seen) <= 0.101


def test_looks_change_the_picture_but_never_the_labels() -> None:
    stored = torch.from_numpy(np.random.default_rng(0).integers(60, 200, (3, *STORED), np.uint8))
    plain, before = Augmenter(Augment(), SIZE, "kaggle-15")(stored, keypoints())
    for settings in (
        Augment(brightness=0.4),
        Augment(contrast=0.4),
        Augment(blur=1.0),
        Augment(erase=1.0),
    ):
        picture, after = Augmenter(settings, SIZE, "kaggle-15")(stored, keypoints())
        assert not torch.equal(picture, plain), settings
        assert torch.equal(after.nan_to_num(), before.nan_to_num())
    changed = (picture != plain).any(0).float().mean()
    assert 0.01 < changed < 0.25  # one rectangle is erased
    assert (picture[:, (picture != plain).any(0)] == 127).all()


def test_grey_pictures() -> None:
    everything = dataclasses.replace(LOOKS, mirror=0.5, erase=0.5)
    augment = Augmenter(everything, Input(64, 80), "kaggle-15")
    picture, _ = augment(painted(keypoints(), *STORED)[:1], keypoints())
    assert picture.shape == (1, 64, 80)


def faces_of(augment: Augment, seed: int = 0, random: bool = True, count: int = 3) -> Faces:
    """Stored faces of noise with labels that differ from face to face."""
    rng = np.random.default_rng(0)
    labelled = []
    for k in range(count):
        points = rng.uniform(90, 230, (15, 2)).astype(np.float32)
        points[[3, 5]] = [[230, 130], [90, 130]]
        picture = rng.integers(0, 256, (320, 320), np.uint8)
        labelled.append(LabelledFace(f"{k}", f"{k}", "kaggle-15", points, picture))
    return Faces(labelled, some_recipe(augment, seed), random)


def some_recipe(augment: Augment, seed: int = 0) -> Recipe:
    return dataclasses.replace(
        recipe.load("keypoint-resnet"),
        input=Input(64, 64),
        framing=Framing("keypoint-box", 1.2),
        augment=augment,
        seed=seed,
    )


EVERYTHING = dataclasses.replace(LOOKS, mirror=0.5, erase=0.5)


def same(one: tuple[torch.Tensor, ...], other: tuple[torch.Tensor, ...]) -> bool:
    return torch.equal(one[0], other[0]) and torch.equal(one[1], other[1])


def test_an_example_depends_on_seed_epoch_and_number_alone() -> None:
    faces = faces_of(EVERYTHING)
    first = faces[3, 1]
    torch.manual_seed(99)
    for index in ((0, 0), (3, 2), (7, 1)):
        assert not same(faces[index], first)
    assert same(faces[3, 1], first)
    assert not same(faces_of(EVERYTHING, seed=1)[3, 1], first)


def test_examples_leave_the_random_numbers_of_others_alone() -> None:
    """Dropout must not depend on whether examples are made in this process or in a worker."""
    faces = faces_of(EVERYTHING)
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)
    faces[0, 0]
    assert torch.equal(torch.rand(3), expected)


def test_without_changes_an_example_is_exactly_the_crop() -> None:
    still, validation = faces_of(Augment()), faces_of(EVERYTHING, random=False)
    for number in range(len(still)):
        picture, target, eyes = still[0, number]
        expected, points, distance = validation[0, number]
        # Interpolation weights have five bits; the same place may be sampled a 1/32 pixel apart.
        assert (picture.int() - expected.int()).abs().float().mean() < 2
        torch.testing.assert_close(target, points, rtol=0, atol=1e-5)
        assert eyes == distance
        source = still.sources[number]
        assert isinstance(source.picture, np.ndarray)
        crop = crop_rules.from_keypoints(
            Framing("keypoint-box", 1.2), source.keypoints, "kaggle-15", 320, 320
        )
        assert np.array_equal(expected[0].numpy(), crop.cut(source.picture, 64, 64))
        np.testing.assert_allclose(points.numpy(), crop.to_crop(source.keypoints), atol=1e-5)
        assert eyes.item() * crop.width / 2 == pytest.approx(140)


def test_dropped_labels_are_whole_points_of_the_pattern() -> None:
    faces = faces_of(Augment(), count=40)
    pattern = np.ones((2, 15), bool)
    pattern[1, 4:] = False
    hit = {face.name for face in faces.sources[:30]}
    faces.drop_labels(pattern, hit)
    known = faces.keypoints.isfinite()
    assert torch.equal(known[..., 0], known[..., 1])
    rows = {tuple(row.tolist()) for row in known[:30, :, 0]}
    assert rows == {tuple(row) for row in pattern.tolist()}
    assert known[30:].all()


def gappy() -> Faces:
    """Four faces of 15 points; the second lacks point 3, the first and the third point 5."""
    faces = faces_of(Augment(), count=4)
    for face, point in ((1, 3), (0, 5), (2, 5)):
        faces.keypoints[face, point] = torch.nan
    return faces


def test_gaps_are_left_to_the_loss_or_dropped_or_filled() -> None:
    masked, dropped, filled, whole = gappy(), gappy(), gappy(), gappy()
    masked.treat_gaps("mask")
    torch.testing.assert_close(masked.keypoints, whole.keypoints, equal_nan=True)
    dropped.treat_gaps("drop")
    assert [face.name for face in dropped.sources] == [whole.sources[3].name]
    assert len(dropped) == len(dropped.eyes) == 1
    torch.testing.assert_close(dropped.keypoints[0], whole.keypoints[3])
    assert torch.equal(dropped[0, 0][0], whole[0, 3][0])
    filled.treat_gaps("fill")
    expected = whole.keypoints.clone()
    expected[1, 3] = expected[0, 3]  # from the face before
    expected[0, 5] = expected[1, 5]  # nothing before: from the next
    expected[2, 5] = expected[1, 5]
    torch.testing.assert_close(filled.keypoints, expected)


def test_dropping_all_faces_as_incomplete_is_refused() -> None:
    faces = gappy()
    faces.keypoints[3, 0] = torch.nan
    with pytest.raises(DataError, match="leaves none"):
        faces.treat_gaps("drop")


def test_each_move_happens_as_often_as_asked_for() -> None:
    augment = Augmenter(Augment(rotate=40.0, shift=0.1, moved=0.3), SIZE, "kaggle-15")
    plain = Augmenter(Augment(), SIZE, "kaggle-15")
    stored = torch.zeros(3, *STORED, dtype=torch.uint8)
    _, before = plain(stored, keypoints())
    pixels = torch.tensor([SIZE.width, SIZE.height]) / 2
    line = ((before[0] - before[1]) * pixels)[[1, 0]]
    turned = moved = 0
    for _ in range(300):
        _, target = augment(stored, keypoints())
        now = ((target[0] - target[1]) * pixels)[[1, 0]]
        turned += bool((torch.atan2(*now) - torch.atan2(*line)).abs() > 1e-3)
        moved += not torch.allclose(target[0], before[0], atol=1e-4)
    assert 60 < turned < 120
    # Either of the two moves a point: 1 - 0.7².
    assert 120 < moved < 190


def test_mirror_order_is_that_of_the_markup() -> None:
    """68 points, all labelled: the mirrored example has the mirrored labels, point for point."""
    size = Input(64, 64)
    points = torch.rand(68, 2) - 0.5
    stored = torch.zeros(1, 96, 96, dtype=torch.uint8)
    _, plain = Augmenter(Augment(), size, "ibug-68")(stored, points)
    _, target = Augmenter(Augment(mirror=1.0), size, "ibug-68")(stored, points)
    whole = Crop.whole(64, 64)
    expected = mirrored(whole.to_photo(plain.numpy()), "ibug-68", 64)
    np.testing.assert_allclose(whole.to_photo(target.numpy()), expected, atol=1e-4)
