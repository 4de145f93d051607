"""The one place under the photo where the page says what happened and what to do next."""

from collections.abc import Iterable, Iterator
from html import escape

from kpdemo import zoo
from kpdemo.structures import Comparison

NO_PHOTO = "Choose a photo first: drop a file, paste one, use the webcam, or take an example."
NO_NETS = "There is no model to look into; put model folders into weights/."
NO_MODEL = "Choose at least one model, then press Compare."
EXPIRED = "This comparison is no longer in memory; press Compare to make it again."
NO_COMPARISON = "Compare a photo first; then choose the file with its marked points."
NO_POINTS = "This model found no points on this face; choose another under “View”."
_MANY = 12


def error(*sentences: str) -> str:
    """HTML of a notice that a screen reader speaks at once."""
    return _notice("error", "alert", sentences)


def info(*sentences: str) -> str:
    """HTML of a notice that a screen reader speaks when it has time."""
    return _notice("info", "status", sentences)


def progress(words: str, share: float | None = None) -> str:
    """HTML of a bar with what is being done under it; without a share it only moves."""
    value = "" if share is None else f' value="{share:.3f}"'
    return (
        f'<div class="kp-progress"><progress aria-label="Progress"{value}></progress>'
        f"<p>{escape(words)}</p></div>"
    )


def of(comparison: Comparison) -> str:
    """HTML of all that a visitor should know about a comparison; empty if there is nothing."""
    sentences = [f"{zoo.title(m)} is left out: {why}" for m, why in comparison.unavailable.items()]
    count = len(comparison.faces)
    sentences = [*comparison.notices, *sentences, *_missing(comparison)]
    if count >= _MANY and not comparison.faces_left_out:
        sentences.append(f"{count} faces found; pick one under “View” to look closer.")
    return info(*sentences)


def _missing(comparison: Comparison) -> Iterator[str]:
    """A sentence for each model that has no points on some faces."""
    for model in comparison.models:
        faces = [at for at, face in enumerate(comparison.faces, 1) if model in face.missing]
        if faces:
            why = comparison.faces[faces[0] - 1].missing[model]
            numbers = ", ".join(map(str, faces))
            where = f" (face {numbers} of {len(comparison.faces)})"
            yield f"{zoo.title(model)}: {why}{where * (len(comparison.faces) > 1)}."


def _notice(kind: str, role: str, sentences: Iterable[str]) -> str:
    lines = "".join(f"<p>{escape(sentence)}</p>" for sentence in sentences)
    return f'<div class="kp-notice kp-{kind}" role="{role}">{lines}</div>' if lines else ""
