"""300-W: https://ibug.doc.ic.ac.uk/resources/300-W/ (Sagonas et al. 2013), 68 points.

Official layout: `afw/`, `helen/{trainset,testset}/`, `lfpw/{trainset,testset}/`, a picture and a
1-based `.pts` file of the same name for every face.

`300w-partial/` beside it has tight crops of more training faces, with eleven labelled points and
the others `nan nan`.
"""

from pathlib import Path

from train.data.sources.common import LabelledFace, folder, labelled_pictures, read_pts

TRAIN = ("afw", "helen/trainset", "lfpw/trainset")
COMMON = ("helen/testset", "lfpw/testset")


def read(root: Path, parts: tuple[str, ...]) -> list[LabelledFace]:
    """The faces of some parts of 300-W under `root`, grouped by photo."""
    faces = []
    for part in parts:
        what = f"300-W ({part})"
        where = folder(root / "300w" / part, what)
        faces += [
            LabelledFace(
                name=f"{part}/{label.stem}",
                group=f"{part}/{_photo(part, label.stem)}",
                markup="ibug-68",
                keypoints=read_pts(label, 68, 1, picture),
                picture=picture,
            )
            for label, picture in labelled_pictures(where, ".pts", what)
        ]
    return faces


def train(root: Path) -> list[LabelledFace]:
    """The training faces: AFW and the training sets of HELEN and LFPW."""
    return read(root, TRAIN)


def common(root: Path) -> list[LabelledFace]:
    """The *common* test set (554 faces): only for `evaluate`, never for training or selection."""
    return read(root, COMMON)


def partial(root: Path) -> list[LabelledFace]:
    """More training faces with 11 of the 68 points, the others NaN; none of them is in `300w`.

    Each is a separate photo.
    """
    what = "300-W (partial labels)"
    where = folder(root / "300w-partial", what)
    return [
        LabelledFace(
            name=f"300w-partial/{label.stem}",
            group=f"300w-partial/{label.stem}",
            markup="ibug-68",
            keypoints=read_pts(label, 68, 1, picture),
            picture=picture,
        )
        for label, picture in labelled_pictures(where, ".pts", what)
    ]


def _photo(part: str, stem: str) -> str:
    # In AFW and HELEN the number after the underscore counts the faces of one photo; in LFPW
    # ("image_0001") it counts the photos.
    return stem if part.startswith("lfpw") else stem.rsplit("_", 1)[0]
