"""Models of the user's own: from the Hub, from a folder; what does not fit, and who goes on."""

import csv
import json
import shutil

import numpy as np
import pytest
from helpers.hub_server import ACCOUNT, Hub

import kpdemo
from kpdemo.__main__ import main
from kpdemo.engine.engine import Engine
from kpdemo.models import hub, model_folder
from kpdemo.models.model_folder import CheckpointError
from kpdemo.zoo import WEIGHTS_DIR

REPO = "someone/kpdemo-unet"
FILES = {name: (WEIGHTS_DIR / "unet" / name).read_bytes() for name in hub.FILES}
SMALL = {name: (WEIGHTS_DIR / "nosenet-moore" / name).read_bytes() for name in hub.FILES}
FOLDER = WEIGHTS_DIR / "simplenet"


def config(**changes: object) -> bytes:
    return json.dumps(json.loads(SMALL[model_folder.CONFIG]) | changes).encode()


@pytest.fixture
def engine(local_hub: Hub):
    with Engine([FOLDER]) as engine:
        yield engine


def added(engine: Engine, *models: str) -> dict[str, str]:
    """The sentences on those of the models that cannot be used."""
    engine.add(models)
    names, unavailable = engine.choose(models)
    assert set(names) | set(unavailable) >= set(models)
    return unavailable


def test_a_repository_is_compared_beside_the_others(local_hub: Hub, hopper) -> None:
    commit = local_hub.add(REPO, FILES)
    pinned = f"{REPO}@{commit}"
    local_hub.add(REPO, {model_folder.CONFIG: b"{}"})
    (face,) = kpdemo.compare(hopper, ["unet", pinned]).faces
    assert list(face.predictions) == ["unet", pinned]
    np.testing.assert_allclose(
        face.predictions[pinned].keypoints, face.predictions["unet"].keypoints, atol=0.01
    )


def test_a_folder_goes_before_the_hub(engine, local_hub, tmp_path, monkeypatch, hopper) -> None:
    monkeypatch.chdir(tmp_path)
    shutil.copytree(FOLDER, REPO)
    assert not added(engine, REPO, f"./{REPO}")
    assert not local_hub.requests
    (face,) = engine.compare(hopper, [REPO, "simplenet", f"./{REPO}"]).faces
    ours = face.predictions["simplenet"].keypoints
    for name in (REPO, f"./{REPO}"):
        np.testing.assert_array_equal(face.predictions[name].keypoints, ours)
    assert engine.markup(REPO) == "ibug-68"


@pytest.mark.parametrize(
    ("files", "words"),
    [
        (None, ["there is no such repository"]),
        ({model_folder.CONFIG: SMALL[model_folder.CONFIG]}, ["has no model.safetensors"]),
        (SMALL | {model_folder.WEIGHTS: SMALL[model_folder.WEIGHTS][:999]}, ["damaged"]),
        (SMALL | {model_folder.CONFIG: FILES[model_folder.CONFIG]}, ["do not fit"]),
        (SMALL | {model_folder.CONFIG: config(markup="wflw-98")}, ["wflw-98", "known are nose-1"]),
        (SMALL | {model_folder.CONFIG: config(markup="kaggle-15")}, ["do not fit the config"]),
        (SMALL | {model_folder.CONFIG: config(net="vit")}, ["Unknown net 'vit'"]),
        (SMALL | {model_folder.CONFIG: b'{"architectures": []}'}, ["unknown key architectures"]),
    ],
    ids=["gone", "no weights", "damaged", "other", "markup", "points", "net", "other program"],
)
def test_what_cannot_be_used_is_one_sentence_and_the_others_go_on(
    engine, local_hub, hopper, files, words
) -> None:
    if files:
        local_hub.add(REPO, files)
    sentence = added(engine, "simplenet", REPO)[REPO]
    assert REPO in sentence and sentence.endswith(".") and "\n" not in sentence
    for word in words:
        assert word in sentence
    result = engine.compare(hopper, ["simplenet", REPO])
    assert result.unavailable == {REPO: sentence}
    assert list(result.faces[0].predictions) == ["simplenet"]


