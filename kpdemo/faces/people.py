"""Identity tracking in a video: each face of a frame gets the number of its person."""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from kpdemo.structures import Face

# A face is assigned to a person if its cost is below 1. Either of these alone costs 1: a distance
# in face widths, and a difference in appearance (1 minus correlation). From frame to frame one
# person differs by up to 0.15; of pairs of people in the YouTube Faces frames, six of seven differ
# by more than 0.35.
_MAX_DISTANCE, _MAX_DIFFERENCE = 2.0, 0.35
# Extra cost of a person who was not in the last frame, or in few at all.
_UNSTEADY, _FEW = 0.1, 3
# A missing person is extrapolated for this many frames.
_COASTING = 30
# Appearance includes hair and neck, so that a hand before the mouth changes little.
_APPEARANCE_SIDE, _APPEARANCE_WIDTHS = 8, 1.6
# Appearances of about a second are kept, since the last ones may be of a half hidden face.
_KEPT = 30


@dataclass
class _Person:
    """The last position of a person: `outline` `(8, 2)` in pixels, `velocity` `(2,)` a frame.

    `appearances` are the last ones, `(N, 3, D)`; `missing` is the number of frames since then.
    """

    outline: np.ndarray
    velocity: np.ndarray
    appearances: np.ndarray
    missing: int = 0


class PersonTracker:
    """Numbers the people of one video from 0, in the order in which they appear.

    A number is never reused for another person. Someone who was lost, or hidden by another, gets
    the same number again on reappearing near their extrapolated place.
    """

    def __init__(self) -> None:
        self._people: list[_Person] = []

    @property
    def count(self) -> int:
        """How many people have appeared so far."""
        return len(self._people)

    def identify(self, pixels: np.ndarray, faces: Sequence[Face]) -> list[int]:
        """The number of each face's person, for the next frame `(H, W, 3)` uint8 RGB.

        `faces` are in pixels of the frame; all frames of a video have the same size.
        """
        # Imported here since it would double the start-up time, and few starts need it.
        from scipy.optimize import linear_sum_assignment

        outlines = [_outline(face) for face in faces]
        appearances = [_appearance(pixels, *_middle(outline)) for outline in outlines]
        costs = np.ones((len(faces), len(self._people)))
        for row, (outline, appearance) in enumerate(zip(outlines, appearances, strict=True)):
            costs[row] = [_cost(person, outline, appearance, pixels) for person in self._people]
        # Capped, so that an impossible pair does not affect the others.
        costs = np.minimum(costs, 1)
        assigned = {
            row: number
            for row, number in zip(*linear_sum_assignment(costs), strict=True)
            if costs[row, number] < 1
        }
        for person in self._people:
            person.missing += 1
        numbers = []
        for row, (outline, appearance) in enumerate(zip(outlines, appearances, strict=True)):
            if row in assigned:
                _update(self._people[assigned[row]], outline, appearance)
            else:
                self._people.append(_Person(outline, np.zeros(2), appearance[None]))
            numbers.append(int(assigned.get(row, len(self._people) - 1)))
        return numbers


def _outline(face: Face) -> np.ndarray:
    """Two corners of the box and the six points: `(8, 2)`."""
    return np.concatenate([np.reshape(face.box, (2, 2)), face.keypoints])


def _middle(outline: np.ndarray) -> tuple[np.ndarray, float]:
    """Where the middle of a face's box is `(2,)`, and how wide it is."""
    return outline[:2].mean(0), float(np.ptp(outline[:2, 0]))


def _appearance(pixels: np.ndarray, center: np.ndarray, width: float) -> np.ndarray:
    """Coarse colours around a face, `(3, D)`: of the whole, its left and its right half.

    Each has zero mean and unit length, so that products are correlations.
    """
    half = _APPEARANCE_WIDTHS * width / 2
    limits = np.array(pixels.shape[1::-1])
    x0, y0 = np.clip(np.floor(center - half), 0, limits - 1).astype(int)
    x1, y1 = np.maximum(np.clip(np.ceil(center + half), 0, limits).astype(int), (x0 + 1, y0 + 1))
    small = cv2.resize(
        pixels[y0:y1, x0:x1], (_APPEARANCE_SIDE, _APPEARANCE_SIDE), interpolation=cv2.INTER_AREA
    )
    colors = small.astype(np.float64)
    parts = np.zeros((3, *colors.shape))
    middle = _APPEARANCE_SIDE // 2
    for part, columns in zip(parts, (slice(None), slice(middle), slice(middle, None)), strict=True):
        part[:, columns] = colors[:, columns] - colors[:, columns].mean()
        part /= max(np.linalg.norm(part), 1e-9)
    return parts.reshape(3, -1)


def _cost(
    person: _Person, outline: np.ndarray, appearance: np.ndarray, pixels: np.ndarray
) -> float:
    """How unlikely it is that this is the person; impossible from 1 on."""
    center, width = _middle(outline)
    _, last_width = _middle(person.outline)
    coasting = person.velocity * min(person.missing + 1, _COASTING)
    away = min(
        np.linalg.norm(outline - place, axis=1).mean()
        for place in (person.outline, person.outline + coasting)
    )
    cost = away / (width + last_width) * 2 / _MAX_DISTANCE
    if person.missing or len(person.appearances) < _FEW:
        cost += _UNSTEADY
    if cost >= 1:
        return 1
    # Half hidden faces may have boxes of a wrong size, so the person's last size is tried too.
    # One half is enough, since another person may hide the other one.
    alike = max(
        (person.appearances * other).sum(-1).max()
        for other in (appearance, _appearance(pixels, center, last_width))
    )
    return cost + (1 - alike) / _MAX_DIFFERENCE


def _update(person: _Person, outline: np.ndarray, appearance: np.ndarray) -> None:
    step = (outline - person.outline).mean(0) / person.missing
    person.velocity = (person.velocity + step) / 2
    person.outline, person.missing = outline, 0
    person.appearances = np.concatenate([person.appearances, appearance[None]])[-_KEPT:]
