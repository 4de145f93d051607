"""`python -m kpdemo export`: a model as a file for ONNX Runtime and other programs."""

from argparse import ArgumentParser
from collections.abc import Sequence
from pathlib import Path

from kpdemo.engine.engine import engine
from kpdemo.engine.store import model_folders
from kpdemo.models import onnx
from kpdemo.models.checkpoint import Model
from kpdemo.models.onnx import ExportError
from kpdemo.system import files

DESCRIPTION = onnx.__doc__


def run(parser: ArgumentParser, arguments: Sequence[str]) -> int:
    """Run the command; returns the exit status."""
    parser.add_argument("model", metavar="MODEL")
    parser.add_argument("--onnx", type=Path, metavar="OUT.onnx", required=True)
    options = parser.parse_args(arguments)
    weights = [path for folder in model_folders() for path in folder.glob("*")]
    files.check_outputs([options.onnx], weights)
    print(onnx.export(_net(options.model), options.onnx))
    return 0


def _net(name: str) -> Model:
    """The net of that name; ExportError if there is none, CheckpointError if it is damaged."""
    store = engine().store
    if name in store.unavailable:
        raise ExportError(store.unavailable[name])
    if name not in store.names:
        raise ExportError(f"There is no net {name} to export; there are {', '.join(store.names)}.")
    return store.model(name)
