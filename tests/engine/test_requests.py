"""Photos of several callers that wait at the same moment: computed together, answered apart."""

import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextvars import ContextVar

import numpy as np
import pytest

from kpdemo.engine import requests as requests_module
from kpdemo.engine import stages
from kpdemo.engine.engine import engine
from kpdemo.engine.requests import Request, Requests
from kpdemo.models.predict import FACES
from kpdemo.structures import Prediction
from kpdemo.system.forks import Lock
from kpdemo.zoo import BASELINE

MODELS = ["simplenet", "keypoint-resnet", BASELINE]
PATIENCE = 200  # seconds


def request(pixels: np.ndarray, models=MODELS, find=None) -> Request:
    predictors, _ = engine().load(models)
    return Request(pixels, find or engine().detector.find, predictors)


def computed(requests: list[Request], turn: Lock | None = None) -> list:
    """The result or the error of each, with all of them waiting at the same moment."""
    turn = turn or Lock()
    crowd = Requests(turn)
    waiting = threading.Semaphore(0)

    def compute(each: Request):
        on_wait = each.on_wait

        def wait(before: int) -> None:
            waiting.release()
            if on_wait is not None:
                on_wait(before)

        each.on_wait = wait
        try:
            return crowd.compute(each)
        except ZeroDivisionError as error:
            return error

    with ThreadPoolExecutor(len(requests)) as pool:
        with turn:
            results = [pool.submit(compute, each) for each in requests]
            for _ in requests[1:]:  # the first one has none before it
                assert waiting.acquire(timeout=PATIENCE)
        return [result.result(PATIENCE) for result in results]


def points(prepared: stages.PreparedPhoto, model: str) -> np.ndarray:
    (prediction,) = prepared.predictions[model]
    return prediction.keypoints


def test_everyone_gets_the_answers_on_their_own_photo(hopper) -> None:
    shifts = [7 * k for k in range(FACES + 3)]  # more than are in one batch
    photos = [np.pad(hopper, ((0, 0), (shift, 0), (0, 0))) for shift in shifts]
    photos.append(np.full((200, 300, 3), 127, np.uint8))  # and one without a face
    *prepared_photos, empty = computed([request(photo) for photo in photos])
    assert not empty.faces and not empty.predictions
    for photo, prepared in zip(photos, prepared_photos, strict=False):
        (face,) = engine().compare(photo, MODELS).faces
        assert list(prepared.predictions) and set(prepared.predictions) == set(MODELS)
        for model in MODELS:
            np.testing.assert_allclose(
                points(prepared, model), face.predictions[model].keypoints, atol=0.25
            )


def test_everyone_gets_the_models_that_they_chose(hopper) -> None:
    choices = [["simplenet"], [BASELINE, "unet"], ["unet"], []]
    prepared_photos = computed([request(hopper, models) for models in choices])
    assert [sorted(prepared.predictions) for prepared in prepared_photos] == [
        sorted(models) for models in choices
    ]
    np.testing.assert_allclose(
        points(prepared_photos[1], "unet"), points(prepared_photos[2], "unet"), atol=0.01
    )


