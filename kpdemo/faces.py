"""Find faces in a photo with MediaPipe's short-range BlazeFace.

The detector sees 128x128 pixels whatever it is given, so it is shown the whole photo first and
then closer views of what was too small to be sure of.
"""

from dataclasses import dataclass
from typing import NamedTuple

import numpy as np

from kpdemo.mediapipe_assets import VisionTask, detector_bytes

# What is compared of a photo: its largest faces.
MAX_FACES = 50

Box = tuple[float, float, float, float]

# A detection counts from this score on, in closer views (many, so more chances to be wrong) from
# the next; a weaker one only tells where to look closer, in closer views if it is not too weak:
# in a trial with 160 faces of six sizes those below that led to no face, only to more looks.
_SCORE, _CLOSE_SCORE, _HINT_SCORE, _CLOSE_HINT_SCORE = 0.5, 0.65, 0.1, 0.3
# A face below this share of the view's longer side needs a closer view: BlazeFace misses many
# below 13 %, and reports a width of 15 % for one of 8 %.
_SMALL = 0.18
# Closer views have sides of a half and a quarter of the photo's longer side.
_ZOOMS, _MIN_VIEW = (2, 4), 64
# Upright faces score less than this once in twenty times, faces on their side or upside down
# nearly always, and then their eyes are not where they are said to be.
_CLEAR_SCORE, _CLEAR_ROLL = 0.85, 50.0
# How much more another side up must score to be believed.
_TURN_GAIN = 0.02


@dataclass(frozen=True, eq=False)
class Face:
    """A face in photo coordinates (pixels, centres on integers).

    `box` is x0, y0, x1, y1, a square from the brows to the chin. `keypoints` is float32 `(6, 2)`:
    right eye, left eye, nose tip, mouth centre, right ear, left ear. `roll` is in degrees,
    positive when the head is turned clockwise on the screen.
    """

    box: Box
    score: float
    keypoints: np.ndarray
    roll: float

    @property
    def width(self) -> float:
        return self.box[2] - self.box[0]


class _View(NamedTuple):
    """A rectangle of whole pixels: columns x0 to x1, rows y0 to y1, ends excluded."""

    x0: int
    y0: int
    x1: int
    y1: int


