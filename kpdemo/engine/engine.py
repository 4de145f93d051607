"""The engine: everything that is loaded once, and one photo through it."""

import os
import time
from collections.abc import Callable, Iterable, Mapping
from concurrent.futures import ThreadPoolExecutor
from functools import cache
from os import PathLike
from weakref import WeakValueDictionary

import numpy as np
import torch

from kpdemo import zoo
from kpdemo.engine import external, stages, zerogpu
from kpdemo.engine.latency import Latency
from kpdemo.engine.requests import Request, Requests
from kpdemo.engine.store import Store
from kpdemo.faces.base import Detector
from kpdemo.faces.detector import FaceFinder
from kpdemo.faces.mediapipe_task import BaselineUnavailable
from kpdemo.faces.tracker import FaceTracker
from kpdemo.faces.whole_photo import WholePhoto
from kpdemo.media import images
from kpdemo.models import hub
from kpdemo.models.device import pick
from kpdemo.models.face_landmarker import FaceLandmarker
from kpdemo.models.model_folder import CheckpointError
from kpdemo.models.predict import NetPredictor
from kpdemo.models.predictor import Predictor
from kpdemo.structures import Comparison, Face
from kpdemo.system.forks import Lock
from kpdemo.zoo import BASELINE, DEFAULT_MODELS

# Seconds that start-up waits for the Hub. Later downloads are used from the next start on.
PULL_TIMEOUT = 2.0

_EXPIRED = "It is no longer in memory; add it again."
_START_LOCK = Lock()


