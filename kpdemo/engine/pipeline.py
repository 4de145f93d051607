"""Many photos in a pipeline: threads look at some while the nets predict on others.

Photo by photo, one core idles while MediaPipe works, and each net gets one face at a time. Here the
faces of several photos go through the nets in one batch. The stages are those of a single photo.
"""

from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from itertools import islice

import torch

from kpdemo.engine import stages
from kpdemo.engine.stages import Look
from kpdemo.models.base import Predictor
from kpdemo.models.predict import FACES
from kpdemo.system.forks import Lock

# Photos prepared ahead of the nets, and batches in the nets at a time.
_AHEAD, _BATCHES = 16, 2

_LOCK = Lock()
_running: list[int] = []  # the cores of each pipeline that runs


def run(
    looks: Iterable[Callable[[], Look]], predictors: Mapping[str, Predictor]
) -> Iterator[Look | Exception]:
    """Call each of `looks`, and let the predictors answer on what they have prepared, in order.

    What comes back for each is its look with the answers, or the error that it raised. While this
    runs, torch computes each batch on one core, and several batches at once.
    """
    with _single_threaded_torch() as cores:
        # One more than there are cores: while MediaPipe's own threads work, their callers wait.
        pool = ThreadPoolExecutor(cores + 1, "kpdemo")
        try:
            yield from _in_order(pool, iter(looks), predictors)
        finally:
            pool.shutdown(cancel_futures=True)


@contextmanager
def _single_threaded_torch() -> Iterator[int]:
    """Let torch use one core in new threads; the number of cores that it used before.

    Batches side by side use the cores better than one batch on all of them: none waits for another
    one or for MediaPipe's core.
    """
    with _LOCK:
        # A pipeline that starts while another one runs would take that one's setting for its own.
        cores = _running[0] if _running else torch.get_num_threads()
        _running.append(cores)
        torch.set_num_threads(1)
    try:
        yield cores
    finally:
        with _LOCK:
            _running.pop()
            torch.set_num_threads(cores)


def _in_order(
    pool: ThreadPoolExecutor,
    photos: Iterator[Callable[[], Look]],
    predictors: Mapping[str, Predictor],
) -> Iterator[Look | Exception]:
    looks: deque[Future[Look]] = deque()
    batches: deque[_Batch] = deque()
    batch = _Batch()
    while True:
        for photo in islice(photos, _AHEAD - len(looks)):
            looks.append(pool.submit(photo))
        if not looks:
            break
        batch.add(looks.popleft())
        if batch.full:
            batch.start(pool, predictors)
            batches.append(batch)
            batch = _Batch()
        if len(batches) >= _BATCHES:
            yield from batches.popleft().results()
    batch.start(pool, predictors)
    for last in (*batches, batch):
        yield from last.results()


class _Batch:
    """Photos in a row whose faces go through the nets together."""

    def __init__(self) -> None:
        self._photos: list[Look | Exception] = []
        self._running: list[Future[None]] = []

    @property
    def _looks(self) -> list[Look]:
        return [photo for photo in self._photos if isinstance(photo, Look)]

    @property
    def full(self) -> bool:
        # Photos without faces count too, so that they do not pile up.
        faces = sum(len(look.faces) for look in self._looks)
        return faces >= FACES or len(self._photos) >= 4 * FACES

    def add(self, look: Future[Look]) -> None:
        """Wait for a photo's look, and take it, or the error in its place."""
        self._photos.append(look.exception() or look.result())  # type: ignore[arg-type]

    def start(self, pool: ThreadPoolExecutor, predictors: Mapping[str, Predictor]) -> None:
        """Let each model predict on all faces of these photos."""
        self._running = [
            pool.submit(stages.predict, predictor, self._looks) for predictor in predictors.values()
        ]

    def results(self) -> list[Look | Exception]:
        """The photos, once all models have answered."""
        for running in self._running:
            running.result()
        return self._photos
