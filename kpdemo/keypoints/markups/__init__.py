"""The markups by name, one file each."""

from kpdemo.keypoints.markup import Markup
from kpdemo.keypoints.markups.bioid import BIOID
from kpdemo.keypoints.markups.ibug import IBUG
from kpdemo.keypoints.markups.imm import IMM
from kpdemo.keypoints.markups.kaggle import KAGGLE
from kpdemo.keypoints.markups.mediapipe import MEDIAPIPE
from kpdemo.keypoints.markups.nose import NOSE

MARKUPS: dict[str, Markup] = {
    markup.name: markup for markup in (NOSE, KAGGLE, BIOID, IMM, IBUG, MEDIAPIPE)
}
