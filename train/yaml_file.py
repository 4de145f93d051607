"""Read settings from a YAML file as plain data."""

from collections.abc import Hashable
from pathlib import Path
from typing import Any

import yaml

from kpdemo.models.config import ConfigError, in_short

MAX_BYTES = 1_000_000


class _Loader(yaml.SafeLoader):
    """Refuses aliases, a few lines of which can expand to billions, and repeated keys."""

    def compose_node(self, parent: yaml.Node | None, index: Any) -> yaml.Node | None:
        if self.check_event(yaml.AliasEvent):
            raise yaml.YAMLError("aliases (*name) are not allowed")
        return super().compose_node(parent, index)

    def construct_mapping(self, node: yaml.MappingNode, deep: bool = False) -> dict[Hashable, Any]:
        data = super().construct_mapping(node, deep)
        if len(data) < len(node.value):
            keys = [key.value for key, _ in node.value]
            repeated = next(key for key in keys if keys.count(key) > 1)
            raise yaml.YAMLError(f"the key {in_short(repeated)} occurs twice")
        return data


def read(path: Path) -> Any:
    """The plain data in a YAML file; raises ConfigError, and OSError if it cannot be opened."""
    with path.open("rb") as file:
        text = file.read(MAX_BYTES + 1)
    if len(text) > MAX_BYTES:
        raise ConfigError(f"{path} is larger than {MAX_BYTES // 1_000_000} MB.")
    try:
        return yaml.load(text, _Loader)
    except RecursionError as error:
        raise ConfigError(f"{path} is nested too deeply.") from error
    except (yaml.YAMLError, ValueError) as error:
        raise ConfigError(f"{path} is not valid YAML: {error}") from error
