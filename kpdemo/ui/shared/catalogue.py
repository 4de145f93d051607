"""What scripts need to know of models and markups, whoever has computed the results."""

from collections.abc import Iterable
from typing import Any

from kpdemo import zoo
from kpdemo.keypoints import markups
from kpdemo.records import lineage
from kpdemo.structures import LOW_CONFIDENCE
from kpdemo.ui.shared import titles
from kpdemo.ui.shared.colors import css_color

# What models that were not trained here were trained on.
_OTHERS_DATA = {zoo.BASELINE: "Google’s own data"}


def value(models: Iterable[str]) -> dict[str, Any]:
    """Facts on `models`, in their order, and the markups, ready for JSON."""
    return {
        "baseline": zoo.BASELINE,
        "low": LOW_CONFIDENCE,
        "models": {
            name: {
                "title": zoo.title(name),
                "color": css_color(name),
                "parameters": lineage.parameters(name),
                "trained": trained_on(name),
            }
            for name in models
        },
        "markups": {name: of_markup(name) for name in markups.MARKUPS},
    }


def of_markup(name: str) -> dict[str, Any]:
    """A markup's points, places, groups and contours for the page's scripts; `keys` are the
    points' names in files."""
    scheme = markups.get(name)
    return {
        "names": titles.points(name),
        "keys": scheme.names,
        "places": {place: list(at) for place, at in scheme.anatomy.items()},
        "groups": {group: list(at) for group, at in scheme.groups.items()},
        "contours": scheme.contours,
    }


def trained_on(name: str) -> str:
    """The data sets that a model was trained on, run by run, and the last one's faces."""
    if name in _OTHERS_DATA:
        return _OTHERS_DATA[name]
    stages = lineage.stages(name)
    if not stages:
        return "–"
    runs = [
        " + ".join(titles.source(source) for source in stage.sources) or f"{stage.run} (no record)"
        for stage in stages
    ]
    text = ", then ".join(dict.fromkeys(runs))
    if stages[-1].faces is not None:
        text += f", {stages[-1].faces:,} faces"
    return text.replace("-", "\N{NON-BREAKING HYPHEN}")  # "300-W" on one line
