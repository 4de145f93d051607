"""A model folder's files: weights and config, and the records of training and evaluation."""

import json
import re
from pathlib import Path

from kpdemo.system import files, json_file
from kpdemo.system.json_file import JsonError

WEIGHTS = "model.safetensors"
CONFIG = "config.json"
HISTORY = "history.json"
METRICS = "metrics.json"
GRAPH = "model.onnx"
CARD = "README.md"


class CheckpointError(ValueError):
    """A model folder that cannot be used; the message is one sentence that says why."""


def read_history(folder: Path) -> dict:
    """The training record: the recipe and its curves; CheckpointError if missing or broken."""
    return read_json(folder, HISTORY)


def read_metrics(folder: Path) -> dict:
    """The evaluation's results by test source; CheckpointError if missing or broken."""
    return read_json(folder, METRICS)


def read_json(folder: Path, name: str) -> dict:
    """The object in a JSON file of the folder; CheckpointError if missing or broken."""
    try:
        return json_file.read(folder / name)
    except FileNotFoundError:
        raise CheckpointError(f"{folder.name} has no {name}.") from None
    except JsonError as error:
        raise CheckpointError(f"{folder / name} {error}") from error


def write_json(path: Path, data: object) -> None:
    """Write JSON so that a reader sees the old file or the new one, never a half.

    What holds nothing nested stands on one line, or most of a file would be lines of one number.
    """
    text = re.sub(
        r"[\[{]\n[^][{}]*[]}]",
        lambda match: _line(match[0]),
        json.dumps(data, indent=1, ensure_ascii=False),
    )
    files.replace(path, lambda file: file.write(f"{text}\n".encode()))


def _line(text: str) -> str:
    space = " " if '"' in text else ""  # none in long lists of numbers
    inner = re.sub(r"\n *", space, text[1:-1]).strip()
    return text[0] + inner + text[-1]
