"""`python -m train push`, with the real client, to a Hub on this machine."""

import csv
import io
import json
import shutil
from pathlib import Path

import pytest
from helpers.hub_server import ACCOUNT, TOKEN, Hub
from huggingface_hub import DatasetCard, ModelCard, close_session, constants
from huggingface_hub.utils import _http

import kpdemo
from kpdemo.models import hub, model_folder, onnx, onnx_graph, pins
from kpdemo.records import leaderboard
from kpdemo.records.standings import BOARDS
from kpdemo.zoo import WEIGHTS_DIR
from train.__main__ import main
from train.publish import model_card, results_data
from train.publish import push as pushing

NAME = "nosenet-moore"
REPO = f"{ACCOUNT}/kpdemo-{NAME}"
FILES = {"README.md", "config.json", "history.json", "metrics.json", "model.safetensors"}
PUSH = ["push", NAME, "--namespace", ACCOUNT]


@pytest.fixture(autouse=True)
def earlier_pin(local_hub: Hub) -> None:
    """The pin of an earlier push of another model, which must stay."""
    pins.write("somebody/kpdemo-other", pins.Pin("1" * 40, "2" * 64))


def commits(local_hub: Hub) -> int:
    """How many commits pushes have made, the Hub's own first one aside."""
    return len(local_hub.repositories[REPO].commits) - 1 if REPO in local_hub.repositories else 0


