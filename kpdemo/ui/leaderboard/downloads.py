"""A board's figures as CSV and JSON, in links that the browser saves without asking the server."""

import json
from collections.abc import Sequence
from urllib.parse import quote

from kpdemo.records.standings import Standing
from kpdemo.records.table import csv_text, records


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
