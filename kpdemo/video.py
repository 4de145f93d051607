"""A short video in; out come the same video with every model's keypoints, and a table of them.

Whatever is wrong with a file becomes a `VideoError`, one sentence that says what happened and
what to do next. Sound is not read.
"""

import csv
import math
import os
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

import cv2
import numpy as np

from kpdemo import draw, export
from kpdemo.compare import Comparison, Engine
from kpdemo.images import MIN_SIDE, Photo
from kpdemo.people import PersonTracker

MAX_SECONDS = 20
MAX_BYTES = 50_000_000
TOO_LARGE = (
    f"The video is larger than {MAX_BYTES // 1_000_000} MB; cut it shorter or save it smaller, and "
    "upload that."
)
# Of the videos that browsers play, OpenCV's wheel writes VP8 and VP9 only (H.264 and AV1 are not
# in it), and VP9 takes five times as long: 230 ms a frame of two panels, VP8 43 ms.
SUFFIX, _CODEC = ".webm", "VP80"
CSV_COLUMNS = ("frame", "seconds", *export.CSV_COLUMNS[1:])

# A panel's longer side in pixels, and frames a second: more costs time and shows nothing new.
_PANEL_SIDE, _MAX_RATE = 720, 30
_GAP = 4
# Recordings of browsers name a rate of 1000, other files none at all.
_BELIEVED_RATE = 240
# Containers write the time of a frame in milliseconds, so it may be a bit early for its slot.
_EARLY = 0.1
_TOO_LONG = MAX_SECONDS + 0.5
_USE = "upload an MP4, MOV, WebM, MKV or AVI file"


class VideoError(ValueError):
    """A video that cannot be used; the message is for the user, and says what to do next."""


@dataclass(frozen=True, eq=False)
class Frame:
    """A frame as an upright photo, shrunk for work; `slot` is its place in the video written.

    `number` counts all frames of the file from 0, `seconds` is the time from its first frame.
    """

    number: int
    seconds: float
    slot: int
    photo: Photo


class Clip:
    """A video file, opened; iterate over it once, and close it or use it in a `with`.

    `rate` is frames a second of the slots, `slots` about how many there will be, or None where
    the file does not say. Raises VideoError for a file that is no video, too large or too long.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        _check(Path(path))
        self._capture = cv2.VideoCapture(os.fspath(path), cv2.CAP_FFMPEG)
        if not self._capture.isOpened():
            raise VideoError(
                f"This file is damaged, or a video of a kind that cannot be read; {_USE}."
            )
        rate = self._capture.get(cv2.CAP_PROP_FPS)
        seconds = self._capture.get(cv2.CAP_PROP_FRAME_COUNT) / rate if rate > 0 else 0.0
        if seconds > _TOO_LONG:
            self.close()
            raise _too_long(f"{seconds:.0f} s")
        believed = rate if 1 <= rate <= _BELIEVED_RATE else _MAX_RATE
        # Of 50 or 60 frames a second every second one: their times stay evenly apart.
        self.rate = believed / math.ceil(believed / _MAX_RATE - 0.01)
        self.slots = max(1, round(seconds * self.rate)) if seconds > 0 else None

    def __enter__(self) -> "Clip":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Let go of the file."""
        self._capture.release()

    def __iter__(self) -> Iterator[Frame]:
        """The frames that have a slot; those between two slots are left out.

        Raises VideoError where the video turns out longer than it said, or holds no frame.
        """
        number, slot, started, last = 0, -1, 0.0, 0.0
        while (read := self._capture.read())[0]:
            seconds = self._capture.get(cv2.CAP_PROP_POS_MSEC) / 1000
            if number == 0:
                started = seconds
            elif seconds - started <= last:  # no times in the file
                seconds = started + last + 1 / self.rate
            last = seconds - started
            if last > _TOO_LONG:
                raise _too_long(f"longer than {MAX_SECONDS} s")
            due = math.floor(last * self.rate + _EARLY)
            if due > slot:
                slot = due
                yield Frame(number, last, slot, _photo(read[1]))
            number += 1
        if not number:
            raise VideoError(f"No frame of this video can be read; save it again, and {_USE}.")