class FaceFinder(VisionTask):
    """One face detector, safe to share between threads; close it or use it in a `with`.

    Building one raises `BaselineUnavailable` where MediaPipe or its model is missing.
    """

    def __init__(self) -> None:
        super().__init__("FaceDetector", detector_bytes(), min_detection_confidence=_HINT_SCORE)

    def find(self, pixels: np.ndarray) -> list[Face]:
        """The faces in `(H, W, 3)` uint8 RGB, biggest first; often none."""
        faces = self._search(pixels)
        best = max(faces, key=lambda face: face.score, default=None)
        if best is None or best.score < _CLEAR_SCORE or abs(best.roll) > _CLEAR_ROLL:
            faces = self._search_again(pixels, best) or faces
        return sorted(faces, key=lambda face: -face.width)

    def _search(self, pixels: np.ndarray) -> list[Face]:
        """The faces that stand roughly upright in `pixels`."""
        height, width = pixels.shape[:2]
        whole = max(height, width)
        views = [_View(0, 0, width, height)]
        faces: list[Face] = []
        hints: list[Face] = []
        for side in (whole, *(whole // zoom for zoom in _ZOOMS if whole // zoom >= _MIN_VIEW)):
            if side < whole:
                views, everywhere = _around(hints, side, width, height), _grid(side, width, height)
                if not faces or len(views) > len(everywhere) / 2:
                    views = everywhere
            enough, hint = (
                (_SCORE, _HINT_SCORE) if side == whole else (_CLOSE_SCORE, _CLOSE_HINT_SCORE)
            )
            seen = [f for view in views for f in self._look(pixels, view) if f.score >= hint]
            sure = [face for face in seen if face.score >= enough]
            faces = _distinct(faces + [face for face in sure if face.width >= _SMALL * side])
            hints = [f for f in seen if f.width < _SMALL * side and not _is_part(f, faces)]
        return _distinct(faces + sure)

    def _search_again(self, pixels: np.ndarray, best: Face | None) -> list[Face]:
        """The faces with a margin around the photo and another side of it up, if that is better.

        The margin is for a face that fills the photo, the turns for a photo on its side or upside
        down. `best` is the surest face without them; the answer is empty if it is as good.
        """
        margin = max(pixels.shape[:2]) // 4
        pixels = np.pad(pixels, ((margin, margin), (margin, margin), (0, 0)))
        height, width = pixels.shape[:2]
        scores = self._scores_by_turn(pixels)
        better_with_margin = best is None or scores[0] > best.score
        if best:
            box = _turned_back(best, 0, width, height, -margin)
            x0, y0, x1, y1 = _square(box, 2.5 * box.width, width, height)
            scores = np.maximum(scores, self._scores_by_turn(pixels[y0:y1, x0:x1]))
            scores[0] = max(scores[0], best.score)
        turn = int(np.argmax(scores))
        if scores[turn] < scores[0] + _TURN_GAIN:
            turn = 0
        if turn == 0 and not better_with_margin:
            return []
        found = self._search(np.rot90(pixels, turn))
        return [_turned_back(face, turn, width, height, margin) for face in found]

    def _scores_by_turn(self, pixels: np.ndarray) -> np.ndarray:
        """The highest score in a view with each of its sides up: `(4,)`."""
        scores = np.zeros(4)
        for turn in range(4):
            turned = np.rot90(pixels, turn)
            seen = self._look(turned, _View(0, 0, turned.shape[1], turned.shape[0]))
            scores[turn] = max((face.score for face in seen), default=0.0)
        return scores

    def _look(self, pixels: np.ndarray, view: _View) -> list[Face]:
        """What the detector sees in one view, hints included, faces cut by its edges left out."""
        x0, y0, x1, y1 = view
        size, origin = np.array([x1 - x0, y1 - y0]), np.array([x0 - 0.5, y0 - 0.5])
        faces = []
        for detection in self.detect(pixels[y0:y1, x0:x1]).detections:
            box = detection.bounding_box
            low = origin + np.array([box.origin_x, box.origin_y])
            high = low + np.array([box.width, box.height])
            points = np.array([(p.x, p.y) for p in detection.keypoints[:6]]) * size + origin
            face = _face((*low, *high), detection.categories[0].score, points)
            if _is_whole(face, view, *pixels.shape[1::-1]):
                faces.append(face)
        return faces


def _face(box: Box, score: float, points: np.ndarray) -> Face:
    dx, dy = points[1] - points[0]
    roll = float(np.degrees(np.arctan2(dy, dx)))
    return Face(tuple(map(float, box)), float(score), points.astype(np.float32), roll)


def _is_whole(face: Face, view: _View, width: int, height: int, gap: float = 0.1) -> bool:
    """Whether a face keeps off those edges of the view that are not edges of the photo too.

    `gap` is in widths of the face.
    """
    gap *= face.width
    x0, y0, x1, y1 = face.box
    return (
        (view.x0 == 0 or x0 - gap >= view.x0)
        and (view.y0 == 0 or y0 - gap >= view.y0)
        and (view.x1 == width or x1 + gap <= view.x1)
        and (view.y1 == height or y1 + gap <= view.y1)
    )


def _square(face: Face, side: float, width: int, height: int) -> _View:
    """A view around a face, moved into the photo and no larger than it."""
    x0, y0, x1, y1 = face.box
    across, down = min(round(side), width), min(round(side), height)
    left = int(np.clip(round((x0 + x1 - across) / 2), 0, width - across))
    top = int(np.clip(round((y0 + y1 - down) / 2), 0, height - down))
    return _View(left, top, left + across, top + down)


def _around(hints: list[Face], side: int, width: int, height: int) -> list[_View]:
    """Few views that together show every hint whole."""
    views: list[_View] = []
    for hint in sorted(hints, key=lambda hint: -hint.score):
        if not any(_is_whole(hint, view, width, height, 0.3) for view in views):
            views.append(_square(hint, side, width, height))
    return views


def _grid(side: int, width: int, height: int) -> list[_View]:
    """Views that overlap by half, so that a face of half a view is whole in one of them."""
    across, down = min(side, width), min(side, height)
    return [
        _View(x, y, x + across, y + down)
        for y in _starts(height, down)
        for x in _starts(width, across)
    ]


def _starts(length: int, part: int) -> list[int]:
    steps = int(np.ceil(2 * (length - part) / part))
    return np.linspace(0, length - part, steps + 1).astype(int).tolist()


def _distinct(faces: list[Face]) -> list[Face]:
    """One detection a face, the surest."""
    kept: list[Face] = []
    for face in sorted(faces, key=lambda face: -face.score):
        if not any(_same(face, other) for other in kept):
            kept.append(face)
    return kept


def _same(a: Face, b: Face) -> bool:
    """Whether two boxes share most of the smaller one, as parts of one face do."""
    (ax0, ay0, ax1, ay1), (bx0, by0, bx1, by1) = a.box, b.box
    shared = max(0.0, min(ax1, bx1) - max(ax0, bx0)) * max(0.0, min(ay1, by1) - max(ay0, by0))
    return shared > 0.5 * min((ax1 - ax0) * (ay1 - ay0), (bx1 - bx0) * (by1 - by0))


def _is_part(hint: Face, faces: list[Face]) -> bool:
    """Whether the middle of a hint lies in one of the faces."""
    x, y = (hint.box[0] + hint.box[2]) / 2, (hint.box[1] + hint.box[3]) / 2
    return any(f.box[0] <= x <= f.box[2] and f.box[1] <= y <= f.box[3] for f in faces)


def _turned_back(face: Face, turn: int, width: int, height: int, margin: int) -> Face:
    """A face of `np.rot90(padded, turn)` on the photo; `width` and `height` are those of padded."""
    points = np.concatenate([np.reshape(face.box, (2, 2)), face.keypoints])
    x, y = points.T
    x, y = (
        (x, y),
        (width - 1 - y, x),
        (width - 1 - x, height - 1 - y),
        (y, height - 1 - x),
    )[turn]
    points = np.stack([x, y], 1) - margin
    box = (*points[:2].min(0), *points[:2].max(0))
    return _face(box, face.score, points[2:])
