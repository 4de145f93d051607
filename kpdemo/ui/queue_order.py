"""The order in which Gradio's queues are served: visitors side by side, each one's clicks in turn.

Gradio would start a visitor's second click while the first one runs, with the result from before
it in the session.
"""

from functools import partial
from typing import Any

import gradio as gr
from gradio.queueing import Event, Queue

from kpdemo.ui.shared.queues import MAPS_QUEUE, MODELS_QUEUE

LENGTH = 200  # requests that wait; each holds the path of an upload
# Seconds between looks for an event that may start. Gradio's own thousand a second hold up the
# threads that compute.
_EVERY = 0.01
_ORDERED = (MODELS_QUEUE["concurrency_id"], MAPS_QUEUE["concurrency_id"])


def limit(page: gr.Blocks) -> gr.Blocks:
    """Give a page its queue; Gradio itself tells waiting visitors their place and the time left."""
    # This closes only the routes that bypass the queue: clients and plain HTTP (/call) wait in it.
    page.queue(max_size=LENGTH, api_open=False)
    queue: Any = page._queue
    queue.sleep_when_free = _EVERY
    queue.get_events = partial(next_event, queue)
    return page


def next_event(queue: Queue) -> tuple[list[Event], bool, str] | None:
    """The longest waiting event that may start, as Gradio's own `Queue.get_events` gives it.

    One that uses the session's result waits for the earlier ones of its session.
    """
    queues = queue.event_queue_per_concurrency_id
    running = [event for job in queue.active_jobs if job for event in job]
    busy = {event.session_hash for event in running if _ordered(event)}
    waiting = [event for own in queues.values() for event in own.queue]
    for event in sorted(waiting, key=lambda event: event.enqueue_time):
        ordered = _ordered(event)
        if ordered and event.session_hash in busy:
            continue
        own = queues[event.concurrency_id]
        if own.concurrency_limit is None or own.current_concurrency < own.concurrency_limit:
            own.queue.remove(event)
            return [event], False, event.concurrency_id
        if ordered:
            busy.add(event.session_hash)
    return None


def _ordered(event: Event) -> bool:
    if event.concurrency_id not in _ORDERED:
        return False
    return any(isinstance(block, gr.State) for block in (*event.fn.inputs, *event.fn.outputs))
