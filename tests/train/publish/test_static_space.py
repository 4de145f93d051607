"""`python -m train space --static DIR`: the page without a server, and its push."""

import json
import re
from pathlib import Path

import pytest
import yaml
from helpers.hub_server import ACCOUNT, Hub

from kpdemo.models import browser_assets
from train.__main__ import main
from train.publish import space, static_space

SPACE = f"{ACCOUNT}/faces-static"
KEPT = f"spaces/{SPACE}"


@pytest.fixture
def page(tmp_path: Path) -> Path:
    """A few files of such a page."""
    folder = tmp_path / "page"
    (folder / "scripts" / "site").mkdir(parents=True)
    (folder / "scripts" / "site" / "main.js").write_text("export {};\n")
    (folder / "README.md").write_text("---\nsdk: static\n---\n")
    return folder


def test_the_folder_has_all_that_the_page_loads(with_runtimes: Path, tmp_path: Path) -> None:
    folder = tmp_path / "site"
    assert main(["space", "--static", str(folder)]) == 0
    index = json.loads((folder / "assets" / "engine.json").read_text())
    assert set(index["models"]) == set(browser_assets.models())
    for path, file in index["files"].items():
        assert (folder / "assets" / path).stat().st_size == file["bytes"]
    html = (folder / "index.html").read_text()
    for address in re.findall(r'(?:src|href)="([^"#:]+)"', html):
        assert (folder / address).exists(), address
    assert not re.findall(r'(?:src|href)="(?!data:)[a-z]+:', html.split("<section")[0])
    for script in (folder / "scripts").rglob("*.js"):
        for address in re.findall(r'from "(.+?)"', script.read_text()):
            assert (script.parent / address).exists(), (script, address)
    _, front, _ = (folder / "README.md").read_text().split("---\n", 2)
    card = yaml.safe_load(front)
    assert card["sdk"] == "static"
    assert card["app_file"] == "index.html"
    assert (card["license"], card["license_name"]) == ("other", "research-only")
    assert len(card["short_description"]) <= 60
    assert (folder / "LICENSE").exists()
    # The same folder can be written again, and another version of a file is another version.
    worker = (folder / "service_worker.js").read_text()
    assert main(["space", "--static", str(folder)]) == 0
    assert (folder / "service_worker.js").read_text() == worker


def test_without_runtimes_it_says_how_to_get_them(tmp_path: Path, monkeypatch, capsys) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    assert main(["space", "--static", str(tmp_path / "site")]) == 1
    assert "Run python -m kpdemo browser first." in capsys.readouterr().err
    assert not (tmp_path / "site").exists()


def test_other_files_are_left_alone(tmp_path: Path, capsys) -> None:
    (tmp_path / "mine.txt").write_text("mine")
    assert main(["space", "--static", str(tmp_path)]) == 1
    assert "has other files in it" in capsys.readouterr().err
    assert main(["space", "--static", str(tmp_path / "mine.txt")]) == 1
    assert "is a file" in capsys.readouterr().err
    assert main(["space", "--static", str(tmp_path / "none" / "site")]) == 1
    assert "There is no folder" in capsys.readouterr().err
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


def test_nothing_to_do_is_said(capsys) -> None:
    assert main(["space"]) == 1
    assert "--static DIR" in capsys.readouterr().err


def test_a_push_makes_a_static_space(local_hub: Hub, page: Path) -> None:
    commit, new = static_space.push(page, SPACE)
    assert new
    assert local_hub.head(KEPT) == commit
    assert local_hub.files(KEPT)["README.md"] == b"---\nsdk: static\n---\n"
    assert set(local_hub.files(KEPT)) == {".gitattributes", "README.md", "scripts/site/main.js"}
    assert static_space.push(page, SPACE) == (commit, False)


def test_an_app_is_not_replaced_by_a_page(local_hub: Hub, page: Path) -> None:
    local_hub.add(KEPT, {"README.md": b"# mine", "kpdemo/__init__.py": b""})
    before = local_hub.files(KEPT)
    with pytest.raises(space.HubError, match="another program in it"):
        static_space.push(page, SPACE)
    assert local_hub.files(KEPT) == before
