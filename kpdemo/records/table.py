"""A board's figures as records and as CSV, for other programs."""

import csv
import io
from collections.abc import Sequence
from typing import Any

from kpdemo import zoo
from kpdemo.records.standings import Standing

OWN, GOOGLE = "research only", "Apache-2.0"


def licence(row: Standing) -> str:
    """Under which terms a model's weights may be used."""
    return GOOGLE if row.baseline else OWN


def records(rows: Sequence[Standing]) -> list[dict[str, Any]]:
    """Every row's figures by their names in `results.json`; intervals are pairs, errors percent."""
    return [
        {
            "name": row.name,
            "title": zoo.title(row.name),
            "markup": row.markup,
            "source": row.source,
            "faces": row.faces,
            "licence": licence(row),
            **row.figures,
            **{f"nme_{group}": value for group, value in row.groups.items()},
            **{f"{key}_interval": list(bounds) for key, bounds in row.intervals.items()},
        }
        for row in rows
    ]


def csv_text(rows: Sequence[Standing]) -> str:
    """The records as CSV; an interval takes two columns, `_low` and `_high`."""
    flat = [_flat(record) for record in records(rows)]
    columns = list(dict.fromkeys(key for record in flat for key in record))
    text = io.StringIO()
    writer = csv.DictWriter(text, columns, restval="", lineterminator="\n")
    writer.writeheader()
    writer.writerows(flat)
    return text.getvalue()


def _flat(record: dict[str, Any]) -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in record.items():
        if isinstance(value, list):
            name = key.removesuffix("_interval")
            flat[f"{name}_low"], flat[f"{name}_high"] = value
        else:
            flat[key] = value
    return flat
