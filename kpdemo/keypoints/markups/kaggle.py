"""Kaggle's 15 points: https://www.kaggle.com/c/facial-keypoints-detection"""

from kpdemo.keypoints.markup import Markup, closed, mirror, singles, span

NAMES = (
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

KAGGLE = Markup(
    name="kaggle-15",
    title="Kaggle 15 points",
    names=NAMES,
    groups={"eyes": span(0, 5), "brows": span(6, 9), "nose": (10,), "mouth": span(11, 14)},
    contours=((3, 0, 2), (4, 1, 5), (6, 7), (8, 9), closed(11, 13, 12, 14)),
    mirror=mirror(15, [(0, 1), (2, 4), (3, 5), (6, 8), (7, 9), (11, 12)]),
    anatomy=singles(NAMES),
)
