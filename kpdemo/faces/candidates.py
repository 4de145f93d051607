"""Face candidates: cheap proposals that the detector verifies."""

from typing import NamedTuple


class Candidate(NamedTuple):
    """A square that may hold a face, in photo coordinates, and its score from 0 to 1.

    `width` is about that of a `Face`'s box, `roll` an estimate in degrees.
    """

    x: float
    y: float
    width: float
    score: float
    roll: float = 0.0

    def resembles(self, x: float, y: float, width: float) -> bool:
        """Whether a face at that place and of that width would be the same one."""
        near = 0.35 * max(width, self.width)
        return (
            abs(x - self.x) < near and abs(y - self.y) < near and 0.6 < width / self.width < 1 / 0.6
        )


def distinct(candidates: list[Candidate]) -> list[Candidate]:
    """Non-maximum suppression: one candidate a face, the likeliest first."""
    kept: list[Candidate] = []
    for candidate in sorted(candidates, key=lambda candidate: -candidate.score):
        if not any(candidate.resembles(other.x, other.y, other.width) for other in kept):
            kept.append(candidate)
    return kept
