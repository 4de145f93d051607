"""CenterFace: candidates for faces of any size and roll, in one pass over an image pyramid."""

import threading

import cv2
import numpy as np

from kpdemo.faces.candidates import Candidate, distinct
from kpdemo.faces.centerface_model import model_bytes
from kpdemo.faces.settings import CENTERFACE


class CenterFace:
    """The net, safe to share between threads."""

    def __init__(self, model: bytes) -> None:
        self._net = cv2.dnn.readNetFromONNX(np.frombuffer(model, np.uint8))
        # OpenCV's nets hold their input and output: one caller at a time.
        self._lock = threading.Lock()

    @classmethod
    def installed(cls) -> "CenterFace | None":
        """The net, or None where no installed package has it."""
        model = model_bytes()
        return None if model is None else cls(model)

    def candidates(self, pixels: np.ndarray) -> list[Candidate]:
        """Where faces may be in `(H, W, 3)` uint8 RGB, the likeliest first."""
        height, width = pixels.shape[:2]
        scale = min(1.0, max(CENTERFACE.finest, (CENTERFACE.pixels / (height * width)) ** 0.5))
        level, candidates = _shrunk(pixels, scale), []
        while max(level.shape) > CENTERFACE.coarsest:
            candidates += self._by_tiles(level, width / level.shape[1])
            level = _shrunk(level, 1 / CENTERFACE.step)
        margin = max(level.shape) // 4
        level_scale = width / level.shape[1]
        level = np.pad(level, ((margin, margin), (margin, margin), (0, 0)))
        candidates += _on_photo(self._detect(level), level_scale, margin, margin)
        return distinct(candidates)

    def score(self, crop: np.ndarray, share: float) -> float:
        """The score of a face in the middle of a square crop, `share` of its width; 0 to 1."""
        side = crop.shape[0]
        middle, width = (side - 1) / 2, share * side
        scores = [
            candidate.score
            for candidate in self._detect(crop)
            if max(abs(candidate.x - middle), abs(candidate.y - middle)) < 0.35 * width
            and 0.55 < candidate.width / width < 1.8
        ]
        return max(scores, default=0.0)

    def _by_tiles(self, level: np.ndarray, scale: float) -> list[Candidate]:
        candidates = []
        height, width = level.shape[:2]
        for top, bottom in _spans(height):
            for left, right in _spans(width):
                tile = level[top:bottom, left:right]
                candidates += _on_photo(self._detect(tile), scale, -left, -top)
        return candidates

    def _detect(self, pixels: np.ndarray) -> list[Candidate]:
        height, width = pixels.shape[:2]
        padded = np.zeros(
            (
                -(-height // CENTERFACE.cell) * CENTERFACE.cell,
                -(-width // CENTERFACE.cell) * CENTERFACE.cell,
                3,
            ),
            np.uint8,
        )
        padded[:height, :width] = pixels
        with self._lock:
            self._net.setInput(cv2.dnn.blobFromImage(padded))
            # Copies: the next call overwrites the outputs.
            heat, size, offset, points = (
                np.array(o[0]) for o in self._net.forward(CENTERFACE.outputs)
            )
        rows, columns = np.nonzero(heat[0] > CENTERFACE.score)
        down, across = 4 * np.exp(size[:, rows, columns])
        y, x = 4 * (np.stack([rows, columns]) + offset[:, rows, columns] + 0.5) - 0.5
        # Of the five points, y before x in parts of the box, the first two are the eyes.
        right_y, right_x, left_y, left_x = points[:4, rows, columns]
        roll = np.degrees(np.arctan2((left_y - right_y) * down, (left_x - right_x) * across))
        scores = heat[0, rows, columns]
        values = np.stack([x, y, across, scores, roll], 1).tolist()
        return distinct([Candidate(*row) for row in values])


def _shrunk(pixels: np.ndarray, scale: float) -> np.ndarray:
    height, width = pixels.shape[:2]
    size = max(1, round(width * scale)), max(1, round(height * scale))
    return cv2.resize(pixels, size, interpolation=cv2.INTER_AREA) if scale < 1 else pixels


def _spans(length: int) -> list[tuple[int, int]]:
    """Starts and ends of the fewest tiles of one size that cover a length together."""
    count = max(1, -(-(length - CENTERFACE.overlap) // (CENTERFACE.tile - CENTERFACE.overlap)))
    size = -(-(length + (count - 1) * CENTERFACE.overlap) // count)
    starts = np.linspace(0, length - size, count).astype(int).tolist()
    return [(start, start + size) for start in starts]


def _on_photo(candidates: list[Candidate], scale: float, left: int, top: int) -> list[Candidate]:
    """Candidates of a level that is `scale` times coarser, behind margins `left` and `top`."""
    return [
        candidate._replace(
            x=(candidate.x - left + 0.5) * scale - 0.5,
            y=(candidate.y - top + 0.5) * scale - 0.5,
            width=candidate.width * scale,
        )
        for candidate in candidates
    ]
