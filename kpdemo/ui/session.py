"""What a visitor's session keeps between clicks: the last comparison, in memory only."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta

from gradio.routes import App
from gradio.state_holder import StateHolder

from kpdemo.keypoints import agreement, annotations
from kpdemo.keypoints.annotations import Marks
from kpdemo.media.images import Photo
from kpdemo.structures import Answer, Comparison

# A session that was left alone for so many seconds is forgotten; its photo may take 12 MB. The
# second number is how often that is looked for.
SECONDS_KEPT, EVERY = 900, 10
SESSIONS_KEPT = 40


@dataclass(frozen=True, eq=False)
class Truth:
    """The sets of marked points in a visitor's file, and which one is taken for the truth."""

    file: str
    sets: Mapping[str, Marks]
    chosen: str

    @property
    def marks(self) -> Marks:
        return self.sets[self.chosen]


@dataclass(frozen=True, eq=False)
class Shown:
    """The photo that the page shows and its comparison; `path` is the upload in Gradio's cache.

    `truth` is None unless the visitor gave marks for this photo.
    """

    path: str
    photo: Photo
    comparison: Comparison
    truth: Truth | None = None

    def references(self) -> list[Answer | None]:
        """What the models are held against on each face: the truth, else the baseline."""
        if self.truth:
            return annotations.on_faces(self.truth.marks, self.comparison.faces)
        return agreement.baselines(self.comparison.faces)


@asynccontextmanager
async def forgetting(app: App) -> AsyncIterator[None]:
    """For as long as the page is served, sessions that nobody uses any more are forgotten.

    Gradio's own `time_to_live` counts from when a value was set, becomes an hour once the page is
    closed, and never ends for what other components show.
    """
    task = asyncio.create_task(_forget(app.state_holder))
    yield
    task.cancel()


async def _forget(sessions: StateHolder) -> None:
    while True:
        eldest = datetime.now() - timedelta(seconds=SECONDS_KEPT)
        with sessions.lock:
            for session, used in list(sessions.time_last_used.items()):
                if used < eldest:
                    del sessions.time_last_used[session]
                    sessions.session_data.pop(session, None)
        await asyncio.sleep(EVERY)
