"""IMM's 58 points: http://www2.imm.dtu.dk/pubdb/pubs/3160-full.html"""

from kpdemo.keypoints.markup import Markup, closed, mirror, span

ANATOMY = {
    "jaw_8": (6,),
    "left_eye_outer_corner": (13,),
    "left_eye_inner_corner": (17,),
    "left_eye_center": span(13, 20),
    "right_eye_outer_corner": (21,),
    "right_eye_inner_corner": (25,),
    "right_eye_center": span(21, 28),
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
PARTS = (
    ("jaw", 0, 13),
    ("left_eye", 13, 8),
    ("right_eye", 21, 8),
    ("left_eyebrow", 29, 5),
    ("right_eyebrow", 34, 5),
    ("mouth", 39, 8),
    ("nose", 47, 11),
)

IMM = Markup(
    name="imm-58",
    title="IMM 58 points",
    names=tuple(f"{part}_{k}" for part, _, count in PARTS for k in range(count)),
    groups={
        "jaw": span(0, 12),
        "brows": span(29, 38),
        "nose": span(47, 57),
        "eyes": span(13, 28),
        "mouth": span(39, 46),
    },
    contours=(
        span(0, 12),
        closed(*span(13, 20)),
        closed(*span(21, 28)),
        span(29, 33),
        span(34, 38),
        closed(*span(39, 46)),
        span(47, 57),
    ),
    mirror=mirror(
        58,
        [(k, 12 - k) for k in range(6)]
        + [(13 + k, 21 + k) for k in range(8)]
        + [(29 + k, 34 + k) for k in range(5)]
        + [(39, 43), (40, 42), (44, 46)]
        + [(47 + k, 57 - k) for k in range(5)],
    ),
    anatomy=ANATOMY,
)
