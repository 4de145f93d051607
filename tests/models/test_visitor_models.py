"""Models that visitors add for themselves: looked up, fetched into memory, and gone with them."""

import gc
import json
import shutil
from pathlib import Path

import numpy as np
import pytest
import torch
from helpers.hub_server import TOKEN, Hub

from kpdemo import zoo
from kpdemo.engine.engine import Engine
from kpdemo.models import hub, model_folder, visitor_models
from kpdemo.models.model_folder import CheckpointError
from kpdemo.zoo import WEIGHTS_DIR

REPO = "someone/kpdemo-nose"
SMALL = {name: (WEIGHTS_DIR / "nosenet-moore" / name).read_bytes() for name in hub.FILES}
CPU = torch.device("cpu")


def downloads(local_hub: Hub) -> list[str]:
    return [path for _, path in local_hub.requests if "/resolve/" in path]


def test_the_size_is_known_before_anything_is_fetched(local_hub: Hub) -> None:
    commit = local_hub.add(REPO, SMALL)
    local_hub.add(REPO, {model_folder.CONFIG: b"{}"})
    offer = visitor_models.look_up(f" {REPO}@{commit} ")
    size = sum(map(len, SMALL.values()))
    assert (offer.repository, offer.commit, offer.bytes) == (REPO, commit, size)
    assert str(offer) == f"{REPO} at {commit[:7]}, {size / 1e6:.1f} MB"
    assert not downloads(local_hub)


def test_it_is_compared_beside_the_others_and_stays_nowhere(
    local_hub: Hub, hopper, tmp_path, monkeypatch
) -> None:
    scratch = tmp_path / "scratch"
    scratch.mkdir()
    monkeypatch.setattr("tempfile.tempdir", str(scratch))
    local_hub.add(REPO, SMALL)
    with Engine([WEIGHTS_DIR / "nosenet-moore"]) as engine:
        model = visitor_models.download(visitor_models.look_up(REPO), CPU)
        assert not list(scratch.iterdir())
        assert not list((tmp_path / "hub-home").rglob("*.safetensors"))
        assert zoo.title(model.name) == REPO and model.name != REPO
        engine.add_private(model)
        assert engine.private == 1 and model.name not in engine.names
        with pytest.raises(ValueError, match="Unknown model"):
            engine.compare(hopper, [REPO])  # only by a name that nobody can guess
        (face,) = engine.compare(hopper, ["nosenet-moore", model.name]).faces
        np.testing.assert_allclose(
            face.predictions[model.name].keypoints,
            face.predictions["nosenet-moore"].keypoints,
            atol=0.01,
        )
        assert engine.markup(model.name) == "nose-1"
        name = model.name
        del model
        gc.collect()
        assert engine.private == 0
        result = engine.compare(hopper, ["nosenet-moore", name])
        assert result.unavailable == {name: "It is no longer in memory; add it again."}
        assert list(result.faces[0].predictions) == ["nosenet-moore"]


@pytest.mark.parametrize(
    ("source", "files", "words"),
    [
        ("unet", None, ["NAME/kpdemo-MODEL"]),
        ("someone/else", None, ["NAME/kpdemo-MODEL"]),
        ("../kpdemo-x", None, ["no name of a repository"]),
        (REPO, None, [REPO, "no such repository"]),
        (REPO, {model_folder.CONFIG: b"{}"}, [REPO, "has no model.safetensors"]),
        (f"{REPO}@v9", SMALL, [REPO, "no such revision"]),
    ],
)
def test_what_cannot_be_looked_up_is_one_sentence(local_hub, source, files, words) -> None:
    if files:
        local_hub.add(REPO, files)
    with pytest.raises(CheckpointError) as error:
        visitor_models.look_up(source)
    sentence = str(error.value)
    assert sentence.endswith(".") and "\n" not in sentence
    for word in words:
        assert word in sentence
    assert not downloads(local_hub)


def test_one_that_is_too_large_is_not_offered(local_hub, monkeypatch) -> None:
    local_hub.add(REPO, SMALL)
    monkeypatch.setattr(visitor_models, "MAX_BYTES", 10_000)
    with pytest.raises(CheckpointError, match="MB; the page takes models of up to"):
        visitor_models.look_up(REPO)


def test_the_token_of_whoever_runs_the_page_opens_nothing_to_visitors(local_hub, monkeypatch):
    monkeypatch.setenv("HF_TOKEN", TOKEN)
    local_hub.add("somebody/kpdemo-secret", SMALL, private=True)
    with pytest.raises(CheckpointError, match="no such repository"):
        visitor_models.look_up("somebody/kpdemo-secret")


@pytest.mark.parametrize(
    ("files", "word"),
    [
        (SMALL | {model_folder.WEIGHTS: SMALL[model_folder.WEIGHTS][:999]}, "damaged"),
        (SMALL | {model_folder.CONFIG: b'{"architectures": []}'}, "unknown key architectures"),
    ],
)
def test_what_does_not_fit_is_refused_without_telling_where_it_was(local_hub, files, word) -> None:
    local_hub.add(REPO, files)
    with pytest.raises(CheckpointError, match=word) as error:
        visitor_models.download(visitor_models.look_up(REPO), CPU)
    assert str(error.value).startswith(f"{REPO} is refused: ")
    assert "kpdemo-own-" not in str(error.value)


def test_a_model_that_would_hold_up_everybody_is_refused(local_hub, monkeypatch) -> None:
    local_hub.add(REPO, SMALL)
    monkeypatch.setattr(visitor_models, "SLOWEST", 0.0)
    with pytest.raises(CheckpointError, match="too long for a page that others use"):
        visitor_models.download(visitor_models.look_up(REPO), CPU)


def test_a_hub_that_breaks_off_is_one_sentence(local_hub) -> None:
    local_hub.add(REPO, SMALL)
    offer = visitor_models.look_up(REPO)
    local_hub.fail("GET", "/resolve/", status=500, times=20)
    with pytest.raises(CheckpointError, match=f"{REPO} cannot be fetched: the Hub has a fault"):
        visitor_models.download(offer, CPU)


def test_an_onnx_file_needs_its_json_of_any_name(tmp_path: Path) -> None:
    from models import test_external_onnx as test_onnx

    net = test_onnx.constant(tmp_path, np.zeros((15, 2)))
    config = tmp_path / "upload" / "config (1).json"
    config.parent.mkdir()
    shutil.move(net.with_suffix(".json"), config)
    model = visitor_models.from_onnx(net, config)
    assert zoo.title(model.name) == "mine.onnx" and model.markup == "kaggle-15"
    config.write_text(json.dumps({"markup": "wflw-98"}))
    with pytest.raises(CheckpointError) as error:
        visitor_models.from_onnx(net, config)
    assert "kpdemo-own-" not in str(error.value)
    assert str(error.value).startswith("mine.onnx is refused: mine.json")