def test_a_model_that_is_too_large_is_not_downloaded(engine, local_hub, monkeypatch) -> None:
    local_hub.add(REPO, SMALL)
    monkeypatch.setattr(hub, "MAX_BYTES", 10_000)
    assert "is refused: it is " in added(engine, REPO)[REPO]
    assert not any("/resolve/" in path for _, path in local_hub.requests)


def test_what_failed_is_tried_again(engine, local_hub) -> None:
    assert added(engine, REPO)
    local_hub.add(REPO, SMALL)
    assert not added(engine, REPO)
    local_hub.requests.clear()
    assert not added(engine, REPO)
    assert not local_hub.requests


def test_only_those_who_run_the_program_name_models(engine, local_hub, hopper, tmp_path) -> None:
    """The page and its endpoints hand over whatever a visitor writes."""
    for word in (REPO, str(FOLDER), f"{FOLDER}/", "../weights/simplenet"):
        with pytest.raises(ValueError, match="Unknown model"):
            engine.compare(hopper, [word])
    assert not local_hub.requests


def test_a_folder_that_is_no_model_is_named(engine, tmp_path) -> None:
    for name, word in (("", "has no config.json"), ("gone", "has no config.json")):
        place = str(tmp_path / name)
        assert word in added(engine, place)[place]
    with pytest.raises(CheckpointError):
        kpdemo.load(tmp_path)


def test_the_shell_says_what_it_downloads(local_hub, tmp_path, hopper_path, capsys) -> None:
    local_hub.add(REPO, SMALL)
    out = tmp_path / "out.csv"
    words = ["--models", "simplenet", REPO, str(hopper_path), "--csv", str(out)]
    for announced in (True, False):
        assert main(words) == 0
        error = capsys.readouterr().err
        assert (f"{REPO}: downloading 0.1 MB from the Hugging Face Hub." in error) is announced
    with out.open(newline="") as file:
        assert {row["model"] for row in csv.DictReader(file)} == {"simplenet", REPO}
    assert main(["--models", "simplenet", "gone/kpdemo-it@v1", str(hopper_path)]) == 1
    output = capsys.readouterr()
    assert "simplenet" in output.out
    assert "gone/kpdemo-it@v1 is unavailable: gone/kpdemo-it cannot be pulled" in output.err


def test_no_output_overwrites_a_model(tmp_path, hopper_path, capsys) -> None:
    shutil.copytree(FOLDER, tmp_path / "mine")
    path = tmp_path / "mine" / model_folder.CONFIG
    before = path.read_bytes()
    assert main([str(hopper_path), "--models", str(tmp_path / "mine"), "--json", str(path)]) == 1
    assert "would overwrite the input" in capsys.readouterr().err
    assert path.read_bytes() == before


def test_records_of_a_model_are_pulled_where_they_are(local_hub: Hub) -> None:
    records = dict.fromkeys(hub.RECORDS, b"{}")
    local_hub.add(REPO, SMALL | records)
    folder = hub.fetch(REPO).folder
    assert {path.name for path in folder.iterdir()} == {*SMALL, *records}
    local_hub.add(REPO, SMALL | {model_folder.HISTORY: b'{"epochs": 2}'})
    local_hub.fail("GET", model_folder.HISTORY, status=500, times=9)
    newer = hub.fetch(REPO)
    assert newer.stale is None  # the curves alone are missing
    assert not (newer.folder / model_folder.HISTORY).exists()


def test_pull_needs_what_was_named(local_hub: Hub, capsys) -> None:
    assert main(["pull", "--namespace", ACCOUNT]) == 1  # nothing came at all
    local_hub.add(f"{ACCOUNT}/kpdemo-nosenet-moore", SMALL)
    capsys.readouterr()
    assert main(["pull", "--namespace", ACCOUNT]) == 0
    output = capsys.readouterr()
    assert output.out.startswith("nosenet-moore: ")
    (sentence,) = output.err.splitlines()
    heading, _, names = sentence.partition(": ")
    assert heading == "Not on the Hub, and taken from this copy"
    assert {"simplenet", "unet"} < set(names.split(", "))
    assert main(["pull", "nosenet-moore", "--namespace", ACCOUNT]) == 0
    assert main(["pull", "nosenet-moore", "unet", "--namespace", ACCOUNT]) == 1
    assert "unet: somebody/kpdemo-unet cannot be pulled" in capsys.readouterr().err
