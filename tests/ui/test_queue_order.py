"""The queue of a page: visitors side by side, each one's clicks in turn, and words when full."""

import threading
from collections.abc import Iterator
from contextlib import contextmanager

import gradio as gr
import pytest
from gradio_client import Client
from gradio_client.exceptions import AppError
from gradio_client.utils import QueueError

from kpdemo.ui import queue_order
from kpdemo.ui.shared.queues import MODELS_QUEUE

PATIENCE = 120


@contextmanager
def visited(page: gr.Blocks) -> Iterator[str]:
    """The address of a page as long as the block lasts."""
    _, url, _ = page.launch(prevent_thread_lock=True, quiet=True, _frontend=False)
    try:
        yield url
    finally:
        page.close()


def visitor(url: str) -> Client:
    return Client(url, verbose=False, analytics_enabled=False)


def build(fn) -> gr.Blocks:
    """A page with one function of the session's state, which a click computes."""
    with gr.Blocks(analytics_enabled=False) as page:
        state, number, said = gr.State(0), gr.Number(), gr.Number()
        gr.Button().click(fn, [state, number], [state, said], api_name="add", **MODELS_QUEUE)
    return queue_order.limit(page)


def test_a_second_click_sees_what_the_first_one_left() -> None:
    first, go = threading.Event(), threading.Event()

    def add(total: int, number: float) -> tuple[float, float]:
        if not first.is_set():
            first.set()
            assert go.wait(PATIENCE)
        return total + number, total + number

    with visited(build(add)) as url:
        client = visitor(url)
        one = client.submit(2, api_name="/add")
        assert first.wait(PATIENCE)
        two = client.submit(3, api_name="/add")
        other = visitor(url).submit(10, api_name="/add")
        # Another visitor does not wait for them.
        assert other.result(PATIENCE) == 10
        assert not two.done()
        go.set()
        assert (one.result(PATIENCE), two.result(PATIENCE)) == (2, 5)


def test_visitors_are_served_side_by_side() -> None:
    together = threading.Barrier(3, timeout=PATIENCE)

    def meet(total: int, number: float) -> tuple[float, float]:
        together.wait()
        return total, number

    with visited(build(meet)) as url:
        jobs = [visitor(url).submit(k, api_name="/add") for k in range(3)]
        assert [job.result(PATIENCE) for job in jobs] == [0, 1, 2]


def test_a_full_queue_is_said_in_words(monkeypatch) -> None:
    monkeypatch.setattr(queue_order, "LENGTH", 1)
    places = MODELS_QUEUE["concurrency_limit"]
    running = threading.Semaphore(0)
    go = threading.Event()

    def wait(total: int, number: float) -> tuple[float, float]:
        running.release()
        assert go.wait(PATIENCE)
        return total, number

    with visited(build(wait)) as url:
        jobs = [visitor(url).submit(k, api_name="/add") for k in range(places)]
        for _ in range(places):
            assert running.acquire(timeout=PATIENCE)
        waiting = visitor(url).submit(100, api_name="/add")
        while (status := waiting.status()).rank is None:
            assert not waiting.done()
        assert status.rank == 0
        with pytest.raises((QueueError, AppError), match="Queue is full"):
            visitor(url).predict(101, api_name="/add")
        go.set()
        assert [job.result(PATIENCE) for job in jobs] == [*range(places)]
        assert waiting.result(PATIENCE) == 100
