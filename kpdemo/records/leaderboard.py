"""The leaderboard, read from `weights/`: figures, errors by face, best and worst faces.

`python -m train report` joins the figures of all models in `results.json`; each model's own
`metrics.json` has the errors of the test faces and the points of the best and worst ones. All are
read again as soon as one of them changes.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from kpdemo.keypoints import markup as markups
from kpdemo.models import model_folder
from kpdemo.system import json_file
from kpdemo.zoo import BASELINE, WEIGHTS_DIR

RESULTS = "results.json"
ROBUSTNESS = "robustness.json"
# Two kinds of crops: by the ground truth, as in papers, or by the detector, as in the app.
BY_LABEL = "ground_truth_box"
BY_APP = "compare"
FIFTEEN = "kaggle-15"  # the markup that 68 points are also read in

Stamp = tuple[tuple[str, int, int], ...]

# Columns of a row in `results.json`.
_FIGURES = (
    "nme",
    "nme_compare",
    "lost",
    "fr8",
    "auc8",
    "rmse_96",
    "spread",
    "mean_answer_nme",
    "parameters",
    "bytes",
    "ms_1",
    "ms_8",
)


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


@dataclass(frozen=True, eq=False)
class Standing:
    """One model, or one way to read MediaPipe's mesh, on the faces of one `source`.

    `figures` has what is known of the columns of `results.json` by their names, errors in percent.
    `groups` (percent, by group of the markup) and `nme_inner_51` are of faces detected by the app,
    as FR@8 and AUC@8 are, so that they can be compared with MediaPipe's. `errors` has the sorted
    errors of the detected faces, by the kind of crop. `deviations` are the
    settings that are not its report's; `flip_test` is None where there is no such thing.
    `intervals` are 95 % intervals of some figures.
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
    best: Sequence[Face] = ()
    worst: Sequence[Face] = ()

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


def stamp(weights: Path = WEIGHTS_DIR) -> Stamp:
    """Which versions of the files lie in `weights`: equal stamps, equal standings."""
    paths = [weights / RESULTS, weights / ROBUSTNESS, *weights.glob(f"*/{model_folder.METRICS}")]
    stamps = []
    for path in sorted(paths):
        try:
            status = path.stat()
        except OSError:
            continue
        stamps.append((str(path), status.st_mtime_ns, status.st_size))
    return tuple(stamps)


def read(weights: Path = WEIGHTS_DIR) -> Standings:
    """The standings of a folder of models. What is missing or damaged is left out and named."""
    return _read(weights, stamp(weights))


@lru_cache(maxsize=4)
def _read(weights: Path, _: Stamp) -> Standings:
    files = _Files(weights)
    results = files.read(RESULTS)
    rows, fifteen = (
        [row for row in listed if _named(row)] if isinstance(listed, list) else []
        for listed in (results.get("models"), results.get("fifteen"))
    )
    return Standings(
        [_standing(files, row) for row in rows],
        [_standing(files, row, FIFTEEN) for row in fifteen],
        _robustness(files),
        _dig(results, "benchmark"),
        tuple(dict.fromkeys(files.problems)),
    )


def shares_below(errors: np.ndarray, faces: int, limits: np.ndarray) -> np.ndarray:
    """Cumulative error distribution: percent of all `faces` with errors up to each limit `(L,)`.

    `errors` are those of the detected faces, sorted; the others are above every limit.
    """
    return 100 * np.searchsorted(errors, limits, side="right") / max(faces, 1)


class _Files:
    """Reads JSON files under a folder once, and notes those that cannot be read."""

    def __init__(self, root: Path) -> None:
        self.root = root
        self.problems: list[str] = []
        self._read: dict[str, dict] = {}

    def read(self, *parts: str) -> dict:
        name = "/".join(parts)
        if name not in self._read:
            self._read[name] = self._load(name)
        return self._read[name]

    def _load(self, name: str) -> dict:
        try:
            return json_file.read(self.root / name)
        except FileNotFoundError:
            self.problems.append(f"{name} is missing")
        except (ValueError, OSError):
            self.problems.append(f"{name} is damaged")
        return {}


def _named(row: Any) -> bool:
    return isinstance(row, dict) and isinstance(row.get("name"), str)


