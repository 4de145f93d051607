"""What discs, lenses and odd shapes do to the shipped class projects, on faces made for it."""

import json

import numpy as np
import pytest

from kpdemo import compare
from kpdemo.models import checkpoint, crop_rules
from kpdemo.zoo import WEIGHTS_DIR
from train.data.sources import LabelledFace
from train.evaluation import lessons


def labelled(pixels: np.ndarray, name: str, points: np.ndarray) -> LabelledFace:
    return LabelledFace("imm/1", "imm/1", name, points.astype(np.float32), pixels)


@pytest.fixture(scope="module")
def portrait(hopper) -> LabelledFace:
    """A grey portrait, with the app's own points as labels."""
    points = compare(hopper, models=["unet"]).faces[0].predictions["unet"].keypoints
    return labelled(hopper.mean(2).astype(np.uint8), "ibug-68", points)


def imm_face(grey: int) -> LabelledFace:
    """A picture of one grey value, with labels somewhere."""
    points = np.random.default_rng(0).uniform((200, 150), (400, 350), (58, 2))
    return labelled(np.full((480, 640), grey, np.uint8), "imm-58", points)


def net(name: str, face: LabelledFace):
    """A shipped model, and its inputs of one face."""
    model = checkpoint.load(WEIGHTS_DIR / name)
    return model, lessons.inputs(model, [face])


def test_a_disc_of_the_pictures_own_grey_moves_nothing():
    measured = lessons.spots(*net("nosenet-kernels", imm_face(128)))
    assert measured["faces"] == 1
    assert measured["grey"] == {"moved": 0.0, "towards": 0.0, "nme": measured["nme"]}
    assert measured["black"]["moved"] > 0
    assert abs(measured["black"]["towards"]) <= measured["black"]["moved"]


def test_lenses_on_black_pictures_change_nothing(portrait):
    black = labelled(np.zeros_like(portrait.picture), "ibug-68", portrait.keypoints)
    measured = lessons.sunglasses(*net("resnet18-transfer", black))
    assert measured["with"] == measured["without"]
    measured = lessons.sunglasses(*net("resnet18-transfer", portrait))
    assert measured["without"]["nme"] < 10
    assert measured["with"]["nme"] != measured["without"]["nme"]


def test_a_face_that_fills_its_photo_hides_the_wrong_scale(portrait):
    model, given = net("resnet18-transfer", portrait)
    measured = lessons.scaled(model, given)
    assert measured["factor"] > 2
    assert measured["factor"] == pytest.approx(
        measured["mae_scaled_by_photo"] / measured["mae"], rel=1e-3
    )
    # Cut to the model's own square around the points, the photo is the box.
    crop = crop_rules.from_keypoints(model.config.framing, portrait.keypoints, "ibug-68", 0, 0)
    cut = crop.cut(portrait.picture, 300, 300)
    points = (crop.to_crop(portrait.keypoints) + 1) * 150 - 0.5
    close = lessons.scaled(*net("resnet18-transfer", labelled(cut, "ibug-68", points)))
    assert close["factor"] == pytest.approx(1, abs=0.05)


def test_shapes_far_from_all_labels_are_no_faces(portrait):
    model, given = net("resnet18-transfer", portrait)
    noise = np.random.default_rng(0).normal(0, 1, (2000, 68, 2))
    eyes = np.ptp(portrait.keypoints[36:48, 0])
    alike = portrait.keypoints + 0.01 * eyes * noise
    measured = lessons.shapes(model, given, alike)
    assert measured == {"faces": 1, "no_faces": 100.0, "labels": 0.0}
    varied = portrait.keypoints + 0.3 * eyes * noise
    assert lessons.shapes(model, given, varied)["no_faces"] == 0.0


def test_one_picture_for_everyone_gives_one_shape():
    model = checkpoint.load(WEIGHTS_DIR / "facenet-moore")
    faces = [imm_face(100), imm_face(100)]
    faces[1].keypoints[:20] += 30
    assert lessons.variety(model, lessons.inputs(model, faces))["variety"] == 0.0


def test_the_file_has_a_figure_for_every_net():
    measured = json.loads(lessons.RESULT.read_text(encoding="utf-8"))
    assert set(measured["spots"]) == set(lessons.NOSE_NETS)
    assert set(measured["variety"]) == set(lessons.IMM_NETS)
    assert set(measured["shapes"]) == set(lessons.SHAPE_NETS)
    assert set(measured["sunglasses"]) == set(measured["scaled"]) == {lessons.PHOTO_NET}
    assert set(measured["edges"]) == set(lessons.HEATMAP_NETS)


def test_how_much_of_the_heatmaps_lies_on_edges(portrait):
    narrow, wide = (
        lessons.edges(*net(name, portrait))["on_edges"] for name in reversed(lessons.HEATMAP_NETS)
    )
    assert 10 < wide < narrow < 100
