"""The models, and where each one's weights come from: a local folder or the Hub."""

import filecmp
import logging
from collections.abc import Callable, Iterable, Mapping
from functools import partial
from os import PathLike
from pathlib import Path
from typing import TypeVar

import torch

from kpdemo.models import checkpoint, hub, model_folder
from kpdemo.models.checkpoint import Model, refusal
from kpdemo.models.config import ModelConfig
from kpdemo.models.hub_errors import HubError
from kpdemo.models.model_folder import WEIGHTS, CheckpointError
from kpdemo.system.forks import Lock
from kpdemo.zoo import DEFAULT_MODELS, WEIGHTS_DIR

T = TypeVar("T")

log = logging.getLogger(__name__)


class Store:
    """Nets by name, loaded on first use; safe to share between threads.

    `configs` are those of all usable models, `models` the loaded ones, `unavailable` has the reason
    for each damaged one. `origins` has the source of each model's weights, and `not_pulled` the
    reason, in a sentence, why it is not the Hub. Nets are on the `device`.
    """

    def __init__(
        self, folders: Iterable[str | PathLike] | str | PathLike | None, device: torch.device
    ) -> None:
        if folders is None:
            folders = model_folders()
        elif isinstance(folders, str | PathLike):
            folders = [folders]
        self.folders = {folder.name: folder for folder in map(Path, folders)}
        self.models: dict[str, Model] = {}
        self.configs: dict[str, ModelConfig] = {}
        self.unavailable: dict[str, str] = {}
        self.not_pulled: dict[str, str] = {}
        self.origins = {name: _origin(folder) for name, folder in self.folders.items()}
        self.device = device
        self._pulled: dict[str, hub.PulledFiles] = {}
        self._loading = Lock()

    @property
    def names(self) -> list[str]:
        """The usable models: the default ones first."""
        usable = [name for name in self.folders if name not in self.unavailable]
        return sorted(usable, key=lambda name: name not in DEFAULT_MODELS)

    def prefer(self, pulled: Mapping[str, hub.PulledFiles], errors: Mapping[str, HubError]) -> None:
        """Use files of the Hub instead of the folders, where they could be pulled."""
        self._pulled.update(pulled)
        self.origins.update((name, files.origin) for name, files in pulled.items())
        for name, error in errors.items():
            self._fall_back(name, error)

    def open(self) -> None:
        """Load the default models and read the configs of the others; damaged ones are left out."""
        for name in self.folders:
            try:
                if name in DEFAULT_MODELS:
                    self.model(name)
                else:
                    self.configs[name] = self._read(name, checkpoint.read_config)
            except CheckpointError as error:
                self.unavailable[name] = f"{error} {self.not_pulled.get(name, '')}".strip()

    def model(self, name: str) -> Model:
        """The model of that name, loaded on first use.

        Raises CheckpointError if it is damaged, and ValueError if there is none.
        """
        if not isinstance(name, str) or name not in self.folders:
            raise ValueError(f"Unknown model {name}; known are {', '.join(self.names)}.")
        with self._loading:
            if name not in self.models:
                model = self._read(name, partial(checkpoint.load, name=name))
                model.net.to(self.device)
                self.models[name] = model
                self.configs[name] = model.config
            return self.models[name]

    def other_weights(self) -> dict[str, Path]:
        """The pulled folders of the models whose weights differ from those here."""
        return {
            name: pulled.folder
            for name, pulled in self._pulled.copy().items()
            if not _same(pulled.folder / WEIGHTS, self.folders[name] / WEIGHTS)
        }

    def _read(self, name: str, read: Callable[[Path], T]) -> T:
        """The result of `read` for a model's folder: the pulled one if it is valid, else ours."""
        if pulled := self._pulled.get(name):
            try:
                return read(pulled.folder)
            except CheckpointError as error:
                del self._pulled[name]
                self.origins[name] = _origin(self.folders[name])
                self._fall_back(name, refusal(pulled, error))
        return read(self.folders[name])

    def _fall_back(self, name: str, why: CheckpointError) -> None:
        log.warning("%s: %s", name, why)
        self.not_pulled[name] = str(why)


def model_folders(weights: Path = WEIGHTS_DIR) -> list[Path]:
    """The default models' folders, there or not, and whatever else lies in `weights`."""
    default = [weights / name for name in DEFAULT_MODELS]
    others = {config.parent for config in weights.glob(f"*/{model_folder.CONFIG}")} - set(default)
    return default + sorted(others)


def _same(pulled: Path, ours: Path) -> bool:
    # `filecmp` caches the result until the files change.
    return ours.exists() and filecmp.cmp(pulled, ours, shallow=False)


def _origin(folder: Path) -> str:
    return f"the folder {folder.parent.name}/ of this copy"
