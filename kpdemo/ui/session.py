"""What a visitor's session keeps between clicks: the last comparison, in memory only."""

from collections.abc import Mapping
from dataclasses import dataclass

from kpdemo import agreement, truth
from kpdemo.compare import Answer, Comparison
from kpdemo.images import Photo
from kpdemo.truth import Marks

# A session that was left alone for this long is emptied; its photo may take 12 MB.
SECONDS_KEPT = 900
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
            return truth.on_faces(self.truth.marks, self.comparison.faces)
        return agreement.baselines(self.comparison.faces)
