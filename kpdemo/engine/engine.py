"""The engine: a photo -> its faces -> every model and MediaPipe -> one result."""

import filecmp
import logging
import os
import time
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import nullcontext
from functools import cache, partial
from os import PathLike
from pathlib import Path
from typing import TypeVar

import numpy as np
import torch

from kpdemo.engine import zerogpu
from kpdemo.faces.crop import Crop
from kpdemo.faces.detector import MAX_FACES, FaceFinder
from kpdemo.faces.mediapipe_task import BaselineUnavailable
from kpdemo.keypoints import mesh_to_ibug
from kpdemo.media import images
from kpdemo.models import hub
from kpdemo.models import model as checkpoint
from kpdemo.models.config import ModelConfig
from kpdemo.models.device import pick
from kpdemo.models.face_crops import Cuts, by_channels, cut
from kpdemo.models.face_landmarker import Baseline
from kpdemo.models.model import CheckpointError, Model
from kpdemo.models.predict import Prediction, predict_each
from kpdemo.structures import Answer, ComparedFace, Comparison, Face
from kpdemo.system.forks import Lock
from kpdemo.zoo import BASELINE, DEFAULT_MODELS, WEIGHTS_DIR

# Seconds that a start waits for the Hub: with all the rest it may take ten. What comes later serves
# the next start.
PATIENCE = 2.0
# Why a model that works has no points on a face that others have points on.
NO_FACE_HERE = "no face here"

T = TypeVar("T")

_STARTING = Lock()

log = logging.getLogger(__name__)


