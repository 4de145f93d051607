"""The pinned repositories: the state of each one on the Hub that is known to be good."""

import dataclasses
from dataclasses import dataclass
from pathlib import Path

from kpdemo.models import model_folder
from kpdemo.models.hub_errors import HubError
from kpdemo.system import json_file
from kpdemo.system.json_file import JsonError

# Beside the code, and not in weights/: a copy that leaves the weights to the Hub needs it most.
FILE = Path(__file__).with_name("pins.json")


@dataclass(frozen=True)
class Pin:
    """The state of a repository that is known to be good: its commit, and its weights' sha256."""

    revision: str
    sha256: str


def read() -> dict[str, Pin]:
    """The pinned state of each repository by its id; HubError if the file is broken."""
    try:
        return {repo: Pin(**pin) for repo, pin in json_file.read(FILE).items()}
    except FileNotFoundError:
        return {}
    except JsonError as error:
        raise HubError(f"{FILE} {error}") from error
    except TypeError as error:
        raise HubError(f"{FILE} cannot be read ({error}).") from error


def write(repo: str, pin: Pin) -> None:
    """Pin a repository in `pins.json`, and leave the others as they are."""
    pins = read() | {repo: pin}
    data = {name: dataclasses.asdict(pins[name]) for name in sorted(pins)}
    model_folder.write_json(FILE, data)
