"""Labels of a folder: `.pts` beside pictures, COCO keypoints, a corrected table."""

import csv
import json
import os
from pathlib import Path

import numpy as np
import pytest
from helpers import writers
from PIL import Image

from kpdemo.engine.export import to_csv
from kpdemo.evaluation import labels
from kpdemo.keypoints import markups
from kpdemo.keypoints.annotations import TruthError
from kpdemo.system.files import OutputError


@pytest.fixture
def points() -> np.ndarray:
    return writers.face("ibug-68", 160, 160, name="one")


@pytest.fixture
def folder(tmp_path: Path, points: np.ndarray) -> Path:
    """Two pictures, one in a sub-folder, without labels."""
    for name in ("a.jpg", "inner/b.png"):
        (tmp_path / "in" / name).parent.mkdir(parents=True, exist_ok=True)
        Image.new("RGB", (160, 160)).save(tmp_path / "in" / name)
    return tmp_path / "in"


def coco(points: np.ndarray, names: list[str], file: str = "a.jpg") -> dict:
    rows = np.column_stack([points, np.full(len(points), 2)])
    return {
        "images": [{"id": 7, "file_name": file}],
        "categories": [{"id": 1, "name": "face", "keypoints": names}],
        "annotations": [{"image_id": 7, "category_id": 1, "keypoints": rows.ravel().tolist()}],
    }


def table(points: np.ndarray, file: str = "a.jpg", model: str = "unet") -> str:
    answer = {"markup": "ibug-68", "keypoints": points.tolist()}
    faces = [{"models": {model: answer}}]
    return to_csv({"faces": faces, "unavailable": {"simplenet": "no"}}, file)


def test_pts_files_lie_beside_pictures(folder: Path, points: np.ndarray) -> None:
    writers.write_pts(folder / "inner/B.PTS", points + 1)
    writers.write_pts(folder / "c.pts", points)
    result = labels.read(folder)
    (photo,) = result.photos
    assert (photo.name, photo.folder) == ("inner/b.png", "inner")
    np.testing.assert_allclose(photo.faces[0], points, atol=1e-3)
    assert result.unlabelled == 1
    assert result.bad == {"c.pts": "There is no picture of this name beside it."}


def test_a_label_of_another_number_of_points_is_named_and_the_others_count(
    folder: Path, points: np.ndarray
) -> None:
    writers.write_pts(folder / "a.pts", points)
    writers.write_pts(folder / "inner/b.pts", points[:29])
    result = labels.read(folder)
    assert [photo.name for photo in result.photos] == ["a.jpg"]
    assert result.bad == {"inner/b.png": "inner/b.pts has 29 points where 68 belong."}


@pytest.mark.parametrize("named", [True, False])
def test_coco_keypoints_are_known_by_name_or_number(
    folder: Path, points: np.ndarray, named: bool
) -> None:
    points[3] = 0, 0
    scheme = markups.get("ibug-68")
    order = list(range(67, -1, -1)) if named else list(range(68))
    names = [scheme.names[k] for k in order] if named else [str(k) for k in order]
    data = coco(points[order], names, "images/b.png")
    data["annotations"] += [data["annotations"][0] | {"iscrowd": 1}]
    (folder / "annotations").mkdir()
    (folder / "annotations/all.json").write_text(json.dumps(data))
    (folder / "other.json").write_text('{"faces": []}')
    result = labels.read(folder)
    (photo,) = result.photos
    assert (photo.name, result.markup) == ("inner/b.png", "ibug-68")
    (face,) = photo.faces
    assert np.isnan(face[3]).all()
    np.testing.assert_allclose(np.delete(face, 3, 0), np.delete(points, 3, 0), atol=1e-3)


@pytest.mark.parametrize("separator", [",", ";"])
def test_a_corrected_table_counts_wherever_it_was_saved(
    folder: Path, points: np.ndarray, separator: str
) -> None:
    rows = list(csv.reader(table(points).splitlines()))
    if separator == ";":  # as a spreadsheet in many countries saves it
        rows = [[cell.replace(".", ",") if cell != "a.jpg" else cell for cell in r] for r in rows]
    path = folder.parent / "labels.csv"
    with path.open("w", newline="") as file:
        csv.writer(file, delimiter=separator).writerows(rows)
    result = labels.read(folder, path)
    (photo,) = result.photos
    assert (photo.name, result.origin, result.unlabelled) == ("a.jpg", "unet", 1)
    np.testing.assert_allclose(photo.faces[0], points, atol=1e-3)


def test_a_table_of_several_models_does_not_say_which_one_is_right(
    folder: Path, points: np.ndarray
) -> None:
    path = folder.parent / "labels.csv"
    path.write_text(table(points) + table(points, model="resnet18").partition("\n")[2])
    with pytest.raises(TruthError, match=r"unet \(ibug-68\), resnet18 \(ibug-68\); leave only"):
        labels.read(folder, path)


def _write(name: str, text: str):
    return lambda folder: (folder / name).write_text(text)


@pytest.mark.parametrize(
    ("prepare", "source", "sentence"),
    [
        (lambda folder: None, None, "has no labels: put a .pts file beside"),
        (_write("a.pts", "no points"), None, "no label can be used. a.pts is no complete .pts"),
        (lambda folder: os.mkfifo(folder / "a.pts"), None, "a.pts cannot be read"),
        (_write("x.txt", ""), "x.txt", "labels are read from COCO"),
        (_write("x.json", "{"), "x.json", "not valid JSON"),
        (_write("x.json", "{}"), "x.json", "does not hold COCO keypoints"),
        (lambda folder: None, "x.json", "no file of this name"),
        (lambda folder: None, "x.csv", "no file of this name"),
        (_write("x.csv", "file,face\n1,2\n"), "x.csv", "has no column markup"),
        (
            _write("x.csv", "file,face,markup,index,x,y\na.jpg,0,ibug-68,68,1,1\n"),
            "x.csv",
            "has point 68, and ibug-68 has 68, counted from 0",
        ),
        (
            _write("x.csv", "file,face,markup,index,x,y\na.jpg,0,wflw-98,0,1,1\n"),
            "x.csv",
            "unknown markup 'wflw-98'",
        ),
        (
            _write("x.csv", "file,face,markup,index,x,y\nz.jpg,0,nose-1,0,1,1\n"),
            "x.csv",
            "x.csv labels it, and there is no such picture",
        ),
        (
            _write("x.json", json.dumps(coco(np.ones((17, 2)), list("abcdefghijklmnopq")))),
            "x.json",
            "have 17 keypoints, and no markup here",
        ),
    ],
)
def test_what_cannot_be_used_is_one_sentence(folder: Path, prepare, source, sentence) -> None:
    prepare(folder)
    with pytest.raises(TruthError) as error:
        labels.read(folder, source and folder / source)
    assert sentence in str(error.value)
    assert "\n" not in str(error.value)


def test_several_files_of_labels_must_be_told_apart(folder: Path, points: np.ndarray) -> None:
    for name in ("one.json", "two.json"):
        (folder / name).write_text(json.dumps(coco(points, ["p"] * 68)))
    with pytest.raises(TruthError, match=r"one\.json and two\.json; name one with --labels"):
        labels.read(folder)


def test_no_output_overwrites_a_photo_or_a_label(folder: Path, points: np.ndarray) -> None:
    writers.write_pts(folder / "a.pts", points)
    result = labels.read(folder)
    for name in ("a.pts", "a.jpg", "inner/b.png"):
        with pytest.raises(OutputError, match="would overwrite the input"):
            result.check_outputs([folder / name])
    result.check_outputs([folder / "figures.json"])
