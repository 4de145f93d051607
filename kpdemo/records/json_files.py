"""Reading the JSON files that training and evaluation left in a folder."""

from collections.abc import Mapping
from pathlib import Path

from kpdemo.system import json_file


class JsonFiles:
    """Reads the files under `root`, each once; `missing` and `damaged` list those without data.

    The folders in `external` take the place of those of the same names.
    """

    def __init__(self, root: Path, external: Mapping[str, Path] | None = None) -> None:
        self.root = root
        self.external = external or {}
        self.missing: list[str] = []
        self.damaged: list[str] = []
        self._objects: dict[str, dict] = {}

    def read(self, *parts: str) -> dict:
        """The object in a file; empty if it is missing or damaged. NaN becomes None."""
        name = "/".join(parts)
        if name not in self._objects:
            self._objects[name] = {}
            try:
                folder = self.external.get(parts[0], self.root / parts[0])
                self._objects[name] = json_file.read(folder.joinpath(*parts[1:]))
            except FileNotFoundError:
                self.missing.append(name)
            except (ValueError, OSError):
                self.damaged.append(name)
        return self._objects[name]
