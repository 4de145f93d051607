"""Find faces in a photo: a net proposes places, BlazeFace looks closer at each of them, upright.

What is decided on a face depends on its own surroundings only, never on other faces in the photo.
"""

import math
from collections.abc import Iterable
from typing import NamedTuple

import numpy as np

from kpdemo.faces import tiles
from kpdemo.faces.candidates import Candidate
from kpdemo.faces.centerface import CenterFace
from kpdemo.faces.crop import Crop
from kpdemo.faces.mediapipe_task import VisionTask, detector_bytes
from kpdemo.faces.pyramid import Pyramid
from kpdemo.structures import Box, Face

# What is compared of a photo: its largest faces.
MAX_FACES = 50


# BlazeFace sees 128x128 pixels. A face is shown upright and this share of them wide, where its
# score tells faces on their side (0.9) and upside down (0.6) best from upright ones (0.95).
_PIXELS, _SHARE = 128, 0.32
# Its points are surest as a mean over these.
_REFINED_SHARES = 0.35, 0.45
# The weakest detection that is looked at again, upright.
_HINT_SCORE = 0.3
# Both nets score the upright face; in a trial, faces from 40 pixels on had a sum of 1.57 and more,
# what was no face 1.39 and less. BlazeFace alone, without the other net, must be surer.
_SUM, _ALONE = 1.42, 0.8
# Faces that are cut by the photo's edges score low in BlazeFace, but are clear to CenterFace.
_CLEAR_SUM = 1.1
# CenterFace's closer look.
_CLOSE_PIXELS, _CLOSE_SHARE = 96, 0.4
# An upright candidate that both nets are so sure of needs no look with another side up.
_CLEAR_SCORE, _CLEAR_CANDIDATE, _CLEAR_ROLL = 0.85, 0.6, 40.0
# How much surer a face with another side up must be than an upright one in its place, and what
# CenterFace must score it with that side up: real ones have 0.6 and more.
_TURN_GAIN, _TURN_SCORE, _UPRIGHT_ROLL = 0.15, 0.4, 60.0
# Sides that may be up, and how many of them deserve a second look.
_ROLLS, _MOST_TURNS = (0.0, 90.0, 180.0, -90.0), 2
# A photo of leaves or crowds may have thousands of candidates.
_MOST_CANDIDATES = 300


class _Evidence(NamedTuple):
    """A face as it was seen upright, and how sure both nets are together.

    `total` of that it is a face, `upright` of that this side of it is up.
    """

    face: Face
    total: float
    upright: float


class FaceFinder(VisionTask):
    """One face detector, safe to share between threads; close it or use it in a `with`.

    Building one raises `BaselineUnavailable` where MediaPipe or its model is missing. Without
    CenterFace's file, BlazeFace itself proposes places, and finds fewer and larger faces.
    """

    def __init__(self) -> None:
        super().__init__("FaceDetector", detector_bytes(), min_detection_confidence=_HINT_SCORE)
        self.centerface = CenterFace.installed()

    def find(self, pixels: np.ndarray) -> list[Face]:
        """The faces in `(H, W, 3)` uint8 RGB, biggest first; often none."""
        photo = Pyramid(pixels)
        if self.centerface is not None:
            candidates = self.centerface.candidates(pixels)
        else:
            candidates = tiles.candidates(self, photo)
        certain: list[_Evidence] = []
        for candidate in candidates[:_MOST_CANDIDATES]:
            if any(candidate.resembles(*e.face.center, e.face.width) for e in certain):
                continue
            evidence = self._examine(photo, candidate)
            if evidence is not None:
                certain.append(evidence)
        surest = sorted(certain, key=lambda evidence: -evidence.total)
        faces = distinct(self._refined(photo, evidence.face) for evidence in surest)
        return sorted(faces, key=lambda face: -face.width)

    def follow(self, photo: Pyramid, face: Face) -> Face | None:
        """A face of the frame before in this frame, if it is still about where it was."""
        return self._look(photo, _place(face))

    def _examine(self, photo: Pyramid, candidate: Candidate) -> _Evidence | None:
        """The face at a candidate with the right side up, None where there is none."""
        first = candidate._replace(roll=candidate.roll if abs(candidate.roll) < 90 else 0.0)
        upright = self._look(photo, first)
        if (
            upright is not None
            and upright.score >= _CLEAR_SCORE
            and candidate.score >= _CLEAR_CANDIDATE
            and abs(upright.roll) <= _CLEAR_ROLL
        ):
            total = upright.score + candidate.score
            return _Evidence(upright, total, total)
        looks = [self._look(photo, candidate._replace(roll=roll)) for roll in _ROLLS]
        looks = [face for face in looks if face is not None]
        # The photo's own side up is always one of them.
        looks.sort(key=lambda face: -face.score - (abs(face.roll) <= _UPRIGHT_ROLL))
        aligned = [self._look(photo, _place(face)) for face in looks[:_MOST_TURNS]]
        faces = _turns([face for face in (*looks, *aligned) if face is not None])
        if self.centerface is None:
            evidence = [_Evidence(face, face.score, face.score) for face in faces]
        else:
            scores = [self._other_score(photo, face) for face in faces]
            evidence = [
                _Evidence(face, face.score + max(score, candidate.score), face.score + score)
                for face, score in zip(faces, scores, strict=True)
                if abs(face.roll) <= _UPRIGHT_ROLL or score >= _TURN_SCORE
            ]
        best = max(evidence, key=_preference, default=None)
        return best if best is not None and self._is_enough(best, candidate) else None

    def _is_enough(self, evidence: _Evidence, candidate: Candidate) -> bool:
        if self.centerface is None:
            return evidence.total >= _ALONE
        return evidence.total >= (_SUM if candidate.score < _CLEAR_CANDIDATE else _CLEAR_SUM)

    def _other_score(self, photo: Pyramid, face: Face) -> float:
        cut = photo.cut(_crop(_place(face), _CLOSE_SHARE), _CLOSE_PIXELS)
        return self.centerface.score(cut, _CLOSE_SHARE)

    def _look(self, photo: Pyramid, place: Candidate) -> Face | None:
        """What BlazeFace sees in the middle of a cut around a place that is turned by its roll."""
        faces = self.look(photo, _crop(place, _SHARE))
        return max(
            (face for face in faces if _is_there(face, place)),
            key=lambda face: face.score,
            default=None,
        )

    def _refined(self, photo: Pyramid, face: Face) -> Face:
        """The mean of what BlazeFace sees in two closer cuts and in their mirror images.

        Whatever it errs by to one side in the one it errs by to the other in the other.
        """
        wide, close = _REFINED_SHARES
        first = self._with_mirror_image(photo, face, wide)
        second = self._with_mirror_image(photo, first, close)
        return _mean(first, second, face.score)

    def _with_mirror_image(self, photo: Pyramid, face: Face, share: float) -> Face:
        place = _place(face)
        crop = _crop(place, share)
        cut = photo.cut(crop, _PIXELS)
        pair = []
        for sights in (self._see(cut), map(_mirrored, self._see(cut[:, ::-1]))):
            faces = [f for f in (_on_photo(s, crop) for s in sights) if _is_there(f, place)]
            pair += sorted(faces, key=lambda f: -f.score)[:1]
        return _mean(*pair, face.score) if len(pair) == 2 else face

    def look(self, photo: Pyramid, crop: Crop) -> list[Face]:
        """All that BlazeFace sees in a square crop, in photo coordinates."""
        cut = photo.cut(crop, _PIXELS)
        return [_on_photo(sight, crop) for sight in self._see(cut)]

    def _see(self, cut: np.ndarray) -> "list[_Sight]":
        sights = []
        for detection in self.detect(cut).detections:
            box = detection.bounding_box
            corner, sides = (box.origin_x, box.origin_y), (box.width, box.height)
            middle = (np.array(corner) + np.array(sides) / 2) * 2 / len(cut) - 1
            points = np.array([(p.x, p.y) for p in detection.keypoints[:6]]) * 2 - 1
            half = sum(sides) / 2 / len(cut)
            sights.append(_Sight(middle, half, points, detection.categories[0].score))
        return sights


