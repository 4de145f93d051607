"""Gradio's queues: what an event is given to wait in one."""

from typing import Any

from kpdemo.engine import zerogpu

# Requests of one kind that are in work at a time. Those that wait for the engine at the same moment
# are computed together (`kpdemo.engine.requests`). On ZeroGPU each has a GPU for itself, one after
# another.
_PLACES = 1 if zerogpu.is_available() else 24

# Everything that computes once.
MODELS_QUEUE: dict[str, Any] = {"concurrency_id": "models", "concurrency_limit": _PLACES}
# Maps that take seconds release the engine after every step, so that photos and cameras get in
# between; in the queue of the models they would take their places.
MAPS_QUEUE: dict[str, Any] = {"concurrency_id": "maps", "concurrency_limit": min(3, _PLACES)}
# The same for a video, which takes a minute.
VIDEOS_QUEUE: dict[str, Any] = {"concurrency_id": "videos", "concurrency_limit": 1}
