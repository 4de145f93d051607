"""How far the nets' expected errors can be relied on: expected against measured, in ten bins.

`python -m train expect` writes them to each model's `metrics.json`.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from kpdemo.models import model_folder
from kpdemo.system import json_file
from kpdemo.zoo import WEIGHTS_DIR

KEY = "expected_error"  # in `metrics.json`, under the test source


@dataclass(frozen=True)
class Reliability:
    """Mean `expected` and `measured` error of a model's points, bin by bin, on `faces` of `source`.

    In percent of the eye distance, from the bin of the least expected error on. Bins hold equally
    many points. `rank_correlation` is Spearman's, over all points.
    """

    name: str
    source: str
    faces: int
    expected: Sequence[float]
    measured: Sequence[float]
    rank_correlation: float


def read(
    names: Sequence[str],
    weights: Path = WEIGHTS_DIR,
    external: Mapping[str, Path] | None = None,
) -> list[Reliability]:
    """The reliability of those of the models that have one; damaged files are left out.

    The folders in `external` take the place of those of the same names.
    """
    folders = {name: weights / name for name in names} | {
        name: folder for name, folder in (external or {}).items() if name in names
    }
    found = (_read(name, folder / model_folder.METRICS) for name, folder in folders.items())
    return [each for each in found if each is not None]


def _read(name: str, path: Path) -> Reliability | None:
    try:
        for source, measured in json_file.read(path).items():
            if KEY in measured:
                data = measured[KEY]
                expected, actual = (
                    [float(value) for value in data[side]] for side in ("expected", "measured")
                )
                if len(expected) != len(actual) or not all(map(math.isfinite, expected + actual)):
                    return None
                rank = float(data["rank_correlation"])
                return Reliability(name, source, int(data["faces"]), expected, actual, rank)
    except (KeyError, TypeError, ValueError, AttributeError, OSError):
        return None
    return None
