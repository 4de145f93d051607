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
from kpdemo.faces.settings import DETECTOR
from kpdemo.structures import Box, Face


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
        super().__init__(
            "FaceDetector", detector_bytes(), min_detection_confidence=DETECTOR.hint_score
        )
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
        for candidate in candidates[: DETECTOR.most_candidates]:
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
            and upright.score >= DETECTOR.clear_score
            and candidate.score >= DETECTOR.clear_candidate
            and abs(upright.roll) <= DETECTOR.clear_roll
        ):
            total = upright.score + candidate.score
            return _Evidence(upright, total, total)
        turned = self._detect_at_each(
            photo, [candidate._replace(roll=roll) for roll in DETECTOR.rolls]
        )
        # The photo's own side up is always one of the first.
        turned.sort(key=lambda face: -face.score - (abs(face.roll) <= DETECTOR.upright_roll))
        aligned = self._detect_at_each(photo, map(_place, turned[: DETECTOR.most_turns]))
        faces = _turns([*turned, *aligned])
        if self.centerface is None:
            evidence = [_Evidence(face, face.score, face.score) for face in faces]
        else:
            scores = [_second_score(self.centerface, photo, face) for face in faces]
            evidence = [
                _Evidence(face, face.score + max(score, candidate.score), face.score + score)
                for face, score in zip(faces, scores, strict=True)
                if abs(face.roll) <= DETECTOR.upright_roll or score >= DETECTOR.turn_score
            ]
        best = max(evidence, key=_preference, default=None)
        return best if best is not None and self._is_enough(best, candidate) else None

    def _is_enough(self, evidence: _Evidence, candidate: Candidate) -> bool:
        if self.centerface is None:
            return evidence.total >= DETECTOR.alone
        return evidence.total >= (
            DETECTOR.sum if candidate.score < DETECTOR.clear_candidate else DETECTOR.clear_sum
        )

    def _detect_at(self, photo: Pyramid, place: Candidate) -> Face | None:
        """BlazeFace's best detection in the middle of the upright crop around a place."""
        return _best(self._detections(photo, _crop(place, DETECTOR.share)), place)

    def _detect_at_each(self, photo: Pyramid, places: Iterable[Candidate]) -> list[Face]:
        faces = (self._detect_at(photo, place) for place in places)
        return [face for face in faces if face is not None]

    def _refine(self, photo: Pyramid, face: Face) -> Face:
        """The mean of BlazeFace's detections in two closer crops and their mirror images.

        Mirroring cancels errors to one side.
        """
        wide, close = DETECTOR.refined_shares
        first = self._flip_test(photo, face, wide)
        second = self._flip_test(photo, first, close)
        return _mean(first, second, face.score)

    def _flip_test(self, photo: Pyramid, face: Face, share: float) -> Face:
        place = _place(face)
        crop = _crop(place, share)
        pixels = photo.cut(crop, DETECTOR.pixels)
        mirrored = map(_mirrored, self._blazeface(pixels[:, ::-1]))
        first = _best([_on_photo(d, crop) for d in self._blazeface(pixels)], place)
        second = _best([_on_photo(d, crop) for d in mirrored], place)
        return face if first is None or second is None else _mean(first, second, face.score)

    def _detections(self, photo: Pyramid, crop: Crop) -> list[Face]:
        """BlazeFace's detections in a square crop, in photo coordinates."""
        return [_on_photo(d, crop) for d in self._blazeface(photo.cut(crop, DETECTOR.pixels))]

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
    crop = photo.cut(_crop(_place(face), DETECTOR.close_share), DETECTOR.close_pixels)
    return centerface.score(crop, DETECTOR.close_share)


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
    return evidence.upright + (
        DETECTOR.turn_gain if abs(evidence.face.roll) <= DETECTOR.upright_roll else 0.0
    )


def distinct(faces: Iterable[Face]) -> list[Face]:
    """One face a place, the first of them."""
    kept: list[Face] = []
    for face in faces:
        if not any(_place(face).resembles(*other.center, other.width) for other in kept):
            kept.append(face)
    return kept