class Engine:
    """Nets, MediaPipe and the face detector: loaded once, shared by all callers.

    `store` has the nets, `detector` detects the faces. A model whose folder is damaged, or a
    MediaPipe that cannot start, is left out and named in `unavailable`; the others work. Safe to
    use from several threads, and in processes that were forked, each of which computes with one
    thread. `latency` has the models' median times on the last photos.

    With a `namespace`, weights come from its repositories on the Hugging Face Hub, and from the
    folders only where that fails.
    """

    def __init__(
        self,
        folders: Iterable[str | PathLike] | str | PathLike | None = None,
        namespace: str | None = None,
    ) -> None:
        # Held by whoever uses the nets: torch uses all cores for a single photo.
        self.turn = Lock()
        self._requests = Requests(self.turn)
        self._nets: dict[str, NetPredictor] = {}
        self._warm: set[str] = set()
        self.latency = Latency()
        # On ZeroGPU copies of the nets predict; these are for the explanations.
        self.store = Store(folders, torch.device("cpu") if zerogpu.is_available() else pick())
        self._external: dict[str, Predictor] = {}
        self._no_external: dict[str, str] = {}
        # Dropped with the session of the visitor who added them.
        self._private: WeakValueDictionary[str, Predictor] = WeakValueDictionary()
        self.detector: Detector = WholePhoto()
        self._landmarker: FaceLandmarker | None = None
        self._no_landmarker = ""
        with ThreadPoolExecutor(1) as pool:
            pulling = namespace and pool.submit(
                hub.pull, namespace, self.store.folders, PULL_TIMEOUT
            )
            self._start_mediapipe()
            if pulling:
                self.store.prefer(*pulling.result())
        self.store.open()
        self._zerogpu: zerogpu.ZeroGpuNets | None = None
        if zerogpu.is_available():
            self._zerogpu = zerogpu.load(self.store)

    def _start_mediapipe(self) -> None:
        try:
            self.detector, self._landmarker = FaceFinder(), FaceLandmarker()
        except BaselineUnavailable as error:
            self._no_landmarker = (
                f"{error} It also finds the faces: without it the whole photo is taken as one."
            )

    def __enter__(self) -> "Engine":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """End MediaPipe's threads, which may hang in the garbage collector."""
        self.detector.close()
        if self._landmarker is not None:
            self._landmarker.close()

    @property
    def names(self) -> list[str]:
        """The usable models: the default ones first, then the others, then MediaPipe."""
        baseline = [] if self._landmarker is None else [self._landmarker.name]
        return [*self.store.names, *self._external, *baseline]

    @property
    def unavailable(self) -> dict[str, str]:
        """The models that cannot be used, each with the reason in a sentence."""
        mediapipe = {BASELINE: self._no_landmarker} if self._no_landmarker else {}
        return self.store.unavailable | self._no_external | mediapipe

    def add(
        self, models: Iterable[str] | str, announce: Callable[[str], object] | None = None
    ) -> None:
        """Load the models of the user's own among these, which are then called as they are here.

        A model is a repository of the Hub (`NAME/kpdemo-unet`, `NAME/kpdemo-unet@REVISION`), a
        folder, or an ONNX file (see `kpdemo.models.external_onnx`). One that cannot be used is
        listed in `unavailable`, and tried again the next time. `announce`, if given, gets a
        sentence before a download. Not for untrusted names: whatever they name is fetched and read.
        """
        for name in _distinct_names(models):
            if name in self._external or name in self.store.folders or not external.is_source(name):
                continue
            self._no_external.pop(name, None)
            try:
                self._external[name] = external.load(name, self.store.device, announce)
            except CheckpointError as error:
                self._no_external[name] = str(error)

    def add_private(self, predictor: Predictor) -> None:
        """Add a model that is in no list, for callers who know its name.

        It is available as long as the caller holds a reference to `predictor`.
        """
        self._private[predictor.name] = predictor

    @property
    def private(self) -> int:
        """The number of models from `add_private` that are still referenced."""
        return len(self._private)

    def tracker(self) -> Detector:
        """A detector for the frames of one video or camera, faster than a full search of each."""
        return FaceTracker(self.detector) if isinstance(self.detector, FaceFinder) else WholePhoto()

    def predictor(self, name: str) -> Predictor:
        """The predictor of that name, loaded on first use.

        Raises CheckpointError if it is damaged and ValueError if there is none.
        """
        if self._landmarker is not None and name == self._landmarker.name:
            return self._landmarker
        if own := self._own(name):
            return own
        # One object a model: photos with the same predictors share batches.
        return self._nets.setdefault(name, NetPredictor(self.store.model(name)))

    def markup(self, name: str) -> str:
        """The markup of a usable model's keypoints, without loading it."""
        if self._landmarker is not None and name == self._landmarker.name:
            return self._landmarker.markup
        if own := self._own(name):
            return own.markup
        return self.store.configs[name].markup

    def _own(self, name: str) -> Predictor | None:
        return self._external.get(name) or self._private.get(name)

    def compare(
        self,
        photo: images.Source,
        models: Iterable[str] | str | None = None,
        progress: Callable[[str, float], object] | None = None,
        use_zerogpu: bool = True,
        find: Callable[[np.ndarray], list[Face]] | None = None,
        on_decoded: Callable[[images.Photo], object] | None = None,
        on_wait: Callable[[int], object] | None = None,
    ) -> Comparison:
        """Every chosen model's keypoints on every face of a photo.

        `photo` is anything that `images.load` takes. `models` are names from `names`, or one name;
        by default the four default models and the baseline. `progress`, if given, is called with
        the next model, and the share of models that is done. Without `use_zerogpu` no GPU is
        requested there, which a video frame is not worth. `find`, if given, detects the faces, as a
        `FaceTracker` does from frame to frame. `on_decoded`, if given, gets the photo once it is
        read. Photos of several threads are computed together; `on_wait`, if given, gets the number
        of photos that are ahead in the queue. Raises ImageError for a photo that cannot be used and
        ValueError for an unknown model. A photo without a face gives an empty list.
        """
        started = time.perf_counter()
        predictors, unavailable = self.load(models)
        request = Request(
            photo, find or self.detector.find, predictors, progress, on_decoded, on_wait
        )
        if use_zerogpu and self._zerogpu is not None:
            # Waiting for a GPU does not hold up the camera and videos.
            prepared = request.compute(self._zerogpu.predict)
        else:
            prepared = self._requests.compute(request)
        prepared.timings["total"] = 1000 * (time.perf_counter() - started)
        comparison = stages.assemble(prepared, list(predictors), unavailable)
        # Beside other photos, a model's own time cannot be measured.
        for name, device in comparison.devices.items() if request.alone else ():
            latency = comparison.landmark_milliseconds(name)
            # MediaPipe is faster where it finds no face.
            if latency is not None and all(name in face.predictions for face in comparison.faces):
                self.latency.add(name, device, latency)
        return comparison

    def load(
        self, models: Iterable[str] | str | None
    ) -> tuple[dict[str, Predictor], dict[str, str]]:
        """The predictors of these models, loaded, and why the others cannot be used.

        By default the four default models and the baseline; ValueError for an unknown model, and
        for anything but a list of names.
        """
        names, unavailable = self.choose(models)
        predictors: dict[str, Predictor] = {}
        for name in names:
            try:
                predictors[name] = self.predictor(name)
            except CheckpointError as error:
                self.store.unavailable[name] = unavailable[name] = str(error)
        return predictors, unavailable

    def choose(self, models: Iterable[str] | str | None) -> tuple[list[str], dict[str, str]]:
        """The usable ones of the models, in order, and why the others are not; as `load`."""
        names = [*DEFAULT_MODELS, BASELINE] if models is None else _distinct_names(models)
        usable_names = {*self.names, *self._private}
        expired = {
            name: _EXPIRED for name in names if zoo.is_secret(name) and name not in usable_names
        }
        reasons = self.unavailable | expired
        unknown = [name for name in names if name not in {*usable_names, *reasons}]
        if unknown and models is not None:
            raise self._unknown(unknown)
        usable = [name for name in names if name in usable_names]
        unavailable = {
            name: why
            for name, why in reasons.items()
            # Without MediaPipe no faces are detected, whichever models run.
            if name in names or (name == BASELINE and self._no_landmarker)
        }
        return usable, unavailable

    def warm_up(self, models: Iterable[str] | str | None = None) -> None:
        """Run detector and models once on an empty photo, so that timings are representative.

        `models` are as in `compare`; those that are warm already, or broken, are skipped.
        """
        if self._zerogpu is not None:  # GPU time is limited: not for warm-up
            return
        photo = images.from_array(np.full((480, 640, 3), 127, np.uint8))
        face = WholePhoto().find(photo.pixels)
        with self.turn:
            if not self._warm:
                self._warm.add("detect")
                self.detector.find(photo.pixels)
        for name in self.choose(models)[0]:
            with self.turn:
                if name in self._warm:
                    continue
                self._warm.add(name)
                predictors, _ = self.load([name])
                prepared = stages.prepare(photo, lambda _: face, predictors)
                for predictor in predictors.values():
                    stages.predict(predictor, [prepared])

    def _unknown(self, models: Iterable[object]) -> ValueError:
        return ValueError(
            f"Unknown model {', '.join(map(str, models))}; known are {', '.join(self.names)}."
        )


