"""Gradio's queues, by their `concurrency_id`."""

# Everything that computes takes turns, over all tabs and visitors.
MODELS_QUEUE = "models"
# A queue of its own: a video takes a minute and releases the engine after every frame, so that
# photos and cameras get in between; in the queue of the models they would wait for that minute.
VIDEOS_QUEUE = "videos"