def test_a_push_is_one_commit_of_the_whole_folder(
    local_hub: Hub, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(PUSH) == 0
    assert commits(local_hub) == 1
    files = local_hub.files(REPO)
    assert set(files) == {".gitattributes", *FILES}
    for name in FILES - {model_folder.CARD}:
        assert files[name] == (WEIGHTS_DIR / NAME / name).read_bytes()
    pin = pins.read()[REPO]
    assert pin.revision == local_hub.head(REPO)
    assert pin.sha256 == hub.sha256(WEIGHTS_DIR / NAME / model_folder.WEIGHTS)
    assert len(pins.read()) == 2
    out = capsys.readouterr().out
    for told in (REPO, pin.revision, pin.sha256):
        assert told in out
    assert set(local_hub.sent_to_store) == {None}


def test_the_card_that_is_pushed_is_complete(local_hub: Hub) -> None:
    assert main(PUSH) == 0
    card = ModelCard(local_hub.files(REPO)[model_folder.CARD].decode())
    data = card.data
    told = data.to_dict()
    assert told["pipeline_tag"] == "keypoint-detection"
    assert told["library_name"] == "kpdemo"
    assert (data.license, data.license_name) == ("other", "research-only")
    assert data.license_link.startswith("http")
    assert not data.datasets  # ids of the Hub alone, and it has none of ours
    assert "not for commercial use" in card.text
    assert f'model = kpdemo.load("{REPO}")' in card.text
    measured = json.loads((WEIGHTS_DIR / NAME / model_folder.METRICS).read_text())
    assert data.eval_results
    for result in data.eval_results:
        box = measured[result.dataset_type]["ground_truth_box"]
        assert result.metric_value == box[result.metric_type]


def test_the_graph_for_browsers_is_that_of_the_weights(local_hub: Hub, tmp_path: Path) -> None:
    for package in onnx.NEEDED:
        pytest.importorskip(package, reason="Export needs it")
    folder = shutil.copytree(WEIGHTS_DIR / NAME, tmp_path / NAME)
    (folder / model_folder.GRAPH).write_bytes(b"of other weights")
    assert main(["push", str(folder), "--namespace", ACCOUNT]) == 0
    files = local_hub.files(REPO)
    assert files[model_folder.GRAPH] == onnx_graph.make(folder)
    assert "onnx" in ModelCard(files[model_folder.CARD].decode()).data.tags


def test_the_cards_link_the_page_and_a_collection_has_all(
    local_hub: Hub, capsys: pytest.CaptureFixture[str]
) -> None:
    words = ["push", NAME, "nosenet-kernels", "--namespace", ACCOUNT]
    words += ["--space", f"{ACCOUNT}/faces", "--collection", "Faces"]
    assert main(words) == 0
    card = local_hub.files(REPO)[model_folder.CARD].decode()
    assert f"https://huggingface.co/spaces/{ACCOUNT}/faces" in card
    (slug,) = local_hub.collections
    assert slug in capsys.readouterr().out
    items = {(item["type"], item["id"]) for item in local_hub.collections[slug]}
    other = f"{ACCOUNT}/kpdemo-nosenet-kernels"
    assert items == {("model", REPO), ("model", other), ("space", f"{ACCOUNT}/faces")}
    assert main(words) == 0
    assert len(local_hub.collections[slug]) == len(items)
    local_hub.fail("POST", "/api/collections", status=403)
    assert main(words) == 1
    assert "'Faces' cannot be collected: " in capsys.readouterr().err


def test_a_net_names_the_model_that_it_starts_from(tmp_path: Path) -> None:
    shutil.copytree(WEIGHTS_DIR / "unet", tmp_path / "unet")
    assert not model_card.make(tmp_path / "unet").data.base_model  # its start is not published
    shutil.copytree(WEIGHTS_DIR / NAME, tmp_path / "unet-start")
    base = model_card.make(tmp_path / "unet", ACCOUNT).data.base_model
    assert base == f"{ACCOUNT}/kpdemo-unet-start"


def test_the_results_are_a_data_set(local_hub: Hub, tmp_path: Path) -> None:
    repo, commit = results_data.push(ACCOUNT)
    kept = f"datasets/{repo}"
    assert commit == local_hub.head(kept)
    files = local_hub.files(kept)
    card = DatasetCard(files["README.md"].decode())
    assert [each["config_name"] for each in card.data.configs] == [each.name for each in BOARDS]
    for board, each in zip(BOARDS, card.data.configs, strict=True):
        rows = list(csv.DictReader(io.StringIO(files[each["data_files"]].decode())))
        assert {row["name"] for row in rows} == {row.name for row in leaderboard.read().on(board)}
    assert results_data.push(ACCOUNT) == (repo, commit)


def test_what_is_there_already_is_not_pushed_again(
    local_hub: Hub, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(PUSH) == 0
    first, known = commits(local_hub), pins.read()
    pins.FILE.write_text("{}")
    local_hub.requests.clear()
    assert main(PUSH) == 0
    assert (first, commits(local_hub)) == (1, 1)
    assert {method for method, _ in local_hub.requests} == {"GET"}
    assert pins.read() == {REPO: known[REPO]}
    assert "unchanged" in capsys.readouterr().out


def test_only_what_changed_goes_into_the_next_commit(local_hub: Hub) -> None:
    assert main(PUSH) == 0
    local_hub.add(REPO, {model_folder.CARD: b"old"})
    local_hub.requests.clear()
    assert main(PUSH) == 0
    assert local_hub.files(REPO)[model_folder.CARD] != b"old"
    assert not any(path.startswith("/store/") for _, path in local_hub.requests)


def test_what_was_pushed_can_be_loaded_anywhere(local_hub: Hub) -> None:
    assert main([*PUSH, "--private", "--revision", "trial"]) == 0
    assert local_hub.repositories[REPO].private
    assert set(local_hub.files(REPO)) == {".gitattributes"}
    assert kpdemo.load(REPO).name == NAME  # at the pinned commit, which is the branch's
    assert kpdemo.load(REPO, "trial").config == kpdemo.load(NAME).config


FAULTS = {
    "unknown token": (
        ("GET", "/api/models/", {"status": 401, "message": "Invalid token"}),
        "does not accept the token, or wants one (Invalid token)",
    ),
    "no right": (
        ("POST", "/api/repos/create", {"status": 403, "message": "Not in this organization"}),
        "may not do that (Not in this organization)",
    ),
    "taken": (
        ("POST", "/api/repos/create", {"status": 409, "message": "You already have it"}),
        "the name is taken",
    ),
    "quota": (
        ("POST", "/info/lfs/objects/batch", {"status": 403, "message": "Storage limit reached"}),
        "(Storage limit reached)",
    ),
    "payment": (
        ("POST", "/api/repos/create", {"status": 402, "message": "Upgrade your plan"}),
        "quota does not allow it (Upgrade your plan)",
    ),
    "too large": (
        ("POST", "/preupload/", {"status": 413, "message": "Too large"}),
        "quota does not allow it (Too large)",
    ),
    "too often": (
        ("POST", "/info/lfs/", {"status": 429, "times": 9, "headers": {"Retry-After": "900"}}),
        "asked too often just now",
    ),
    "broken": (("POST", "/commit/", {"status": 500}), "a fault of its own, 500"),
    "a commit between": (
        ("POST", "/commit/", {"status": 412, "message": "Please refresh"}),
        "changed it meanwhile (Please refresh)",
    ),
    "weights cut off": (("PUT", "/store/", {"truncate": True, "times": 9}), "broke off"),
    "commit cut off": (("POST", "/commit/", {"truncate": True}), "broke off"),
    "not verified": (
        ("POST", "/verify", {"status": 422, "message": "Checksums differ"}),
        "answered 422 (Checksums differ)",
    ),
}


@pytest.mark.parametrize(("fault", "told"), FAULTS.values(), ids=FAULTS)
def test_a_push_that_fails_says_why_changes_nothing_and_can_be_repeated(
    local_hub: Hub, capsys: pytest.CaptureFixture[str], fault: tuple, told: str
) -> None:
    method, part, what = fault
    before = pins.read()
    local_hub.fail(method, part, **what)
    assert main(PUSH) == 1
    printed = capsys.readouterr()
    (sentence,) = printed.err.splitlines()
    assert sentence.startswith(f"{REPO} cannot be pushed: ")
    assert told in sentence
    assert sentence.endswith(".")
    assert TOKEN not in printed.err + printed.out
    assert commits(local_hub) == 0
    assert pins.read() == before
    local_hub.faults.clear()
    assert main(PUSH) == 0
    assert commits(local_hub) == 1


@pytest.fixture
def xet(local_hub: Hub, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Large files go up the new way, as they do by default."""
    pytest.importorskip("hf_xet")
    monkeypatch.setattr(constants, "HF_HUB_DISABLE_XET", False)
    monkeypatch.setenv("HF_XET_CACHE", str(tmp_path / "xet"))


def test_a_push_over_xet_commits_the_same_weights(local_hub: Hub, xet: None) -> None:
    content = (WEIGHTS_DIR / NAME / model_folder.WEIGHTS).read_bytes()
    local_hub.store[hub.sha256(content)] = content
    assert main(PUSH) == 0
    assert any(path.startswith("/cas/v1/xorbs/") for _, path in local_hub.requests)
    assert not any("/info/lfs/" in path for _, path in local_hub.requests)
    assert local_hub.files(REPO)[model_folder.WEIGHTS] == content
    assert main(PUSH) == 0
    assert commits(local_hub) == 1


def test_a_push_over_xet_that_is_refused_ends_in_one_sentence(
    local_hub: Hub, xet: None, capsys: pytest.CaptureFixture[str]
) -> None:
    local_hub.fail("GET", "/xet-write-token/", status=403, message="Storage limit reached", times=9)
    assert main(PUSH) == 1
    sentence = capsys.readouterr().err.splitlines()[-1]
    assert sentence.startswith(f"{REPO} cannot be pushed: ")
    assert "403" in sentence
    assert TOKEN not in sentence
    assert commits(local_hub) == 0


def test_a_hub_that_falls_silent_is_given_up(
    local_hub: Hub, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Also when the client was made anew meanwhile, as it is when it could not connect."""
    monkeypatch.setattr(pushing, "TIMEOUT", 0.5)
    monkeypatch.setattr(_http.time, "sleep", lambda seconds: close_session())
    local_hub.fail("POST", "/preupload/", status=503)
    local_hub.fail("POST", "/commit/", hang=True)
    assert main(PUSH) == 1
    sentence = capsys.readouterr().err.splitlines()[-1]
    assert sentence == f"{REPO} cannot be pushed: the Hub did not answer in time."
    assert commits(local_hub) == 0


def test_pins_that_cannot_be_written_end_in_one_sentence(
    local_hub: Hub, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(pins, "FILE", pins.FILE.parent / "nowhere" / "pins.json")
    assert main(PUSH) == 1
    (sentence,) = capsys.readouterr().err.splitlines()
    assert "nowhere" in sentence
    assert "could not be read or written" in sentence


def test_a_hub_that_stumbles_once_is_asked_again(local_hub: Hub) -> None:
    local_hub.fail("PUT", "/store/", status=500)
    local_hub.fail("POST", "/preupload/", status=503)
    assert main(PUSH) == 0


@pytest.mark.parametrize(
    ("why", "told"),
    [
        ("no token", "There is no token for the Hub"),
        ("no network", "the Hub could not be reached"),
        ("offline", "HF_HUB_OFFLINE forbids"),
        ("somebody else's", "may not do that"),
        ("other things", "the name is taken by a repository with other things in it (poems.txt)"),
        ("public", "is public already, and nothing was pushed"),
        ("no such model", "transformer is neither a model folder"),
        ("no metrics", "has no metrics.json"),
        ("damaged", "is damaged"),
    ],
)
def test_what_cannot_be_pushed_ends_in_one_sentence(
    local_hub: Hub,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    why: str,
    told: str,
) -> None:
    arguments = list(PUSH)
    if why == "no token":
        monkeypatch.delenv("HF_TOKEN")
    if why == "no network":
        local_hub.close()
    if why == "offline":
        monkeypatch.setattr(constants, "HF_HUB_OFFLINE", True)
    if why == "somebody else's":
        arguments = ["push", NAME, "--namespace", "someone-else"]
    if why == "other things":
        local_hub.add(REPO, {"poems.txt": b"roses"})
    if why == "public":
        local_hub.add(REPO, {})
        arguments.append("--private")
    if why == "no such model":
        arguments[1] = "transformer"
    if why in ("no metrics", "damaged"):
        folder = shutil.copytree(WEIGHTS_DIR / NAME, tmp_path / NAME)
        arguments[1] = str(folder)
        if why == "damaged":
            (folder / model_folder.WEIGHTS).write_bytes(b"half")
        else:
            (folder / model_folder.METRICS).unlink()
    before = pins.read()
    heads = {repo: local_hub.head(repo) for repo in local_hub.repositories}
    assert main(arguments) == 1
    printed = capsys.readouterr()
    (sentence,) = printed.err.splitlines()
    assert told in sentence
    assert TOKEN not in sentence
    assert pins.read() == before
    assert heads == {repo: local_hub.head(repo) for repo in local_hub.repositories}
