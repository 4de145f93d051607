"""BioID: https://www.bioid.com/face-database/ with the FGnet markup of 20 points, 0-based.

Official layout: `BioID_0000.pgm` and so on; the labels `points_20/bioid_0000.pts` are a separate
archive.
"""

from pathlib import Path

from train.data.sources.common import (
    LabelledFace,
    first_number,
    folder,
    labelled_pictures,
    read_pts,
)

# Identities are not given; each person has a long run of consecutive numbers.
RUN = 50


def read(root: Path) -> list[LabelledFace]:
    """All faces, grouped by runs of 50 consecutive pictures."""
    where = folder(root / "bioid", "BioID")
    return [
        LabelledFace(
            name=f"bioid/{picture.stem}",
            group=f"bioid/{first_number(label) // RUN}",
            markup="bioid-20",
            keypoints=read_pts(label, 20, 0, picture),
            picture=picture,
        )
        for label, picture in labelled_pictures(where, ".pts", "BioID")
    ]
