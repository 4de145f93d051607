"""Ground truth: annotations from 300-W `.pts`, IMM `.asf` or this program's own JSON.

Results are in photo coordinates, 0-based with pixel centres on integers, whatever the file
counts from. Points that a file marks as unknown are NaN: see `mask_missing`. The training data is
read by the same functions.
"""

import os
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from kpdemo.keypoints import markups
from kpdemo.keypoints.metrics import face_unit
from kpdemo.structures import ComparedFace, Comparison, Prediction
from kpdemo.system import json_file

IMM_COUNT = 58
MAX_CHARACTERS = 10_000_000
# The minimum share of points inside a face's box; iBUG's jaw often leaves it.
_INSIDE = 0.5
# Points beyond the photo's edge by more than this share of it were marked on another picture.
BEYOND = 0.25
# Pixels by which points that were written with two decimals may differ.
_ROUNDING = 0.006
# Words for a missing number; NaN is read as a number.
_MISSING = {"", "-", "?", "na", "n/a", "#n/a", "none", "null", "nil", "missing"}
# COCO's flags of a point: not labelled, labelled but hidden, visible.
_FLAGS = (0, 1, 2)
# What another program's JSON may raise where it lacks our fields.
_MALFORMED = (
    ArithmeticError,
    AttributeError,
    LookupError,
    TypeError,
    ValueError,
)


class TruthError(ValueError):
    """An annotation file that cannot be used; the message is one sentence for the user."""


@dataclass(frozen=True, eq=False)
class Marks:
    """A photo's annotated faces: each `(K, 2)` float32 in photo coordinates, NaN if unknown."""

    markup: str
    faces: tuple[np.ndarray, ...]


def read(name: str, text: str, width: int, height: int) -> dict[str, Marks]:
    """The sets of points in a file called `name`, for a photo of `width` × `height` pixels.

    `.pts` and `.asf` hold one set, called ""; JSON one a model, by its name. Raises TruthError for
    anything else, and for points that were marked on another picture; nothing is scaled to fit.
    """
    if not (isinstance(name, str | os.PathLike) and isinstance(text, str)):
        raise TruthError("Pass the name of the file and what it holds, as text.")
    if len(text) >= MAX_CHARACTERS:
        raise TruthError("The file is larger than 10 MB; choose one that holds only points.")
    kind = Path(name).suffix.lower()
    if kind == ".pts":
        sets = {"": Marks("ibug-68", (read_pts(text, 68, 1, "The file"),))}
    elif kind == ".asf":
        points = to_pixels(read_asf(text, "The file"), width, height)
        sets = {"": Marks("imm-58", (points,))}
    elif kind == ".json":
        sets = _read_json(text, width, height)
    else:
        raise TruthError("Ground truth is read from .pts, .asf or .json files; choose one of them.")
    for marks in sets.values():
        if not any(np.isfinite(points).any() for points in marks.faces):
            raise TruthError("All points in the file are marked as unknown; choose another one.")
        for points in marks.faces:
            for k in outside(points, width, height)[:1]:
                x, y = points[k]
                raise TruthError(
                    f"Point {k + 1} in the file, at ({x:g}, {y:g}), lies outside this photo of "
                    f"{width} × {height} pixels; choose the file that was made for it."
                )
    return sets


def assign_to_faces(marks: Marks, faces: Sequence[ComparedFace]) -> list[Prediction | None]:
    """For each detected face its annotation, as a `Prediction`; None where there is none.

    Every annotated face goes to the detected one whose box holds the largest share of its points,
    and the nearest of those that hold as many; a detected face gets at most one annotation.
    """
    claims = sorted(
        (_assignment_cost(points, face), m, f)
        for m, points in enumerate(marks.faces)
        for f, face in enumerate(faces)
    )
    predictions: list[Prediction | None] = [None] * len(faces)
    assigned: set[int] = set()
    for (outside, _), m, f in claims:
        if outside <= 1 - _INSIDE and m not in assigned and predictions[f] is None:
            predictions[f] = Prediction(marks.markup, marks.faces[m], None, 0.0)
            assigned.add(m)
    return predictions


