"""What a visitor's session keeps between clicks: the last comparisons, in memory only."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import cached_property
from types import SimpleNamespace
from typing import Any

from gradio.blocks import Blocks
from gradio.routes import App
from gradio.state_holder import SessionState, StateHolder

from kpdemo.keypoints import agreement, annotations
from kpdemo.keypoints.annotations import Marks
from kpdemo.media.images import Photo
from kpdemo.structures import Comparison, Face, Prediction
from kpdemo.ui.shared.image_data import shrunk_uri
from kpdemo.zoo import BASELINE

SECONDS_KEPT = 900  # a session idle for longer is forgotten; a photo may take 12 MB
PHOTOS_KEPT, BYTES_KEPT = 5, 40_000_000  # of a session's last photos
THUMBNAIL_SIDE = 96  # pixels
EVERY = 10  # seconds between checks for idle sessions
SESSIONS_KEPT = 64


FRAME = "camera frame"  # in place of an upload's path: a frame of the camera has no file


@dataclass(frozen=True, eq=False)
class Truth:
    """The sets of annotated points in a visitor's file, and the chosen one."""

    file: str
    sets: Mapping[str, Marks]
    chosen: str

    @property
    def marks(self) -> Marks:
        return self.sets[self.chosen]


@dataclass(frozen=True, eq=False)
class PhotoResult:
    """A visitor's photo and its comparison; `path` is the upload in Gradio's cache.

    `truth` is None unless the visitor gave ground truth for this photo. `look` says what to look at
    on an example, and is empty on other photos. `earlier` are the session's other photos, the last
    one first, and `number` counts them in the order in which they came.
    """

    path: str
    photo: Photo
    comparison: Comparison
    truth: Truth | None = None
    look: str = ""
    earlier: "tuple[PhotoResult, ...]" = ()
    number: int = 0

    @cached_property
    def thumbnail(self) -> str:
        """The photo as a small JPEG, a data URI."""
        return shrunk_uri(self.photo.pixels, THUMBNAIL_SIDE)

    def after(self, last: "PhotoResult | None") -> "PhotoResult":
        """This result with those before it: at most `PHOTOS_KEPT`, of `BYTES_KEPT` in all.

        A photo that comes again takes the place of its earlier result.
        """
        if last is None:
            return self
        numbers = [self.number, last.number, *(each.number for each in last.earlier)]
        earlier = [
            each for each in (replace(last, earlier=()), *last.earlier) if not each.same_photo(self)
        ][: PHOTOS_KEPT - 1]
        while sum(each.photo.pixels.nbytes for each in (self, *earlier)) > BYTES_KEPT and earlier:
            earlier.pop()
        return replace(self, earlier=tuple(earlier), number=max(numbers) + 1)

    def same_photo(self, other: "PhotoResult") -> bool:
        """Whether both are of the same file, or of the same example."""
        if self.look or other.look:
            return self.look == other.look
        return self.path == other.path != FRAME

    def back_to(self, number: int) -> "PhotoResult | None":
        """The session's photo of that number, with the others; None if it has gone."""
        photo = next((each for each in self.earlier if each.number == number), None)
        if photo is None:
            return None
        others = (each for each in self.earlier if each is not photo)
        return replace(photo, earlier=(replace(self, earlier=()), *others))

    @property
    def reference_model(self) -> str:
        """The model that the others are compared with where there is no ground truth."""
        return BASELINE

    def detection(self, number: int) -> Face:
        """What the detector gave for a face, counted from 0, in photo coordinates."""
        detection = self.comparison.faces[number].detection
        if detection is None:
            raise ValueError("This comparison was not made by the engine.")
        return detection

    def references(self) -> list[Prediction | None]:
        """What the models are compared with on each face: ground truth, else the baseline."""
        if self.truth:
            return annotations.assign_to_faces(self.truth.marks, self.comparison.faces)
        return agreement.baselines(self.comparison.faces)


class _Session(SessionState):
    """A session without a copy of the page's configuration, which only deep links need.

    Making it takes 20 ms, during which nobody else is served.
    """

    def __init__(self, page: Blocks) -> None:
        no_blocks: Any = SimpleNamespace(default_config=page.default_config, blocks=())
        super().__init__(no_blocks)


class Sessions(StateHolder):
    """Gradio's sessions, made in no time."""

    def __getitem__(self, session_id: str) -> SessionState:
        if session_id not in self.session_data:
            self.session_data[session_id] = _Session(self.blocks)
        return super().__getitem__(session_id)


@asynccontextmanager
async def keep(app: App) -> AsyncIterator[None]:
    """Keep sessions as long as the page is served, and forget idle ones.

    Gradio's own `time_to_live` counts from when a value was set, becomes an hour once the page is
    closed, and never ends for the values of other components.
    """
    app.state_holder = Sessions()
    app.state_holder.set_blocks(app.get_blocks())
    task = asyncio.create_task(_forget(app.state_holder))
    yield
    task.cancel()


async def _forget(sessions: StateHolder) -> None:
    while True:
        oldest = datetime.now() - timedelta(seconds=SECONDS_KEPT)
        with sessions.lock:
            for session, last_use in list(sessions.time_last_used.items()):
                if last_use < oldest:
                    del sessions.time_last_used[session]
                    sessions.session_data.pop(session, None)
        await asyncio.sleep(EVERY)
