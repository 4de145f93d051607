import os
import shutil
import time
from pathlib import Path

from kpdemo.ui import cache


def test_old_uploads_go_and_new_ones_stay(tmp_path: Path) -> None:
    old, new = tmp_path / "a" / "old.jpg", tmp_path / "b" / "new.jpg"
    for path in (old, new):
        path.parent.mkdir()
        path.write_bytes(b"face")
    long_ago = time.time() - 1000
    os.utime(old, (long_ago, long_ago))
    cache.sweep(tmp_path, age=300)
    assert not old.exists()
    assert new.read_bytes() == b"face"


def test_a_folder_of_the_users_own_is_left_alone(monkeypatch, tmp_path: Path) -> None:
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))
    assert cache.claim() is None
    assert os.environ["GRADIO_TEMP_DIR"] == str(tmp_path)


def test_else_uploads_have_a_folder_of_their_own(monkeypatch) -> None:
    # Set first, so that the test's end takes back what `claim` sets.
    monkeypatch.setenv("GRADIO_TEMP_DIR", "")
    del os.environ["GRADIO_TEMP_DIR"]
    folder = cache.claim()
    assert folder and folder.is_dir()
    assert os.environ["GRADIO_TEMP_DIR"] == str(folder)
    shutil.rmtree(folder)
