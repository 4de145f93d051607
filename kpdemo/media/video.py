"""Video annotation: a short video with every model's keypoints on it, and a table of them.

Whatever is wrong with a file becomes a `VideoError`, one sentence that says what happened and
what to do next. Sound is not read.
"""

import csv
import math
import os
from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TextIO

import cv2
import numpy as np

from kpdemo import zoo
from kpdemo.engine import export
from kpdemo.engine.engine import Engine
from kpdemo.faces.people import PersonTracker
from kpdemo.media import draw
from kpdemo.media.images import MAX_PIXELS, MIN_SIDE, Photo
from kpdemo.structures import Comparison, Face

MAX_SECONDS = 20
MAX_BYTES = 50_000_000
TOO_LARGE = (
    f"The video is larger than {MAX_BYTES // 1_000_000} MB; cut it shorter or save it smaller, and "
    "upload that."
)
# Of the videos that browsers play, OpenCV's wheel writes VP8 and VP9 only (H.264 and AV1 are not
# in it), and VP9 takes five times as long: 230 ms a frame of two panels, VP8 43 ms.
SUFFIX, _CODEC = ".webm", "VP80"
CSV_COLUMNS = ("frame", "seconds", *export.ROW_COLUMNS)

# A panel's longer side in pixels, and frames a second: more costs time and shows nothing new.
_PANEL_SIDE, _MAX_RATE = 720, 30
_GAP = 4
# Browsers' recordings state a rate of 1000, other files none at all.
_CREDIBLE_RATE = 240
# Containers write the time of a frame in milliseconds, so it may be a bit early for its slot.
_EARLY = 0.1
_TOO_LONG = MAX_SECONDS + 0.5
# Pixels are up to twice as wide as high; beyond this a header is wrong.
_MAX_ASPECT = 8
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

    Times, rate and length are those of its frames, whatever the header says. `rate` is frames a
    second of the slots, `slots` about how many there will be. Raises VideoError for a file that
    is no video, too large or too long.
    """

    def __init__(self, path: str | os.PathLike[str]) -> None:
        # FFmpeg takes a relative name with a colon for an address of another protocol.
        path = Path(path).absolute()
        _check(path)
        self._capture = cv2.VideoCapture(os.fspath(path), cv2.CAP_FFMPEG)
        if not self._capture.isOpened():
            raise VideoError(
                "No picture can be read in this file: it is damaged, holds only sound, or is a "
                f"video of a kind that cannot be read; {_USE}."
            )
        try:
            _check_frame_size(self._capture)
            self._aspect = _pixel_aspect(self._capture)
            times = _packet_times(path)
            self._frames = len(times)
            if not self._frames:
                raise _no_frame()
            self._step = _step(times, self._capture.get(cv2.CAP_PROP_FPS))
            # A file without any times plays at an even pace.
            self._timed = self._frames == 1 or times[-1] > times[0]
            span = times[-1] - times[0] if self._timed else (self._frames - 1) * self._step
            length = span + min(1, self._step)  # the last frame is seen as long as the others
            if length > _TOO_LONG:
                raise _too_long(f"{length:.0f} s")
        except VideoError:
            self.close()
            raise
        # Of 50 or 60 frames a second every second one: their times stay evenly apart.
        rate = 1 / self._step
        self.rate = max(1.0, round(rate / max(1, math.ceil(rate / _MAX_RATE - 0.05)), 3))
        self.slots = self._slot(span) + 1

    def __enter__(self) -> "Clip":
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the file."""
        self._capture.release()

    def __iter__(self) -> Iterator[Frame]:
        """The frames that have a slot; those between two slots, and damaged ones, are left out.

        Raises VideoError where the video is longer than its header says, or holds no frame.
        """
        last_slot, seconds, before = -1, 0.0, None
        for number in range(self._frames):
            if not self._capture.grab():
                continue
            time = self._capture.get(cv2.CAP_PROP_POS_MSEC) / 1000
            if before is not None:
                passed = time - before
                # Times start again where two recordings were joined.
                seconds += passed if self._timed and passed >= 0 else self._step
            before = time
            if seconds > _TOO_LONG:
                raise _too_long(f"longer than {MAX_SECONDS} s")
            slot = self._slot(seconds)
            if slot > last_slot and (frame := self._capture.retrieve())[0]:
                last_slot = slot
                yield Frame(number, seconds, slot, _photo(frame[1], self._aspect))
        if last_slot < 0:
            raise _no_frame()

    def _slot(self, seconds: float) -> int:
        return math.floor(seconds * self.rate + _EARLY)


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
    with _Film(film, clip.rate) as out:
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


