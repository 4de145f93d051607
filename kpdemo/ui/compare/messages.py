"""What the Compare tab tells a visitor about a comparison, and the errors that it explains."""

from collections.abc import Iterator

from kpdemo import zoo
from kpdemo.structures import Comparison
from kpdemo.ui.shared import notice

NO_PHOTO = "Choose a photo first: drop a file, paste one, use the webcam, or take an example."
NO_MODEL = "Choose at least one model."
EXPIRED = "This comparison is no longer in memory; choose the photo again."
NO_COMPARISON = "Compare a photo first; then choose the file with its ground truth."
_MANY_FACES = 12


def of(comparison: Comparison) -> str:
    """HTML of all that a visitor should know about a comparison; empty if there is nothing."""
    sentences = list(comparison.notices)
    for model, reason in comparison.unavailable.items():
        sentences.append(f"{zoo.title(model)} is left out: {reason}")
    sentences += _missing(comparison)
    count = len(comparison.faces)
    if count >= _MANY_FACES and not comparison.faces_left_out:
        sentences.append(f"{count} faces found; pick one under “View” to look closer.")
    return notice.info(*sentences)


def _missing(comparison: Comparison) -> Iterator[str]:
    """A sentence for each model that has no points on some faces, where no notice has said it."""
    count = len(comparison.faces)
    noticed = count == 1 and comparison.faces[0].predictions
    for model in comparison.models:
        faces = [at for at, face in enumerate(comparison.faces, 1) if model in face.missing]
        if not faces or (model == zoo.BASELINE and noticed):
            continue
        reason = comparison.faces[faces[0] - 1].missing[model]
        numbers = f" (face {', '.join(map(str, faces))} of {count})" if count > 1 else ""
        yield f"{zoo.title(model)}: {reason}{numbers}."
