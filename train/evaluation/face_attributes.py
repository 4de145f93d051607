"""Attributes of a test face, measured from labels and pixels, and a sentence on the unusual ones.

There is none for occlusion: annotators label hidden points as if they were visible, and hair or a
hand is neither darker nor smoother than skin in any way that holds for all photos.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import cv2
import numpy as np

from kpdemo.keypoints import markups
from kpdemo.keypoints.metrics import eye_distance
from train.data.sources import LabelledFace

Facts = dict[str, float | None]

# How far a place lies in front of the outer eye corners on an average head, in units of half
# their distance (MediaPipe's canonical face). IMM has no nose tip, only the nose's foot.
DEPTHS = {"nose_tip": 0.97, "nose_base": 0.65}
FACE_SIDE = 96  # pixels of the face on which sharpness is measured
FRONTAL = 10.0  # degrees of yaw
UNUSUAL = 0.9  # report a fact that is more extreme than in this share of the other faces
MAX_FACTS = 2  # in one sentence


@dataclass(frozen=True)
class Tail:
    """One end of a fact's range, and the words for a face that lies there.

    `sign` is 1 for large values, -1 for small ones; `words` is a format string that takes the
    `value` and `than`, the faces that are less extreme.
    """

    fact: str
    sign: int
    words: str


TAILS = (
    Tail("yaw", 1, "Turned about {value:.0f}° to one side, more than {than}"),
    Tail("roll", 1, "Tilted by {value:.0f}°, more than {than}"),
    Tail("cut", 1, "Cut by the picture's edge more than {than} ({value:.2f} of its points)"),
    Tail("mouth_open", 1, "Mouth wider open than {than} ({value:.2f} of the eye distance)"),
    Tail("brightness", -1, "Darker than {than} (mean grey {value:.0f})"),
    Tail("brightness", 1, "Brighter than {than} (mean grey {value:.0f})"),
    Tail("contrast", -1, "Less contrast than {than} (grey deviation {value:.0f})"),
    Tail("contrast", 1, "More contrast than {than} (grey deviation {value:.0f})"),
    Tail("sharpness", -1, "Less sharp than {than}"),
    Tail("sharpness", 1, "Sharper than {than}"),
    Tail("size", -1, "Smaller than {than} ({value:.0f} px between the eyes)"),
    Tail("size", 1, "Larger than {than} ({value:.0f} px between the eyes)"),
    Tail("unusual_shape", 1, "Shape farther from the mean than {than} (pose or expression)"),
    Tail("unusual_shape", -1, "Shape closer to the mean than {than}"),
)


def of_faces(faces: Sequence[LabelledFace]) -> list[Facts]:
    """The facts of each face of one source (one markup); None where a label it needs is missing or
    the markup has no such place.

    - `yaw`: degrees, positive when the nose points to the picture's right; see `yaw`.
    - `roll`: degrees of the line through the outer eye corners, positive clockwise on the screen.
    - `size`: distance of the outer eye corners in pixels.
    - `brightness`, `contrast`: mean and standard deviation of grey (0-255) in the keypoints' box.
    - `sharpness`: variance of the Laplacian of that box at 96×96 pixels. It falls with blur, and
      with contrast too.
    - `mouth_open`: gap of the inner lips over the eye distance.
    - `cut`: share of the labelled points outside the picture or in its outermost pixels.
    - `unusual_shape`: distance of the shape from the mean shape; see `shape_distances`.

    Raises DataError for a picture that cannot be decoded.
    """
    distances = shape_distances(np.stack([face.keypoints for face in faces]))
    return [
        {name: _rounded(value) for name, value in (_facts(face) | {"unusual_shape": d}).items()}
        for face, d in zip(faces, distances, strict=True)
    ]


def yaw(points: np.ndarray, markup: str) -> float:
    """Estimated yaw in degrees of a head with keypoints `(K, 2)`; NaN if unlabelled.

    A proxy: in parallel projection, a nose `d` in front of the outer eye corners, which are `2a`
    apart, moves off their midpoint by `d / a * tan(yaw)` of half their projected distance. `d / a`
    is that of an average head, so a long nose looks turned farther; beyond about 45° the far eye's
    corner is hidden and its label is the annotator's guess. On the IMM faces that were asked to
    turn by 30° the mean is 29°, with a deviation of about 10° a face.
    """
    layout = markups.get(markup)
    place = next(place for place in DEPTHS if place in layout.anatomy)
    right, left = _eye_corners(points, markup)
    axis = (left - right) / 2
    offset = layout.place(points, place) - (left + right) / 2
    return float(np.degrees(np.arctan(offset @ axis / (axis @ axis) / DEPTHS[place])))


def shape_distances(shapes: np.ndarray) -> np.ndarray:
    """Full Procrustes distances of shapes `(F, K, 2)` from their mean shape: `(F,)`, 0 to 1.

    Position, size and roll do not count; pose and expression do. NaN where a label is missing.
    """
    distances = np.full(len(shapes), np.nan)
    whole = np.isfinite(shapes).all((1, 2))
    points = shapes[whole, :, 0] + 1j * shapes[whole, :, 1].astype(np.float64)
    points -= points.mean(1, keepdims=True)
    points /= np.linalg.norm(points, axis=1, keepdims=True)
    # The mean shape that is closest to all is the leading eigenvector (Kent 1994).
    mean = np.linalg.eigh(points.T @ points.conj())[1][:, -1]
    distances[whole] = np.sqrt(np.clip(1 - np.abs(points @ mean.conj()) ** 2, 0, 1))
    return distances


def strata(facts: Sequence[Facts]) -> dict[str, dict[str, list[int]]]:
    """Rows of faces by yaw, by how open the mouth is, and by size.

    "yaw" has "left", "front" and "right" of the picture, split at `FRONTAL` degrees; "mouth_open"
    and "size" have thirds of equal number. Faces without that fact are left out.
    """

    def by_row(fact: str) -> dict[int, float]:
        return {row: value for row, each in enumerate(facts) if (value := each[fact]) is not None}

    yaws = by_row("yaw")
    result = {
        "yaw": {
            "left": [row for row, angle in yaws.items() if angle < -FRONTAL],
            "front": [row for row, angle in yaws.items() if abs(angle) <= FRONTAL],
            "right": [row for row, angle in yaws.items() if angle > FRONTAL],
        }
    }
    for fact, names in (
        ("mouth_open", ("closed", "between", "open")),
        ("size", ("small", "between", "large")),
    ):
        values = by_row(fact)
        rows = sorted(values, key=values.__getitem__)
        thirds = np.array_split(np.array(rows, int), len(names))
        result[fact] = {name: third.tolist() for name, third in zip(names, thirds, strict=True)}
    return result


def reason(facts: Facts, all_facts: Sequence[Facts]) -> str:
    """What is most unusual about a face among all test faces (itself included), in a sentence.

    It reports what was measured, and does not claim that this caused the error.
    """
    unusual = []
    for tail in TAILS:
        value = facts[tail.fact]
        if value is None:
            continue
        share = _share_less(tail, value, all_facts)
        if share is not None and share > UNUSUAL:
            than = "all other test faces"
            if share < 1:
                than = f"{int(100 * share)} % of the test faces"
            unusual.append((share, tail.words.format(value=abs(value), than=than)))
    if not unusual:
        return f"Nothing measured here is unusual: {_plain(facts)}."
    unusual.sort(key=lambda item: -item[0])
    first, *others = (words for _, words in unusual[:MAX_FACTS])
    return "; ".join([first, *(words[0].lower() + words[1:] for words in others)]) + "."


def _share_less(tail: Tail, value: float, all_facts: Sequence[Facts]) -> float | None:
    """The share of the other faces that are less extreme than `value`; None without others."""
    values = [each for facts in all_facts if (each := facts[tail.fact]) is not None]
    if len(values) < 2:
        return None
    # All facts but the two angles are positive, and left and right are equally hard.
    less = sum(tail.sign * abs(each) < tail.sign * abs(value) for each in values)
    return less / (len(values) - 1)


def _plain(facts: Facts) -> str:
    parts = []
    if (angle := facts["yaw"]) is not None:
        word = "frontal" if abs(angle) < FRONTAL else "turned"
        parts.append(f"{word} ({abs(angle):.0f}°)")
    if facts["size"] is not None:
        parts.append(f"{facts['size']:.0f} px between the eyes")
    if facts["brightness"] is not None:
        parts.append(f"mean grey {facts['brightness']:.0f}")
    return ", ".join(parts)


def _facts(face: LabelledFace) -> dict[str, float]:
    points, markup = face.keypoints.astype(np.float64), face.markup
    pixels = face.pixels(1)
    right, left = _eye_corners(points, markup)
    size = float(eye_distance(points, markup))
    facts = {
        "yaw": yaw(points, markup),
        "roll": float(np.degrees(np.arctan2(*(left - right)[::-1]))),
        "size": size,
        "brightness": np.nan,
        "contrast": np.nan,
        "sharpness": np.nan,
        "mouth_open": _lip_gap(points, markup) / size,
        "cut": _share_at_edge(points, *pixels.shape[::-1]),
    }
    box = _keypoint_box(pixels, points)
    if box.size:
        small = cv2.resize(box, (FACE_SIDE, FACE_SIDE), interpolation=cv2.INTER_AREA)
        facts["brightness"], facts["contrast"] = float(box.mean()), float(box.std())
        facts["sharpness"] = float(cv2.Laplacian(small, cv2.CV_64F).var())
    return facts


def _eye_corners(points: np.ndarray, markup: str) -> tuple[np.ndarray, np.ndarray]:
    layout = markups.get(markup)
    right, left = (layout.place(points, f"{side}_eye_outer_corner") for side in ("right", "left"))
    return right, left


def _lip_gap(points: np.ndarray, markup: str) -> float:
    layout = markups.get(markup)
    lips = ("inner_upper_lip", "inner_lower_lip")
    if not all(lip in layout.anatomy for lip in lips):
        return np.nan
    upper, lower = (layout.place(points, lip) for lip in lips)
    return float(np.linalg.norm(lower - upper))


def _share_at_edge(points: np.ndarray, width: int, height: int) -> float:
    labelled = points[np.isfinite(points).all(1)]
    if not len(labelled):
        return np.nan
    inside = (labelled >= 1) & (labelled <= (width - 2, height - 2))
    return float(1 - inside.all(1).mean())


def _keypoint_box(pixels: np.ndarray, points: np.ndarray) -> np.ndarray:
    """The part of the picture in the labelled points' box; empty if there is none."""
    labelled = points[np.isfinite(points).all(1)]
    if not len(labelled):
        return pixels[:0]
    x0, y0 = np.floor(labelled.min(0)).astype(int).clip(0)
    x1, y1 = np.ceil(labelled.max(0)).astype(int).clip(-1) + 1
    return pixels[y0:y1, x0:x1]


def _rounded(value: float) -> float | None:
    return round(float(value), 4) if np.isfinite(value) else None
