"""YouTube Faces frames, as in a well-known course project: 68 points labelled by a machine.

Layout: `{training,test}/*.jpg` and `{training,test}_frames_keypoints.csv` with the picture's name
and 136 numbers. Wolf et al. 2011, https://www.cs.tau.ac.il/~wolf/ytfaces/
"""

from pathlib import Path

from kpdemo.keypoints import tables
from train.data.sources.common import DataError, LabelledFace, as_data_error, folder, picture_size

COLUMNS = tuple(map(str, range(136)))


@as_data_error()
def read(root: Path, part: str) -> list[LabelledFace]:
    """The frames of `part` ("training" or "test"), grouped by person."""
    table = _table(folder(root / "ytf", "YouTube Faces"), f"{part}_frames_keypoints.csv")
    where = folder(table.parent / part, f"YouTube Faces ({part})")
    files = {path.name for path in where.iterdir()}
    faces = []
    for row in tables.rows(table, COLUMNS):
        cells = [cell for column, cell in row.items() if column not in COLUMNS and cell]
        name = next((cell for cell in cells if cell in files), None)
        if name is None:
            raise DataError(
                f"YouTube Faces: {where} lacks the picture {cells[0] if cells else ''} that row "
                f"{row.number} of {table} lists; unpack the data set again."
            )
        if row.width < len(row):
            raise row.error(f"has {(row.width - 1) / 2:g} points where 68 belong")
        stem = Path(name).stem
        faces.append(
            LabelledFace(
                name=f"ytf/{part}/{stem}",
                group=f"ytf/{stem.rsplit('_', 1)[0]}",
                markup="ibug-68",
                keypoints=row.points(COLUMNS, *picture_size(where / name)),
                picture=where / name,
            )
        )
    return faces


def train(root: Path) -> list[LabelledFace]:
    """Both parts: the published test part shows the people of the training part."""
    return read(root, "training") + read(root, "test")


def _table(where: Path, name: str) -> Path:
    # The course's archive has everything in a folder `data`.
    for table in (where / name, where / "data" / name):
        if table.exists():
            return table
    raise DataError(
        f"YouTube Faces: {where} holds no {name}; `python -m train data` says what belongs there."
    )