def most_edited(sets: Mapping[str, Marks], comparison: Comparison) -> str:
    """Which set of a file is most likely the ground truth: the one that was edited.

    A JSON file from this program holds every model's keypoints; the set that differs most from the
    prediction of the model of its name is the one that a person corrected.
    """

    def edited(name: str) -> float:
        matched = assign_to_faces(sets[name], comparison.faces)
        moved = [0.0]
        for truth, face in zip(matched, comparison.faces, strict=True):
            prediction = face.predictions.get(name)
            if truth is None:
                continue
            if prediction is None or prediction.markup != truth.markup:
                return np.inf
            shifts = np.linalg.norm(truth.keypoints - prediction.keypoints, axis=1)
            moved.append(float(np.nan_to_num(shifts).mean()))
        return max(moved)

    return max(sets, key=edited)


def source(predictions: Sequence[Prediction | None], faces: Sequence[ComparedFace]) -> str | None:
    """The model whose own points the annotations of these faces are; None if they are no model's.

    Points are the same where they differ by no more than files round.
    """
    pairs = [pair for pair in zip(predictions, faces, strict=True) if pair[0]]
    for name in dict.fromkeys(name for _, face in pairs for name in face.predictions):
        if all(truth and _is_copy(truth, face.predictions.get(name)) for truth, face in pairs):
            return name
    return None


def _is_copy(truth: Prediction, prediction: Prediction | None) -> bool:
    if prediction is None:
        return False
    converted = [(name.removesuffix("-fitted"), at) for name, at in prediction.converted.items()]
    return any(
        name == truth.markup and np.allclose(points, truth.keypoints, 0, _ROUNDING, equal_nan=True)
        for name, points in [(prediction.markup, prediction.keypoints), *converted]
    )


def describe_missing(predictions: Sequence[Prediction | None]) -> str:
    """A sentence on the points that an annotation lacks; empty where it lacks none."""
    finite = [np.isfinite(prediction.keypoints).all(1) for prediction in predictions if prediction]
    words = []
    if not all(face.all() for face in finite):
        count, total = (sum(map(size, finite)) for size in (np.sum, len))
        words.append(f"{count} of the {total} points are known; the others are ignored.")
    if any(np.isnan(face_unit(face.keypoints, face.markup)) for face in predictions if face):
        words.append("Without both outer eye corners, errors are in pixels alone.")
    return " ".join(words)


def read_pts(text: str, count: int, first: int, where: Path | str) -> np.ndarray:
    """The text of a `.pts` file -> `(count, 2)` float32, 0-based; `first` is its first index.

    Raises TruthError, which calls the file `where`.
    """
    braces = re.search(r"\{(.*)\}", text, re.DOTALL)
    if not braces:
        raise TruthError(f"{where} is no complete .pts file: it has no list of points in braces.")
    points = parse_points(braces[1].split(), count, where)
    stated = re.search(r"n_points\s*:\s*(\d+)", text[: braces.start()])
    # Compared as texts: numbers may be of any length.
    if stated and stated[1].lstrip("0") != str(count):
        raise TruthError(f"{where} states n_points: {stated[1]:.20} and has {count} points.")
    return mask_missing(points - first)


def read_asf(text: str, where: Path | str) -> np.ndarray:
    """The text of an `.asf` file -> its points as fractions of the picture: `(58, 2)` float32.

    Lines that hold a point have seven columns in some files and ten in others; the third and
    fourth are always x and y. Raises TruthError, which calls the file `where`.
    """
    lines = [line.split() for line in text.splitlines()]
    points = [line[2:4] for line in lines if len(line) in (7, 10) and not line[0].startswith("#")]
    return parse_points([number for point in points for number in point], IMM_COUNT, where)


def to_pixels(fractions: np.ndarray, width: float, height: float) -> np.ndarray:
    """Fractions `(K, 2)` of a picture, as `.asf` has them -> float32 photo coordinates.

    Fractions run over the picture's outer edges: the labels lie on the pixel grid of a magnified
    display whose first pixel sits half a picture pixel inside the edge.
    """
    return fractions * np.array([width, height], np.float32) - 0.5


