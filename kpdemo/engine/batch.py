"""Many photos through the engine at once, each with the result that `Engine.compare` gives alone.

One call a photo leaves a core idle while MediaPipe works, and asks every net about one face at a
time. Here threads decode, find faces and cut some photos while others go through the nets, faces
of many photos in one batch.
"""

import logging
import os
import time
from collections import deque
from collections.abc import Iterable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, field, replace
from itertools import islice

import numpy as np
import torch

from kpdemo.engine.engine import Engine, answers_of, comparison
from kpdemo.faces.detector import MAX_FACES
from kpdemo.media import images
from kpdemo.media.images import ImageError, Photo
from kpdemo.models.face_crops import Cuts, by_channels, cut
from kpdemo.models.model import CheckpointError, Model
from kpdemo.models.predict import Prediction, predict
from kpdemo.structures import Answer, Comparison, Face
from kpdemo.zoo import BASELINE

# Faces that a net sees at once.
FACES = 8
# Photos that are looked at ahead of the nets, and batches that the nets have at a time.
_AHEAD, _BATCHES = 16, 2

log = logging.getLogger(__name__)


@dataclass(eq=False)
class _Seen:
    """A photo after all that needs its pixels: `photo` maps coordinates, and holds none."""

    photo: Photo
    faces: list[Face]
    answers: list[dict[str, Answer | None]]
    timings: dict[str, float]
    unavailable: dict[str, str]
    faces_left_out: int
    cuts: dict[str, Cuts] = field(default_factory=dict)


class Nets:
    """The chosen models, loaded: `nets` by name, `baseline` if asked for, `unavailable` with why.

    `names` are those that will answer, in the order that was asked for.
    """

    def __init__(self, engine: Engine, models: Iterable[str] | str | None) -> None:
        """Raises ValueError for an unknown model, and where no model is left without a damage."""
        chosen, self.unavailable = engine.choose(models)
        self.nets: dict[str, Model] = {}
        self.names: list[str] = []
        for name in chosen:
            try:
                if name != BASELINE:
                    self.nets[name] = engine.model(name)
                self.names.append(name)
            except CheckpointError as error:
                self.unavailable[name] = str(error)
        if not self.names:
            raise ValueError(" ".join(self.unavailable.values()))
        self.baseline = BASELINE in self.names


def compare_many(
    engine: Engine, photos: Iterable[images.Source] | str | os.PathLike[str], models: Nets
) -> Iterator[Comparison | ImageError]:
    """The comparison of each photo, in order; an ImageError for one that cannot be used.

    A photo is anything that `images.load` takes; a single path is one photo.

    Times are a photo's own for decoding, finding and MediaPipe, and its share of the batch for
    the nets. While this runs, torch computes each batch on one core, and several batches at once.
    """
    if isinstance(photos, str | os.PathLike):
        photos = [photos]
    cores = torch.get_num_threads()
    # New threads take over what is set here. Batches side by side use the cores better than one
    # batch on all of them: none waits for the others, or for the core that MediaPipe is on.
    torch.set_num_threads(1)
    # One more than there are cores: while MediaPipe's own threads work, their callers wait.
    pool = ThreadPoolExecutor(cores + 1, "kpdemo")
    try:
        yield from _in_order(pool, engine, iter(photos), models)
    finally:
        pool.shutdown(cancel_futures=True)
        torch.set_num_threads(cores)


def _in_order(
    pool: ThreadPoolExecutor,
    engine: Engine,
    photos: Iterator[images.Source],
    models: Nets,
) -> Iterator[Comparison | ImageError]:
    looks: deque[Future[_Seen | ImageError]] = deque()
    batches: deque[_Batch] = deque()
    batch = _Batch()
    while True:
        for photo in islice(photos, _AHEAD - len(looks)):
            looks.append(pool.submit(_look, engine, photo, models))
        if not looks:
            break
        batch.add(looks.popleft().result())
        if batch.full:
            batch.start(pool, models)
            batches.append(batch)
            batch = _Batch()
        if len(batches) >= _BATCHES:
            yield from batches.popleft().results(models)
    batch.start(pool, models)
    for last in (*batches, batch):
        yield from last.results(models)