class _Sight(NamedTuple):
    """A face in crop coordinates: its box's middle `(2,)` and half side, and points `(6, 2)`."""

    middle: np.ndarray
    half: float
    points: np.ndarray
    score: float


def _mirrored(sight: _Sight) -> _Sight:
    mirror = np.array([-1, 1])
    return sight._replace(
        middle=sight.middle * mirror, points=sight.points[[1, 0, 2, 3, 5, 4]] * mirror
    )


def _on_photo(sight: _Sight, crop: Crop) -> Face:
    (x, y), *points = crop.to_photo([sight.middle, *sight.points]).tolist()
    half = float(sight.half) * crop.width / 2
    box = (x - half, y - half, x + half, y + half)
    return _face(box, sight.score, np.array(points, np.float32))


def _face(box: Box, score: float, points: np.ndarray) -> Face:
    dx, dy = points[1] - points[0]
    return Face(box, float(score), points, math.degrees(math.atan2(dy, dx)))


def _mean(first: Face, second: Face, score: float) -> Face:
    box = tuple((a + b) / 2 for a, b in zip(first.box, second.box, strict=True))
    return _face(box, score, (first.keypoints + second.keypoints) / 2)


def _place(face: Face) -> Candidate:
    return Candidate(*face.center, face.width, face.score, face.roll)


def _crop(place: Candidate, share: float) -> Crop:
    side = place.width / share
    return Crop(place.x, place.y, side, side, place.roll)


def _is_there(face: Face, place: Candidate) -> bool:
    """Whether a face may be what was looked for at a place, and not a neighbour."""
    x, y = face.center
    return (
        np.hypot(x - place.x, y - place.y) < 0.6 * place.width
        and 0.5 < face.width / place.width < 2
    )


def _turns(faces: list[Face]) -> list[Face]:
    """One face for each side that may be up, the surest."""
    kept: list[Face] = []
    for face in sorted(faces, key=lambda face: -face.score):
        if all(abs((face.roll - other.roll + 180) % 360 - 180) > 30 for other in kept):
            kept.append(face)
    return kept


def _preference(evidence: _Evidence) -> float:
    return evidence.upright + (_TURN_GAIN if abs(evidence.face.roll) <= _UPRIGHT_ROLL else 0.0)


def distinct(faces: Iterable[Face]) -> list[Face]:
    """One face a place, the first of them."""
    kept: list[Face] = []
    for face in faces:
        if not any(_place(face).resembles(*other.center, other.width) for other in kept):
            kept.append(face)
    return kept
