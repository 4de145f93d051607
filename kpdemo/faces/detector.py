"""Face detection: CenterFace proposes candidates, BlazeFace verifies each in an upright crop.

The decision on a face depends on its own surroundings only, never on other faces in the photo.
"""

import math
from collections.abc import Iterable
from functools import partial
from typing import NamedTuple

import numpy as np

from kpdemo.faces import tiles
from kpdemo.faces.candidates import Candidate
from kpdemo.faces.centerface import CenterFace
from kpdemo.faces.crop import Crop
from kpdemo.faces.mediapipe_task import VisionTask, detector_bytes
from kpdemo.faces.pyramid import Pyramid
from kpdemo.structures import Box, Face

# The largest faces of a photo that are compared.
MAX_FACES = 50


# BlazeFace's input is 128x128 pixels. A face fills this share of its width, where the score best
# separates upright faces (0.95) from those on their side (0.9) and upside down (0.6).
_PIXELS, _SHARE = 128, 0.32
# Its points are most accurate as a mean over these.
_REFINED_SHARES = 0.35, 0.45
# The weakest detection that is examined again, upright.
_HINT_SCORE = 0.3
# The sum of both nets' scores of the upright face: in a trial 1.57 and more for faces of 40 pixels
# and more, 1.39 and less for everything else. BlazeFace alone needs a higher score.
_SUM, _ALONE = 1.42, 0.8
# Faces that the photo's edges cut off score low in BlazeFace, but high in CenterFace.
_CLEAR_SUM = 1.1
# CenterFace's crop around a face.
_CLOSE_PIXELS, _CLOSE_SHARE = 96, 0.4
# An upright candidate that scores so high in both nets is not tried with another side up.
_CLEAR_SCORE, _CLEAR_CANDIDATE, _CLEAR_ROLL = 0.85, 0.6, 40.0
# How much higher a face with another side up must score than an upright one in its place, and its
# minimum score in CenterFace with that side up: real ones have 0.6 and more.
_TURN_GAIN, _TURN_SCORE, _UPRIGHT_ROLL = 0.15, 0.4, 60.0
# Sides that may be up, and how many of them are examined a second time.
_ROLLS, _MOST_TURNS = (0.0, 90.0, 180.0, -90.0), 2
# A photo of leaves or crowds may have thousands of candidates.
_MOST_CANDIDATES = 300


class _Evidence(NamedTuple):
    """A face in its upright crop, and the sums of both nets' scores.

    `total` is the score of its being a face, `upright` of this side of it being up.
    """

    face: Face
    total: float
    upright: float


