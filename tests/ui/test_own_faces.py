"""A visitor's zip in the Leaderboard: the figures of `kpdemo evaluate`, and nothing that stays."""

import zipfile
from pathlib import Path

import pytest
from helpers import writers
from PIL import Image

from kpdemo import compare
from kpdemo.engine.engine import engine
from kpdemo.evaluation import labels, page
from kpdemo.evaluation.evaluate import evaluate
from kpdemo.ui.leaderboard import own_faces


@pytest.fixture
def folder(tmp_path: Path, hopper, astronaut) -> Path:
    """Two portraits, labelled two pixels beside U-Net's points."""
    folder = tmp_path / "faces"
    folder.mkdir()
    for name, photo in (("hopper", hopper), ("astronaut", astronaut)):
        Image.fromarray(photo).save(folder / f"{name}.png")
        points = compare(photo, ["unet"]).faces[0].predictions["unet"].keypoints
        writers.write_pts(folder / f"{name}.pts", points + (3, 1))
    return folder


def zipped(folder: Path) -> Path:
    path = folder.with_suffix(".zip")
    with zipfile.ZipFile(path, "w") as file:
        for part in sorted(folder.rglob("*")):
            file.write(part, part.relative_to(folder.parent))
    return path


def test_the_figures_are_those_of_the_command_and_no_photo_stays(
    folder, tmp_path, monkeypatch
) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    expected = evaluate(engine(), labels.read(folder.parent))
    monkeypatch.setattr("tempfile.tempdir", str(scratch))
    archive, steps = zipped(folder), []
    update = own_faces.measure(engine(), str(archive), steps.append)
    assert "2 labelled faces." in update.message
    assert update.table == page.errors(expected)
    assert update.readings == page.readings(expected)
    assert update.details == page.details(expected)
    assert "U-Net" in [curve.name for curve in update.curves.data]
    assert steps == [(0, 2), (1, 2)]
    assert not archive.exists() and not list(scratch.iterdir())


def test_what_cannot_be_used_is_one_sentence_without_a_place(folder, tmp_path, monkeypatch):
    monkeypatch.setattr("tempfile.tempdir", str(tmp_path))
    for label in folder.glob("*.pts"):
        label.write_text("version: 1\nn_points: 3\n{\n1 1\n2 2\n3 3\n}\n")
    archive = zipped(folder)
    update = own_faces.measure(engine(), str(archive), lambda step: None)
    assert "no label can be used" in update.message and str(tmp_path) not in update.message
    assert not update.table and not archive.exists()
    archive.write_bytes(b"no zip")
    assert "no zip file" in own_faces.measure(engine(), str(archive), lambda step: None).message
    assert not archive.exists()


def test_a_photo_that_cannot_be_read_is_listed(folder) -> None:
    (folder / "hopper.png").write_bytes(b"not a picture")
    update = own_faces.measure(engine(), str(zipped(folder)), lambda step: None)
    assert "1 labelled face." in update.message
    assert "faces/hopper.png" in update.details and "not a picture" in update.details


def test_without_a_file_nothing_happens() -> None:
    assert own_faces.measure(engine(), None, lambda step: None) == own_faces.Update()
