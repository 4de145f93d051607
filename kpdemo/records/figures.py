"""The columns of `results.json` that a model's `metrics.json` has."""

from collections.abc import Mapping
from typing import Any

SOURCE = "300w-common"


def source(metrics: Mapping[str, Any]) -> str | None:
    """The test faces that a model is shown on."""
    return SOURCE if SOURCE in metrics else next(iter(metrics), None)


def errors(box: Mapping[str, Any], app: Mapping[str, Any]) -> dict[str, Any]:
    """The errors on ground-truth crops and on detected faces."""
    return {
        "nme": box.get("nme"),
        "nme_interval": box.get("nme_interval"),
        "nme_compare": app.get("nme"),
        "nme_compare_interval": app.get("nme_interval"),
        "lost": app.get("lost"),
        "fr8": app.get("fr8"),
        "auc8": app.get("auc8"),
        "groups": box.get("groups"),
        "rmse_96": box.get("rmse_96"),
        "rmse_96_by_keypoint": box.get("rmse_96_by_keypoint"),
    }