class Engine:
    """The models of a folder, the face finder and the baseline: loaded once, used by all.

    The default models are loaded at once, the others when they are first asked for; the `configs`
    of all are read at once. A model whose folder is damaged, or a MediaPipe that cannot start, is
    left out and named in `unavailable`; the others work. Safe to use from several threads, and
    in processes that were forked, each of which computes with one thread.

    With a `namespace`, weights come from its repositories on the Hugging Face Hub, and from the
    folders only where that fails. `origins` says where each model's weights are from, and
    `not_pulled` in a sentence why they are not the Hub's.
    """

    def __init__(
        self,
        folders: Iterable[str | PathLike] | str | PathLike | None = None,
        namespace: str | None = None,
    ) -> None:
        self.models: dict[str, Model] = {}
        self.configs: dict[str, ModelConfig] = {}
        self.unavailable: dict[str, str] = {}
        self.not_pulled: dict[str, str] = {}
        # On ZeroGPU copies of the nets are asked; those here serve who looks inside them.
        self.device = torch.device("cpu") if zerogpu.here() else pick()
        # Torch uses all cores by itself: two photos at once would only be slower than in turn.
        self.turn = Lock()
        self._loading = Lock()
        self._warm: set[str] = set()
        if folders is None:
            folders = model_folders()
        elif isinstance(folders, str | PathLike):
            folders = [folders]
        self._folders = {folder.name: folder for folder in map(Path, folders)}
        self._pulled: dict[str, hub.Pulled] = {}
        self.origins = {name: _here(folder) for name, folder in self._folders.items()}
        self.finder: FaceFinder | None = None
        self.baseline: Baseline | None = None
        with ThreadPoolExecutor(1) as pool:
            pulling = namespace and pool.submit(hub.pull, namespace, self._folders, PATIENCE)
            self._start_mediapipe()
            if pulling:
                self._take(pulling.result())
        for name in self._folders:
            try:
                if name in DEFAULT_MODELS:
                    self.model(name)
                else:
                    self.configs[name] = self._read(name, checkpoint.read_config)
            except CheckpointError as error:
                self.unavailable[name] = f"{error} {self.not_pulled.get(name, '')}".strip()
        self._on_zerogpu: zerogpu.Ask | None = None
        if zerogpu.here():
            nets = [name for name in self.names if name != BASELINE]
            self._on_zerogpu = zerogpu.borrow(nets, self.model)

    def _start_mediapipe(self) -> None:
        try:
            self.finder, self.baseline = FaceFinder(), Baseline()
        except BaselineUnavailable as error:
            self.unavailable[BASELINE] = (
                f"{error} It also finds the faces: without it the whole photo is taken as one."
            )

    def _take(self, pulled: Mapping[str, hub.Pulled | hub.HubError]) -> None:
        for name, found in pulled.items():
            if isinstance(found, hub.Pulled):
                self._pulled[name] = found
                self.origins[name] = found.origin
            else:
                self._do_without(name, found)

    def __enter__(self) -> "Engine":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End MediaPipe's threads. Left to the garbage collector, that may wait for ever."""
        for task in (self.finder, self.baseline):
            if task is not None:
                task.close()

    @property
    def names(self) -> list[str]:
        """What can be asked for: the default models first, then the others, then the baseline."""
        usable = [name for name in self._folders if name not in self.unavailable]
        first = [name for name in DEFAULT_MODELS if name in usable]
        rest = [name for name in usable if name not in first]
        return first + rest + ([BASELINE] if self.baseline else [])

    def model(self, name: str) -> Model:
        """The model of that name, loaded now if it was not before.

        Raises CheckpointError if it is damaged and ValueError if there is none.
        """
        if not isinstance(name, str) or name not in self._folders:
            raise self._unknown([name])
        with self._loading:
            if name not in self.models:
                model = self._read(name, partial(checkpoint.load, name=name))
                model.net.to(self.device)
                self.models[name] = model
                self.configs[name] = model.config
            return self.models[name]

    def _read(self, name: str, read: Callable[[Path], T]) -> T:
        """What is read of a model's folder, the Hub's if that was pulled and is good, else ours."""
        if pulled := self._pulled.get(name):
            try:
                return read(pulled.folder)
            except CheckpointError as error:
                del self._pulled[name]
                self.origins[name] = _here(self._folders[name])
                self._do_without(name, hub.refused(pulled, error))
        return read(self._folders[name])

    def is_foreign(self, name: str) -> bool:
        """Whether a model's weights are others than those of its folder here."""
        pulled = self._pulled.get(name)
        if pulled is None:
            return False
        ours = self._folders[name] / checkpoint.WEIGHTS
        # Read once: `filecmp` remembers, as long as the files stay as they are.
        return not (
            ours.exists() and filecmp.cmp(pulled.folder / checkpoint.WEIGHTS, ours, shallow=False)
        )

    def _do_without(self, name: str, why: CheckpointError) -> None:
        log.warning("%s: %s", name, why)
        self.not_pulled[name] = str(why)

    def compare(
        self,
        photo: images.Source,
        models: Iterable[str] | str | None = None,
        tell: Callable[[str, float], object] | None = None,
        borrow: bool = True,
        find: Callable[[np.ndarray], list[Face]] | None = None,
    ) -> Comparison:
        """Every chosen model's keypoints on every face of a photo.

        `photo` is anything that `images.load` takes. `models` are names from `names`, or one name;
        by default the four default models and the baseline.
        `tell`, if given, hears which model is next, and what share of them is done. Frames of a
        film are not worth to `borrow` ZeroGPU's GPU for. `find`, if given, finds the faces, as a
        `FaceTracker` does from frame to frame.
        Raises ImageError for a photo that cannot be used and ValueError for an unknown model. A
        photo without a face gives an empty list.
        """
        started = time.perf_counter()
        timings: dict[str, float] = {}
        chosen, unavailable = self.choose(models)
        photo = images.load(photo)
        clock = _Clock(timings)
        clock.lap("load", since=started)
        ask = self._on_zerogpu if borrow else None
        # Who waits for a GPU does not keep the camera and videos waiting.
        with self.turn if ask is None else nullcontext():
            clock.lap("wait")
            faces = (find or self.find)(photo.pixels)
            faces, left_out = faces[:MAX_FACES], faces[MAX_FACES:]
            clock.lap("detect")
            cuts = self._cut(chosen, photo, faces, unavailable, clock)
            predictions = self._predictions({n: those.pixels for n, those in cuts.items()}, ask)
            answers: dict[str, list[Answer | None]] = {}
            for name in [*cuts, BASELINE] if faces and BASELINE in chosen else cuts:
                if tell is not None:
                    tell(name, len(answers) / len(chosen))
                found = self.ask_baseline(photo, faces) if name == BASELINE else next(predictions)
                if isinstance(found, Prediction):
                    found = answers_of(self.model(name).config, photo, cuts[name], found)
                if isinstance(found, str):
                    unavailable[name] = found
                else:
                    answers[name] = found
                clock.lap(name)
        by_face = [{n: answers[n][at] for n in chosen if n in answers} for at in range(len(faces))]
        timings["total"] = 1000 * (time.perf_counter() - started)
        return comparison(photo, faces, by_face, timings, unavailable, len(left_out))

    def _cut(
        self,
        names: Sequence[str],
        photo: images.Photo,
        faces: Sequence[Face],
        unavailable: dict[str, str],
        clock: "_Clock",
    ) -> dict[str, Cuts]:
        """What each of these nets sees of the faces; a net that cannot be loaded is left out."""
        cuts: dict[str, Cuts] = {}
        if not faces:
            return cuts
        pictures = by_channels(photo.pixels)
        for name in names:
            if name == BASELINE:
                continue
            try:
                cuts[name] = cut(self.model(name).config, pictures, faces)
            except CheckpointError as error:
                self.unavailable[name] = unavailable[name] = str(error)
            clock.lap(name)
        return cuts

    def _predictions(
        self, cuts: Mapping[str, np.ndarray], ask: zerogpu.Ask | None
    ) -> Iterator[Prediction | str]:
        """Each net's answer on its cuts, or why it has none; from a lent GPU if there is one."""
        if ask is not None and cuts:
            try:
                found = ask(cuts)
            except Exception as error:
                # No GPU was free, or the visitor's share of it is used up: the processor does it.
                log.warning("ZeroGPU: %s", error)
            else:
                yield from found
                return
        yield from predict_each({name: self.model(name) for name in cuts}, cuts)

    def warm_up(self, models: Sequence[str] | None = None) -> None:
        """Run face finder and models once on an empty photo, so that timings are representative.

        `models` are as in `compare`; those that are warm, or broken, are left as they are.
        """
        if self._on_zerogpu is not None:  # a GPU is for photos
            return
        photo = images.from_array(np.full((480, 640, 3), 127, np.uint8))
        for name in ["detect", *self.choose(models)[0]]:
            with self.turn:
                if name in self._warm:
                    continue
                self._warm.add(name)
                if name == "detect":
                    self.find(photo.pixels)
                elif name == BASELINE:
                    self.ask_baseline(photo, [whole_photo(photo.pixels)])
                else:
                    self._warm_up_net(name)

    def _warm_up_net(self, name: str) -> None:
        try:
            model = self.model(name)
        except CheckpointError:  # `compare` says so
            return
        shape = (1, *model.config.input.shape)
        deque(predict_each({name: model}, {name: np.zeros(shape, np.uint8)}), 0)

    def choose(self, models: Iterable[str] | str | None) -> tuple[list[str], dict[str, str]]:
        """Those of the models that can be used, and why the others cannot.

        By default the four default models and the baseline; ValueError for an unknown model, and
        for what is no list of names.
        """
        if models is None:
            wanted = [*DEFAULT_MODELS, BASELINE]
        else:
            wanted = _distinct_names(models)
            if unknown := [m for m in wanted if m not in self.names and m not in self.unavailable]:
                raise self._unknown(unknown)
        chosen = [name for name in wanted if name in self.names]
        unavailable = {
            name: why
            for name, why in self.unavailable.items()
            if name in wanted or (name == BASELINE and self.finder is None)
        }
        return chosen, unavailable

    def _unknown(self, models: Iterable[str]) -> ValueError:
        return ValueError(
            f"Unknown model {', '.join(map(str, models))}; known are {', '.join(self.names)}."
        )

    def find(self, pixels: np.ndarray) -> list[Face]:
        """The faces in `(H, W, 3)` uint8 RGB; without MediaPipe the whole photo as one."""
        if self.finder is not None:
            return self.finder.find(pixels)
        return [whole_photo(pixels)]

    def ask_baseline(self, photo: images.Photo, faces: list[Face]) -> list[Answer | None] | str:
        """MediaPipe's answer for each face in photo coordinates, None where it found nothing.

        A sentence if it failed: one broken model must not take the others down.
        """
        started = time.perf_counter()
        try:
            meshes = self.baseline.keypoints(photo.pixels, faces)
        except Exception as error:
            log.exception("%s failed", BASELINE)
            return f"{BASELINE} failed on this photo: {error}"
        each = 1000 * (time.perf_counter() - started) / len(faces)
        answers: list[Answer | None] = []
        for mesh in meshes:
            if mesh is None:
                answers.append(None)
                continue
            points = photo.to_original(mesh)
            converted = {
                "ibug-68": mesh_to_ibug.by_index(points),
                # iBUG defines its points otherwise: this is the fair one to compare with.
                "ibug-68-fitted": mesh_to_ibug.by_map(points),
            }
            answers.append(Answer("mediapipe-478", points, None, each, converted))
        return answers


