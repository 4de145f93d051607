"""Fork safety: locks and worker threads in a forked process.

Only the forking thread exists in the child. Waiting for locks that other threads held, or for
OpenMP's and OpenCV's workers, would never end.
"""

import os
import threading
from itertools import count
from weakref import WeakValueDictionary

import cv2
import torch

# Seconds that a fork waits for a lock; the child renews those that stay locked.
_PATIENCE = 30.0

_numbers = count()
_locks: "WeakValueDictionary[int, Lock]" = WeakValueDictionary()
_fork = threading.local()


class Lock:
    """A reentrant lock that is free in a forked process, whoever held it in the parent.

    A fork waits until it is free, so that what it guards is at rest in the child. Locks are taken
    in the order in which they were made: make those first that are held while others are taken.
    """

    def __init__(self) -> None:
        self._lock = threading.RLock()
        _locks[next(_numbers)] = self

    def __enter__(self) -> None:
        self._lock.acquire()

    def __exit__(self, *exception: object) -> None:
        self._lock.release()

    def acquire(self, timeout: float) -> bool:
        """Whether the lock was acquired within `timeout` seconds."""
        return self._lock.acquire(timeout=timeout)

    def renew(self) -> None:
        """Free the lock, whoever holds it."""
        self._lock = threading.RLock()


def _before() -> None:
    locks = [lock for _, lock in sorted(_locks.items())]
    _fork.held = {lock: lock.acquire(_PATIENCE) for lock in locks}


def _in_parent() -> None:
    for lock, held in _fork.held.items():
        if held:
            lock.__exit__()
    del _fork.held


def _in_child() -> None:
    for lock, held in _fork.held.items():
        if held:
            lock.__exit__()
        else:
            lock.renew()
    del _fork.held
    torch.set_num_threads(1)
    # Not 1, which would wait for the parent's workers to end.
    cv2.setNumThreads(0)


if hasattr(os, "register_at_fork"):  # Windows has no fork
    os.register_at_fork(before=_before, after_in_parent=_in_parent, after_in_child=_in_child)
