"""Pseudo-labels: a model's own predictions on the pictures of a source, a JSON file each.

`python -m train label` writes them (`train.labelling`). Layout: `model`, `weights` (their SHA-256),
`source`, `markup`, `least_confidence`, and `faces`: for each face's name a list of its points,
`[x, y, confidence]` in pixels of the source's picture. Labels that the source has itself have the
confidence 1; a point that is unknown is null.
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from kpdemo.keypoints import markups
from kpdemo.system import json_file
from kpdemo.system.json_file import JsonError
from train.data.sources.common import DataError, LabelledFace

_SUFFIX = ".json"


def is_file(source: str) -> bool:
    """Whether a recipe's source is a file of pseudo-labels, and not a data set's name."""
    return source.endswith(_SUFFIX)


def data_set(source: str) -> str:
    """The name of the data set whose pictures a recipe's source has: "ytf" for "…/ytf.json"."""
    return Path(source).stem if is_file(source) else source


def read(path: Path, load: Callable[[str], list[LabelledFace]]) -> list[LabelledFace]:
    """The faces of the source named in the file, with the file's labels; `load` reads the source.

    Points of less than the file's `least_confidence` are NaN. A face keeps its group, so that it
    stays on the side of a split that its own labels are on; its name begins with that of the file.
    Faces that the file lacks are left out. Raises DataError for a file that is missing or broken,
    or that is of other faces than the source's.
    """
    try:
        data = json_file.read(path)
        source, markup, least = data["source"], data["markup"], float(data["least_confidence"])
        labels = {name: _points(rows, markup, least) for name, rows in data["faces"].items()}
    except FileNotFoundError:
        raise DataError(
            f"{path} is missing; `python -m train label MODEL SOURCE` writes such a file."
        ) from None
    except JsonError as error:
        raise DataError(f"{path} {error}") from error
    except (AttributeError, KeyError, TypeError, ValueError) as error:
        raise DataError(f"{path} holds no pseudo-labels ({error!r}).") from error
    faces = {face.name: face for face in load(source)}
    if strangers := labels.keys() - faces.keys():
        raise DataError(
            f"{path} labels {len(strangers)} faces that {source} lacks, {min(strangers)} for one; "
            "label that data set again."
        )
    return [
        LabelledFace(f"{path.as_posix()}/{name}", face.group, markup, labels[name], face.picture)
        for name, face in faces.items()
        if name in labels
    ]


def _points(rows: list[Any], markup: str, least: float) -> np.ndarray:
    # A null becomes a row of NaN.
    table = np.array([row or [np.nan] * 3 for row in rows], np.float32)
    if table.shape != (len(markups.get(markup)), 3):
        raise ValueError(f"a face has a table of {table.shape}")
    return np.where(table[:, 2:] >= least, table[:, :2], np.nan).astype(np.float32)
