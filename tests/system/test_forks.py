"""Processes that were forked, spawned, or forked while a thread computes."""

import os
import subprocess
import sys
import textwrap
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SECONDS = 240

PROGRAM = """
import multiprocessing, os, sys, threading
from concurrent.futures import ProcessPoolExecutor

import kpdemo
from kpdemo.engine.engine import Engine

PHOTO = sys.argv[1]


def compare(_=0):
    done = kpdemo.compare(PHOTO, ["unet", "mediapipe"])
    return [sorted(face.predictions) for face in done.faces], done.unavailable


RIGHT = ([["mediapipe", "unet"]], {})
if __name__ == "__main__":
    assert compare() == RIGHT
"""
BODIES = {
    "forked workers": """
        from torch.utils.data import DataLoader
        context = multiprocessing.get_context("fork")
        with context.Pool(2) as pool:
            assert pool.map(compare, range(3)) == [RIGHT] * 3
        with ProcessPoolExecutor(1, context) as pool:
            assert list(pool.map(compare, range(2))) == [RIGHT] * 2
        class Photos:
            def __len__(self): return 2
            def __getitem__(self, k): return len(compare()[0])
        assert [int(n) for n in DataLoader(Photos(), num_workers=1)] == [1, 1]
    """,
    "what the parent held, and a plain end": """
        from kpdemo.media import images
        from kpdemo.faces.mediapipe_task import VisionTask, detector_bytes
        engine = Engine()
        photo = images.load(PHOTO)
        task = VisionTask("FaceDetector", detector_bytes(), min_detection_confidence=0.3)
        assert task.detect(photo.pixels).detections
        def child_ends(work):
            child = os.fork()
            if child == 0:
                work()
                sys.exit(7)
            return os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]) == 7
        def work():
            assert len(engine.compare(PHOTO).faces[0].predictions) == 5
            assert task.detect(photo.pixels).detections
            engine.close()
        assert child_ends(work)
        assert child_ends(engine.close)
        assert child_ends(lambda: None)
        assert len(engine.compare(PHOTO).faces[0].predictions) == 5
    """,
    "in the midst of other threads' calls": """
        done = threading.Event()
        def busy():
            while not done.is_set(): compare()
        threads = [threading.Thread(target=busy) for _ in range(2)]
        for thread in threads: thread.start()
        for _ in range(3):
            with multiprocessing.get_context("fork").Pool(1) as pool:
                assert pool.map(compare, range(1)) == [RIGHT]
        done.set()
        for thread in threads: thread.join()
    """,
    "spawn and forkserver": """
        for start in ("spawn", "forkserver"):
            with multiprocessing.get_context(start).Pool(1) as pool:
                assert pool.map(compare, range(1)) == [RIGHT]
    """,
}


@pytest.mark.parametrize("body", BODIES.values(), ids=BODIES)
def test_other_processes_answer_and_end(tmp_path: Path, hopper_path: Path, body: str) -> None:
    program = tmp_path / "program.py"
    program.write_text(PROGRAM + textwrap.indent(textwrap.dedent(body), "    "))
    done = subprocess.run(
        [sys.executable, program, hopper_path],
        cwd=ROOT,
        env=os.environ | {"PYTHONPATH": str(ROOT)},
        capture_output=True,
        text=True,
        timeout=SECONDS,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    for noise in ("Traceback", "Exception ignored", "Error"):
        assert noise not in done.stderr
