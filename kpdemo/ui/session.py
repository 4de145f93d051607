"""What a visitor's session keeps between clicks: the last comparison, in memory only."""

from dataclasses import dataclass

from kpdemo.compare import Comparison
from kpdemo.images import Photo

# A session that was left alone for this long is emptied; its photo may take 12 MB.
SECONDS_KEPT = 900
SESSIONS_KEPT = 40


@dataclass(frozen=True, eq=False)
class Shown:
    """The photo that the page shows and its comparison; `path` is the upload in Gradio's cache."""

    path: str
    photo: Photo
    comparison: Comparison
