"""Pulling, loading and uploading with the real client, against a Hub on this machine."""

import json
import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from helpers.hub_server import ACCOUNT, TOKEN, Hub
from huggingface_hub import constants

import kpdemo
from kpdemo.__main__ import main
from kpdemo.engine.engine import Engine
from kpdemo.models import checkpoint, hub, model_folder, nets, pins
from kpdemo.models.checkpoint import Model, from_pretrained, load_pulled
from kpdemo.models.config import Input, ModelConfig
from kpdemo.models.hub_errors import HubError
from kpdemo.models.model_folder import CheckpointError
from kpdemo.models.pins import Pin
from kpdemo.zoo import WEIGHTS_DIR

NAME = "nosenet-moore"
REPO = f"{ACCOUNT}/kpdemo-{NAME}"
FILES = {name: (WEIGHTS_DIR / NAME / name).read_bytes() for name in hub.FILES}
OTHER = {name: (WEIGHTS_DIR / "nosenet-fajardo" / name).read_bytes() for name in hub.FILES}


# A config that this program is too old for.
FUTURE = json.dumps(json.loads(FILES[model_folder.CONFIG]) | {"version": 2}).encode()


def same(one: Model, other: Model) -> bool:
    tensors, others = one.net.state_dict(), other.net.state_dict()
    return tensors.keys() == others.keys() and all(
        torch.equal(tensors[name], others[name]) for name in tensors
    )


def said(error: pytest.ExceptionInfo) -> str:
    """The error's message, which must be a single sentence without the token."""
    message = str(error.value)
    assert message.count("\n") == 0
    assert message.endswith(".")
    assert TOKEN not in message
    return message


# Loading


def test_anyone_loads_a_model_by_its_repository(local_hub: Hub) -> None:
    commit = local_hub.add(REPO, FILES)
    model = kpdemo.load(REPO)
    assert model.name == NAME
    assert same(model, checkpoint.load(WEIGHTS_DIR / NAME))
    assert not model.net.training
    assert kpdemo.load(REPO, revision=commit).name == NAME
    assert same(Model.from_pretrained(REPO), model)
    assert set(local_hub.sent_to_store) == {None}  # the token stays with the Hub


def test_a_revision_is_a_branch_or_a_commit(local_hub: Hub) -> None:
    first = local_hub.add(REPO, FILES)
    local_hub.add(REPO, OTHER)
    assert same(kpdemo.load(REPO, first), checkpoint.load(WEIGHTS_DIR / NAME))
    assert same(kpdemo.load(REPO, "main"), checkpoint.load(WEIGHTS_DIR / "nosenet-fajardo"))
    with pytest.raises(HubError) as error:
        kpdemo.load(REPO, "nowhere")
    assert "no such revision" in said(error)


def test_folders_and_shipped_names_need_no_hub(local_hub: Hub) -> None:
    assert kpdemo.load(NAME).name == NAME
    assert kpdemo.load(WEIGHTS_DIR / NAME).name == NAME
    assert not local_hub.requests
    for nothing in ("transformer", "a/b/c", "", "./unet"):
        with pytest.raises(CheckpointError) as error:
            kpdemo.load(nothing)
        assert "neither" in said(error)


def test_only_safetensors_are_read(local_hub: Hub) -> None:
    files = {model_folder.CONFIG: FILES[model_folder.CONFIG], "pytorch_model.bin": b"\x80\x04N."}
    local_hub.add(REPO, files)
    with pytest.raises(HubError) as error:
        kpdemo.load(REPO)
    assert f"{REPO} cannot be pulled: the repository has no {model_folder.WEIGHTS}" in said(error)
    assert not any("pytorch_model.bin" in path for _, path in local_hub.requests)


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({model_folder.CONFIG: FUTURE}, ["version 2"]),
        ({model_folder.CONFIG: OTHER[model_folder.CONFIG]}, ["do not fit"]),
        ({model_folder.CONFIG: b'{"net": '}, [model_folder.CONFIG, "JSON"]),
        (
            {model_folder.WEIGHTS: FILES[model_folder.WEIGHTS][:999]},
            [model_folder.WEIGHTS, "damaged"],
        ),
    ],
    ids=["another version", "another net", "half a config", "half the weights"],
)
def test_a_repository_that_does_not_fit_is_refused(
    local_hub: Hub, files: dict[str, bytes], words: list[str]
) -> None:
    local_hub.add(REPO, FILES | files)
    with pytest.raises(HubError) as error:
        kpdemo.load(REPO)
    for word in ("is refused", REPO, *words):
        assert word in said(error)


