"""Keypoint markups: which points a model or a data set names, in which order.

Left and right are the subject's own, as in Kaggle's names. Every markup speaks one vocabulary
of *anatomy* ("nose_tip", "left_eye_outer_corner", "jaw_8" …): a name and the points whose mean
is that place. Two markups share the places that both can name, which is all that comparing and
converting them needs.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache

import numpy as np

from kpdemo.keypoints import mediapipe_mesh as mesh

Points = tuple[int, ...]


@dataclass(frozen=True)
class Markup:
    """A named, ordered set of K keypoints.

    `groups` sorts them for colours and tables, `contours` are polylines to draw (a closed one
    repeats its first point), `mirror[k]` is the point that k becomes when the picture is
    mirrored, `anatomy` maps a place's name to the points whose mean it is.
    """

    name: str
    title: str
    names: tuple[str, ...]
    groups: Mapping[str, Points]
    contours: tuple[Points, ...]
    mirror: Points
    anatomy: Mapping[str, Points] = field(repr=False)

    def __len__(self) -> int:
        return len(self.names)

    def place(self, points: np.ndarray, anatomy: str) -> np.ndarray:
        """Where a place of the anatomy lies: `(..., K, 2)` -> `(..., 2)`; KeyError if unnamed."""
        return points[..., list(self.anatomy[anatomy]), :].mean(-2)


def get(name: str) -> Markup:
    """The markup called `name`; ValueError names the known ones."""
    if name not in MARKUPS:
        raise ValueError(f"Unknown markup {name!r}; known are {', '.join(MARKUPS)}.")
    return MARKUPS[name]


def convert(points: np.ndarray, source: str, target: str) -> np.ndarray:
    """`(..., K_source, 2)` in one markup -> `(..., K_target, 2)` in another, NaN where unnamed.

    A place that is the mean of several points is missing as soon as one of them is.
    """
    points = np.asarray(points, np.float32)
    out = np.full((*points.shape[:-2], len(get(target)), 2), np.nan, np.float32)
    for covered, used in _means(source, target):
        out[..., covered, :] = points[..., used, :].mean(-2)
    return out


@cache
def _means(source: str, target: str) -> list[tuple[np.ndarray, np.ndarray]]:
    """The conversion as means: `(T,)` points of the target and the `(T, N)` that they are of."""
    a, b = get(source), get(target)
    if source == target:
        used = {k: (k,) for k in range(len(b))}
    else:
        used = {
            at[0]: a.anatomy[place]
            for place, at in b.anatomy.items()
            if len(at) == 1 and place in a.anatomy
        }
    alike: dict[int, list[int]] = {}
    for k, points in used.items():
        alike.setdefault(len(points), []).append(k)
    return [(np.array(ks), np.array([used[k] for k in ks])) for ks in alike.values()]


@cache
def shared(first: str, second: str) -> tuple[tuple[str, Points, Points], ...]:
    """The places that two markups both name: `(name, points of first, points of second)`."""
    a, b = get(first), get(second)
    return tuple((name, at, b.anatomy[name]) for name, at in a.anatomy.items() if name in b.anatomy)


def _closed(*points: int) -> Points:
    return (*points, points[0])


def _span(first: int, last: int) -> Points:
    return tuple(range(first, last + 1))


def _mirror(count: int, pairs: list[tuple[int, int]]) -> Points:
    order = list(range(count))
    for a, b in pairs:
        order[a], order[b] = b, a
    return tuple(order)


def _singles(names: tuple[str, ...]) -> dict[str, Points]:
    return {name: (k,) for k, name in enumerate(names)}


# iBUG's 68 places are most of the vocabulary; the other markups borrow its names.
_IBUG_NAMES = (
    *(f"jaw_{k}" for k in range(17)),
    "right_eyebrow_outer_end",
    "right_eyebrow_outer_mid",
    "right_eyebrow_mid",
    "right_eyebrow_inner_mid",
    "right_eyebrow_inner_end",
    "left_eyebrow_inner_end",
    "left_eyebrow_inner_mid",
    "left_eyebrow_mid",
    "left_eyebrow_outer_mid",
    "left_eyebrow_outer_end",
    "nose_bridge_top",
    "nose_bridge_upper",
    "nose_bridge_lower",
    "nose_tip",
    "right_nostril_outer",
    "right_nostril",
    "nose_base",
    "left_nostril",
    "left_nostril_outer",
    "right_eye_outer_corner",
    "right_eye_upper_outer",
    "right_eye_upper_inner",
    "right_eye_inner_corner",
    "right_eye_lower_inner",
    "right_eye_lower_outer",
    "left_eye_inner_corner",
    "left_eye_upper_inner",
    "left_eye_upper_outer",
    "left_eye_outer_corner",
    "left_eye_lower_outer",
    "left_eye_lower_inner",
    "mouth_right_corner",
    "upper_lip_right",
    "upper_lip_right_peak",
    "mouth_center_top_lip",
    "upper_lip_left_peak",
    "upper_lip_left",
    "mouth_left_corner",
    "lower_lip_left",
    "lower_lip_left_mid",
    "mouth_center_bottom_lip",
    "lower_lip_right_mid",
    "lower_lip_right",
    "inner_mouth_right_corner",
    "inner_upper_lip_right",
    "inner_upper_lip",
    "inner_upper_lip_left",
    "inner_mouth_left_corner",
    "inner_lower_lip_left",
    "inner_lower_lip",
    "inner_lower_lip_right",
)

# https://ibug.doc.ic.ac.uk/resources/facial-point-annotations/
_IBUG = Markup(
    name="ibug-68",
    title="iBUG 68 points",
    names=_IBUG_NAMES,
    groups={
        "jaw": _span(0, 16),
        "brows": _span(17, 26),
        "nose": _span(27, 35),
        "eyes": _span(36, 47),
        "mouth": _span(48, 67),
    },
    contours=(
        _span(0, 16),
        _span(17, 21),
        _span(22, 26),
        _span(27, 30),
        _span(31, 35),
        _closed(*_span(36, 41)),
        _closed(*_span(42, 47)),
        _closed(*_span(48, 59)),
        _closed(*_span(60, 67)),
    ),
    mirror=_mirror(
        68,
        [(k, 16 - k) for k in range(8)]
        + [(17 + k, 26 - k) for k in range(5)]
        + [(31, 35), (32, 34), (36, 45), (37, 44), (38, 43), (39, 42), (40, 47), (41, 46)]
        + [(48, 54), (49, 53), (50, 52), (59, 55), (58, 56), (60, 64), (61, 63), (67, 65)],
    ),
    anatomy={
        **_singles(_IBUG_NAMES),
        "right_eye_center": _span(36, 41),
        "left_eye_center": _span(42, 47),
    },
)

_KAGGLE_NAMES = (
    "left_eye_center",
    "right_eye_center",
    "left_eye_inner_corner",
    "left_eye_outer_corner",
    "right_eye_inner_corner",
    "right_eye_outer_corner",
    "left_eyebrow_inner_end",
    "left_eyebrow_outer_end",
    "right_eyebrow_inner_end",
    "right_eyebrow_outer_end",
    "nose_tip",
    "mouth_left_corner",
    "mouth_right_corner",
    "mouth_center_top_lip",
    "mouth_center_bottom_lip",
)

# https://www.kaggle.com/c/facial-keypoints-detection
_KAGGLE = Markup(
    name="kaggle-15",
    title="Kaggle 15 points",
    names=_KAGGLE_NAMES,
    groups={"eyes": _span(0, 5), "brows": _span(6, 9), "nose": (10,), "mouth": _span(11, 14)},
    contours=((3, 0, 2), (4, 1, 5), (6, 7), (8, 9), _closed(11, 13, 12, 14)),
    mirror=_mirror(15, [(0, 1), (2, 4), (3, 5), (6, 8), (7, 9), (11, 12)]),
    anatomy=_singles(_KAGGLE_NAMES),
)

_BIOID_NAMES = (
    "right_eye_center",
    "left_eye_center",
    "mouth_right_corner",
    "mouth_left_corner",
    "right_eyebrow_outer_end",
    "right_eyebrow_inner_end",
    "left_eyebrow_inner_end",
    "left_eyebrow_outer_end",
    "right_temple",
    "right_eye_outer_corner",
    "right_eye_inner_corner",
    "left_eye_inner_corner",
    "left_eye_outer_corner",
    "left_temple",
    "nose_tip",
    "right_nostril_center",
    "left_nostril_center",
    "mouth_center_top_lip",
    "mouth_center_bottom_lip",
    "jaw_8",
)

# https://www.bioid.com/face-database/
_BIOID = Markup(
    name="bioid-20",
    title="BioID FGnet 20 points",
    names=_BIOID_NAMES,
    groups={
        "jaw": (8, 13, 19),
        "brows": _span(4, 7),
        "nose": (14, 15, 16),
        "eyes": (0, 1, 9, 10, 11, 12),
        "mouth": (2, 3, 17, 18),
    },
    contours=((4, 5), (6, 7), (9, 0, 10), (11, 1, 12), (15, 14, 16), _closed(2, 17, 3, 18)),
    mirror=_mirror(20, [(0, 1), (2, 3), (4, 7), (5, 6), (8, 13), (9, 12), (10, 11), (15, 16)]),
    anatomy=_singles(_BIOID_NAMES),
)

_IMM_ANATOMY = {
    "jaw_8": (6,),
    "left_eye_outer_corner": (13,),
    "left_eye_inner_corner": (17,),
    "left_eye_center": _span(13, 20),
    "right_eye_outer_corner": (21,),
    "right_eye_inner_corner": (25,),
    "right_eye_center": _span(21, 28),
    "left_eyebrow_inner_end": (29,),
    "left_eyebrow_mid": (31,),
    "left_eyebrow_outer_end": (33,),
    "right_eyebrow_inner_end": (34,),
    "right_eyebrow_mid": (36,),
    "right_eyebrow_outer_end": (38,),
    "mouth_right_corner": (39,),
    "mouth_center_top_lip": (41,),
    "mouth_left_corner": (43,),
    "mouth_center_bottom_lip": (45,),
    "nose_base": (52,),
}
_IMM_PARTS = (
    ("jaw", 0, 13),
    ("left_eye", 13, 8),
    ("right_eye", 21, 8),
    ("left_eyebrow", 29, 5),
    ("right_eyebrow", 34, 5),
    ("mouth", 39, 8),
    ("nose", 47, 11),
)

# http://www2.imm.dtu.dk/pubdb/pubs/3160-full.html
_IMM = Markup(
    name="imm-58",
    title="IMM 58 points",
    names=tuple(f"{part}_{k}" for part, _, count in _IMM_PARTS for k in range(count)),
    groups={
        "jaw": _span(0, 12),
        "brows": _span(29, 38),
        "nose": _span(47, 57),
        "eyes": _span(13, 28),
        "mouth": _span(39, 46),
    },
    contours=(
        _span(0, 12),
        _closed(*_span(13, 20)),
        _closed(*_span(21, 28)),
        _span(29, 33),
        _span(34, 38),
        _closed(*_span(39, 46)),
        _span(47, 57),
    ),
    mirror=_mirror(
        58,
        [(k, 12 - k) for k in range(6)]
        + [(13 + k, 21 + k) for k in range(8)]
        + [(29 + k, 34 + k) for k in range(5)]
        + [(39, 43), (40, 42), (44, 46)]
        + [(47 + k, 57 - k) for k in range(5)],
    ),
    anatomy=_IMM_ANATOMY,
)

# The class projects' "nose tip" is point 52 of IMM: the foot of the nose, iBUG's point 33.
_NOSE = Markup(
    name="nose-1",
    title="Nose tip (IMM point 52)",
    names=("nose_base",),
    groups={"nose": (0,)},
    contours=(),
    mirror=(0,),
    anatomy={"nose_base": (0,)},
)

_MESH_NAMES = tuple(f"mesh_{k}" for k in range(478))

# https://ai.google.dev/edge/mediapipe/solutions/vision/face_landmarker
_MEDIAPIPE = Markup(
    name="mediapipe-478",
    title="MediaPipe 478-point mesh",
    names=_MESH_NAMES,
    groups={
        "jaw": mesh.FACE_OVAL,
        "brows": (
            *mesh.LEFT_BROW_LOWER,
            *mesh.LEFT_BROW_UPPER,
            *mesh.RIGHT_BROW_LOWER,
            *mesh.RIGHT_BROW_UPPER,
        ),
        "nose": tuple(dict.fromkeys((*mesh.NOSE_BRIDGE, *mesh.NOSE_BASE))),
        "eyes": (*mesh.LEFT_EYE, *mesh.RIGHT_EYE, 468, 473, *mesh.LEFT_IRIS, *mesh.RIGHT_IRIS),
        "mouth": (*mesh.LIPS_OUTER, *mesh.LIPS_INNER),
    },
    contours=(
        _closed(*mesh.FACE_OVAL),
        _closed(*mesh.LEFT_EYE),
        _closed(*mesh.RIGHT_EYE),
        mesh.LEFT_BROW_LOWER,
        mesh.LEFT_BROW_UPPER,
        mesh.RIGHT_BROW_LOWER,
        mesh.RIGHT_BROW_UPPER,
        _closed(*mesh.LEFT_IRIS),
        _closed(*mesh.RIGHT_IRIS),
        mesh.NOSE_BRIDGE,
        mesh.NOSE_BASE,
        _closed(*mesh.LIPS_OUTER),
        _closed(*mesh.LIPS_INNER),
    ),
    mirror=mesh.mirror_order(),
    anatomy={
        **{name: (index,) for name, index in zip(_IBUG_NAMES, mesh.IBUG_68, strict=True)},
        "right_eye_center": (468,),
        "left_eye_center": (473,),
    },
)

MARKUPS: dict[str, Markup] = {
    markup.name: markup for markup in (_NOSE, _KAGGLE, _BIOID, _IMM, _IBUG, _MEDIAPIPE)
}