class _Batch:
    """Photos in a row whose faces go through the nets together."""

    def __init__(self) -> None:
        self.seen: list[_Seen | ImageError] = []
        self.faces = 0
        self.found: dict[str, Future[Prediction]] = {}

    @property
    def full(self) -> bool:
        # Photos without faces wait for nothing, but they should not pile up either.
        return self.faces >= FACES or len(self.seen) >= 4 * FACES

    def add(self, seen: _Seen | ImageError) -> None:
        self.seen.append(seen)
        if isinstance(seen, _Seen):
            self.faces += len(seen.faces)

    def start(self, pool: ThreadPoolExecutor, models: Nets) -> None:
        """Hand each net all cuts of these photos."""
        for name, model in models.nets.items() if self.faces else ():
            cuts = [seen.cuts[name].pixels for seen in self._with_faces()]
            self.found[name] = pool.submit(_predict, model, np.concatenate(cuts))

    def results(self, models: Nets) -> Iterator[Comparison | ImageError]:
        for name, found in self.found.items():
            try:
                self._share_out(name, models.nets[name], found.result())
            except Exception as error:
                # One broken model must not take the others down.
                log.exception("%s failed", name)
                for seen in self._with_faces():
                    seen.unavailable[name] = f"{name} failed on this photo: {error}"
        for seen in self.seen:
            if isinstance(seen, ImageError):
                yield seen
                continue
            answers = [{n: a[n] for n in models.names if n in a} for a in seen.answers]
            seen.timings["total"] = sum(seen.timings.values())
            yield comparison(
                seen.photo,
                seen.faces,
                answers,
                seen.timings,
                seen.unavailable,
                seen.faces_left_out,
            )

    def _share_out(self, name: str, model: Model, found: Prediction) -> None:
        each = found.milliseconds / self.faces
        at = 0
        for seen in self._with_faces():
            end = at + len(seen.faces)
            keypoints, confidence = found.keypoints[at:end], found.confidence[at:end]
            own = Prediction(keypoints, confidence, None, each * len(seen.faces))
            answers = answers_of(model.config, seen.photo, seen.cuts[name], own)
            for face, answer in zip(seen.answers, answers, strict=True):
                face[name] = answer
            seen.timings[name] += own.milliseconds
            at = end

    def _with_faces(self) -> list[_Seen]:
        return [seen for seen in self.seen if isinstance(seen, _Seen) and seen.faces]


def _look(engine: Engine, source: images.Source, models: Nets) -> _Seen | ImageError:
    """All that is done photo by photo: decode it, find its faces, cut them, ask MediaPipe."""
    started = time.perf_counter()
    try:
        photo = images.load(source)
    except ImageError as error:
        return error
    loaded = time.perf_counter()
    try:
        faces = engine.find(photo.pixels)
    except Exception as error:
        log.exception("finding faces failed")
        return ImageError(f"Finding faces failed on this photo ({error}).")
    located = time.perf_counter()
    timings = {"load": 1000 * (loaded - started), "detect": 1000 * (located - loaded)}
    # Without its pixels, which may take 120 MB, a photo still knows their shape.
    blank = replace(photo, pixels=np.broadcast_to(np.uint8(0), photo.pixels.shape))
    faces, left_out = faces[:MAX_FACES], faces[MAX_FACES:]
    answers = [{} for _ in faces]
    seen = _Seen(blank, faces, answers, timings, dict(models.unavailable), len(left_out))
    if not faces:
        return seen
    if models.baseline:
        found = engine.ask_baseline(photo, faces)
        if isinstance(found, str):
            seen.unavailable[BASELINE] = found
        else:
            for face, answer in zip(seen.answers, found, strict=True):
                face[BASELINE] = answer
        timings[BASELINE] = 1000 * (time.perf_counter() - located)
    pictures = by_channels(photo.pixels)
    for name, model in models.nets.items():
        seen.cuts[name] = cut(model.config, pictures, faces)
        timings[name] = seen.cuts[name].milliseconds
    return seen


def _predict(model: Model, cuts: np.ndarray) -> Prediction:
    """The model on any number of cuts, never many more than `FACES` at a time."""
    parts = np.array_split(cuts, -(-len(cuts) // FACES))
    found = [predict(model, part) for part in parts]
    return Prediction(
        np.concatenate([part.keypoints for part in found]),
        np.concatenate([part.confidence for part in found]),
        None,
        sum(part.milliseconds for part in found),
    )
