"""The leaderboard's rows: figures, errors by face, best and worst faces, robustness."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import numpy as np

from kpdemo.zoo import BASELINE

# Two kinds of crops: by the ground truth, as in papers, or by the detector, as in the app.
BY_LABEL = "ground_truth_box"
BY_APP = "compare"
FIFTEEN = "kaggle-15"  # the markup that 68 points are also read in


@dataclass(frozen=True, eq=False)
class Face:
    """A test face without its photo: label `truth` and `answer`, both `(K, 2)`, x right, y down.

    Pixels of the photo; NaN where a label is missing. `error` is in percent of the distance between
    the outer eye corners, which is `eyes` pixels. `reason` says what is unusual about the face.
    """

    name: str
    error: float
    reason: str
    eyes: float
    truth: np.ndarray
    answer: np.ndarray


@dataclass(frozen=True)
class Stratum:
    """The detected faces that are alike in one `fact` ("yaw": "left"), and their mean error.

    `nme` and its 95 % `interval` are in percent; there is no interval of very few faces.
    """

    fact: str
    name: str
    faces: int
    nme: float
    interval: tuple[float, float] | None


@dataclass(frozen=True, eq=False)
class Standing:
    """One model, or one way to read MediaPipe's mesh, on the faces of one `source`.

    `figures` has what is known of the columns of `results.json` by their names, errors in percent.
    `groups` (percent, by group of the markup) and `nme_inner_51` are of faces detected by the app,
    as FR@8 and AUC@8 are, so that they can be compared with MediaPipe's. `errors` has the sorted
    errors of the detected faces, `strata` the means of parts of them, both by the kind of crop.
    `deviations` are the settings that are not its report's; `flip_test` is None where there is no
    such thing. `intervals` are 95 % intervals of some figures. `pulled` says that the weights are
    the Hub's.
    """

    name: str
    net: str | None
    markup: str | None
    source: str | None
    faces: int | None
    shipped: bool
    answers_mean: bool
    figures: Mapping[str, float]
    deviations: Sequence[str] = ()
    flip_test: bool | None = None
    intervals: Mapping[str, tuple[float, float]] = field(default_factory=dict)
    groups: Mapping[str, float] = field(default_factory=dict)
    errors: Mapping[str, np.ndarray] = field(default_factory=dict)
    strata: Mapping[str, Sequence[Stratum]] = field(default_factory=dict)
    best: Sequence[Face] = ()
    worst: Sequence[Face] = ()
    pulled: bool = False

    @property
    def baseline(self) -> bool:
        return self.net == BASELINE


@dataclass(frozen=True)
class Robustness:
    """Robustness to degraded photos: condition -> model -> "nme", "fr8", "lost", in percent.

    The first condition is the photos as they are.
    """

    faces: int | None
    source: str | None
    conditions: Mapping[str, Mapping[str, Mapping[str, float]]]

    @property
    def models(self) -> list[str]:
        """All models that were measured, in the order of the file."""
        return list(dict.fromkeys(name for row in self.conditions.values() for name in row))


@dataclass(frozen=True)
class Board:
    """Rows whose errors can be compared: one test source, markups of one kind."""

    name: str
    source: str
    markups: tuple[str, ...]

    def has(self, row: Standing) -> bool:
        """Whether a row belongs here; one that was not measured yet goes by its markup."""
        return row.markup in self.markups and row.source in (self.source, None)


BOARDS = (
    Board("ibug-68", "300w-common", ("ibug-68",)),
    Board("kaggle-15", "300w-common", ("kaggle-15",)),
    Board("imm", "imm-validation", ("nose-1", "imm-58")),
)


@dataclass(frozen=True, eq=False)
class Standings:
    """Everything that could be read, and a phrase on each file that could not.

    `fifteen` are the 68-point rows again, with their points read as Kaggle's 15.
    """

    rows: Sequence[Standing]
    fifteen: Sequence[Standing]
    robustness: Robustness | None
    benchmark: Mapping[str, Any]
    problems: Sequence[str]

    def on(self, board: Board | None) -> list[Standing]:
        """The rows of a board; with None those that belong on no board."""
        if board is None:
            return [row for row in self.rows if not any(each.has(row) for each in BOARDS)]
        return [row for row in (*self.rows, *self.fifteen) if board.has(row)]


def shares_below(errors: np.ndarray, faces: int, limits: np.ndarray) -> np.ndarray:
    """Cumulative error distribution: percent of all `faces` with errors up to each limit `(L,)`.

    `errors` are those of the detected faces, sorted; the others are above every limit.
    """
    return 100 * np.searchsorted(errors, limits, side="right") / max(faces, 1)