def engine() -> Engine:
    """The program's one engine, with weights from the Hub's namespace KPDEMO_HUB if that is set.

    Callers wait while it starts.
    """
    with _START_LOCK:
        return _engine()


@cache
def _engine() -> Engine:
    return Engine(namespace=os.environ.get(hub.VARIABLE))


def compare(photo: images.Source, models: Iterable[str] | str | None = None) -> Comparison:
    """Compare models on a photo (a path, a file's bytes, RGB pixels, a Pillow picture or a loaded
    Photo): see `Engine.compare`.

    Among the models may be the user's own: a repository of the Hugging Face Hub
    (`NAME/kpdemo-unet`, `NAME/kpdemo-unet@REVISION`), which is then downloaded, a folder, or an
    ONNX file (see `kpdemo.models.external_onnx`).
    """
    names = None if models is None else _distinct_names(models)
    app = engine()
    app.add(names or ())
    app.warm_up(names)
    return app.compare(photo, names)


def _distinct_names(models: Iterable[str] | str) -> list[str]:
    """The names in their order, each once; ValueError for anything but names."""
    names: list[object] = [None]
    if isinstance(models, str):
        names = [models]
    elif isinstance(models, Iterable) and not isinstance(models, Mapping | bytes):
        names = list(models)
    if not all(isinstance(name, str) for name in names):
        raise ValueError("Pass models as a list of names, and a single model as its name.")
    return list(dict.fromkeys(map(str, names)))
