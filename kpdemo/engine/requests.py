"""Comparisons of several callers: those that wait at the same moment are computed together."""

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

# Photos that are computed together before long work gets its turn: a few seconds on two cores.
TOGETHER = 32
_PAUSE = 0.001  # seconds between two runs


@dataclass(eq=False)
class Request:
    """One caller's photo, its models, and how its faces are detected; then the result.

    The photo is read when it is computed, so that few are in memory at a time; `decoded`, if given,
    gets it then. `progress` and `line` are as in `Engine.compare`; there is progress only where the
    photo is computed alone.
    """

    source: images.Source
    find: Callable[[np.ndarray], list[Face]]
    predictors: Mapping[str, Predictor]
    progress: Callable[[str, float], object] | None = None
    decoded: Callable[[Photo], object] | None = None
    line: Callable[[int], object] | None = None
    alone: bool = False
    result: Future[PreparedPhoto] = field(default_factory=Future)
    # Progress is shown to the caller, from whichever thread.
    _context: Context = field(default_factory=copy_context)
    _came: float = field(default_factory=time.perf_counter)

    def prepare(self) -> PreparedPhoto:
        """What is done with the photo before the nets; raises ImageError if it cannot be used."""
        started = time.perf_counter()
        photo = images.load(self.source)
        loading = 1000 * (time.perf_counter() - started)
        if self.decoded is not None:
            self.decoded(photo)
        prepared = stages.prepare(photo, self.find, self.predictors)
        waited = 1000 * (started - self._came)
        prepared.timings = {"load": loading, "wait": waited, **prepared.timings}
        return prepared

    def compute(
        self, predict_first: Callable[[PreparedPhoto], object] | None = None
    ) -> PreparedPhoto:
        """The look with all answers, where no others are computed with it.

        `predict_first`, if given, gets the look before, and may put answers into it.
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


# None among them says that one of those that are computed together has its result.
Coming = SimpleQueue[Request | None]


class _Line:
    """The requests of one process that wait, and the thread that computes them."""

    def __init__(self) -> None:
        self.coming: Coming = SimpleQueue()
        # Always the same thread: torch keeps workers for each one that calls it.
        self.thread = ThreadPoolExecutor(1, "kpdemo-requests")
        self.length = 0  # requests without a result


class Requests:
    """The requests of all threads, in the order in which they came.

    A photo by itself is computed as fast as it can be, several in a pipeline, which others join as
    long as it runs. `turn` is held meanwhile.
    """

    def __init__(self, turn: Lock) -> None:
        self._turn = turn
        # By process: a forked one leaves the requests of its parent alone.
        self._lines: defaultdict[int, _Line] = defaultdict(_Line)
        self._joining = Lock()

    def compute(self, request: Request) -> PreparedPhoto:
        """The result of a request, which another thread computes; raises its error."""
        with self._joining:
            line = self._lines[os.getpid()]
            before, line.length = line.length, line.length + 1
            line.coming.put(request)
        line.thread.submit(self._work, line)
        if before and request.line is not None:
            request.line(before)
        try:
            return request.result.result()
        finally:
            with self._joining:
                line.length -= 1

    def _work(self, line: _Line) -> None:
        """Compute the requests that wait, unless that was done with earlier ones."""
        with self._turn:
            request = _next(line.coming)
            if request is None:
                return
            if line.coming.empty():
                _alone(request)
            else:
                _together(request, line.coming)
        if not line.coming.empty():
            # A lock goes to whoever asks for it first, which would always be this thread.
            time.sleep(_PAUSE)


def _next(coming: Coming) -> Request | None:
    """The next request, None if there is none now."""
    while not coming.empty():
        if request := coming.get():
            return request
    return None


def _alone(request: Request) -> None:
    try:
        request.result.set_result(request.compute())
    except BaseException as error:
        request.result.set_exception(error)


def _together(first: Request, coming: Coming) -> None:
    """Compute a request, and those that come until all have their results."""
    requests = [first]
    try:
        with pipeline.opened() as photos:
            _submit(photos, first, coming)
            running = 1
            while running and len(requests) < TOGETHER:
                request = coming.get()
                if request is None:
                    running -= 1
                else:
                    requests.append(request)
                    _submit(photos, request, coming)
                    running += 1
            wait(request.result for request in requests)
    except BaseException as error:
        # Nobody may wait for ever.
        for request in requests:
            if not request.result.done():
                request.result.set_exception(error)


def _submit(photos: Pipeline, request: Request, coming: Coming) -> None:
    def finish(result: Future[PreparedPhoto]) -> None:
        if error := result.exception():
            request.result.set_exception(error)
        else:
            request.result.set_result(result.result())
        coming.put(None)

    photos.submit(request.prepare, request.predictors).add_done_callback(finish)
