"""Comparisons of several callers: requests that wait at the same moment share batches."""

import os
import time
from collections import defaultdict
from collections.abc import Callable, Mapping
from concurrent.futures import Future, ThreadPoolExecutor, wait
from contextvars import Context, copy_context
from dataclasses import dataclass, field
from queue import SimpleQueue

import numpy as np

from kpdemo.engine import pipeline, stages
from kpdemo.engine.pipeline import Pipeline
from kpdemo.engine.stages import PreparedPhoto
from kpdemo.media import images
from kpdemo.media.images import Photo
from kpdemo.models.predictor import Predictor
from kpdemo.structures import Face
from kpdemo.system.forks import Lock

# Photos in one pipeline run, before others who need the nets get their turn: a few seconds.
TOGETHER = 32
_PAUSE = 0.001  # seconds between two runs


@dataclass(eq=False)
class Request:
    """One caller's photo, its models, and how its faces are detected; then the result.

    The photo is read only when it is computed, so that few are in memory at a time. The callbacks
    are as in `Engine.compare`; `progress` is called only where the photo is computed alone.
    """

    source: images.Source
    find: Callable[[np.ndarray], list[Face]]
    predictors: Mapping[str, Predictor]
    progress: Callable[[str, float], object] | None = None
    on_decoded: Callable[[Photo], object] | None = None
    on_wait: Callable[[int], object] | None = None
    alone: bool = False
    result: Future[PreparedPhoto] = field(default_factory=Future)
    # Gradio finds the caller of `progress` by context variables.
    _context: Context = field(default_factory=copy_context)
    _created: float = field(default_factory=time.perf_counter)

    def prepare(self) -> PreparedPhoto:
        """The photo, ready for the nets; raises ImageError if it cannot be used."""
        started = time.perf_counter()
        photo = images.load(self.source)
        loading = 1000 * (time.perf_counter() - started)
        if self.on_decoded is not None:
            self.on_decoded(photo)
        prepared = stages.prepare(photo, self.find, self.predictors)
        waited = 1000 * (started - self._created)
        prepared.timings = {"load": loading, "wait": waited, **prepared.timings}
        return prepared

    def compute(
        self, predict_first: Callable[[PreparedPhoto], object] | None = None
    ) -> PreparedPhoto:
        """The photo with all predictions, computed alone.

        `predict_first`, if given, may add predictions before the models are run.
        """
        self.alone = True
        prepared = self.prepare()
        if predict_first is not None and prepared.inputs:
            predict_first(prepared)
        failed = {failure.model for failure in prepared.failures}
        for index, (name, predictor) in enumerate(self.predictors.items()):
            if self.progress is not None and prepared.faces:
                self._context.run(self.progress, name, index / len(self.predictors))
            if name not in prepared.predictions and name not in failed:
                stages.predict(predictor, [prepared])
        return prepared


# None marks that one of the requests in the pipeline has its result.
Queue = SimpleQueue[Request | None]


class _Worker:
    """The waiting requests of one process, and the thread that computes them."""

    def __init__(self) -> None:
        self.queue: Queue = SimpleQueue()
        # Always the same thread: torch keeps a pool for every thread that calls it.
        self.thread = ThreadPoolExecutor(1, "kpdemo-requests")
        self.length = 0  # requests without a result


class Requests:
    """The requests of all threads, first in, first out.

    A single photo is computed by itself, for the least latency, several in a pipeline, which others
    join while it runs. `turn` is held meanwhile.
    """

    def __init__(self, turn: Lock) -> None:
        self._turn = turn
        # By process id: a forked process leaves its parent's requests alone.
        self._workers: defaultdict[int, _Worker] = defaultdict(_Worker)
        self._lock = Lock()

    def compute(self, request: Request) -> PreparedPhoto:
        """The result of a request, which another thread computes; raises its error."""
        with self._lock:
            worker = self._workers[os.getpid()]
            ahead, worker.length = worker.length, worker.length + 1
            worker.queue.put(request)
        worker.thread.submit(self._work, worker)
        if ahead and request.on_wait is not None:
            request.on_wait(ahead)
        try:
            return request.result.result()
        finally:
            with self._lock:
                worker.length -= 1

    def _work(self, worker: _Worker) -> None:
        """Compute the waiting requests, unless they have joined earlier ones."""
        with self._turn:
            request = _next(worker.queue)
            if request is None:
                return
            if worker.queue.empty():
                _compute_alone(request)
            else:
                _compute_together(request, worker.queue)
        if not worker.queue.empty():
            # Lets another thread acquire the lock, which is not fair.
            time.sleep(_PAUSE)


def _next(queue: Queue) -> Request | None:
    """The next request, None if there is none now."""
    while not queue.empty():
        if request := queue.get():
            return request
    return None


def _compute_alone(request: Request) -> None:
    try:
        request.result.set_result(request.compute())
    except BaseException as error:
        request.result.set_exception(error)


def _compute_together(first: Request, queue: Queue) -> None:
    """Compute a request, and those that arrive until all have their results."""
    requests = [first]
    try:
        with pipeline.open_pipeline() as photos:
            _submit(photos, first, queue)
            running = 1
            while running and len(requests) < TOGETHER:
                request = queue.get()
                if request is None:
                    running -= 1
                else:
                    requests.append(request)
                    _submit(photos, request, queue)
                    running += 1
            wait(request.result for request in requests)
    except BaseException as error:
        # Else their callers would wait for ever.
        for request in requests:
            if not request.result.done():
                request.result.set_exception(error)


def _submit(photos: Pipeline, request: Request, queue: Queue) -> None:
    def finish(result: Future[PreparedPhoto]) -> None:
        if error := result.exception():
            request.result.set_exception(error)
        else:
            request.result.set_result(result.result())
        queue.put(None)

    photos.submit(request.prepare, request.predictors).add_done_callback(finish)
