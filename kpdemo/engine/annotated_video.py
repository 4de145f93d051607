"""Video annotation: a short video with every model's keypoints on it, and a table of them."""

import csv
from collections.abc import Generator, Mapping, Sequence
from pathlib import Path
from typing import TextIO

import cv2
import numpy as np

from kpdemo import zoo
from kpdemo.engine import export
from kpdemo.engine.engine import Engine
from kpdemo.faces.people import PersonTracker
from kpdemo.media import draw
from kpdemo.media.images import Photo
from kpdemo.media.video import Clip, Frame, VideoError
from kpdemo.media.video_writer import VideoWriter
from kpdemo.structures import Comparison, Face

CSV_COLUMNS = ("frame", "seconds", *export.CSV_COLUMNS[1:])

_GAP = 4  # pixels between two panels


def annotate(
    engine: Engine, clip: Clip, titles: Mapping[str, str], film: Path, table: TextIO
) -> Generator[tuple[Frame, Comparison], None, None]:
    """Compare models on every frame; each is written by the time that it is yielded.

    `titles` names the models by what the film calls them, left to right, one panel each. `film`
    becomes a WebM video without sound; `table` gets a CSV (`CSV_COLUMNS`), one row a frame, face,
    model and point, in pixels of the upright original, made square where they are not. A face's
    number is its person's through the whole video, and drawn where there are several. Both are
    whole when the iteration ends.
    Raises VideoError as `Clip` does, and at the end if no frame showed a face.
    """
    rows = csv.writer(table, lineterminator="\n")
    rows.writerow(CSV_COLUMNS)
    people = PersonTracker()
    tracker = engine.tracker()
    has_faces = False
    with VideoWriter(film, clip.rate) as out:
        heads: np.ndarray | None = None
        for frame in clip:
            comparison = engine.compare(frame.photo, list(titles), borrow=False, find=tracker.find)
            numbers = people.identify(frame.photo.pixels, _on_frame(frame.photo, comparison))
            has_faces |= bool(numbers)
            if heads is None:
                width = frame.photo.pixels.shape[1]
                heads = _side_by_side(
                    [
                        draw.heading(title, zoo.color(model), width)
                        for model, title in titles.items()
                    ]
                )
            panels = _side_by_side(
                [
                    _panel(frame.photo, comparison, model, numbers if people.count > 1 else [])
                    for model in titles
                ]
            )
            out.write(np.concatenate([heads, panels]), frame.slot)
            for face, *row in export.csv_rows(comparison.to_dict()):
                rows.writerow((frame.number, round(frame.seconds, 3), numbers[face], *row))
            yield frame, comparison
    if not has_faces:
        raise VideoError(
            "No face found in the whole video; try one in which a face is larger, well lit, and "
            "looks towards the camera."
        )


def _panel(photo: Photo, comparison: Comparison, model: str, numbers: Sequence[int]) -> np.ndarray:
    """One model's keypoints on a frame, and each person's number, if `numbers` has any."""
    picture = photo.pixels
    answers = [face.answers[model] for face in comparison.faces if model in face.answers]
    if answers:
        confidences = [answer.confidence for answer in answers if answer.confidence is not None]
        picture = draw.overlay(
            picture,
            [photo.to_work(answer.keypoints) for answer in answers],
            answers[0].markup,
            zoo.color(model),
            confidences or None,
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


def _side_by_side(pictures: list[np.ndarray]) -> np.ndarray:
    gap = np.full((len(pictures[0]), _GAP, 3), draw.DARK, np.uint8)
    row = [part for picture in pictures for part in (picture, gap)]
    return np.concatenate(row[:-1], 1)
