"""MediaPipe's mesh: https://ai.google.dev/edge/mediapipe/solutions/vision/face_landmarker"""

from kpdemo.keypoints.markup import Markup, closed, mirror
from kpdemo.keypoints.markups import ibug
from kpdemo.keypoints.markups import mediapipe_mesh as mesh

NAMES = tuple(f"mesh_{k}" for k in range(478))

MEDIAPIPE = Markup(
    name="mediapipe-478",
    title="MediaPipe 478-point mesh",
    names=NAMES,
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
        closed(*mesh.FACE_OVAL),
        closed(*mesh.LEFT_EYE),
        closed(*mesh.RIGHT_EYE),
        mesh.LEFT_BROW_LOWER,
        mesh.LEFT_BROW_UPPER,
        mesh.RIGHT_BROW_LOWER,
        mesh.RIGHT_BROW_UPPER,
        closed(*mesh.LEFT_IRIS),
        closed(*mesh.RIGHT_IRIS),
        mesh.NOSE_BRIDGE,
        mesh.NOSE_BASE,
        closed(*mesh.LIPS_OUTER),
        closed(*mesh.LIPS_INNER),
    ),
    mirror=mirror(478, mesh.MIRROR_PAIRS),
    anatomy={
        **{name: (index,) for name, index in zip(ibug.NAMES, mesh.IBUG_68, strict=True)},
        "right_eye_center": (468,),
        "left_eye_center": (473,),
    },
)