class FaceFinder(VisionTask):
    """A `Detector`, safe to share between threads; close it or use it in a `with`.

    Building one raises `BaselineUnavailable` where MediaPipe or its model is missing. Without
    CenterFace's file, BlazeFace itself proposes candidates, and finds fewer and larger faces.
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
            height, width = pixels.shape[:2]
            candidates = tiles.candidates(partial(self._detections, photo), width, height)
        verified: list[_Evidence] = []
        for candidate in candidates[:_MOST_CANDIDATES]:
            if any(candidate.resembles(*e.face.center, e.face.width) for e in verified):
                continue
            evidence = self._examine(photo, candidate)
            if evidence is not None:
                verified.append(evidence)
        verified.sort(key=lambda evidence: -evidence.total)
        faces = distinct(self._refine(photo, evidence.face) for evidence in verified)
        return sorted(faces, key=lambda face: -face.width)

    def follow(self, photo: Pyramid, face: Face) -> Face | None:
        """A face of the last frame in this one, None if it is not about in the same place."""
        return self._detect_at(photo, _place(face))

    def _examine(self, photo: Pyramid, candidate: Candidate) -> _Evidence | None:
        """The face at a candidate with the right side up, None where there is none."""
        first = candidate._replace(roll=candidate.roll if abs(candidate.roll) < 90 else 0.0)
        upright = self._detect_at(photo, first)
        if (
            upright is not None
            and upright.score >= _CLEAR_SCORE
            and candidate.score >= _CLEAR_CANDIDATE
            and abs(upright.roll) <= _CLEAR_ROLL
        ):
            total = upright.score + candidate.score
            return _Evidence(upright, total, total)
        turned = self._detect_at_each(photo, [candidate._replace(roll=roll) for roll in _ROLLS])
        # The photo's own side up is always one of the first.
        turned.sort(key=lambda face: -face.score - (abs(face.roll) <= _UPRIGHT_ROLL))
        aligned = self._detect_at_each(photo, map(_place, turned[:_MOST_TURNS]))
        faces = _turns([*turned, *aligned])
        if self.centerface is None:
            evidence = [_Evidence(face, face.score, face.score) for face in faces]
        else:
            scores = [_second_score(self.centerface, photo, face) for face in faces]
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

    def _detect_at(self, photo: Pyramid, place: Candidate) -> Face | None:
        """BlazeFace's best detection in the middle of the upright crop around a place."""
        return _best(self._detections(photo, _crop(place, _SHARE)), place)

    def _detect_at_each(self, photo: Pyramid, places: Iterable[Candidate]) -> list[Face]:
        faces = (self._detect_at(photo, place) for place in places)
        return [face for face in faces if face is not None]

    def _refine(self, photo: Pyramid, face: Face) -> Face:
        """The mean of BlazeFace's detections in two closer crops and their mirror images.

        Mirroring cancels errors to one side.
        """
        wide, close = _REFINED_SHARES
        first = self._flip_test(photo, face, wide)
        second = self._flip_test(photo, first, close)
        return _mean(first, second, face.score)

    def _flip_test(self, photo: Pyramid, face: Face, share: float) -> Face:
        place = _place(face)
        crop = _crop(place, share)
        pixels = photo.cut(crop, _PIXELS)
        mirrored = map(_mirrored, self._blazeface(pixels[:, ::-1]))
        first = _best([_on_photo(d, crop) for d in self._blazeface(pixels)], place)
        second = _best([_on_photo(d, crop) for d in mirrored], place)
        return face if first is None or second is None else _mean(first, second, face.score)

    def _detections(self, photo: Pyramid, crop: Crop) -> list[Face]:
        """BlazeFace's detections in a square crop, in photo coordinates."""
        return [_on_photo(d, crop) for d in self._blazeface(photo.cut(crop, _PIXELS))]

    def _blazeface(self, pixels: np.ndarray) -> "list[_Detection]":
        detections = []
        for detection in self.detect(pixels).detections:
            box = detection.bounding_box
            corner, sides = (box.origin_x, box.origin_y), (box.width, box.height)
            middle = (np.array(corner) + np.array(sides) / 2) * 2 / len(pixels) - 1
            points = np.array([(p.x, p.y) for p in detection.keypoints[:6]]) * 2 - 1
            half = sum(sides) / 2 / len(pixels)
            detections.append(_Detection(middle, half, points, detection.categories[0].score))
        return detections


class _Detection(NamedTuple):
    """A face in crop coordinates: its box's middle `(2,)` and half side, and points `(6, 2)`."""

    middle: np.ndarray
    half: float
    points: np.ndarray
    score: float


def _mirrored(detection: _Detection) -> _Detection:
    mirror = np.array([-1, 1])
    return detection._replace(
        middle=detection.middle * mirror, points=detection.points[[1, 0, 2, 3, 5, 4]] * mirror
    )


def _on_photo(detection: _Detection, crop: Crop) -> Face:
    (x, y), *points = crop.to_photo([detection.middle, *detection.points]).tolist()
    half = float(detection.half) * crop.width / 2
    box = (x - half, y - half, x + half, y + half)
    return _face(box, detection.score, np.array(points, np.float32))


def _second_score(centerface: CenterFace, photo: Pyramid, face: Face) -> float:
    """CenterFace's score of a face in its upright crop."""
    crop = photo.cut(_crop(_place(face), _CLOSE_SHARE), _CLOSE_PIXELS)
    return centerface.score(crop, _CLOSE_SHARE)


def _best(faces: Iterable[Face], place: Candidate) -> Face | None:
    """The face at a place with the highest score, None if all are neighbours."""
    return max(
        (face for face in faces if _is_at(face, place)),
        key=lambda face: face.score,
        default=None,
    )


def _face(box: Box, score: float, points: np.ndarray) -> Face:
    dx, dy = points[1] - points[0]
    return Face(box, float(score), points, math.degrees(math.atan2(dy, dx)))


def _mean(first: Face, second: Face, score: float) -> Face:
    x0, y0, x1, y1 = ((a + b) / 2 for a, b in zip(first.box, second.box, strict=True))
    return _face((x0, y0, x1, y1), score, (first.keypoints + second.keypoints) / 2)


def _place(face: Face) -> Candidate:
    return Candidate(*face.center, face.width, face.score, face.roll)


def _crop(place: Candidate, share: float) -> Crop:
    side = place.width / share
    return Crop(place.x, place.y, side, side, place.roll)


def _is_at(face: Face, place: Candidate) -> bool:
    """Whether a face is about at a place and of its size, and not a neighbour."""
    x, y = face.center
    return (
        np.hypot(x - place.x, y - place.y) < 0.6 * place.width
        and 0.5 < face.width / place.width < 2
    )


def _turns(faces: list[Face]) -> list[Face]:
    """One face for each side that may be up, the one with the highest score."""
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
