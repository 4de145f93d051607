"""The calibration, on tiny data: what it is fitted on, and when it is kept."""

import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from helpers import writers
from PIL import Image

from kpdemo import compare
from kpdemo.keypoints import markups
from kpdemo.models import checkpoint, crop_rules, model_folder
from kpdemo.models.config import Framing, Input
from kpdemo.models.model_folder import CheckpointError
from kpdemo.models.predict import predict
from kpdemo.zoo import WEIGHTS_DIR
from train import trainer
from train.__main__ import main
from train.data.sources import DataError, load
from train.fitting import calibration, ridge
from train.fitting.calibration import calibrate, examples, predictions
from train.fitting.expected_error import Detections
from train.recipe import Augment, Data, Loss, Recipe, Stage

TINY = Recipe(
    name="tiny",
    title="For tests",
    net="simplenet",
    markup="kaggle-15",
    input=Input(24, 24),
    framing=Framing("keypoint-box", 1.3),
    data=Data(train=("300w",), test=("300w-common",), holdout=0.25),
    loss=Loss("wing", bend=5.0, curvature=1.0),
    stages=(Stage(3, 3e-3),),
    batch_size=4,
    args={"blocks": [{"channels": 4, "pool": 4}]},
    augment=Augment(mirror=0.5),
)


@pytest.fixture(scope="module")
def trained(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with faces as `data`, and a net that was trained too little as `run`."""
    folder = tmp_path_factory.mktemp("trained")
    writers.write_300w(folder / "data", 12)
    writers.write_ytf(folder / "data")
    with pytest.MonkeyPatch.context() as patch, torch.random.fork_rng():
        patch.setenv("KPDEMO_DATA", str(folder / "data"))
        trainer.fit(TINY, folder / "run", workers=0, precision="no")
    return folder


@pytest.fixture
def run(trained: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The net, of this test alone, as its faces are."""
    shutil.copytree(trained, tmp_path, dirs_exist_ok=True)
    monkeypatch.setenv("KPDEMO_DATA", str(tmp_path / "data"))
    return tmp_path / "run"


def test_a_calibration_that_helps_is_kept_with_its_figures(
    run: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    before = checkpoint.load(run)
    assert main(["calibrate", str(run)]) == 0
    after = checkpoint.load(run)
    kept = model_folder.read_history(run)["calibration"]
    assert kept["validation_nme"] < kept["validation_nme_before"]
    assert kept["ridge"] in ridge.STRENGTHS
    assert f"{kept['validation_nme']:.3f} % after" in capsys.readouterr().out
    for name, value in before.net.state_dict().items():
        torch.testing.assert_close(after.net.state_dict()[name], value, rtol=2e-3, atol=1e-5)
    # The figures are those of what `predict` answers with and without it.
    held_out = calibration.split(load("300w"), 0.25, 0)[1]
    for model, figure in ((before, "validation_nme_before"), (after, "validation_nme")):
        assert calibration.error(*predictions(model, held_out)) == pytest.approx(
            kept[figure], rel=0.01
        )


def test_one_that_does_not_help_is_left_out(run: Path) -> None:
    # The labels that it is fitted on lie to one side, those that it is judged by to the other.
    for faces, shift in zip(calibration.split(load("300w"), 0.25, 0), (30, -30), strict=True):
        for face in faces:
            writers.write_pts(face.picture.with_suffix(".pts"), face.keypoints + 1 + (shift, 0))
    kept = calibrate(run, Detections())
    assert kept["ridge"] is None
    assert kept["validation_nme"] == kept["validation_nme_before"]
    assert checkpoint.load(run).calibration is None


def test_faces_of_a_source_that_loses_labels_are_not_used(
    run: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    history = model_folder.read_history(run)
    history["recipe"]["data"] |= {"train": ["300w", "ytf"], "missing": ["ytf"]}
    model_folder.write_json(run / model_folder.HISTORY, history)
    for path in (tmp_path / "data/ytf").rglob("*.jpg"):
        path.unlink()
    calibrate(run, Detections())
    history["recipe"]["data"]["missing"] = []
    checkpoint.save(run, checkpoint.load(run).net, TINY.config)
    model_folder.write_json(run / model_folder.HISTORY, history)
    with pytest.raises(DataError):
        calibrate(run, Detections())


def test_twice_or_without_held_out_faces_is_refused(run: Path) -> None:
    calibrate(run, Detections())
    with pytest.raises(CheckpointError, match="calibrated already"):
        calibrate(run, Detections())
    with pytest.raises(CheckpointError, match="holds out no training faces"):
        calibrate(WEIGHTS_DIR / "nosenet-fajardo", Detections())
    with pytest.raises(CheckpointError, match="there are none to train"):
        calibrate(WEIGHTS_DIR / "kaggle-cnn", Detections())  # all of its sources lose labels


def test_detected_faces_are_fitted_in_the_apps_crops_too(
    run: Path, tmp_path: Path, hopper: np.ndarray
) -> None:
    model = checkpoint.load(run)
    faces = load("300w")
    # A photo in place of a drawing, which no detector takes for a face.
    truth = compare(hopper, models=["unet"]).faces[0].predictions["unet"].keypoints
    picture = faces[0].picture
    picture.unlink()
    Image.fromarray(hopper).save(picture.with_suffix(".png"))
    writers.write_pts(picture.with_suffix(".pts"), truth + 1)
    faces = load("300w")
    detections = Detections()
    ((labelled, detected),) = detections.of(faces)
    predicted, labels, eyes = examples(model, faces, detections)
    assert len(predicted) == len(labels) == len(eyes) == len(faces) + 1
    by_labels = predictions(model, faces)
    for part, whole in zip(by_labels, (predicted, labels, eyes), strict=True):
        np.testing.assert_array_equal(whole[:-1], part)
    crop = crop_rules.from_face(TINY.framing, detected)
    fifteen = markups.convert(labelled.keypoints, "ibug-68", "kaggle-15")
    np.testing.assert_allclose(crop.to_photo(labels[-1]), fifteen, atol=0.01)


def test_a_calibration_of_another_markup_is_refused(run: Path) -> None:
    model = checkpoint.load(run)
    checkpoint.save(run, model.net, model.config, torch.zeros(3, 2))
    with pytest.raises(CheckpointError, match=r"does not fit 15 keypoints .*\(3, 2\)"):
        checkpoint.load(run)


def test_a_calibration_is_saved_and_loaded_exactly(run: Path) -> None:
    model = checkpoint.load(run)
    matrix = torch.rand(31, 30) / 100
    checkpoint.save(run, model.net, model.config, matrix)
    loaded = checkpoint.load(run)
    assert torch.equal(loaded.calibration, matrix)
    cut = np.random.default_rng(0).integers(0, 256, (1, 24, 24), np.uint8)
    moved = predict(loaded, cut).keypoints - predict(model, cut).keypoints
    assert np.abs(moved).max() > 1e-3
