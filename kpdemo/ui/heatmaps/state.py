"""What a session of the Heatmaps tab remembers: the visitor's request and what is displayed."""

from dataclasses import dataclass, replace

from kpdemo.structures import Comparison

HEATMAP, SENSITIVITY, GRADIENTS = "heatmap", "sensitivity", "gradients"
# In place of a model: all nets with heatmaps beside each other.
SIDE_BY_SIDE = "*"


@dataclass(frozen=True)
class Choice:
    """A model's `view` of a face, counted from 0."""

    model: str
    face: int = 0
    view: str = HEATMAP


@dataclass(frozen=True, eq=False)
class Display:
    """What the tab displays of a comparison (None: of none yet), and what was drawn of that one.

    `choice` is what is displayed for the request `requested`; the model may have no such view, the
    photo no such face. `drawings` holds the views of this comparison as JSON. `sigmas_face` is the
    face on which the report's two U-Nets are shown, `previous` what a cancel returns to if it
    arrives just after this choice was drawn.
    """

    comparison: Comparison | None
    choice: Choice
    requested: Choice
    drawings: dict[Choice, str]
    sigmas_face: int | None = None
    previous: "Display | None" = None


class Request:
    """A visitor's last choice, None after a cancel, and the choice that was last cancelled.

    A run reads it at every step, so a session keeps one and the same object. `at` is when the
    visitor made the last choice, in milliseconds of the page's clock.
    """

    at: float = -1
    choice: Choice | None = None
    cancelled: Choice | None = None

    def set(self, choice: Choice) -> None:
        self.choice = replace(choice)  # a new object: an equal one may have been cancelled

    def cancel(self) -> None:
        if self.choice is not None:
            self.choice, self.cancelled = None, self.choice

    def current(self, display: Display | None) -> Display | None:
        """The display, or the previous one if its request was cancelled after its last step."""
        if display is None or display.requested is not self.cancelled:
            return display
        return display.previous and replace(display.previous, sigmas_face=display.sigmas_face)