def parse_points(numbers: Sequence[str], count: int, where: Path | str) -> np.ndarray:
    """Texts x y x y … as `(count, 2)` float32, NaN where unknown; TruthError names `where`.

    A third number a point is read as COCO's flag where all of them are one: 0 is "not labelled".
    """
    try:
        # float32 would turn large numbers into infinity with a warning.
        values = np.array([_number(text) for text in numbers], np.float64)
    except ValueError as error:
        raise TruthError(f"{where} has a broken coordinate: {error}.") from error
    flagged = len(values) == 3 * count and np.isin(values[2::3], _FLAGS).all()
    if len(values) != 2 * count and not flagged:
        raise TruthError(f"{where} has {len(values) / 2:g} points where {count} belong.")
    if (np.abs(values) > np.finfo(np.float32).max).any():
        raise TruthError(f"{where} has a coordinate that is no finite number.")
    return mask_missing(values.reshape(count, -1))


def mask_missing(rows: np.ndarray) -> np.ndarray:
    """Rows x y, or x y flag, as float32 `(K, 2)` with NaN for points that are unknown.

    Data sets write 0 0, -1 -1 or another whole number up to 0 twice where a point is unknown; no
    keypoint lies so exactly on the diagonal beyond a picture's corner. Unknown too is a point that
    lacks one coordinate, or has COCO's flag 0.
    """
    points = np.array(rows[:, :2], np.float32)
    x, y = points.T
    code = (x == y) & (x <= 0) & (x == np.rint(x))
    flag = (rows[:, 2:] == 0).any(1)
    points[code | flag | np.isnan(points).any(1)] = np.nan
    return points


def outside(points: np.ndarray, width: float, height: float) -> np.ndarray:
    """Which of `(K, 2)` lie beyond a picture by more than a quarter of its size.

    Less is usual: annotators mark hidden points where they think they are.
    """
    margin = BEYOND * np.array([width, height])
    return np.flatnonzero(((points < -margin) | (points > (width, height) + margin)).any(1))


def _number(text: str) -> float:
    return np.nan if text.strip().lower() in _MISSING else float(text)


def _assignment_cost(points: np.ndarray, face: ComparedFace) -> tuple[float, float]:
    """The share of the points outside a face's box, and the distance of their centres."""
    labelled = points[np.isfinite(points).all(1)]
    low, high = np.array(face.box[:2]), np.array(face.box[2:])
    outside = ((labelled < low) | (labelled > high)).any(1).mean()
    return float(outside), float(np.linalg.norm(labelled.mean(0) - (low + high) / 2))


def _read_json(text: str, width: int, height: int) -> dict[str, Marks]:
    try:
        data = json_file.parse(text)
        size = int(data["photo"]["width"]), int(data["photo"]["height"])
        predictions = [item for face in data["faces"] for item in face["models"].items()]
        sets: dict[str, list[tuple[str, np.ndarray]]] = {}
        for name, prediction in predictions:
            points = _points(prediction)
            if np.isfinite(points).all(1).any():
                sets.setdefault(name, []).append((markups.get(prediction["markup"]).name, points))
    except _MALFORMED as error:
        raise TruthError(
            "The file is no JSON as this page downloads it; choose one of those, a .pts or an .asf."
        ) from error
    if size != (width, height):
        raise TruthError(
            "The file was made for a photo of {} × {} pixels, and this one has {} × {}; choose the "
            "file that belongs to it.".format(*size, width, height)
        )
    if not sets:
        raise TruthError("The file holds no points; choose one that has a face in it.")
    if mixed := [name for name, faces in sets.items() if len({m for m, _ in faces}) > 1]:
        raise TruthError(f"The points of {mixed[0]} in the file have more than one markup.")
    return {name: Marks(faces[0][0], tuple(p for _, p in faces)) for name, faces in sets.items()}


def _points(prediction: Mapping[str, Any]) -> np.ndarray:
    """A prediction's points, null as NaN; ValueError if they are not those of its markup."""
    rows = prediction["keypoints"]
    columns = max(len(row) for row in rows if row is not None)
    if columns not in (2, 3) or len(rows) != len(markups.get(prediction["markup"])):
        raise ValueError(f"they are not the points of {prediction['markup']}")
    points = np.array([[None] * columns if row is None else row for row in rows], np.float32)
    if columns == 3 and not np.isin(points[:, 2], _FLAGS).all():
        raise ValueError("the third column is no flag")
    return mask_missing(points)
