"""A model's errors on its test faces, by keypoint."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from pydantic import BaseModel, ConfigDict

from kpdemo.keypoints import markups


@dataclass(frozen=True, eq=False)
class Errors:
    """A model's errors on its test faces, on ground-truth crops.

    `nme_by_keypoint` is `(K,)` in percent, `rmse_by_keypoint` `(K,)` in pixels of a 96×96 crop or
    None, in the order of the markup. `mean_answer` is the NME of the mean-face baseline.
    """

    model: str
    markup: str
    source: str
    faces: int
    nme: float
    nme_by_keypoint: np.ndarray
    rmse: float | None
    rmse_by_keypoint: np.ndarray | None
    mean_answer: float | None


class _Entry(BaseModel):
    """A part of `metrics.json`."""

    model_config = ConfigDict(strict=True)
    faces: int
    nme: float
    nme_by_keypoint: list[float | None]
    rmse_96: float | None = None
    rmse_96_by_keypoint: dict[str, float | None] | None = None
    mean_answer_nme: float | None = None


def parse_errors(model: str, data: Mapping[str, Any]) -> dict[str, Errors]:
    """The errors in a model's `metrics.json`; empty where ground-truth crops were not measured.

    AttributeError, LookupError or ValueError if the file is damaged.
    """
    for source, entries in data.items():
        if entries.get("ground_truth_box") is None:
            continue
        entry = _Entry.model_validate(entries["ground_truth_box"])
        # The number of keypoints determines the markup.
        by_count = {len(each): name for name, each in markups.MARKUPS.items()}
        name = by_count[len(entry.nme_by_keypoint)]
        rmse = entry.rmse_96_by_keypoint
        errors = Errors(
            model=model,
            markup=name,
            source=source,
            faces=entry.faces,
            nme=entry.nme,
            nme_by_keypoint=np.array(entry.nme_by_keypoint, float),
            rmse=entry.rmse_96,
            rmse_by_keypoint=None
            if rmse is None
            else np.array([rmse[keypoint] for keypoint in markups.get(name).names], float),
            mean_answer=entry.mean_answer_nme,
        )
        return {model: errors}
    return {}
