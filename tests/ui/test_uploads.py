import gc
import os
import shutil
import time
import weakref
from datetime import timedelta
from pathlib import Path

import gradio as gr
import pytest
from gradio_client import Client

from kpdemo.ui import session, uploads


def test_old_uploads_go_and_new_ones_stay(tmp_path: Path) -> None:
    old, new = tmp_path / "a" / "old.jpg", tmp_path / "b" / "new.jpg"
    for path in (old, new):
        path.parent.mkdir()
        path.write_bytes(b"face")
    long_ago = time.time() - 1000
    os.utime(old, (long_ago, long_ago))
    uploads.sweep(tmp_path, age=300)
    assert not old.exists()
    assert new.read_bytes() == b"face"


def test_a_folder_of_the_users_own_is_left_alone(monkeypatch, tmp_path: Path) -> None:
    monkeypatch.setenv("GRADIO_TEMP_DIR", str(tmp_path))
    assert uploads.claim() is None
    assert os.environ["GRADIO_TEMP_DIR"] == str(tmp_path)


def test_else_uploads_have_a_folder_of_their_own(monkeypatch) -> None:
    # Set first, so that the test's end takes back what `claim` sets.
    monkeypatch.setenv("GRADIO_TEMP_DIR", "")
    del os.environ["GRADIO_TEMP_DIR"]
    folder = uploads.claim()
    assert folder and folder.is_dir()
    assert os.environ["GRADIO_TEMP_DIR"] == str(folder)
    shutil.rmtree(folder)


class Photo:
    """What a session keeps."""


@pytest.mark.filterwarnings("ignore::DeprecationWarning:gradio")
def test_a_session_is_forgotten_some_time_after_its_last_use(monkeypatch) -> None:
    monkeypatch.setattr(session, "EVERY", 0.1)
    kept: weakref.WeakSet[Photo] = weakref.WeakSet()

    def look() -> tuple[Photo, str]:
        photo = Photo()
        kept.add(photo)
        return photo, "a face"

    with gr.Blocks(analytics_enabled=False) as page:
        state, said = gr.State(), gr.Textbox()
        gr.Button().click(look, None, [state, said], api_name="look")
        gr.Button().click(lambda photo: str(bool(photo)), state, said, api_name="there")
    _, url, _ = page.launch(
        app_kwargs={"lifespan": session.keep}, prevent_thread_lock=True, quiet=True
    )
    sessions = page.state_holder
    end = time.monotonic() + 120

    def grow_old(client: Client) -> None:
        sessions.time_last_used[client.session_hash] -= timedelta(seconds=session.SECONDS_KEPT)

    try:
        idle, busy = (Client(url, verbose=False, analytics_enabled=False) for _ in range(2))
        for client in (idle, busy):
            client.predict(api_name="/look")
        # Nothing is in the way of deep links, which the page has not.
        assert not any(own.config_values for own in sessions.session_data.values())
        grow_old(idle)
        while len(sessions.session_data) > 1 and time.monotonic() < end:
            time.sleep(0.1)
        assert busy.predict(api_name="/there") == "True"
        assert idle.predict(api_name="/there") == "False"
        for client in (idle, busy):
            grow_old(client)
        while sessions.session_data and time.monotonic() < end:
            time.sleep(0.1)
        gc.collect()
        assert not kept and not sessions.session_data and not sessions.time_last_used
    finally:
        page.close()
