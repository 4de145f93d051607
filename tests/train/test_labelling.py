"""Pseudo-labels: written by `python -m train label`, read as a source of a recipe."""

import dataclasses
import json
from pathlib import Path

import numpy as np
import pytest
from helpers import writers
from PIL import Image

from kpdemo import compare
from kpdemo.evaluation.matching import match_by_containment
from kpdemo.models import checkpoint, model_folder
from kpdemo.structures import Face
from kpdemo.zoo import WEIGHTS_DIR
from train import recipe, trainer
from train.__main__ import main
from train.data.dataset import for_training
from train.data.sources import DataError, load, own_labels
from train.evaluation.evaluate import predict_by_labels
from train.labelling import label
from train.recipe import Recipe, Stage

UNET = WEIGHTS_DIR / "unet"
KNOWN = [36, 39, 42, 45, 31, 33, 35, 51, 48, 54, 57]


@pytest.fixture(autouse=True)
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    root = tmp_path / "data"
    writers.write_300w(root, 4)
    writers.write_ytf(root)
    monkeypatch.setenv("KPDEMO_DATA", str(root))
    monkeypatch.chdir(tmp_path)
    return root


def edited(path: Path, **keys: object) -> str:
    """The path as a source's name, after some keys of the file have changed."""
    model_folder.write_json(path, json.loads(path.read_text()) | keys)
    return str(path)


def test_labelled_faces_are_cropped_by_their_labels_and_labelled_by_the_model(tmp_path):
    path, labelled, count = label(UNET, "ytf", tmp_path / "mine")
    own, relabelled = load("ytf"), load(str(path))
    assert path == tmp_path / "mine/ytf.json"
    assert labelled == count == len(own) == len(relabelled)
    predicted, _ = predict_by_labels(checkpoint.load(UNET), own)
    for before, after, points in zip(own, relabelled, predicted, strict=True):
        assert (after.markup, after.group, after.picture) == (
            "ibug-68",
            before.group,
            before.picture,
        )
        assert after.name == f"{path.as_posix()}/{before.name}"
        np.testing.assert_allclose(after.keypoints, points, atol=0.02)
        assert np.abs(after.keypoints - before.keypoints).max() > 1
    file = json.loads(path.read_text())
    assert (file["model"], file["source"], file["markup"]) == ("unet", "ytf", "ibug-68")
    shares = np.array(list(file["faces"].values()))[..., 2]
    assert 0 <= shares.min() < shares.max() <= 1


def test_labelling_again_writes_the_same_file(tmp_path):
    first, _, _ = label(UNET, "ytf", tmp_path / "a")
    second, _, _ = label(UNET, "ytf", tmp_path / "b")
    assert first.read_bytes() == second.read_bytes()


def test_only_gaps_are_filled_on_a_detected_face(tmp_path, data, hopper):
    truth = compare(hopper, models=["unet"]).faces[0].predictions["unet"].keypoints
    points = np.full_like(truth, np.nan)
    points[KNOWN] = truth[KNOWN] + 0.5
    where = data / "300w-partial/face.pts"
    writers.write_pts(where, points + 1)
    Image.fromarray(hopper).save(where.with_suffix(".png"))
    path, labelled, count = label(UNET, "300w-partial", tmp_path, fill=True)
    assert labelled == count == 1
    (face,) = load(str(path))
    np.testing.assert_allclose(face.keypoints[KNOWN], points[KNOWN], atol=0.02)
    gaps = np.setdiff1d(np.arange(68), KNOWN)
    np.testing.assert_allclose(face.keypoints[gaps], truth[gaps], atol=0.5)
    (rows,) = json.loads(path.read_text())["faces"].values()
    shares = np.array(rows)[:, 2]
    assert (shares[KNOWN] == 1).all()
    assert (shares[gaps] < 1).all()


def test_points_of_little_confidence_are_unknown(tmp_path):
    path, _, _ = label(UNET, "ytf", tmp_path)
    shares = np.array(list(json.loads(path.read_text())["faces"].values()))[..., 2]
    least = float(np.median(shares))
    again, _, _ = label(UNET, "ytf", tmp_path / "strict", least=least)
    assert json.loads(again.read_text())["faces"] == json.loads(path.read_text())["faces"]
    known = np.isfinite([face.keypoints for face in load(str(again))]).all(-1)
    np.testing.assert_array_equal(known, shares >= least)
    assert 0.4 < known.mean() < 0.6


def test_faces_that_are_not_detected_are_left_out(tmp_path, data):
    writers.write_bioid(data)  # drawings, which are no faces to a detector
    with pytest.raises(DataError, match="bioid: unet found none of its 8 faces"):
        label(UNET, "bioid", tmp_path)


