"""`python -m train space`: what a Space gets, whether the app starts from it, and its push."""

import errno
import os
import re
import shutil
from pathlib import Path

import pytest
import yaml
from helpers.hub_server import ACCOUNT, TOKEN, Hub
from huggingface_hub import constants

from kpdemo.models import hub, pins
from train.__main__ import main
from train.publish import space, space_check

SPACE = f"{ACCOUNT}/faces"
KEPT = f"spaces/{SPACE}"
PUSH = ["space", "--push", SPACE]
MODEL = f"{ACCOUNT}/kpdemo-unet"


@pytest.fixture(scope="module")
def files(tmp_path_factory) -> Path:
    """What a Space gets, but for what is large."""
    folder = tmp_path_factory.mktemp("space")
    space.copy(folder)
    return folder


@pytest.fixture
def small(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Path:
    """A program of a few files in the place of this one."""
    root = tmp_path / "program"
    for name in ("README.md", "app.py", "requirements.txt", "kpdemo/__init__.py"):
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(space.ROOT / name, root / name)
    model = root / "weights" / "nosenet-moore" / "model.safetensors"
    model.parent.mkdir(parents=True)
    shutil.copy(space.ROOT / "weights" / "nosenet-moore" / "model.safetensors", model)
    monkeypatch.setattr(space, "ROOT", root)
    monkeypatch.setattr(
        space, "FILES", ("README.md", "app.py", "requirements.txt", "kpdemo", "weights")
    )
    return root


# The check


@pytest.mark.skipif(shutil.which("bwrap") is None, reason="bubblewrap is not installed")
def test_the_app_starts_from_what_a_space_gets_and_answers_on_a_photo(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["space", "--check"]) == 0
    said = capsys.readouterr().out
    assert "simplenet, resnet18, unet, keypoint-resnet, mediapipe predicted keypoints" in said


@pytest.mark.skipif(shutil.which("bwrap") is None, reason="bubblewrap is not installed")
def test_a_program_that_cannot_start_is_noticed(tmp_path: Path) -> None:
    (tmp_path / "app.py").write_text(
        "import socket, pathlib, sys\n"
        "try:\n    socket.create_connection(('192.0.2.1', 80), 2)\n"
        "except OSError as error:\n    net = error.errno\n"
        "try:\n    pathlib.Path.home().joinpath('x').touch()\n"
        "except OSError as error:\n    home = error.errno\n"
        "sys.exit(f'network {net}, home {home}')\n"
    )
    with pytest.raises(space_check.SpaceError) as error:
        space_check.start(tmp_path)
    assert "app.py ended with status 1" in str(error.value)
    assert f"network {errno.ENETUNREACH}, home {errno.EROFS}" in str(error.value)


@pytest.mark.skipif(shutil.which("bwrap") is None, reason="bubblewrap is not installed")
def test_an_app_without_one_of_its_models_is_noticed(files: Path, tmp_path: Path) -> None:
    folder = shutil.copytree(files, tmp_path / "app", copy_function=os.link)
    (folder / "weights/unet/config.json").unlink()
    with pytest.raises(
        space_check.SpaceError, match=r"No prediction of unet .* unet has no config"
    ):
        space_check.start(folder)


def test_without_bubblewrap_nothing_is_claimed(monkeypatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(space_check.SpaceError, match="not started: bubblewrap"):
        space_check.start(tmp_path)


def test_the_files_of_a_space_are_all_right(files: Path) -> None:
    assert list(space_check.problems(files)) == []
    assert {path.name for path in files.iterdir()} == set(space.FILES)
    assert not list(files.rglob("__pycache__"))
    large = [path for path in files.rglob("*") if path.is_file() and path.stat().st_size > 1e7]
    assert large
    assert {path.suffix for path in large} == {".safetensors"}


def test_the_weights_are_small_enough_for_a_repository(files: Path) -> None:
    sizes = [path.stat().st_size for path in (files / "weights").rglob("*") if path.is_file()]
    assert sum(sizes) < 150_000_000


def edited(files: Path, folder: Path, **keys: object) -> Path:
    """The same README with other front matter, beside the same requirements."""
    front = space_check.front_matter(files) | keys
    front = {key: value for key, value in front.items() if value is not None}
    (folder / "README.md").write_text(f"---\n{yaml.safe_dump(front)}---\n")
    shutil.copy(files / "requirements.txt", folder)
    return folder


@pytest.mark.parametrize(
    ("keys", "words"),
    [
        ({"title": None}, "lacks the key title"),
        ({"colourFrom": "blue"}, "colourFrom, which Spaces do not know"),
        ({"colorFrom": "mauve"}, "colorFrom: 'mauve'"),
        ({"sdk": "streamlit"}, "sdk: 'streamlit'"),
        ({"sdk_version": "6.0.0"}, "differ in gradio's version"),
        ({"python_version": "3.14"}, "python_version: '3.14'"),
        ({"python_version": 3.12}, "python_version: 3.12"),
        ({"app_file": "main.py"}, "app_file: 'main.py'"),
        ({"short_description": "x" * 61}, "short_description"),
        ({"suggested_hardware": "abacus"}, "suggested_hardware: 'abacus'"),
        ({"tags": "face"}, "tags: 'face'"),
    ],
    ids=str,
)
def test_front_matter_that_spaces_do_not_take_is_named(
    files: Path, tmp_path: Path, keys: dict, words: str
) -> None:
    (problem,) = space_check.problems(edited(files, tmp_path, **keys))
    assert words in problem


def test_a_readme_without_front_matter_lacks_all_keys(files: Path, tmp_path: Path) -> None:
    edited(files, tmp_path)
    (tmp_path / "README.md").write_text("# kpdemo\n")
    said = list(space_check.problems(tmp_path))
    assert all(any(f"lacks the key {key}." in one for one in said) for key in space_check.REQUIRED)


def test_a_torch_that_zerogpu_has_not_is_named(files: Path, tmp_path: Path) -> None:
    edited(files, tmp_path)
    pins = (files / "requirements.txt").read_text()
    (tmp_path / "requirements.txt").write_text(
        re.sub("torch==[0-9.]+", "torch==2.12.0", pins, count=1)
    )
    (problem,) = space_check.problems(tmp_path)
    assert "torch" in problem
    assert "2.11.0" in problem


def test_large_text_and_pointers_are_named(files: Path, tmp_path: Path) -> None:
    edited(files, tmp_path)
    (tmp_path / "large.json").write_text("1" * (space_check.LARGE + 1))
    (tmp_path / "model.safetensors").write_text("version https://git-lfs.github.com/spec/v1\n")
    large, pointer = space_check.problems(tmp_path)
    assert "large.json is text of more than 10 MB" in large
    assert "model.safetensors is a pointer" in pointer


# The push


def commits(local_hub: Hub) -> int:
    """How many commits pushes have made, the Hub's own first one aside."""
    here = local_hub.repositories.get(KEPT)
    return len(here.commits) - 1 if here else 0


def test_a_push_makes_the_space_in_one_commit(local_hub: Hub, small: Path, capsys) -> None:
    assert main(PUSH) == 0
    assert commits(local_hub) == 1
    pushed = local_hub.files(KEPT)
    assert set(pushed) == {".gitattributes"} | {
        str(path.relative_to(small)) for path in small.rglob("*") if path.is_file()
    }
    assert all(
        pushed[name] == (small / name).read_bytes() for name in pushed if name != ".gitattributes"
    )
    assert any(method == "PUT" for method, _ in local_hub.requests)  # the weights, the large way
    assert set(local_hub.sent_to_store) == {None}
    assert not local_hub.repositories[KEPT].variables
    out = capsys.readouterr().out
    assert local_hub.head(KEPT) in out
    assert TOKEN not in out
    assert main(PUSH) == 0
    assert "unchanged" in capsys.readouterr().out
    assert commits(local_hub) == 1


def test_a_space_runs_on_what_is_asked_for(local_hub: Hub, small: Path, capsys) -> None:
    assert main([*PUSH, "--hardware", "zero-a10g"]) == 0
    assert local_hub.repositories[KEPT].hardware == "zero-a10g"
    assert main([*PUSH, "--hardware", "t4-small"]) == 0
    assert local_hub.repositories[KEPT].hardware == "t4-small"
    local_hub.fail("POST", "/hardware", status=402, message="Add a card")
    assert main([*PUSH, "--hardware", "a100x8"]) == 1
    assert "plan or quota does not include that (Add a card)" in capsys.readouterr().err
    assert local_hub.repositories[KEPT].hardware == "t4-small"


def test_a_push_updates_what_changed_and_deletes_what_is_gone(local_hub: Hub, small: Path) -> None:
    (small / "kpdemo" / "old.py").write_text("# of an older version\n")
    assert main(PUSH) == 0
    (small / "kpdemo" / "old.py").unlink()
    (small / "app.py").write_text("# of a newer version\n")
    assert main(PUSH) == 0
    files = local_hub.files(KEPT)
    assert "kpdemo/old.py" not in files
    assert ".gitattributes" in files
    assert files["app.py"] == b"# of a newer version\n"
    assert commits(local_hub) == 2


def test_a_space_pulls_what_is_pinned_in_its_namespace(local_hub: Hub, small: Path) -> None:
    pins.write(MODEL, pins.Pin("1" * 40, "2" * 64))
    pins.write("else/kpdemo-unet", pins.Pin("3" * 40, "4" * 64))
    local_hub.fail("POST", "/variables", status=403)
    assert main(PUSH) == 1
    assert commits(local_hub) == 0
    assert main(PUSH) == 0
    assert local_hub.repositories[KEPT].variables == {hub.VARIABLE: ACCOUNT}
    pushed = small.parent / "pushed"
    pushed.mkdir()
    (pushed / "README.md").write_bytes(local_hub.files(KEPT)["README.md"])
    (pushed / "requirements.txt").write_bytes(local_hub.files(KEPT)["requirements.txt"])
    front = space_check.front_matter(pushed)
    assert front["models"] == [MODEL]
    assert front["preload_from_hub"] == [f"{MODEL} config.json,model.safetensors {'1' * 40}"]
    assert list(space_check.problems(pushed)) == []
    assert main(PUSH) == 0  # and nothing of it is new
    assert commits(local_hub) == 1


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ({"status": 401}, "does not accept the token"),
        ({"status": 402, "message": "Storage is full"}, "quota"),
        ({"status": 500}, "500"),
        ({"truncate": True}, "broke off"),
    ],
    ids=["401", "402", "500", "cut off"],
)
def test_a_push_that_fails_says_why_and_can_be_repeated(
    local_hub: Hub, small: Path, capsys, fault: dict, words: str
) -> None:
    local_hub.fail("POST", "/commit/", **fault, times=9)
    assert main(PUSH) == 1
    said = capsys.readouterr().err.splitlines()[-1]  # after the client's progress bar
    assert said.startswith(f"{SPACE} cannot be pushed: ")
    assert words in said
    assert TOKEN not in said
    assert commits(local_hub) == 0
    local_hub.faults.clear()
    assert main(PUSH) == 0
    assert commits(local_hub) == 1


