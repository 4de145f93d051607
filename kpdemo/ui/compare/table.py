"""The table under the panels: each model's latency, size and distance to the reference.

The browser makes it from what the panels hold, with a few facts that only the server knows.
"""

from collections.abc import Collection, Mapping

import gradio as gr

from kpdemo import zoo
from kpdemo.engine import export
from kpdemo.models.checkpoint import Model
from kpdemo.ui.compare import ground_truth
from kpdemo.ui.session import PhotoResult
from kpdemo.ui.shared import catalogue, component


def build() -> gr.HTML:
    """The component; its value is `value(…)` as JSON, or None for no facts."""
    return component.build("table", "compare/table.html", "compare/table.js")


def value(
    models: Mapping[str, Model],
    result: PhotoResult,
    origins: Mapping[str, str],
    not_pulled: Mapping[str, str],
    external: Collection[str] = (),
) -> str:
    """The facts on a comparison by `models` as JSON.

    `origins` and `not_pulled` are the store's: where weights came from, and why not the Hub. The
    training data of `external` models is unknown here.
    """
    names = result.comparison.models
    return export.to_json(
        {
            "models": {
                name: {
                    "parameters": models[name].parameters if name in models else None,
                    "trained": "–" if name in external else catalogue.trained_on(name),
                }
                for name in names
            },
            "warning": ground_truth.warning(result),
            "weights": _weights({name: origins[name] for name in names if name in origins})
            + "".join(f" {not_pulled[name]}" for name in names if name in not_pulled),
        }
    )


def _weights(origins: Mapping[str, str]) -> str:
    """Where the weights of each model came from, models of one origin together."""
    by_origin: dict[str, list[str]] = {}
    for name, origin in origins.items():
        by_origin.setdefault(origin, []).append(zoo.title(name))
    if len(by_origin) == 1:
        return f"All weights are from {next(iter(by_origin))}."
    return " ".join(
        f"{', '.join(models)}: weights from {origin}." for origin, models in by_origin.items()
    )
