"""Many photos in a pipeline: threads prepare some while the nets predict on others.

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

# Photos in progress at a time.
_AHEAD = 32
# Faces a batch: on one core the nets take 76 ms for a face alone, 34 ms for one in a batch of four,
# 31 ms for one in a batch of six or eight.
_FACES = 6

_LOCK = Lock()
_running: list[int] = []  # the cores of each pipeline that runs


def run(
    work: Iterable[Callable[[], PreparedPhoto]], predictors: Mapping[str, Predictor]
) -> Iterator[PreparedPhoto | BaseException]:
    """Call each of `work`, and let the predictors predict on the prepared photos.

    Yields in order, for each, the photo with its predictions, or the error that was raised.
    """
    with open_pipeline() as pipeline:
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
def open_pipeline() -> "Iterator[Pipeline]":
    """A pipeline for this block; work that has not begun at its end is cancelled.

    Meanwhile torch computes each batch on one core, and several batches at once.
    """
    with _single_threaded_torch() as cores:
        # One more than cores: callers of MediaPipe wait for its own threads.
        pipeline = Pipeline(cores + 1)
        try:
            yield pipeline
        finally:
            pipeline.close()


@contextmanager
def _single_threaded_torch() -> Iterator[int]:
    """Let torch use one core in new threads; yields the number of cores that it used before.

    Several batches on one core each are faster than one batch on all cores: none waits for another,
    nor for the core that MediaPipe uses.
    """
    with _LOCK:
        # Not torch's number, which another running pipeline has set to 1.
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
    """How to prepare a photo, and for which models."""

    work: Callable[[], PreparedPhoto]
    predictors: Mapping[str, Predictor]
    result: Future[PreparedPhoto] = field(default_factory=Future)


class _Batch:
    """Photos whose faces go through the nets together."""

    def __init__(self) -> None:
        self.photos: list[tuple[_Photo, PreparedPhoto]] = []
        self.predicting = 0  # models that have not finished yet

    @property
    def full(self) -> bool:
        return sum(len(prepared.faces) for _, prepared in self.photos) >= _FACES

    def by_predictor(self) -> dict[Predictor, list[PreparedPhoto]]:
        """The photos for each model; not by name, which two models may share."""
        photos: dict[Predictor, list[PreparedPhoto]] = {}
        for photo, prepared in self.photos:
            for predictor in photo.predictors.values():
                photos.setdefault(predictor, []).append(prepared)
        return photos


class Pipeline:
    """Threads that prepare photos and let the nets predict on their faces in batches.

    A batch begins when it is full, when a thread would have nothing else to do, or when few photos
    wait and no other batch is in the nets.
    """

    def __init__(self, threads: int) -> None:
        self._threads = threads
        self._pool = ThreadPoolExecutor(threads, "kpdemo")
        self._lock = threading.Lock()
        self._waiting: deque[_Photo] = deque()
        self._preparing = 0  # threads
        self._batch = _Batch()  # the next one
        self._batches = 0  # in the nets

    def submit(
        self, work: Callable[[], PreparedPhoto], predictors: Mapping[str, Predictor]
    ) -> Future[PreparedPhoto]:
        """The photo that `work` prepares, later, with the predictions of these models."""
        photo = _Photo(work, predictors)
        with self._lock:
            self._waiting.append(photo)
            self._advance()
        return photo.result

    def close(self) -> None:
        """Wait for work in progress, and drop the rest."""
        with self._lock:
            self._waiting.clear()
        self._pool.shutdown(cancel_futures=True)

    def _advance(self) -> None:
        """Start work: full batches first, then further photos, then incomplete batches.

        Where few photos wait, incomplete batches come before them: their callers want a short wait,
        not a high rate.
        """
        if self._batch.full or (len(self._waiting) <= _FACES and self._can_start_incomplete):
            self._start_batch()
        while self._waiting and self._preparing < self._threads:
            self._preparing += 1
            self._pool.submit(self._prepare, self._waiting.popleft())
        if self._preparing < self._threads and self._can_start_incomplete:
            self._start_batch()

    @property
    def _can_start_incomplete(self) -> bool:
        return bool(self._batch.photos) and not self._batches

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
        by_predictor = batch.by_predictor()
        batch.predicting = len(by_predictor)
        self._batches += 1
        for predictor, photos in by_predictor.items():
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
