"""How many rows of a training table label which keypoints."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import BaseModel, ConfigDict


@dataclass(frozen=True, eq=False)
class Labels:
    """Of `rows`, how many label each keypoint, and how many label 0, 1, 2 … keypoints."""

    rows: int
    by_keypoint: Mapping[str, int]
    by_points_known: Mapping[int, int]


class _Counts(BaseModel):
    model_config = ConfigDict(strict=True)
    rows: int
    rows_by_keypoint: dict[str, int]
    rows_by_points_known: dict[str, int]


def parse_labels(data: Any) -> dict[str, Labels]:
    """The counts in a `completeness.json`: of Kaggle's table, and by recipe.

    LookupError, TypeError or ValueError if the file is damaged.
    """
    tables = {"kaggle": data["kaggle"]} | data["recipes"]
    counts = {name: _Counts.model_validate(table) for name, table in tables.items()}
    return {
        name: Labels(
            rows=count.rows,
            by_keypoint=count.rows_by_keypoint,
            by_points_known={int(k): n for k, n in count.rows_by_points_known.items()},
        )
        for name, count in counts.items()
    }
