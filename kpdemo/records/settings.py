"""A recipe's settings, flat, so that recipes can be compared."""

from collections.abc import Mapping
from typing import Any

# Descriptive keys of a recipe, without effect on training.
_DESCRIPTIVE = ("name", "title", "notes", "reported", "deviations", "claims", "flip_test")
# Settings that the first runs did not record, because training had no alternative then.
_DEFAULTS = {
    "data.incomplete": "mask",
    "data.judge": [],
    "augment.moved": 1.0,
    "augment.saturation": 0.0,
    "keep": "best",
}
# Settings that only matter where another one has one of these values.
_CONDITIONS = {
    "loss.unit": ("loss.coordinates", ("mse", "l1", "smooth_l1", "huber", "wing")),
    "loss.bend": ("loss.coordinates", ("smooth_l1", "huber", "wing")),
    "loss.curvature": ("loss.coordinates", ("wing",)),
    "loss.heatmap_weight": ("loss.heatmaps", ("mse", "cross_entropy", "marginals")),
    "loss.sigma": ("loss.heatmaps", ("mse", "cross_entropy", "marginals")),
    "momentum": ("optimizer", ("sgd",)),
    "warmup": ("schedule", ("cosine", "onecycle")),
    "step": ("schedule", ("step", "plateau")),
    "gamma": ("schedule", ("step", "plateau")),
}


def settings(recipe: Mapping[str, Any]) -> dict[str, Any]:
    """A recipe's settings by dotted path: "loss.bend", "stages.0.lr"; lists stay whole otherwise.

    Descriptive keys are left out, and settings without effect given the others (the momentum of an
    optimiser without one).
    """
    flat: dict[str, Any] = dict(_DEFAULTS)
    for key, value in recipe.items():
        if key in _DESCRIPTIVE:
            continue
        parts = enumerate(value) if key == "stages" else [(None, value)]
        for number, part in parts:
            path = key if number is None else f"{key}.{number}"
            if number is not None:
                flat[f"{path}.freeze_norm"] = False
            if isinstance(part, Mapping):
                flat |= {f"{path}.{name}": inner for name, inner in part.items()}
            else:
                flat[path] = part
    flat["data.missing"] = flat.get("data.missing") or []  # false in the first recipes
    if not flat["data.missing"]:
        del flat["data.incomplete"]
    return {path: value for path, value in flat.items() if _matters(path, flat)}


def _matters(path: str, flat: Mapping[str, Any]) -> bool:
    *stage, last = path.split(".") if path.startswith("stages.") else (path,)
    if last not in _CONDITIONS:
        return True
    other, values = _CONDITIONS[last]
    return flat.get(".".join((*stage, other))) in values


def setting(recipe: Mapping[str, Any], path: str) -> Any:
    """The value at a dotted path, through lists too: "args.blocks.0.kernel"; None if absent."""
    value: Any = recipe
    for step in path.split("."):
        try:
            value = value[int(step) if isinstance(value, list) else step]
        except (LookupError, TypeError, ValueError):
            return None
    return value
