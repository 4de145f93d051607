"""The nose tip alone, as the class projects define it."""

from kpdemo.keypoints.markup import Markup

# The class projects' "nose tip" is point 52 of IMM: the foot of the nose, iBUG's point 33.
NOSE = Markup(
    name="nose-1",
    title="Nose tip (IMM point 52)",
    names=("nose_base",),
    groups={"nose": (0,)},
    contours=(),
    mirror=(0,),
    anatomy={"nose_base": (0,)},
)
