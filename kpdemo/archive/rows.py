"""The rows of an archive: one a photo, its faces nested."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pyarrow as pa

from kpdemo.engine.batch import BatchResult
from kpdemo.structures import Comparison, Prediction

_NUMBERS = pa.list_(pa.float32())
# One entry for each markup of each model, as the rows of a CSV have them.
_POINTS = pa.struct(
    {
        "model": pa.string(),
        "markup": pa.string(),
        "x": _NUMBERS,
        "y": _NUMBERS,
        "confidence": _NUMBERS,
        "expected_error": _NUMBERS,
    }
)
_FACE = pa.struct(
    {
        "box": _NUMBERS,
        "score": pa.float32(),
        "roll": pa.float32(),
        "confirmed": pa.bool_(),
        "points": pa.list_(_POINTS),
        "missing": pa.list_(pa.string()),
    }
)
SCHEMA = pa.schema(
    {
        "width": pa.int32(),
        "height": pa.int32(),
        "faces": pa.list_(_FACE),
        "faces_left_out": pa.int32(),
        "error": pa.string(),
    }
)


def table(names: pa.Table, results: Sequence[BatchResult]) -> pa.Table:
    """The rows of photos: the columns that name them, and those of `SCHEMA`.

    `error` says why a photo could not be used, or which models failed on it.
    """
    records = [
        {"error": result.error} if result.comparison is None else _record(result.comparison)
        for result in results
    ]
    values = pa.Table.from_pylist(records, SCHEMA)
    for field in SCHEMA:
        names = names.append_column(field, values[field.name])
    return names


def _record(comparison: Comparison) -> dict[str, Any]:
    return {
        "width": comparison.width,
        "height": comparison.height,
        "faces": [
            {
                "box": face.box,
                "score": face.score,
                "roll": face.roll,
                "confirmed": face.confirmed,
                "points": list(_points(face.predictions)),
                "missing": list(face.missing),
            }
            for face in comparison.faces
        ],
        "faces_left_out": comparison.faces_left_out,
        "error": " ".join(comparison.unavailable.values()) or None,
    }


def _points(predictions: Mapping[str, Prediction]) -> Iterator[dict[str, Any]]:
    for model, prediction in predictions.items():
        yield {
            "model": model,
            "markup": prediction.markup,
            "x": prediction.keypoints[:, 0],
            "y": prediction.keypoints[:, 1],
            "confidence": prediction.confidence,
            "expected_error": prediction.expected_error,
        }
        for markup, points in prediction.converted.items():
            yield {"model": model, "markup": markup, "x": points[:, 0], "y": points[:, 1]}
