"""Video annotation: a short video with every model's keypoints on it, and a table of them."""

import csv
import math
from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

import cv2
import numpy as np

from kpdemo import zoo
from kpdemo.engine import export
from kpdemo.engine.engine import Engine
from kpdemo.engine.stream import Stream, StreamFrame
from kpdemo.media import draw
from kpdemo.media.images import Photo
from kpdemo.media.video import Clip, Frame, VideoError
from kpdemo.media.video_writer import VideoWriter
from kpdemo.structures import Comparison, Face

CSV_COLUMNS = ("frame", "seconds", *export.ROW_COLUMNS, "steady_x", "steady_y")

_X = export.ROW_COLUMNS.index("x") - 1  # in a row without "face"
_GAP = 4  # pixels between two panels
_MAX_WIDTH = 1444  # pixels of the film: two of the widest panels


@dataclass(frozen=True, eq=False)
class AnnotatedFrame:
    """A frame of the video, its comparisons, and `picture`, the film's frame: `(H, W, 3)` RGB."""

    source: Frame
    compared: StreamFrame
    picture: np.ndarray


def annotate(
    engine: Engine,
    clip: Clip,
    titles: Mapping[str, str],
    film: Path,
    table: TextIO,
    steady: bool = True,
) -> Generator[AnnotatedFrame, None, None]:
    """Compare models on every frame; each is written by the time that it is yielded.

    `titles` names the models by what the film calls them, one panel each, row by row. `film`
    becomes a WebM video without sound, of `steady` keypoints or of those that the models gave;
    `table` gets a CSV (`CSV_COLUMNS`) with both, one row a frame, face, model and point, in pixels
    of the upright original, made square where they are not. A face's number is its person's
    through the whole video, and drawn where there are several. Both are whole when the iteration
    ends.
    Raises VideoError as `Clip` does, and at the end if no frame showed a face.
    """
    rows = csv.writer(table, lineterminator="\n")
    rows.writerow(CSV_COLUMNS)
    stream = Stream(engine)
    has_faces = False
    with VideoWriter(film, clip.rate) as out:
        for frame in clip:
            compared = stream.compare(frame.photo, list(titles), frame.seconds)
            has_faces |= bool(compared.people)
            picture = _picture(
                frame.photo,
                compared.steady if steady else compared.raw,
                titles,
                compared.people if stream.people > 1 else [],
            )
            out.write(picture, frame.slot)
            rows.writerows(_rows(frame, compared))
            yield AnnotatedFrame(frame, compared, picture)
    if not has_faces:
        raise VideoError(
            "No face found in the whole video; try one in which a face is larger, well lit, and "
            "looks towards the camera."
        )


def _rows(frame: Frame, compared: StreamFrame) -> Iterator[tuple]:
    both = (export.csv_rows(c.to_dict()) for c in (compared.raw, compared.steady))
    for (face, *row), (_, *steady) in zip(*both, strict=True):
        person = compared.people[face]
        yield frame.number, round(frame.seconds, 3), person, *row, *steady[_X : _X + 2]


def _picture(
    photo: Photo, comparison: Comparison, titles: Mapping[str, str], numbers: Sequence[int]
) -> np.ndarray:
    """All panels with their headings, in rows."""
    height, width = photo.pixels.shape[:2]
    columns = _columns(len(titles), width / height)
    panels = []
    for model, title in titles.items():
        panel = _panel(photo, comparison, model, numbers)
        panels.append(np.concatenate([draw.heading(title, zoo.color(model), width), panel]))
    panels += [np.full_like(panels[0], draw.DARK)] * (-len(panels) % columns)
    rows = [_beside(panels[k : k + columns], 1) for k in range(0, len(panels), columns)]
    picture = _beside(rows, 0)
    height, width = picture.shape[:2]
    if width <= _MAX_WIDTH:
        return picture
    # Even, as the video's colours need.
    size = _MAX_WIDTH, 2 * round(height * _MAX_WIDTH / width / 2)
    return cv2.resize(picture, size, interpolation=cv2.INTER_AREA)


def _columns(panels: int, aspect: float) -> int:
    """In how many columns panels come nearest to a full picture twice as wide as high."""

    def badness(columns: int) -> float:
        rows = -(-panels // columns)
        return abs(math.log(columns * aspect / rows / 2)) + rows * columns / panels - 1

    return min(range(1, panels + 1), key=badness)


def _panel(photo: Photo, comparison: Comparison, model: str, numbers: Sequence[int]) -> np.ndarray:
    """One model's keypoints on a frame, and each person's number, if `numbers` has any."""
    picture = photo.pixels
    predictions = [
        face.predictions[model] for face in comparison.faces if model in face.predictions
    ]
    if predictions:
        picture = draw.overlay(
            picture,
            [photo.to_work(prediction.keypoints) for prediction in predictions],
            predictions[0].markup,
            zoo.color(model),
            [prediction.doubtful for prediction in predictions],
        )
    return _numbered(picture, _on_frame(photo, comparison), numbers)


def _on_frame(photo: Photo, comparison: Comparison) -> list[Face]:
    """The detected faces in pixels of the frame's photo."""
    return [face.detection.mapped(photo.to_work) for face in comparison.faces]


def _numbered(picture: np.ndarray, faces: Sequence[Face], numbers: Sequence[int]) -> np.ndarray:
    canvas = picture.copy()
    for face, number in zip(faces, numbers, strict=False):
        scale = max(0.5, face.width / 150)
        x, y = round(face.box[0]), max(round(face.box[1]), round(24 * scale))
        for color, width in ((draw.DARK, 4), (draw.WHITE, 1)):
            cv2.putText(
                canvas,
                str(number),
                (x, y),
                cv2.FONT_HERSHEY_SIMPLEX,
                scale,
                color,
                round(width * max(1, scale)),
                cv2.LINE_AA,
            )
    return canvas


def _beside(pictures: Sequence[np.ndarray], axis: int) -> np.ndarray:
    """Pictures of one size in a row (`axis` 1) or a column (0), with a gap between them."""
    shape = list(pictures[0].shape)
    shape[axis] = _GAP
    gap = np.full(shape, draw.DARK, np.uint8)
    parts = [part for picture in pictures for part in (picture, gap)]
    return np.concatenate(parts[:-1], axis)