def test_another_program_in_the_space_is_left_alone(local_hub: Hub, small: Path, capsys) -> None:
    local_hub.add(KEPT, {"README.md": b"# mine", "main.py": b"print()"})
    before = local_hub.files(KEPT)
    assert main(PUSH) == 1
    assert "another program in it (main.py)" in capsys.readouterr().err
    assert local_hub.files(KEPT) == before


def test_a_space_made_on_the_hubs_page_is_filled(local_hub: Hub, small: Path) -> None:
    local_hub.add(KEPT, {"README.md": b"---\nsdk: gradio\n---\n"})
    assert main(PUSH) == 0
    assert b"app_file" in local_hub.files(KEPT)["README.md"]


def test_bad_names_and_no_token_end_in_a_sentence(
    local_hub: Hub, small: Path, monkeypatch, capsys
) -> None:
    assert main(["space", "--push", "faces"]) == 1
    assert "NAME/SPACE" in capsys.readouterr().err
    assert main(["space", "--push", "some one/faces"]) == 1
    assert "no name of a repository" in capsys.readouterr().err
    monkeypatch.delenv("HF_TOKEN")
    assert main(PUSH) == 1
    assert "hf auth login" in capsys.readouterr().err
    assert not Path(constants.HF_TOKEN_PATH).exists()
    assert not local_hub.repositories


def test_a_public_space_is_not_taken_for_private(local_hub: Hub, small: Path, capsys) -> None:
    assert main(PUSH) == 0
    assert main([*PUSH, "--private"]) == 1
    assert "public already" in capsys.readouterr().err
