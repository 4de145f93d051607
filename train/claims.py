"""The reports' claims, with the current figures from `weights/`."""

import json
import math
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from kpdemo.records.seeds import Sample
from kpdemo.zoo import WEIGHTS_DIR


def resolve(claim: Mapping[str, Any], weights: Path = WEIGHTS_DIR) -> dict[str, Any]:
    """A recipe's claim as plain data, each of its figures formatted as `text`.

    The text of a figure that has not been measured yet is "not measured".
    """
    figures = [
        {"what": each["what"], "source": each["source"], "text": text(each, weights)}
        for each in claim.get("figures") or ()
    ]
    return {
        "claim": claim["claim"],
        "check": claim["check"],
        "verdict": claim["verdict"],
        "because": claim.get("because") or "",
        "figures": figures,
    }


def check_text(claim: dict) -> str:
    """The check of a resolved claim, its figures, and the reason for the verdict."""
    figures = "; ".join(f"{each['what']} {each['text']}" for each in claim["figures"])
    return " ".join(filter(None, [claim["check"], figures and f"{figures}.", claim["because"]]))


def text(evidence: Mapping[str, Any], weights: Path = WEIGHTS_DIR) -> str:
    """A figure as text: "7.70 %", or over seeds "22.7 ± 1.4 % (n = 5)"."""
    source, unit = evidence["source"], evidence.get("unit", "%")
    space = f" {unit}" if unit else ""
    if source.startswith("sweeps/") and not evidence["at"]:
        sample = best_errors(source, weights)
        return sample.text(2, space) if sample.values else "not measured"
    value: Any = _read(weights / source)
    for step in evidence["at"].split("."):
        try:
            value = value[int(step) if isinstance(value, list) else step]
        except (LookupError, TypeError, ValueError):
            return "not measured"
    if not isinstance(value, int | float) or not math.isfinite(value):
        return "not measured"
    if isinstance(value, int):
        return f"{value:,}{space}"
    digits = 3 if 0 < abs(value) < 0.1 else 2  # losses are small
    return f"{value:.{digits}f}{space}"


def best_errors(source: str, weights: Path = WEIGHTS_DIR) -> Sample:
    """The lowest validation NME of each seed of a sweep's run, "sweeps/NAME/RUN"."""
    _, name, run = source.split("/")
    histories = [_read(path) for path in sorted((weights / "sweeps" / name).glob("*.json"))]
    return Sample.of(
        min((e["validation_nme"] for e in history["epochs"]), default=math.nan)
        for history in histories
        if history.get("sweep", {}).get("run") == run and not history.get("diverged")
    )


def _read(path: Path) -> dict:
    """A JSON file; empty where it is missing or damaged (`collect` reports the latter)."""
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
