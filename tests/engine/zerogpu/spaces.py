"""Stands in for Hugging Face's package `spaces` on a ZeroGPU Space, whose GPUs are not here.

Like the real one, it forks a process for a decorated function, which gets its arguments and gives
its result through a pipe, and runs on a thread of that process. Unlike it, this one raises where
MediaPipe, whose tasks hang after a fork, is called there.
"""

import multiprocessing
import os
import pickle
import sys
import threading
from collections.abc import Callable
from functools import wraps
from multiprocessing.connection import Connection
from types import FrameType
from typing import Any

assert "torch" not in sys.modules, "spaces must be imported before torch"

REFUSE = "KPDEMO_TEST_NO_GPU"  # where this is set, no GPU is to be had
SECONDS = 240.0

calls: list[float] = []  # for how many seconds each call asked


def GPU(duration: Callable[..., float]) -> Callable[[Callable], Callable]:
    def decorate(task: Callable) -> Callable:
        @wraps(task)
        def forking(*arguments: Any) -> Any:
            calls.append(duration(*arguments))
            if REFUSE in os.environ:
                raise RuntimeError("You have exceeded your GPU quota")
            here, there = multiprocessing.Pipe()
            worker = multiprocessing.get_context("fork").Process(target=_work, args=(task, there))
            worker.start()
            here.send_bytes(pickle.dumps(arguments))
            assert here.poll(SECONDS), "the forked process hangs"
            result = here.recv()
            worker.join()
            if isinstance(result, Exception):
                raise result
            return result

        return forking

    return decorate


def _work(task: Callable, pipe: Connection) -> None:
    arguments = pickle.loads(pipe.recv_bytes())

    def run() -> None:
        sys.setprofile(_no_mediapipe)
        try:
            result = task(*arguments)
        except Exception as error:
            result = RuntimeError(str(error))
        sys.setprofile(None)
        pipe.send(result)

    thread = threading.Thread(target=run)
    thread.start()
    thread.join()


def _no_mediapipe(frame: FrameType, event: str, argument: object) -> None:
    if event == "call" and f"{os.sep}mediapipe{os.sep}" in frame.f_code.co_filename:
        raise RuntimeError("MediaPipe ran in the forked process")
