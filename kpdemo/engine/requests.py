"""Comparisons of several callers: those that wait at the same moment are computed together."""

import os
import time
from collections import defaultdict, deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import numpy as np

from kpdemo.engine import pipeline, stages
from kpdemo.engine.stages import Look
from kpdemo.media import images
from kpdemo.media.images import Photo
from kpdemo.models.base import Predictor
from kpdemo.structures import Face
from kpdemo.system.forks import Lock

# Photos that are computed together: the more, the higher the rate, and the longer others wait.
TOGETHER = 8


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
    waited: float = 0.0  # milliseconds until its turn
    alone: bool = True
    _result: Look | BaseException | None = None
    _started: float = field(default_factory=time.perf_counter)

    @property
    def done(self) -> bool:
        """Whether there is a result, or an error."""
        return self._result is not None

    def look(self) -> Look:
        """What is done with the photo before the nets; raises ImageError if it cannot be used."""
        started = time.perf_counter()
        photo = images.load(self.source)
        loading = 1000 * (time.perf_counter() - started)
        if self.decoded is not None:
            self.decoded(photo)
        look = stages.look(photo, self.find, self.predictors)
        look.timings = {"load": loading, "wait": self.waited, **look.timings}
        return look

    def compute(self, predict_first: Callable[[Look], object] | None = None) -> Look:
        """The look with all answers, where no others are computed with it.

        `predict_first`, if given, gets the look before, and may put answers into it.
        """
        look = self.look()
        if predict_first is not None and look.prepared:
            predict_first(look)
        failed = {failure.model for failure in look.failures}
        for index, (name, predictor) in enumerate(self.predictors.items()):
            if self.progress is not None and look.faces:
                self.progress(name, index / len(self.predictors))
            if name not in look.answers and name not in failed:
                stages.predict(predictor, [look])
        return look

    def begin(self, alone: bool) -> None:
        """Note that the wait is over."""
        self.waited, self.alone = 1000 * (time.perf_counter() - self._started), alone

    def finish(self, result: Look | BaseException) -> None:
        """Note the result, or what went wrong."""
        self._result = result

    def result(self) -> Look:
        """The look with all answers; raises what went wrong."""
        if isinstance(self._result, BaseException):
            raise self._result
        assert self._result is not None
        return self._result


class Requests:
    """The requests of all threads, in the order in which they came.

    Whoever gets the `turn` computes what waits by then, at most `TOGETHER` photos: one photo as
    fast as it can be, several in a pipeline.
    """

    def __init__(self, turn: Lock) -> None:
        self._turn = turn
        # By process: a forked one leaves the requests of its parent alone.
        self._waiting: defaultdict[int, deque[Request]] = defaultdict(deque)
        self._joining = Lock()
        self._in_work = 0

    def compute(self, request: Request) -> Look:
        """The result of a request, computed here or by another thread; raises its error."""
        waiting = self._waiting[os.getpid()]
        with self._joining:
            before = len(waiting) + self._in_work
            waiting.append(request)
        if before and request.line is not None:
            request.line(before)
        while not request.done:
            with self._turn:
                if not request.done:
                    requests = _first(waiting)
                    self._in_work = len(requests)
                    _compute(requests)
                    self._in_work = 0
        return request.result()


def _first(waiting: deque[Request]) -> list[Request]:
    """Take the requests that are computed next.

    Models of visitors' own may have the same name; such requests are not computed together.
    """
    requests: list[Request] = []
    predictors: dict[str, Predictor] = {}
    while waiting and len(requests) < TOGETHER:
        own = waiting[0].predictors
        if any(predictors.get(name, predictor) is not predictor for name, predictor in own.items()):
            break
        predictors |= own
        requests.append(waiting.popleft())
    return requests


def _compute(requests: list[Request]) -> None:
    for request in requests:
        request.begin(alone=len(requests) == 1)
    try:
        if len(requests) == 1:
            requests[0].finish(requests[0].compute())
        else:
            _together(requests)
    except BaseException as error:
        # Nobody may wait for ever, whatever happens to the thread that computes for all.
        for request in requests:
            if not request.done:
                request.finish(error)
        if not isinstance(error, Exception):
            raise


def _together(requests: list[Request]) -> None:
    predictors = {
        name: predictor for request in requests for name, predictor in request.predictors.items()
    }
    results = pipeline.run([request.look for request in requests], predictors)
    for request, result in zip(requests, results, strict=True):
        request.finish(result)
