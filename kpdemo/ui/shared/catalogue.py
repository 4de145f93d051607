"""What scripts need to know of models and markups to show results that no server has prepared."""

from collections.abc import Iterable
from typing import Any

from kpdemo import zoo
from kpdemo.keypoints import markups
from kpdemo.structures import LOW_CONFIDENCE
from kpdemo.ui.shared import titles
from kpdemo.ui.shared.colors import css_color

# Of the answers of the engine in the browser, and what they are converted to.
_MARKUPS = ("ibug-68", "kaggle-15", "mediapipe-478")


def value(models: Iterable[str]) -> dict[str, Any]:
    """Titles and colours of `models`, in their order, and the markups, ready for JSON."""
    return {
        "baseline": zoo.BASELINE,
        "low": LOW_CONFIDENCE,
        "models": {name: {"title": zoo.title(name), "color": css_color(name)} for name in models},
        "markups": {name: of_markup(name) for name in _MARKUPS},
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
