"""The order of the rooms in CONTRIBUTING.md: each imports only those below it."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
# From below: a room may import itself and the rooms before it.
ROOMS = (
    *("system", "zoo", "structures", "keypoints", "faces", "media", "models", "records"),
    *("explain", "engine", "evaluation", "archive", "ui", "cli", "benchmark"),
)


def imports(path: Path) -> Iterator[str]:
    """The dotted names that a file imports, wherever in it."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def files(room: str) -> list[Path]:
    place = ROOT / "kpdemo" / room
    return sorted(place.rglob("*.py")) if place.is_dir() else [place.with_suffix(".py")]


@pytest.mark.parametrize("room", ROOMS)
def test_a_room_imports_nothing_above_it(room):
    above = ROOMS[ROOMS.index(room) + 1 :]
    upward = {
        (path.relative_to(ROOT).as_posix(), name)
        for path in files(room)
        for name in imports(path)
        if name.startswith("kpdemo.") and name.split(".")[1] in above
    }
    assert not upward


def test_every_room_has_its_place():
    rooms = {path.stem for path in (ROOT / "kpdemo").iterdir() if not path.name.startswith("__")}
    assert rooms - {"runtime"} == set(ROOMS)


def test_only_the_page_needs_gradio_and_nothing_needs_training():
    for path in (ROOT / "kpdemo").rglob("*.py"):
        packages = {name.split(".")[0] for name in imports(path)}
        assert "train" not in packages, path
        assert "gradio" not in packages or "ui" in path.parts, path
