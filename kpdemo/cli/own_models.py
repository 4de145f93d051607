"""Models of the user's own, named on the command line."""

import sys
from collections.abc import Iterable
from pathlib import Path

from kpdemo.engine import external
from kpdemo.engine.engine import engine
from kpdemo.system import files


def add(models: Iterable[str] | None) -> None:
    """Load the user's own among the models; a download is told on standard error."""
    engine().add(models or (), lambda sentence: print(sentence, file=sys.stderr, flush=True))


def check_outputs(outputs: list[Path], models: Iterable[str] | None) -> None:
    """OutputError for an output that is a file of one of the models."""
    places = [Path(name).expanduser() for name in models or ()]
    inputs = [path for place in places if place.is_dir() for path in place.iterdir()]
    for place in places:
        if external.is_onnx(place.name):
            inputs += [place, place.with_suffix(".json")]
    files.check_outputs(outputs, inputs)
