"""Reads the leaderboard from `weights/`, again as soon as a file changes.

`python -m train report` joins the figures of all models in `results.json`; each model's own
`metrics.json` has the errors of the test faces and the points of the best and worst ones.
"""

import math
from collections.abc import Mapping, Sequence
from functools import lru_cache
from pathlib import Path
from typing import Any

import numpy as np

from kpdemo.keypoints import markups
from kpdemo.models import model_folder
from kpdemo.records import figures
from kpdemo.records.json_files import JsonFiles
from kpdemo.records.standings import (
    BY_APP,
    BY_LABEL,
    FIFTEEN,
    Face,
    Robustness,
    Standing,
    Standings,
    Stratum,
)
from kpdemo.zoo import BASELINE, WEIGHTS_DIR

RESULTS = "results.json"
ROBUSTNESS = "robustness.json"

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


def stamp(weights: Path = WEIGHTS_DIR, external: Mapping[str, Path] | None = None) -> Stamp:
    """Which versions of the files lie in these folders: equal stamps, equal standings."""
    paths = [weights / RESULTS, weights / ROBUSTNESS, *weights.glob(f"*/{model_folder.METRICS}")]
    paths += [folder / model_folder.METRICS for folder in (external or {}).values()]
    stamps = []
    for path in sorted(paths):
        try:
            status = path.stat()
        except OSError:
            continue
        stamps.append((str(path), status.st_mtime_ns, status.st_size))
    return tuple(stamps)


def read(weights: Path = WEIGHTS_DIR, external: Mapping[str, Path] | None = None) -> Standings:
    """The standings of a folder of models. What is missing or damaged is left out and named.

    The folders in `external` take the place of those of the same names.
    """
    return _read(weights, tuple((external or {}).items()), stamp(weights, external))


@lru_cache(maxsize=4)
def _read(weights: Path, external: tuple[tuple[str, Path], ...], _: Stamp) -> Standings:
    files = JsonFiles(weights, dict(external))
    results = files.read(RESULTS)
    rows = _rows(files, results.get("models"))
    fifteen = _rows(files, results.get("fifteen"), FIFTEEN)
    return Standings(
        [_standing(files, row) for row in rows],
        [_standing(files, row, FIFTEEN) for row in fifteen],
        _robustness(files),
        _dig(results, "benchmark"),
        [
            *(f"{name} is missing" for name in files.missing),
            *(f"{name} is damaged" for name in dict.fromkeys(files.damaged)),
        ],
    )


def _named(row: Any) -> bool:
    return isinstance(row, dict) and isinstance(row.get("name"), str)


def _rows(files: JsonFiles, listed: Any, reading: str | None = None) -> list[dict]:
    """The rows that have a name and, where other weights are used, metrics of these."""
    named = [row for row in listed if _named(row)] if isinstance(listed, list) else []
    return [current for row in named if (current := _current(files, row, reading))]


def _current(files: JsonFiles, row: dict, reading: str | None) -> dict:
    """A row as it is where other weights are used: by their own metrics, empty without any."""
    name = row["name"]
    if name not in files.external:
        return row
    metrics = files.read(name, model_folder.METRICS)
    source = figures.source(metrics)
    measured = _dig(metrics, source) if source else {}
    measured = _dig(measured, reading) if reading else measured
    if not measured:
        return {}
    box, app = _dig(measured, BY_LABEL), _dig(measured, BY_APP)
    config = files.read(name, model_folder.CONFIG)
    copied = ("faces", "spread", "answers_mean", "mean_answer_nme", "flip_test")
    return {
        "name": name,
        "net": config.get("net"),
        "markup": reading or config.get("markup"),
        **{key: box.get(key) for key in copied},
        **figures.errors(box, app),
        "source": source,
        "pulled": True,
    }


def _standing(files: JsonFiles, row: dict, reading: str | None = None) -> Standing:
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
        errors = {crop: _errors(_dig(measured, entry)) for crop, entry in ways.items()}
        strata = {crop: _strata(_dig(measured, entry)) for crop, entry in ways.items()}
        best, worst = (
            tuple(_face(face) for face in _dig(measured, way).get(end) or ())
            for end in ("best", "worst")
        )
    except (AttributeError, KeyError, TypeError, ValueError):
        files.damaged.append(f"{folder}/{model_folder.METRICS}")
        errors, strata, best, worst = {}, {}, (), ()
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
        errors={crop: values for crop, values in errors.items() if values.size},
        strata={crop: parts for crop, parts in strata.items() if parts},
        best=best,
        worst=worst,
        pulled=bool(row.get("pulled")),
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


def _strata(measured: dict) -> tuple[Stratum, ...]:
    """The parts of the detected faces that have any."""
    return tuple(
        Stratum(fact, name, part["faces"], float(part["nme"]), _pair(part["interval"]))
        for fact, parts in (measured.get("by") or {}).items()
        for name, part in parts.items()
        if part["nme"] is not None
    )


def _pair(bounds: Any) -> tuple[float, float] | None:
    if bounds is None:
        return None
    lower, upper = bounds
    return float(lower), float(upper)


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


def _robustness(files: JsonFiles) -> Robustness | None:
    data = files.read(ROBUSTNESS)
    conditions = {
        condition: {
            name: _numbers(cell)
            for name, cell in row.items()
            if isinstance(cell, dict) and name not in files.external
        }
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
