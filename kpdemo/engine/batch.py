"""Many photos in a pipeline, each with the same result as from `Engine.compare`.

Photo by photo, one core idles while MediaPipe works, and each net gets one face at a time. Here
threads detect faces in some photos while the nets predict on others, with the faces of many photos
in one batch. The stages are those of a single photo.
"""

import logging
import os
import time
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from itertools import islice

import torch

from kpdemo.engine import stages
from kpdemo.engine.engine import Engine
from kpdemo.engine.stages import Look
from kpdemo.media import images
from kpdemo.media.images import ImageError
from kpdemo.models.predict import FACES
from kpdemo.structures import Comparison

# Photos prepared ahead of the nets, and batches in the nets at a time.
_AHEAD, _BATCHES = 16, 2

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class BatchResult:
    """The comparison of one photo of many; without one, `error` says in a sentence why."""

    comparison: Comparison | None
    error: str = ""


class Predictors:
    """The chosen models, loaded, by name in `by_name`; `unavailable` says why the others are not.

    Raises ValueError for an unknown model, and where none of the models can be used.
    """

    def __init__(self, engine: Engine, models: Iterable[str] | str | None) -> None:
        self.by_name, self.unavailable = engine.load(models)
        if not self.by_name:
            raise ValueError(" ".join(self.unavailable.values()) or "Name at least one model.")

    @property
    def names(self) -> list[str]:
        """The loaded models, in the requested order."""
        return list(self.by_name)


def compare_many(
    engine: Engine,
    photos: Iterable[images.Source] | str | os.PathLike[str],
    predictors: Predictors,
) -> Iterator[BatchResult]:
    """The result for each photo, in order.

    A photo is anything that `images.load` takes; a single path is one photo.

    Times are a photo's own for decoding, finding and MediaPipe, and its share of the batch for
    the nets. While this runs, torch computes each batch on one core, and several batches at once.
    """
    if isinstance(photos, str | os.PathLike):
        photos = [photos]
    cores = torch.get_num_threads()
    # New threads inherit this setting. Batches side by side use the cores better than one batch on
    # all of them: none waits for another one or for MediaPipe's core.
    torch.set_num_threads(1)
    # One more than there are cores: while MediaPipe's own threads work, their callers wait.
    pool = ThreadPoolExecutor(cores + 1, "kpdemo")
    try:
        yield from _in_order(pool, engine, iter(photos), predictors)
    finally:
        pool.shutdown(cancel_futures=True)
        torch.set_num_threads(cores)


def _in_order(
    pool: ThreadPoolExecutor,
    engine: Engine,
    photos: Iterator[images.Source],
    predictors: Predictors,
) -> Iterator[BatchResult]:
    looks: deque[Future[Look]] = deque()
    batches: deque[_Batch] = deque()
    batch = _Batch()
    while True:
        for photo in islice(photos, _AHEAD - len(looks)):
            looks.append(pool.submit(_look, engine, photo, predictors))
        if not looks:
            break
        batch.add(looks.popleft())
        if batch.full:
            batch.start(pool, predictors)
            batches.append(batch)
            batch = _Batch()
        if len(batches) >= _BATCHES:
            yield from batches.popleft().results(predictors)
    batch.start(pool, predictors)
    for last in (*batches, batch):
        yield from last.results(predictors)


class _Batch:
    """Photos in a row whose faces go through the nets together."""

    def __init__(self) -> None:
        self._looks: list[Look] = []
        # One for each photo: empty for those that have a look.
        self._errors: list[str] = []
        self._running: list[Future[None]] = []

    @property
    def full(self) -> bool:
        # Photos without faces count too, so that they do not pile up.
        faces = sum(len(look.faces) for look in self._looks)
        return faces >= FACES or len(self._errors) >= 4 * FACES

    def add(self, look: Future[Look]) -> None:
        """Wait for a photo's look, and take it, or the reason why there is none."""
        try:
            self._looks.append(look.result())
            self._errors.append("")
        except ImageError as error:
            self._errors.append(str(error))

    def start(self, pool: ThreadPoolExecutor, predictors: Predictors) -> None:
        """Let each model predict on all faces of these photos."""
        self._running = [
            pool.submit(stages.predict, predictor, self._looks)
            for predictor in predictors.by_name.values()
        ]

    def results(self, predictors: Predictors) -> Iterator[BatchResult]:
        for running in self._running:
            running.result()
        looks = iter(self._looks)
        for error in self._errors:
            if error:
                yield BatchResult(None, error)
                continue
            look = next(looks)
            look.timings["total"] = sum(look.timings.values())
            yield BatchResult(stages.assemble(look, predictors.names, predictors.unavailable))


def _look(engine: Engine, source: images.Source, predictors: Predictors) -> Look:
    """The work photo by photo: decode it, detect its faces, prepare them; or ImageError."""
    started = time.perf_counter()
    photo = images.load(source)
    loading = 1000 * (time.perf_counter() - started)
    try:
        look = stages.look(photo, engine.detector.find, predictors.by_name)
    except Exception as error:
        log.exception("finding faces failed")
        raise ImageError(f"Finding faces failed on this photo ({error}).") from error
    look.timings = {"load": loading, **look.timings}
    return look
