"""A board's figures as CSV and JSON, in links that the browser saves without asking the server."""

import csv
import io
import json
from collections.abc import Sequence
from typing import Any
from urllib.parse import quote

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


def links(rows: Sequence[Standing], board: str) -> str:
    """HTML of a link to each file, which carry their contents with them."""
    files = {
        "CSV": ("csv", "text/csv", csv_text(rows)),
        "JSON": ("json", "application/json", json.dumps(records(rows), indent=1)),
    }
    return "".join(
        f'<a class="kp-button" download="kpdemo-leaderboard-{board}.{ending}" '
        f'href="data:{kind};charset=utf-8,{quote(text)}">{title}</a>'
        for title, (ending, kind, text) in files.items()
    )


def _flat(record: dict[str, Any]) -> dict[str, Any]:
    flat: dict[str, Any] = {}
    for key, value in record.items():
        if isinstance(value, list):
            name = key.removesuffix("_interval")
            flat[f"{name}_low"], flat[f"{name}_high"] = value
        else:
            flat[key] = value
    return flat