def model_folders(weights: Path = WEIGHTS_DIR) -> list[Path]:
    """The default models' folders, there or not, and whatever else lies in `weights`."""
    default = [weights / name for name in DEFAULT_MODELS]
    others = {config.parent for config in weights.glob(f"*/{checkpoint.CONFIG}")} - set(default)
    return default + sorted(others)


def engine() -> Engine:
    """The program's one engine, on the Hub's weights if KPDEMO_HUB names whose, else on ours.

    Whoever asks while it starts waits for it.
    """
    with _STARTING:
        return _engine()


@cache
def _engine() -> Engine:
    return Engine(namespace=os.environ.get(hub.VARIABLE))


def compare(photo: images.Source, models: Iterable[str] | str | None = None) -> Comparison:
    """Compare models on a photo (a path, a file's bytes, RGB pixels, a Pillow picture or a loaded
    Photo): see `Engine.compare`."""
    if models is not None and not isinstance(models, str):
        models = list(models)
    app = engine()
    app.warm_up(models)
    return app.compare(photo, models)


def answers_of(
    config: ModelConfig, photo: images.Photo, cuts: Cuts, found: Prediction
) -> list[Answer]:
    """A net's prediction on those cuts, in photo coordinates."""
    count = len(cuts.crops)
    return [
        Answer(
            config.markup,
            photo.to_original(crop.to_photo(points)),
            confidence,
            found.milliseconds / count,
            crop_milliseconds=cuts.milliseconds / count,
        )
        for crop, points, confidence in zip(
            cuts.crops, found.keypoints, found.confidence, strict=True
        )
    ]


