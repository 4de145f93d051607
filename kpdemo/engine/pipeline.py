"""Many photos in a pipeline: threads look at some while the nets predict on others.

Photo by photo, one core idles while MediaPipe works, and each net gets one face at a time. Here the
faces of several photos go through the nets in one batch. The stages are those of a single photo.
"""

import threading
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field

import torch

from kpdemo.engine import stages
from kpdemo.engine.stages import PreparedPhoto
from kpdemo.models.predictor import Predictor
from kpdemo.system.forks import Lock

# Photos in work at a time where more are at hand.
_AHEAD = 32
# Faces that are a batch: on one core a face takes the nets 76 ms by itself, 34 ms in a batch of
# four, 31 ms in one of six or eight.
_FACES = 6

_LOCK = Lock()
_running: list[int] = []  # the cores of each pipeline that runs


def run(
    work: Iterable[Callable[[], PreparedPhoto]], predictors: Mapping[str, Predictor]
) -> Iterator[PreparedPhoto | BaseException]:
    """Call each of `looks`, and let the predictors answer on what they have prepared.

    In order, what comes back for each is its look with the answers, or the error that it raised.
    """
    with opened() as pipeline:
        results: deque[Future[PreparedPhoto]] = deque()
        for prepare in work:
            results.append(pipeline.submit(prepare, predictors))
            if len(results) >= _AHEAD:
                yield _outcome(results.popleft())
        while results:
            yield _outcome(results.popleft())


def _outcome(result: Future[PreparedPhoto]) -> PreparedPhoto | BaseException:
    return result.exception() or result.result()


@contextmanager
def opened() -> "Iterator[Pipeline]":
    """A pipeline for this block; what has not begun at its end is cancelled.

    Meanwhile torch computes each batch on one core, and several batches at once.
    """
    with _single_threaded_torch() as cores:
        # One more than there are cores: while MediaPipe's own threads work, their callers wait.
        pipeline = Pipeline(cores + 1)
        try:
            yield pipeline
        finally:
            pipeline.close()


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


@dataclass(eq=False)
class _Photo:
    """What has to be done with a photo, and for which models."""

    work: Callable[[], PreparedPhoto]
    predictors: Mapping[str, Predictor]
    result: Future[PreparedPhoto] = field(default_factory=Future)


class _Batch:
    """Photos whose faces go through the nets together."""

    def __init__(self) -> None:
        self.photos: list[tuple[_Photo, PreparedPhoto]] = []
        self.predicting = 0  # models that have not answered yet

    @property
    def full(self) -> bool:
        return sum(len(prepared.faces) for _, prepared in self.photos) >= _FACES

    def by_predictor(self) -> dict[Predictor, list[PreparedPhoto]]:
        """The photos that each model is chosen for; two models may have the same name."""
        chosen: dict[Predictor, list[PreparedPhoto]] = {}
        for photo, prepared in self.photos:
            for predictor in photo.predictors.values():
                chosen.setdefault(predictor, []).append(prepared)
        return chosen


class Pipeline:
    """Threads that look at photos and let the nets predict on their faces in batches.

    A batch begins when it is full, or when a thread would have nothing else to do.
    """

    def __init__(self, threads: int) -> None:
        self._threads = threads
        self._pool = ThreadPoolExecutor(threads, "kpdemo")
        self._lock = threading.Lock()
        self._coming: deque[_Photo] = deque()
        self._preparing = 0  # threads
        self._batch = _Batch()  # the next one
        self._batches = 0  # in the nets

    def submit(
        self, work: Callable[[], PreparedPhoto], predictors: Mapping[str, Predictor]
    ) -> Future[PreparedPhoto]:
        """What `work` makes of a photo, later, with the answers of these models."""
        photo = _Photo(work, predictors)
        with self._lock:
            self._coming.append(photo)
            self._advance()
        return photo.result

    def close(self) -> None:
        """Wait for what has begun, and forget the rest."""
        with self._lock:
            self._coming.clear()
        self._pool.shutdown(cancel_futures=True)

    def _advance(self) -> None:
        """Begin what can begin: full batches before further photos, and others last."""
        if self._batch.full:
            self._start_batch()
        while self._coming and self._preparing < self._threads:
            self._preparing += 1
            self._pool.submit(self._prepare, self._coming.popleft())
        if self._batch.photos and not self._batches and self._preparing < self._threads:
            self._start_batch()

    def _prepare(self, photo: _Photo) -> None:
        try:
            prepared = photo.work()
        except BaseException as error:
            prepared = None
            photo.result.set_exception(error)
        if prepared is not None and not prepared.inputs:  # nothing for the nets
            photo.result.set_result(prepared)
        with self._lock:
            self._preparing -= 1
            if prepared is not None and prepared.inputs:
                self._batch.photos.append((photo, prepared))
            self._advance()

    def _start_batch(self) -> None:
        batch, self._batch = self._batch, _Batch()
        chosen = batch.by_predictor()
        batch.predicting = len(chosen)
        self._batches += 1
        for predictor, photos in chosen.items():
            self._pool.submit(self._predict, predictor, photos, batch)

    def _predict(self, predictor: Predictor, photos: list[PreparedPhoto], batch: _Batch) -> None:
        stages.predict(predictor, photos)
        with self._lock:
            batch.predicting -= 1
            if not batch.predicting:
                self._batches -= 1
                for photo, prepared in batch.photos:
                    photo.result.set_result(prepared)
                self._advance()
