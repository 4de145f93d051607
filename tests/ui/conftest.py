"""The page's scripts without a browser: Node runs them."""

import json
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from kpdemo import ui
from kpdemo.engine import export


@pytest.fixture(scope="session")
def run(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, Any], Any]:
    """`run(body, argument)`: what a module's `body` makes of an argument, called `input`."""
    node = shutil.which("node")
    if node is None:
        pytest.skip("Node.js is not installed: no unit tests of the page's scripts.")
    folder = tmp_path_factory.mktemp("scripts")
    for room in ("compare", "engine", "live", "shared"):
        shutil.copytree(Path(ui.__file__).with_name(room), folder / room)
    (folder / "package.json").write_text('{"type": "module"}')

    def run(body: str, argument: Any) -> Any:
        (folder / "input.json").write_text(export.to_json({"input": argument}, decimals=9))
        (folder / "main.js").write_text(
            'import { readFileSync } from "node:fs";\n'
            'const { input } = JSON.parse(readFileSync("input.json", "utf8"));\n'
            f"{body}"
        )
        output = subprocess.run([node, "main.js"], cwd=folder, capture_output=True, text=True)
        assert output.returncode == 0, output.stderr
        return json.loads(output.stdout)

    return run