def comparison(
    photo: images.Photo,
    faces: Sequence[Face],
    answers: Sequence[dict[str, Answer | None]],
    timings: dict[str, float],
    unavailable: dict[str, str],
    faces_left_out: int,
) -> Comparison:
    """The result for a photo from each face's answers by model, None where it has no points."""
    in_photo = [face.mapped(photo.to_original) for face in faces]
    compared = [
        ComparedFace(
            face.box,
            face.score,
            face.roll,
            {name: answer for name, answer in by_model.items() if answer is not None},
            face,
            {name: NO_FACE_HERE for name, answer in by_model.items() if answer is None},
        )
        for face, by_model in zip(in_photo, answers, strict=True)
    ]
    return Comparison(photo.width, photo.height, compared, timings, unavailable, faces_left_out)


def whole_photo(pixels: np.ndarray) -> Face:
    """The photo taken as one portrait, for when no face finder is there.

    The six points are where BlazeFace has them on a frontal face, in a box of two thirds of the
    photo's shorter side.
    """
    height, width = pixels.shape[:2]
    side = 2 / 3 * min(height, width)
    box = Crop((width - 1) / 2, (height - 1) / 2, side, side)
    layout = [[-0.4, -0.45], [0.4, -0.45], [0, 0.05], [0, 0.5], [-0.85, -0.25], [0.85, -0.25]]
    (x0, y0), (x1, y1) = box.to_photo([[-1, -1], [1, 1]])
    return Face((float(x0), float(y0), float(x1), float(y1)), 0.0, box.to_photo(layout), 0.0)


def _distinct_names(models: Iterable[str] | str) -> list[str]:
    """The names in their order, each once; ValueError for none, and for what are no names."""
    names = [models] if isinstance(models, str) else models
    if not isinstance(names, Iterable) or isinstance(names, Mapping | bytes):
        names = [None]
    names = list(names)
    if not names or not all(isinstance(name, str) for name in names):
        raise ValueError(
            "Pass models as a list of names, at least one, and a single model as its name."
        )
    return list(dict.fromkeys(map(str, names)))


def _here(folder: Path) -> str:
    """Where a model's weights are from that were not pulled, for people."""
    return f"the folder {folder.parent.name}/ of this copy"


class _Clock:
    """Milliseconds between laps, by name; a lap of the same name adds up."""

    def __init__(self, timings: dict[str, float]) -> None:
        self.timings = timings
        self.last = time.perf_counter()

    def lap(self, name: str, since: float | None = None) -> None:
        now = time.perf_counter()
        spent = 1000 * (now - (self.last if since is None else since))
        self.timings[name] = self.timings.get(name, 0.0) + spent
        self.last = now
