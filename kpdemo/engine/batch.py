"""Comparisons of many photos in a pipeline, with the results of `Engine.compare`."""

import logging
import os
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import partial

from kpdemo.engine import pipeline, stages
from kpdemo.engine.engine import Engine
from kpdemo.engine.stages import PreparedPhoto
from kpdemo.media import images
from kpdemo.media.images import ImageError
from kpdemo.structures import Comparison

log = logging.getLogger(__name__)


@dataclass(frozen=True)
class BatchResult:
    """The comparison of one of many photos, or None and an `error` of one sentence."""

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

    Timings are a photo's own for decoding, detection and MediaPipe, and its share of the batch for
    the nets. Meanwhile torch computes each batch on one core, and several batches at once.
    """
    if isinstance(photos, str | os.PathLike):
        photos = [photos]
    work = (partial(prepare, engine, photo, predictors) for photo in photos)
    for result in pipeline.run(work, predictors.by_name):
        if isinstance(result, PreparedPhoto):
            result.timings["total"] = sum(result.timings.values())
            yield BatchResult(stages.assemble(result, predictors.names, predictors.unavailable))
        elif isinstance(result, ImageError):
            yield BatchResult(None, str(result))
        else:
            raise result


def prepare(engine: Engine, source: images.Source, predictors: Predictors) -> PreparedPhoto:
    """Decode a photo, detect its faces and prepare them; raises ImageError."""
    started = time.perf_counter()
    photo = images.load(source)
    loading = 1000 * (time.perf_counter() - started)
    try:
        result = stages.prepare(photo, engine.detector.find, predictors.by_name)
    except Exception as error:
        log.exception("finding faces failed")
        raise ImageError(f"Finding faces failed on this photo ({error}).") from error
    result.timings = {"load": loading, **result.timings}
    return result