# Pins and the cache


def test_what_is_pinned_is_pulled_and_later_found_without_a_question(local_hub: Hub) -> None:
    pinned = local_hub.add(REPO, FILES)
    local_hub.add(REPO, OTHER)
    pins.write(REPO, Pin(pinned, hub.sha256(FILES[model_folder.WEIGHTS])))
    pulled = hub.fetch(REPO)
    assert pulled.origin == f"{REPO} at {pinned[:7]} (Hugging Face Hub)"
    assert {path.name for path in pulled.folder.iterdir()} == set(FILES)
    local_hub.requests.clear()
    assert hub.fetch(REPO) == pulled
    assert not local_hub.requests


def test_other_weights_than_the_pinned_ones_are_refused(local_hub: Hub) -> None:
    commit = local_hub.add(REPO, FILES)
    pins.write(REPO, Pin(commit, hub.sha256(OTHER[model_folder.WEIGHTS])))
    with pytest.raises(HubError) as error:
        hub.fetch(REPO)
    assert "model.safetensors" in said(error)
    assert "pins.json" in said(error)


def test_pins_of_other_repositories_stay(local_hub: Hub) -> None:
    pins.write("b/two", Pin("2" * 40, "2" * 64))
    pins.write("a/one", Pin("1" * 40, "1" * 64))
    assert list(pins.read()) == ["a/one", "b/two"]
    pins.FILE.write_text('{"a/one": ["1"]}')
    with pytest.raises(HubError, match=r"pins\.json cannot be read"):
        hub.fetch(REPO)


def test_a_newer_commit_is_pulled(local_hub: Hub) -> None:
    local_hub.add(REPO, FILES)
    first = hub.fetch(REPO)
    newest = local_hub.add(REPO, OTHER)
    assert hub.fetch(REPO).folder.name == newest
    assert (first.folder / model_folder.WEIGHTS).read_bytes() == FILES[model_folder.WEIGHTS]


