"""The numbers by which faces are found, in Python and, through `engine.json`, in the browser."""

from dataclasses import dataclass

# The largest faces of a photo that are compared.
MAX_FACES = 50


@dataclass(frozen=True)
class CenterFaceSettings:
    """Of the search for candidates."""

    # Upright faces score 0.6 and more. In a trial with 12 rolls and seven sizes from 40 pixels on,
    # none of 168 faces scored below this; eight scored below 0.12.
    score: float = 0.06
    # The finest level of the pyramid shrinks a face of 40 pixels to 16, which is enough; photos
    # of fewer than `pixels` pixels are shrunk less. Each level is a third of the one before it.
    finest: float = 0.4
    pixels: int = 50_000
    step: int = 3
    # The coarsest level has a margin of a quarter of its side for faces that fill the photo.
    coarsest: int = 128
    # Larger levels are processed in tiles, for memory; they overlap by the largest face that the
    # next level would be too coarse for.
    tile: int = 1024
    overlap: int = 64
    # The net's stride, and its outputs.
    cell: int = 32
    outputs: tuple[str, ...] = ("537", "538", "539", "540")


@dataclass(frozen=True)
class DetectorSettings:
    """Of the decision on candidates."""

    # BlazeFace's input is 128x128 pixels. A face fills this share of its width, where the score
    # best separates upright faces (0.95) from those on their side (0.9) and upside down (0.6).
    pixels: int = 128
    share: float = 0.32
    # Its points are most accurate as a mean over these.
    refined_shares: tuple[float, float] = (0.35, 0.45)
    # The weakest detection that is examined again, upright.
    hint_score: float = 0.3
    # The sum of both nets' scores of the upright face: in a trial 1.57 and more for faces of 40
    # pixels and more, 1.39 and less for everything else. BlazeFace alone needs a higher score.
    sum: float = 1.42
    alone: float = 0.8
    # Faces that the photo's edges cut off score low in BlazeFace, but high in CenterFace.
    clear_sum: float = 1.1
    # CenterFace's crop around a face.
    close_pixels: int = 96
    close_share: float = 0.4
    # An upright candidate that scores so high in both nets is not tried with another side up.
    clear_score: float = 0.85
    clear_candidate: float = 0.6
    clear_roll: float = 40.0
    # How much higher a face with another side up must score than an upright one in its place, and
    # its minimum score in CenterFace with that side up: real ones have 0.6 and more.
    turn_gain: float = 0.15
    turn_score: float = 0.4
    upright_roll: float = 60.0
    # Sides that may be up, and how many of them are examined a second time.
    rolls: tuple[float, ...] = (0.0, 90.0, 180.0, -90.0)
    most_turns: int = 2
    # A photo of leaves or crowds may have thousands of candidates.
    most_candidates: int = 300


@dataclass(frozen=True)
class TrackerSettings:
    """Of the way from frame to frame."""

    # Frames between two searches of the whole frame: a new face appears within a second.
    frames: int = 15
    # A tracked face that scores less is lost.
    score: float = 0.6


@dataclass(frozen=True)
class LandmarkerSettings:
    """Of MediaPipe's Face Landmarker on a face."""

    # It detects the face again, in an upright square crop of this many box widths. Upright,
    # because it misses faces that are upside down and is worse from 30 degrees on; at this many
    # pixels, because its error still falls from 256 to 512 (4.23 to 4.05 % of the eye distance).
    crop: float = 2.25
    pixels: int = 512
    # The crop may show neighbours. The mesh nearest to the face counts, unless it is farther off
    # than this share of the face's width.
    faces_a_crop: int = 3
    too_far: float = 0.4
    # Points of the mesh that correspond to the first four points of a `Face`.
    eyes_nose_mouth: tuple[tuple[int, ...], ...] = ((468,), (473,), (1,), (13, 14))


@dataclass(frozen=True)
class ExpressionSettings:
    """How blink, smile and head pose are read; see `kpdemo.models.expressions`."""

    # The upright crop in which MediaPipe detects the face again, in box widths and in pixels.
    crop: float = 2.25
    pixels: int = 256
    # The crop may show neighbours: the mesh counts whose nose tip is nearest to the middle.
    faces_a_crop: int = 3
    nose_tip: int = 1


CENTERFACE = CenterFaceSettings()
DETECTOR = DetectorSettings()
TRACKER = TrackerSettings()
LANDMARKER = LandmarkerSettings()
EXPRESSION = ExpressionSettings()
