"""BioID's 20 points: https://www.bioid.com/face-database/"""

from kpdemo.keypoints.markup import Markup, closed, mirror, singles, span

NAMES = (
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

BIOID = Markup(
    name="bioid-20",
    title="BioID FGnet 20 points",
    names=NAMES,
    groups={
        "jaw": (8, 13, 19),
        "brows": span(4, 7),
        "nose": (14, 15, 16),
        "eyes": (0, 1, 9, 10, 11, 12),
        "mouth": (2, 3, 17, 18),
    },
    contours=((4, 5), (6, 7), (9, 0, 10), (11, 1, 12), (15, 14, 16), closed(2, 17, 3, 18)),
    mirror=mirror(20, [(0, 1), (2, 3), (4, 7), (5, 6), (8, 13), (9, 12), (10, 11), (15, 16)]),
    anatomy=singles(NAMES),
)
