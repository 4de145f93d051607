"""`python -m kpdemo.benchmark faces OUT.json`: recall, accuracy and cost of the face detector.

The scenes' faces are known. A detection's points are compared with those of the same face alone,
upright and of the same size. Times are CPU time over all cores.
"""

import time
from collections.abc import Iterable
from functools import lru_cache

import numpy as np

from kpdemo.benchmark import face_scenes
from kpdemo.benchmark.face_scenes import PastedFace, Scene
from kpdemo.benchmark.speed import photo_640x480
from kpdemo.faces.detector import FaceFinder
from kpdemo.faces.tracker import FaceTracker
from kpdemo.structures import Face

# The smallest face that must be detected, in pixels of the photo.
SMALLEST = 40
# The tolerance of points, in percent of the eye distance.
TOLERANCE = 3.0
GROUPS = {
    "sizes": face_scenes.sizes,
    "turns": face_scenes.turns,
    "mixtures": face_scenes.mixtures,
    "overlaps": face_scenes.overlaps,
    "panoramas": face_scenes.panoramas,
    "textures": face_scenes.textures,
    "40 MP": face_scenes.huge,
    "cuts": face_scenes.cuts,
    "empty": face_scenes.empty,
}


def measure_group(finder: FaceFinder, scenes: Iterable[Scene]) -> dict:
    """Counts over some scenes, the errors of their faces, and milliseconds of the slowest one.

    "recall" has only faces of `SMALLEST` pixels and more, "faces" and "found" all of them.
    """
    faces = hits = large = large_hits = false = turned = 0
    errors: list[float] = []
    milliseconds = 0.0
    for scene in scenes:
        started = time.process_time()
        detections = finder.find(scene.pixels)
        milliseconds = max(milliseconds, 1000 * (time.process_time() - started))
        matches = match(scene.faces, detections)
        false += len(detections) - sum(detection is not None for detection in matches)
        for face, detection in zip(scene.faces, matches, strict=True):
            faces += 1
            large += face.width >= SMALLEST
            if detection is None:
                continue
            hits += 1
            large_hits += face.width >= SMALLEST
            turned += abs((detection.roll - face.turn + 180) % 360 - 180) > 60
            if face.width >= SMALLEST and not scene.altered:
                errors.append(point_error(finder, face, detection))
    return {
        "faces": faces,
        "found": hits,
        f"faces_from_{SMALLEST}_px": large,
        f"found_from_{SMALLEST}_px": large_hits,
        "false_faces": false,
        "turned_wrongly": int(turned),
        "errors_percent": np.round(np.sort(errors), 2).tolist(),
        "processor_milliseconds": round(milliseconds),
    }


def match(faces: list[PastedFace], detections: list[Face]) -> list[Face | None]:
    """The detection of each face: nearest first, about in its place and of its size."""
    free = list(detections)
    matches: list[Face | None] = []
    for face in faces:
        near = [d for d in free if _is_of(d, face)]
        best = min(near, key=lambda d: _distance(d, face), default=None)
        if best is not None:
            free.remove(best)
        matches.append(best)
    return matches


def _distance(detection: Face, face: PastedFace) -> float:
    x, y = detection.center
    return float(np.hypot(x - face.x, y - face.y))


def _is_of(detection: Face, face: PastedFace) -> bool:
    ratio = detection.width / face.width
    return _distance(detection, face) < 0.4 * face.width and 0.6 < ratio < 1.6


def point_error(finder: FaceFinder, face: PastedFace, detection: Face) -> float:
    """Mean distance of eyes, nose and mouth from the face's alone, in percent of its eye distance.

    Infinite where the face alone is not found.
    """
    expected = _points_alone(finder, face.head, face.width)
    if expected is None:
        return np.inf
    inverse = np.linalg.inv(face.matrix[:, :2])
    points = (detection.keypoints[:4] - face.matrix[:, 2]) @ inverse.T
    eyes = np.linalg.norm(expected[0] - expected[1])
    return float(100 * np.linalg.norm(points - expected, axis=1).mean() / eyes)


@lru_cache(maxsize=512)
def _points_alone(finder: FaceFinder, head: int, width: float) -> np.ndarray | None:
    """Eyes, nose and mouth `(4, 2)` in the head's pixels, from the face alone."""
    scene = face_scenes.alone(head, width)
    (detection,) = match(scene.faces, finder.find(scene.pixels))
    if detection is None:
        return None
    (face,) = scene.faces
    inverse = np.linalg.inv(face.matrix[:, :2])
    return (detection.keypoints[:4] - face.matrix[:, 2]) @ inverse.T


def portrait_milliseconds(finder: FaceFinder, rounds: int = 20) -> dict[str, float]:
    """Processor time for a 640×480 photo with one upright face: detected, and tracked."""
    photo = photo_640x480()
    tracker = FaceTracker(finder)
    times = {}
    for name, find in (("find", finder.find), ("track", tracker.find)):
        find(photo)
        started = time.process_time()
        for _ in range(rounds):
            find(photo)
        times[f"{name}_640x480_processor_milliseconds"] = round(
            1000 * (time.process_time() - started) / rounds, 1
        )
    return times


def measure() -> dict:
    """All groups of scenes, and the summary over all of them."""
    with FaceFinder() as finder:
        groups = {name: measure_group(finder, scenes()) for name, scenes in GROUPS.items()}
        times = portrait_milliseconds(finder)
        proposals = "BlazeFace" if finder.centerface is None else "CenterFace"
    return {"proposals": proposals, **summary(groups), **times, "groups": groups}


def summary(groups: dict[str, dict]) -> dict[str, float]:
    """Recall from `SMALLEST` pixels on, false faces and wrong turns, errors over all groups."""
    total = {
        key: sum(group[key] for group in groups.values())
        for key in (f"faces_from_{SMALLEST}_px", f"found_from_{SMALLEST}_px")
    }
    errors = np.array([error for group in groups.values() for error in group["errors_percent"]])
    faces, hits = total.values()
    return {
        f"recall_percent_from_{SMALLEST}_px": round(100 * hits / faces, 1),
        "false_faces": sum(group["false_faces"] for group in groups.values()),
        "turned_wrongly": sum(group["turned_wrongly"] for group in groups.values()),
        f"within_{TOLERANCE:.0f}_percent_of_alone": round(
            100 * float((errors <= TOLERANCE).mean()), 1
        ),
        "worst_error_percent": float(errors.max()),
    }