def annotate(
    engine: Engine, clip: Clip, titles: Mapping[str, str], film: Path, table: TextIO
) -> Iterator[tuple[Frame, Comparison]]:
    """Compare models on every frame; each is written by the time that it is yielded.

    `titles` names the models by what the film calls them, left to right, one panel each. `film`
    becomes a WebM video without sound; `table` gets a CSV (`CSV_COLUMNS`), one row a frame, face,
    model and point, in pixels of the upright original. Both are whole when the iteration ends.
    Raises VideoError as `Clip` does, and at the end if no frame showed a face.
    """
    rows = csv.writer(table, lineterminator="\n")
    rows.writerow(CSV_COLUMNS)
    people = PersonTracker()
    seen = False
    with _Film(film, clip.rate) as out:
        heads: np.ndarray | None = None
        for frame in clip:
            comparison = engine.compare(frame.photo, list(titles), borrow=False)
            numbers = people.identify(
                frame.photo.pixels, [face.found for face in comparison.faces]
            )
            seen |= bool(numbers)
            if heads is None:
                width = frame.photo.pixels.shape[1]
                heads = _abreast(
                    [
                        draw.heading(title, draw.color_of(model), width)
                        for model, title in titles.items()
                    ]
                )
            panels = _abreast([_panel(frame.photo, comparison, model) for model in titles])
            out.write(np.concatenate([heads, panels]), frame.slot)
            for face, *row in export.csv_rows(comparison.to_dict()):
                rows.writerow((frame.number, round(frame.seconds, 3), numbers[face], *row))
            yield frame, comparison
    if not seen:
        raise VideoError(
            "No face found in the whole video; try one in which a face is larger, well lit, and "
            "looks towards the camera."
        )


class _Film:
    """The video that is written; a slot that no frame came for shows the frame before it."""

    def __init__(self, path: Path, rate: float) -> None:
        self._path, self._rate = path, rate
        self._writer: cv2.VideoWriter | None = None
        self._last: np.ndarray | None = None
        self._slots = 0

    def __enter__(self) -> "_Film":
        return self

    def __exit__(self, *_: object) -> None:
        if self._writer is not None:
            self._writer.release()

    def write(self, pixels: np.ndarray, slot: int) -> None:
        picture = cv2.cvtColor(pixels, cv2.COLOR_RGB2BGR)
        if self._writer is None:
            self._writer = cv2.VideoWriter(
                os.fspath(self._path),
                cv2.CAP_FFMPEG,
                cv2.VideoWriter_fourcc(*_CODEC),
                self._rate,
                pixels.shape[1::-1],
            )
            if not self._writer.isOpened():
                raise RuntimeError(f"This OpenCV cannot write {_CODEC} to {self._path}.")
        while self._slots < slot:
            self._writer.write(picture if self._last is None else self._last)
            self._slots += 1
        self._writer.write(picture)
        self._slots += 1
        self._last = picture


def _check(path: Path) -> None:
    try:
        size = path.stat().st_size
    except OSError as error:
        raise VideoError("The file is no longer there; choose it again.") from error
    if not size:
        raise VideoError("The file is empty (0 bytes); upload it again.")
    if size > MAX_BYTES:
        raise VideoError(TOO_LARGE)
    with path.open("rb") as file:
        start = file.read(12)
    # Only containers that hold their own frames: a playlist would have FFmpeg open other files.
    if not (
        start[4:8] in (b"ftyp", b"moov", b"mdat", b"wide", b"free", b"skip")
        or start.startswith(b"\x1aE\xdf\xa3")
        or (start.startswith(b"RIFF") and start[8:] == b"AVI ")
    ):
        raise VideoError(f"This file is not a video that can be read; {_USE}.")


def _too_long(length: str) -> VideoError:
    return VideoError(
        f"The video is {length}, and {MAX_SECONDS} s is the limit; cut a part out and upload that."
    )


def _photo(pixels: np.ndarray) -> Photo:
    """A frame `(H, W, 3)` BGR, shrunk to whole pairs of pixels, as the video's colours need."""
    height, width = pixels.shape[:2]
    if min(height, width) < MIN_SIDE:
        raise VideoError(
            f"The video is only {width} x {height} pixels, too small to show a face; "
            "upload a larger one."
        )
    scale = min(1.0, _PANEL_SIDE / max(height, width))
    size = (max(2, 2 * round(width * scale / 2)), max(2, 2 * round(height * scale / 2)))
    small = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)
    return Photo(cv2.cvtColor(small, cv2.COLOR_BGR2RGB), width, height, scale)


def _panel(photo: Photo, comparison: Comparison, model: str) -> np.ndarray:
    answers = [face.answers[model] for face in comparison.faces if model in face.answers]
    if not answers:
        return photo.pixels
    known = [answer.confidence for answer in answers if answer.confidence is not None]
    return draw.overlay(
        photo.pixels,
        [photo.to_work(answer.keypoints) for answer in answers],
        answers[0].markup,
        draw.color_of(model),
        known or None,
    )


def _abreast(pictures: list[np.ndarray]) -> np.ndarray:
    gap = np.full((len(pictures[0]), _GAP, 3), draw.DARK, np.uint8)
    row = [part for picture in pictures for part in (picture, gap)]
    return np.concatenate(row[:-1], 1)
