"""Which data sets a model's weights have seen, from what training wrote down."""

import json
from pathlib import Path

import pytest

from kpdemo.records import lineage


def record(path: Path, train: list[str], start: str | None = None, faces: int = 10) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    recipe = {"data": {"train": train}, "start_from": start}
    path.write_text(json.dumps({"recipe": recipe, "faces": {"train": faces}}))


def runs(name: str, weights: Path) -> list[tuple]:
    return [(s.run, s.sources, s.faces) for s in lineage.stages(name, weights)]


def test_a_run_that_started_from_another_has_seen_its_faces_too(tmp_path):
    record(tmp_path / "net/history.json", ["300w"], "runs/before")
    record(tmp_path / "trials/before.json", ["ytf", "bioid"], None, 30)
    assert runs("net", tmp_path) == [("before", ("ytf", "bioid"), 30), ("net", ("300w",), 10)]


@pytest.mark.parametrize(
    "text",
    [
        "[" * 100_000,
        "[]",
        '{"recipe": [], "faces": {"train": 3}}',
        '{"recipe": {"data": {"train": ["300w"]}, "start_from": 3}, "faces": {"train": 3}}',
    ],
    ids=range(4),
)
def test_a_broken_record_is_none(tmp_path, text):
    (tmp_path / "net").mkdir()
    (tmp_path / "net/history.json").write_text(text)
    assert runs("net", tmp_path) == []


def test_numbers_that_are_none_are_unknown(tmp_path):
    (tmp_path / "net").mkdir()
    recipe = {"data": {"train": ["300w", 7]}, "start_from": None}
    (tmp_path / "net/history.json").write_text(
        json.dumps({"recipe": recipe, "faces": {"train": "many"}})
    )
    assert runs("net", tmp_path) == [("net", ("300w",), None)]


def test_a_start_without_a_record_is_named(tmp_path):
    record(tmp_path / "net/history.json", ["300w"], "runs/lost")
    assert runs("net", tmp_path) == [("lost", (), None), ("net", ("300w",), 10)]


def test_nothing_is_said_without_a_record_and_circles_end(tmp_path):
    assert runs("net", tmp_path) == []
    record(tmp_path / "net/history.json", ["300w"], "runs/net")
    assert runs("net", tmp_path) == [("net", ("300w",), 10)]