def test_one_callers_error_is_nobody_elses(hopper) -> None:
    def fail(_: np.ndarray) -> list:
        return [1 // 0]

    first, error, last = computed([request(hopper), request(hopper, find=fail), request(hopper)])
    assert isinstance(error, ZeroDivisionError)
    for prepared in (first, last):
        assert set(prepared.predictions) == set(MODELS) and not prepared.failures


class Toy:
    """A model that puts its one point at `x`, and fails on dark photos."""

    markup, device = "nose-1", "cpu"

    def __init__(self, x: float, name: str = "mine") -> None:
        self.x, self.name = x, name

    def prepare(self, photo, faces):
        return photo.pixels.max()

    def predict(self, prepared):
        if min(prepared) == 0:
            raise ArithmeticError("too dark")
        keypoints = np.full((1, 2), self.x, np.float32)
        return [[Prediction(self.markup, keypoints, None, 1.0)] for _ in prepared]


def toy_request(model: Toy, brightness: int, face) -> Request:
    photo = np.full((64, 64, 3), brightness, np.uint8)
    return Request(photo, lambda _: [face], {model.name: model})


@pytest.fixture(scope="module")
def face(hopper, finder):
    return finder.find(hopper)[0]


def test_a_model_that_fails_on_one_photo_answers_on_the_others(face) -> None:
    model = Toy(1)
    bright, dark, grey = computed([toy_request(model, each, face) for each in (255, 0, 127)])
    assert points(bright, "mine")[0, 0] == points(grey, "mine")[0, 0] == 1
    assert not dark.predictions
    (failure,) = dark.failures
    assert failure.message == "mine failed on this photo: too dark"


def test_models_of_the_same_name_are_not_mixed_up(face) -> None:
    requests = [toy_request(Toy(x), 255, face) for x in range(4)]
    assert [points(prepared, "mine")[0, 0] for prepared in computed(requests)] == [0, 1, 2, 3]


def test_a_photo_alone_tells_its_progress(face) -> None:
    steps = []
    one = toy_request(Toy(2), 255, face)
    one.progress = lambda model, done: steps.append((model, done))
    assert points(Requests(Lock()).compute(one), "mine")[0, 0] == 2
    assert steps == [("mine", 0)]
    assert one.alone


def test_a_thread_that_is_ended_keeps_nobody_waiting(face) -> None:
    def stop(_: np.ndarray) -> list:
        raise KeyboardInterrupt

    ended = toy_request(Toy(1), 255, face)
    ended.find = stop
    with pytest.raises(KeyboardInterrupt):
        Requests(Lock()).compute(ended)


def test_progress_is_told_to_whom_it_concerns(face) -> None:
    visitor: ContextVar[str] = ContextVar("visitor")
    visitor.set("the caller")
    one = toy_request(Toy(2), 255, face)
    said = []
    one.progress = lambda model, done: said.append(visitor.get())
    Requests(Lock()).compute(one)
    assert said == ["the caller"]


def test_a_photo_that_takes_long_holds_up_no_other(face) -> None:
    turn, waiting, go = Lock(), threading.Event(), threading.Event()
    crowd = Requests(turn)

    def find(_: np.ndarray) -> list:
        assert go.wait(PATIENCE)
        return [face]

    slow, beside, later = (toy_request(Toy(x), 255, face) for x in range(3))
    slow.find = find
    slow.on_wait = beside.on_wait = lambda _: waiting.set()
    with ThreadPoolExecutor(3) as pool:
        try:
            with turn:
                first = pool.submit(crowd.compute, slow)
                second = pool.submit(crowd.compute, beside)
                assert waiting.wait(PATIENCE)
            assert points(second.result(PATIENCE), "mine")[0, 0] == 1
            third = pool.submit(crowd.compute, later)  # joins them
            assert points(third.result(PATIENCE), "mine")[0, 0] == 2
            assert not first.done()
        finally:
            go.set()
        assert points(first.result(PATIENCE), "mine")[0, 0] == 0


def test_long_work_gets_its_turn_in_a_crowd(face, monkeypatch) -> None:
    monkeypatch.setattr(requests_module, "TOGETHER", 4)
    turn, over = Lock(), threading.Event()
    crowd = Requests(turn)

    def find(_: np.ndarray) -> list:
        time.sleep(0.01)
        return [face]

    def visit() -> None:
        while not over.is_set():
            each = toy_request(Toy(1), 255, face)
            each.find = find
            crowd.compute(each)

    with ThreadPoolExecutor(4) as pool:
        visits = [pool.submit(visit) for _ in range(4)]
        try:
            assert turn.acquire(PATIENCE)
            turn.__exit__()
        finally:
            over.set()
        for each in visits:
            each.result(PATIENCE)


def test_who_waits_is_told_how_many_are_before(face) -> None:
    requests = [toy_request(Toy(1), 255, face) for _ in range(3)]
    places: list[int] = []
    for each in requests:
        each.on_wait = places.append
    computed(requests)
    assert sorted(places) == [1, 2]


def test_long_work_in_steps_lets_photos_in_between(face) -> None:
    turn, over = Lock(), threading.Event()

    def work() -> None:
        while not over.is_set():
            with turn:
                time.sleep(0.02)

    with ThreadPoolExecutor(2) as pool:
        pool.submit(work)
        try:
            prepared_photos = [
                pool.submit(Requests(turn).compute, toy_request(Toy(x), 255, face)).result(60)
                for x in range(5)
            ]
        finally:
            over.set()
    assert [points(prepared, "mine")[0, 0] for prepared in prepared_photos] == [0, 1, 2, 3, 4]