def _standing(files: _Files, row: dict, reading: str | None = None) -> Standing:
    """A row with what its metrics have; a `reading` is the entry of another markup in them."""
    name, source, markup = row["name"], _text(row, "source"), _text(row, "markup")
    if row.get("net") == BASELINE:
        # "mediapipe-ridge": its metrics have one entry for each way to read the mesh.
        folder, way = BASELINE, name.removeprefix(f"{BASELINE}-")
        ways = {BY_APP: way}
    else:
        folder, way = name, BY_LABEL
        ways = {BY_LABEL: BY_LABEL, BY_APP: BY_APP}
    measured = _dig(files.read(folder, model_folder.METRICS), source) if source else {}
    measured = _dig(measured, reading) if reading else measured
    app = _dig(measured, ways[BY_APP])
    try:
        errors = {cut: _errors(_dig(measured, entry)) for cut, entry in ways.items()}
        best, worst = (
            tuple(_face(face) for face in _dig(measured, way).get(end) or ())
            for end in ("best", "worst")
        )
    except (KeyError, TypeError, ValueError):
        files.problems.append(f"{folder}/{model_folder.METRICS} is damaged")
        errors, best, worst = {}, (), ()
    return Standing(
        name=name,
        net=_text(row, "net"),
        markup=markup if markup in markups.MARKUPS else None,
        source=source,
        faces=_count(row),
        shipped=bool(row.get("shipped")),
        answers_mean=bool(row.get("answers_mean")),
        deviations=_deviations(row),
        flip_test=row.get("flip_test") if isinstance(row.get("flip_test"), bool) else None,
        intervals=_intervals(row),
        figures=_numbers(
            {key: row.get(key) for key in _FIGURES} | {"nme_inner_51": app.get("nme_inner_51")}
        ),
        groups=_numbers(_dig(app, "groups")),
        errors={cut: values for cut, values in errors.items() if values.size},
        best=best,
        worst=worst,
    )


def _intervals(row: dict) -> dict[str, tuple[float, float]]:
    """The columns that have an interval of two numbers."""
    bounds = {key: row.get(f"{key}_interval") for key in ("nme", "nme_compare")}
    return {
        key: (float(pair[0]), float(pair[1]))
        for key, pair in bounds.items()
        if isinstance(pair, list)
        and len(pair) == 2
        and all(isinstance(value, int | float) and math.isfinite(value) for value in pair)
    }


def _deviations(row: dict) -> tuple[str, ...]:
    deviations = row.get("deviations")
    if not isinstance(deviations, list):
        return ()
    return tuple(
        text for each in deviations if isinstance(each, dict) and (text := _text(each, "what"))
    )


def _errors(measured: dict) -> np.ndarray:
    errors = np.asarray(measured.get("errors") or [], float)
    if errors.ndim != 1:
        raise ValueError("an error a face")
    return np.sort(errors[np.isfinite(errors)])  # without those that were not detected


def _face(face: dict) -> Face:
    truth, answer = _points(face["truth"]), _points(face["keypoints"])
    if truth.shape != answer.shape:
        raise ValueError("as many answers as labels")
    return Face(
        name=str(face["face"]),
        error=float(face["error"]),
        reason=str(face["reason"]),
        eyes=float(face["facts"]["size"]),
        truth=truth,
        answer=answer,
    )


def _points(points: Sequence[Sequence[float] | None]) -> np.ndarray:
    return np.array([point or (np.nan, np.nan) for point in points], float).reshape(-1, 2)


def _robustness(files: _Files) -> Robustness | None:
    data = files.read(ROBUSTNESS)
    conditions = {
        condition: {name: _numbers(cell) for name, cell in row.items() if isinstance(cell, dict)}
        for condition, row in _dig(data, "conditions").items()
        if isinstance(row, dict)
    }
    if not conditions:
        return None
    return Robustness(_count(data), _text(data, "source"), conditions)


def _dig(data: Mapping, key: str) -> dict:
    """The mapping under a key, empty if there is none."""
    value = data.get(key)
    return value if isinstance(value, dict) else {}


def _text(data: Mapping, key: str) -> str | None:
    value = data.get(key)
    return value if isinstance(value, str) else None


def _count(data: Mapping) -> int | None:
    value = data.get("faces")
    return value if isinstance(value, int) else None


def _numbers(values: Mapping[str, Any]) -> dict[str, float]:
    """The values that are numbers."""
    return {
        name: value
        for name, value in values.items()
        if isinstance(value, int | float) and not isinstance(value, bool) and math.isfinite(value)
    }