def test_a_recipe_trains_with_them_and_judges_by_true_labels(tmp_path):
    path, _, _ = label(UNET, "ytf", tmp_path)
    chosen = tiny(train=("300w", str(path)), judge=("300w",), holdout=0.3)
    history = trainer.fit(chosen, tmp_path / "run", workers=0, precision="no")
    assert history["finished"]
    train, validation = for_training(chosen)
    assert {face.name.startswith(str(path)) for face in train.sources} == {True, False}
    assert not any(face.name.startswith(str(path)) for face in validation.sources)
    assert own_labels(history["recipe"]["data"]) == ["300w"]


def test_pseudo_labels_of_the_training_faces_stay_on_their_side(tmp_path):
    path, _, _ = label(UNET, "300w", tmp_path)
    train, validation = for_training(tiny(train=("300w", str(path)), holdout=0.3))
    groups = [{face.group for face in part.sources} for part in (train, validation)]
    assert groups[0] and groups[1]
    assert not groups[0] & groups[1]


def tiny(**data: object) -> Recipe:
    chosen = recipe.load("simplenet")
    return dataclasses.replace(
        chosen,
        data=dataclasses.replace(chosen.data, **data),
        stages=(Stage(epochs=1, lr=1e-4),),
        batch_size=4,
        start_from=None,
    )


def test_the_command_writes_beside_the_runs_and_counts(tmp_path, capsys):
    assert main(["label", "unet", "ytf", "--least", "0.2"]) == 0
    path = Path("runs/labels/unet/ytf.json")
    assert capsys.readouterr().out == f"{path}: 8 of 8 faces labelled\n"
    assert json.loads(path.read_text())["least_confidence"] == 0.2


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["label", "nowhere", "ytf"], "nowhere is neither a model folder"),
        (["label", "unet", "nothing"], "Unknown data set 'nothing'"),
        (["label", "unet", "bioid"], "BioID is not there"),
        (["label", "unet", "ytf", "--least", "2"], "A least confidence of 2 is none"),
        (["label", "keypoint-resnet", "ytf", "--fill"], "label it without --fill"),
    ],
)
def test_what_cannot_be_labelled_is_told_in_a_sentence(arguments, sentence, capsys):
    assert main(arguments) == 1
    error = capsys.readouterr().err.splitlines()[-1]
    assert sentence in error


def test_a_file_that_is_missing_or_of_other_faces_is_refused(tmp_path, data):
    with pytest.raises(DataError, match=r"none\.json is missing; `python -m train label"):
        load("none.json")
    path, _, _ = label(UNET, "ytf", tmp_path)
    (data / "ytf/training_frames_keypoints.csv").rename(data / "gone.csv")
    with pytest.raises(DataError, match="training_frames_keypoints"):
        load(str(path))


@pytest.mark.parametrize(
    ("keys", "sentence"),
    [
        ({"faces": {"somebody": [[1, 2, 1]] * 68}}, "labels 1 faces that ytf lacks, somebody"),
        ({"faces": {"somebody": [[1, 2, 1]] * 67}}, "holds no pseudo-labels"),
        ({"faces": 3}, "holds no pseudo-labels"),
        ({"markup": "ibug-69"}, "holds no pseudo-labels"),
        ({"source": "yt"}, "Unknown data set 'yt'"),
    ],
)
def test_a_broken_file_is_told_in_a_sentence(tmp_path, keys, sentence):
    path, _, _ = label(UNET, "ytf", tmp_path)
    with pytest.raises(DataError, match=sentence):
        load(edited(path, **keys))


def test_a_null_is_an_unknown_point(tmp_path):
    path, _, _ = label(UNET, "ytf", tmp_path)
    faces = json.loads(path.read_text())["faces"]
    name = next(iter(faces))
    faces[name][5] = None
    (face,) = load(edited(path, faces={name: faces[name]}))
    assert np.isnan(face.keypoints[5]).all()
    assert np.isfinite(np.delete(face.keypoints, 5, 0)).all()


def test_the_detected_face_is_the_one_that_holds_the_labels():
    def face(*box: float) -> Face:
        return Face(box, 0.9, np.zeros((6, 2), np.float32), 0.0)

    points = np.array([[20, 20], [24, 20], [np.nan, np.nan], [22, 26]], np.float32)
    near, far = face(0, 0, 60, 60), face(23, 0, 90, 60)
    assert match_by_containment([far, near], points) is near
    assert match_by_containment([far], points) is None
    assert match_by_containment([], points) is None
    assert match_by_containment([near], np.full((2, 2), np.nan, np.float32)) is None