class _Film:
    """The output video; a slot without a frame repeats the one before it."""

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
                cv2.VideoWriter.fourcc(*_CODEC),
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


def _no_frame() -> VideoError:
    return VideoError(f"No frame of this video can be read; save it again, and {_USE}.")


def _packet_times(path: str | os.PathLike[str]) -> np.ndarray:
    """When each frame of a file is shown, in seconds, sorted; nothing is decoded for it."""
    packets = cv2.VideoCapture(os.fspath(path), cv2.CAP_FFMPEG, [cv2.CAP_PROP_FORMAT, -1])
    times = []
    while packets.grab():
        times.append(packets.get(cv2.CAP_PROP_POS_MSEC) / 1000)
    packets.release()
    return np.sort(times)


def _step(times: np.ndarray, header_rate: float) -> float:
    """Seconds from frame to frame, without the pauses; the header's where it is as good."""
    steps = np.diff(np.unique(times))
    if not len(steps):
        return 1 / header_rate if 1 <= header_rate <= _CREDIBLE_RATE else 1 / _MAX_RATE
    median = np.median(steps)
    usual = steps[np.abs(steps - median) <= median / 2]
    step = float(usual.mean())
    # Times are in whole milliseconds: the header's rate is more exact if it ends on the same frame.
    if header_rate > 0 and abs(1 / header_rate - step) * len(usual) < step / 2:
        return 1 / header_rate
    return step


def _check_frame_size(capture: cv2.VideoCapture) -> None:
    width, height = (
        int(capture.get(side)) for side in (cv2.CAP_PROP_FRAME_WIDTH, cv2.CAP_PROP_FRAME_HEIGHT)
    )
    if width * height > MAX_PIXELS:
        raise VideoError(
            f"A frame of this video has more than {MAX_PIXELS // 1_000_000} megapixels "
            f"({width} x {height}); save it smaller, and upload that."
        )


def _pixel_aspect(capture: cv2.VideoCapture) -> float:
    """Width by height of a pixel of the upright frames."""
    across, down = capture.get(cv2.CAP_PROP_SAR_NUM), capture.get(cv2.CAP_PROP_SAR_DEN)
    if across <= 0 or down <= 0 or not 1 / _MAX_ASPECT <= across / down <= _MAX_ASPECT:
        return 1.0
    sideways = capture.get(cv2.CAP_PROP_ORIENTATION_META) % 180 == 90
    return down / across if sideways else across / down


def _photo(pixels: np.ndarray, aspect: float) -> Photo:
    """A frame `(H, W, 3)` BGR with square pixels, shrunk for work.

    Square pixels come by stretching the short side of the pixels, as in browsers. The sides of
    the result are even, as the video's colours need.
    """
    height, width = pixels.shape[:2]
    width, height = round(width * max(1, aspect)), round(height * max(1, 1 / aspect))
    if min(height, width) < MIN_SIDE:
        raise VideoError(
            f"The video is only {width} x {height} pixels, too small to show a face; "
            "upload a larger one."
        )
    scale = min(1.0, _PANEL_SIDE / max(height, width))
    size = (max(2, 2 * round(width * scale / 2)), max(2, 2 * round(height * scale / 2)))
    small = cv2.resize(pixels, size, interpolation=cv2.INTER_AREA)
    return Photo(cv2.cvtColor(small, cv2.COLOR_BGR2RGB), width, height, scale)


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
