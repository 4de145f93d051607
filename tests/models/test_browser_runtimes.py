"""`python -m kpdemo browser`: the runtimes of the engine in the browser, in the user's cache."""

import hashlib
import shutil
import subprocess
from pathlib import Path

import pytest

from kpdemo.cli.main import main
from kpdemo.models import browser_runtimes
from kpdemo.models.browser_runtimes import FILES


@pytest.fixture
def empty_cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    cache = tmp_path / "cache"
    monkeypatch.setenv("XDG_CACHE_HOME", str(cache))
    return cache


@pytest.fixture
def loose(runtimes_cache: Path, tmp_path: Path) -> Path:
    """The files as someone may have them: in whatever folders."""
    folder = tmp_path / "mine"
    for file in FILES:
        target = folder / "node_modules" / file.path
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(next(runtimes_cache.rglob(file.name)), target)
    return folder


def kept(cache: Path) -> list[Path]:
    return [path for path in cache.rglob("*") if path.is_file()]


def test_npm_delivers_the_pinned_files(with_runtimes: Path, capsys) -> None:
    for file in FILES:
        content = (with_runtimes / file.path).read_bytes()
        assert len(content) == file.bytes
        assert hashlib.sha256(content).hexdigest() == file.sha256
    assert browser_runtimes.available()
    assert main(["browser"]) == 0
    assert capsys.readouterr().out == (
        "onnxruntime-web@1.30.0 and @mediapipe/tasks-vision@0.10.35: 52.8 MB, "
        f"in {with_runtimes}.\n"
    )


def test_a_folder_that_has_the_files_will_do(loose: Path, empty_cache: Path, capsys) -> None:
    assert main(["browser", "--from", str(loose)]) == 0
    assert "52.8 MB" in capsys.readouterr().out
    assert len(kept(empty_cache)) == len(FILES)
    assert browser_runtimes.available()


def test_npms_archives_will_do(runtimes_cache: Path, tmp_path: Path, empty_cache: Path) -> None:
    command = ["npm", "pack", *browser_runtimes.PACKAGES, "--silent"]
    subprocess.run(command, cwd=tmp_path, check=True, capture_output=True)
    assert main(["browser", "--from", str(tmp_path)]) == 0
    assert browser_runtimes.available()


@pytest.mark.parametrize("fault", ["another", "half", "none"])
def test_a_wrong_file_is_refused_and_nothing_kept(
    loose: Path, empty_cache: Path, capsys, fault: str
) -> None:
    name = "ort-wasm-simd-threaded.wasm"
    path = next(loose.rglob(name))
    content = path.read_bytes()
    path.unlink()
    if fault != "none":
        half = content[: len(content) // 2]
        path.write_bytes(content[:-1] + b"?" if fault == "another" else half)
    assert main(["browser", "--from", str(loose)]) == 1
    (sentence,) = capsys.readouterr().err.splitlines()
    assert name in sentence
    assert sentence.endswith("nothing was kept.")
    assert ("lacks" if fault == "none" else "sha256 differs") in sentence
    assert not kept(empty_cache)


def test_damage_in_the_cache_is_noticed_and_mended(loose: Path, empty_cache: Path, capsys) -> None:
    browser_runtimes.fetch(loose)
    name = "vision_bundle.mjs"
    damaged = next(empty_cache.rglob(name))
    damaged.write_bytes(damaged.read_bytes()[:-1] + b"?")
    assert [file.name for file in browser_runtimes.missing()] == [name]
    assert not browser_runtimes.available()
    assert name in browser_runtimes.report()
    assert main(["browser", "--from", str(loose)]) == 0
    assert browser_runtimes.available()
    assert len(kept(empty_cache)) == len(FILES)


def test_without_npm_it_says_what_to_do(empty_cache: Path, monkeypatch, tmp_path, capsys) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    assert main(["browser"]) == 1
    assert "install Node.js, or name a folder" in capsys.readouterr().err
    assert not kept(empty_cache)


def test_npm_that_fails_is_quoted(empty_cache: Path, monkeypatch, tmp_path, capsys) -> None:
    npm = tmp_path / "npm"
    npm.write_text("#!/bin/sh\necho 'npm error code ENOTFOUND' >&2\nexit 1\n")
    npm.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert main(["browser"]) == 1
    assert "npm error code ENOTFOUND" in capsys.readouterr().err
    assert not kept(empty_cache)


def test_no_folder_is_named(empty_cache: Path, tmp_path: Path, capsys) -> None:
    assert main(["browser", "--from", str(tmp_path / "none")]) == 1
    assert "is not a folder" in capsys.readouterr().err