@pytest.mark.parametrize("name", hub.FILES)
def test_a_damaged_file_is_replaced(local_hub: Hub, name: str) -> None:
    local_hub.add(REPO, FILES)
    path = hub.fetch(REPO).folder / name
    path.resolve().write_bytes(FILES[name][: len(FILES[name]) // 2])
    assert hub.fetch(REPO).folder == path.parent
    assert path.read_bytes() == FILES[name]


def test_a_damaged_file_is_named_where_the_hub_cannot_replace_it(local_hub: Hub) -> None:
    local_hub.add(REPO, FILES)
    path = hub.fetch(REPO).folder / model_folder.WEIGHTS
    path.resolve().write_bytes(b"half")
    local_hub.close()
    with pytest.raises(HubError) as error:
        hub.fetch(REPO)
    assert "model.safetensors" in said(error)
    assert "damaged in the cache and cannot be replaced" in said(error)


def test_a_wrong_checksum_is_refused_until_it_is_right(local_hub: Hub) -> None:
    local_hub.add(REPO, FILES)
    local_hub.fail("GET", "/store/", spoil=True, times=2)
    with pytest.raises(HubError) as error:
        hub.fetch(REPO)
    assert "does not have the checksum" in said(error)
    assert same(from_pretrained(REPO), checkpoint.load(WEIGHTS_DIR / NAME))


def test_a_download_that_breaks_off_goes_on(local_hub: Hub) -> None:
    local_hub.add(REPO, FILES)
    local_hub.fail("GET", "/store/", truncate=True)
    assert same(from_pretrained(REPO), checkpoint.load(WEIGHTS_DIR / NAME))


# Faults

NOT_THERE = {"X-Error-Code": "RepoNotFound"}
FAULTS = {
    "401": ("GET", "/api/models/", {"status": 401, "message": "Invalid token"}, "token"),
    "403": ("GET", "/api/models/", {"status": 403, "message": "Gated"}, "Gated"),
    "404": ("GET", "/api/models/", {"status": 404, "headers": NOT_THERE}, "no such"),
    "429": ("GET", "/api/models/", {"status": 429, "message": "Slow down"}, "too often"),
    "500": ("GET", "/api/models/", {"status": 500}, "fault of its own, 500"),
    "500 of a file": ("HEAD", "/resolve/", {"status": 500, "times": 9}, "fault of its own, 500"),
    "cut off": ("GET", "/store/", {"truncate": True, "times": 99}, "broke off"),
    "spoilt": ("GET", "/store/", {"spoil": True, "times": 9}, "checksum"),
}


@pytest.mark.parametrize(("method", "part", "what", "word"), FAULTS.values(), ids=FAULTS)
def test_a_fault_is_told_and_what_was_there_stays(
    local_hub: Hub, method: str, part: str, what: dict, word: str
) -> None:
    local_hub.add(REPO, FILES)
    local_hub.fail(method, part, **what)
    with pytest.raises(HubError) as error:
        hub.fetch(REPO)
    for expected in (REPO, word):
        assert expected in said(error)

    local_hub.faults.clear()
    known = hub.fetch(REPO)
    local_hub.add(REPO, OTHER)
    local_hub.fail(method, part, **what)
    try:
        pulled = hub.fetch(REPO)
    except HubError as refused:  # where the Hub is there, and sends nonsense
        assert word == "checksum" in str(refused)
    else:
        assert pulled.folder == known.folder
        assert word in pulled.stale
    assert same(load_pulled(known), checkpoint.load(WEIGHTS_DIR / NAME))


def test_no_network_and_offline_mode_use_what_is_there(
    local_hub: Hub, monkeypatch: pytest.MonkeyPatch
) -> None:
    local_hub.add(REPO, FILES)
    known = hub.fetch(REPO)
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    offline = hub.fetch(REPO)
    assert offline.folder == known.folder
    assert "HF_HUB_OFFLINE" in offline.stale
    with pytest.raises(HubError) as error:
        hub.fetch(f"{ACCOUNT}/kpdemo-never-pulled")
    assert "HF_HUB_OFFLINE" in said(error)
    monkeypatch.setattr(constants, "HF_HUB_OFFLINE", False)
    local_hub.close()
    assert "could not be reached" in hub.fetch(REPO).stale
    with pytest.raises(HubError) as error:
        hub.fetch(f"{ACCOUNT}/kpdemo-never-pulled")
    assert "could not be reached" in said(error)


def test_a_cache_that_cannot_be_written_is_told(
    local_hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    local_hub.add(REPO, FILES)
    (tmp_path / "file").touch()
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "file" / "hub"))
    with pytest.raises(HubError) as error:
        hub.fetch(REPO)
    assert "could not be read or written" in said(error)


def test_no_name_of_a_repository_is_told(local_hub: Hub) -> None:
    with pytest.raises(HubError) as error:
        from_pretrained("me/unet--.git")
    assert "no name of a repository" in said(error)


# The app


@pytest.fixture
def copies(tmp_path: Path) -> Callable[..., list[Path]]:
    """Folders like those under weights/, by the models' names."""

    def make(*names: str) -> list[Path]:
        for name in names:
            folder = tmp_path / "weights" / name
            folder.mkdir(parents=True)
            for file, content in FILES.items():
                (folder / file).write_bytes(content)
        return [tmp_path / "weights" / name for name in names]

    return make


def test_the_engine_takes_what_is_good_on_the_hub_and_says_so(
    local_hub: Hub, copies: Callable[..., list[Path]]
) -> None:
    commit = local_hub.add(f"{ACCOUNT}/kpdemo-unet", OTHER)
    mixed = {model_folder.CONFIG: OTHER[model_folder.CONFIG]}
    local_hub.add(f"{ACCOUNT}/kpdemo-simplenet", FILES | mixed)
    local_hub.add(f"{ACCOUNT}/kpdemo-lazy", FILES | mixed)
    local_hub.add(f"{ACCOUNT}/kpdemo-future", FILES | {model_folder.CONFIG: FUTURE})
    folders = copies("unet", "simplenet", "resnet18", "lazy", "future")
    with Engine(folders, ACCOUNT) as engine:
        assert same(engine.store.model("unet"), checkpoint.load(WEIGHTS_DIR / "nosenet-fajardo"))
        assert engine.store.model("unet").name == "unet"
        for name in ("simplenet", "resnet18", "lazy", "future"):
            assert same(engine.store.model(name), checkpoint.load(WEIGHTS_DIR / NAME))
            assert engine.store.configs[name] == checkpoint.read_config(WEIGHTS_DIR / NAME)
        assert engine.store.origins == {
            "unet": f"{ACCOUNT}/kpdemo-unet at {commit[:7]} (Hugging Face Hub)",
            "simplenet": "the folder weights/ of this copy",
            "resnet18": "the folder weights/ of this copy",
            "lazy": "the folder weights/ of this copy",
            "future": "the folder weights/ of this copy",
        }
        assert list(engine.store.other_weights()) == ["unet"]
        assert "do not fit" in engine.store.not_pulled["simplenet"]
        assert "no such repository" in engine.store.not_pulled["resnet18"]
        assert "do not fit" in engine.store.not_pulled["lazy"]
        assert "version 2" in engine.store.not_pulled["future"]
        assert "unet" not in engine.store.not_pulled
        assert not engine.unavailable


def test_a_hub_that_does_not_answer_does_not_keep_the_engine_from_starting(
    local_hub: Hub, copies: Callable[..., list[Path]], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys.modules["kpdemo.engine.engine"], "PULL_TIMEOUT", 0.2)
    for name in ("unet", NAME):
        local_hub.add(f"{ACCOUNT}/kpdemo-{name}", FILES)
    local_hub.fail("GET", "/api/", hang=True, times=9)
    with Engine(copies("unet", NAME), ACCOUNT) as engine:
        assert set(engine.store.origins.values()) == {"the folder weights/ of this copy"}
        for name in ("unet", NAME):
            assert "had not arrived after 0.2 s" in engine.store.not_pulled[name]
            assert name in engine.names


def test_what_was_pulled_before_serves_while_the_hub_is_slow(
    local_hub: Hub, copies: Callable[..., list[Path]], monkeypatch: pytest.MonkeyPatch
) -> None:
    local_hub.add(f"{ACCOUNT}/kpdemo-unet", OTHER)
    assert main(["pull", "--namespace", ACCOUNT]) == 0  # though the others are not there
    local_hub.fail("GET", "/api/", hang=True, times=9)
    monkeypatch.setattr(sys.modules["kpdemo.engine.engine"], "PULL_TIMEOUT", 0.2)
    with Engine(copies("unet", NAME), ACCOUNT) as engine:
        assert "kpdemo-unet" in engine.store.origins["unet"]
        assert same(engine.store.model("unet"), checkpoint.load(WEIGHTS_DIR / "nosenet-fajardo"))
        assert "had not arrived" in engine.store.not_pulled[NAME]


def test_a_full_disk_loses_nothing_that_was_there(
    local_hub: Hub, copies: Callable[..., list[Path]]
) -> None:
    resource = pytest.importorskip("resource")
    before = local_hub.add(REPO, FILES)
    assert hub.fetch(REPO).folder.name == before
    local_hub.add(REPO, OTHER)
    local_hub.add(f"{ACCOUNT}/kpdemo-unet", FILES)
    folders = copies("unet")
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    # The kernel cuts off whatever would grow beyond this: a config fits, weights do not.
    resource.setrlimit(resource.RLIMIT_FSIZE, (10_000, hard))
    try:
        pulled = hub.fetch(REPO)
        assert "could not be read or written (File too large)" in str(pulled.stale)
        assert same(load_pulled(pulled), checkpoint.load(WEIGHTS_DIR / NAME))
        with Engine(folders, ACCOUNT) as engine:
            assert engine.store.origins["unet"] == "the folder weights/ of this copy"
            assert "File too large" in engine.store.not_pulled["unet"]
            assert "unet" in engine.names
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
    assert same(kpdemo.load(REPO), checkpoint.load(WEIGHTS_DIR / "nosenet-fajardo"))


def test_pull_says_of_each_model_what_it_is(
    local_hub: Hub,
    copies: Callable[..., list[Path]],
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    commit = local_hub.add(f"{ACCOUNT}/kpdemo-unet", FILES)
    folders = copies("unet", "lazy")
    monkeypatch.setattr("kpdemo.cli.pull.model_folders", lambda: folders[:1])
    assert main(["pull", "--namespace", ACCOUNT]) == 0
    assert capsys.readouterr().out == (
        f"unet: {ACCOUNT}/kpdemo-unet at {commit[:7]} (Hugging Face Hub)\n"
    )
    monkeypatch.setenv(hub.VARIABLE, ACCOUNT)
    monkeypatch.setattr("kpdemo.cli.pull.model_folders", lambda: folders)
    local_hub.fail("GET", "kpdemo-unet", status=500)
    assert main(["pull"]) == 1
    stale, missing = capsys.readouterr().err.splitlines()
    assert stale.endswith("as pulled before: the Hub has a fault of its own, 500")
    assert missing == "Not on the Hub, and taken from this copy: lazy"


def test_pull_must_know_whose(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv(hub.VARIABLE, raising=False)
    assert main(["pull"]) == 1
    assert "--namespace" in capsys.readouterr().err


def test_two_programs_that_pull_at_once_lose_nothing(local_hub: Hub, tmp_path: Path) -> None:
    commit = local_hub.add(REPO, FILES)
    environment = os.environ | {
        "HF_ENDPOINT": local_hub.url,
        "HF_HOME": str(tmp_path / "shared-home"),
        "HF_HUB_DISABLE_XET": "1",
        "HF_TOKEN": TOKEN,
    }
    programs = [
        subprocess.Popen(
            [sys.executable, "-c", f"import kpdemo; print(kpdemo.load({REPO!r}).name)"],
            env=environment,
            cwd=WEIGHTS_DIR.parent,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        for _ in range(2)
    ]
    for program in programs:
        out, errors = program.communicate(timeout=300)
        assert (program.returncode, out) == (0, f"{NAME}\n"), errors
        assert TOKEN not in errors
    (folder,) = (tmp_path / "shared-home").glob("hub/models--*/snapshots/*")
    assert folder.name == commit
    assert {name: (folder / name).read_bytes() for name in FILES} == FILES


# Uploading


@pytest.fixture
def little() -> Model:
    """A tiny net with fresh weights."""
    config = ModelConfig("unet", "kaggle-15", Input(16, 16), args={"base": 2, "depth": 1})
    with torch.random.fork_rng():
        torch.manual_seed(0)
        return Model("little", config, nets.build(config), torch.ones(31, 30))


def test_a_model_is_saved_pushed_and_loaded_like_others_of_the_ecosystem(
    local_hub: Hub, little: Model, tmp_path: Path
) -> None:
    little.save_pretrained(tmp_path / "saved")
    saved = Model.from_pretrained(tmp_path / "saved")
    assert (saved.config, saved.parameters) == (little.config, little.parameters)
    commit = saved.push_to_hub(f"{ACCOUNT}/kpdemo-little", private=True)
    assert set(local_hub.files(f"{ACCOUNT}/kpdemo-little")) == {".gitattributes", *hub.FILES}
    assert local_hub.repositories[f"{ACCOUNT}/kpdemo-little"].private
    pulled = Model.from_pretrained(f"{ACCOUNT}/kpdemo-little", revision=commit)
    assert (pulled.name, pulled.config) == ("little", little.config)
    assert same(pulled, saved)
    assert torch.equal(pulled.calibration, little.calibration)
    assert saved.push_to_hub(f"{ACCOUNT}/kpdemo-little", private=True) == commit
