"""Models on labelled faces: figures, matching, differences, and what is left out."""

import json
import re
from pathlib import Path

import numpy as np
import pytest
from helpers import writers
from PIL import Image

from kpdemo import compare
from kpdemo.__main__ import main
from kpdemo.engine.engine import engine
from kpdemo.evaluation import labels
from kpdemo.evaluation.evaluate import evaluate
from kpdemo.keypoints import markups
from kpdemo.keypoints.annotations import TruthError
from kpdemo.keypoints.metrics import eye_distance

SHIFT = 3.0  # pixels by which labels lie beside U-Net's points


@pytest.fixture(scope="module")
def answers(hopper, astronaut) -> dict[str, np.ndarray]:
    """U-Net's points on two portraits."""
    return {
        name: compare(photo, ["unet"]).faces[0].predictions["unet"].keypoints
        for name, photo in (("a/hopper", hopper), ("b/astronaut", astronaut))
    }


@pytest.fixture
def folder(tmp_path: Path, answers, hopper, astronaut) -> Path:
    """Two portraits in sub-folders, labelled `SHIFT` pixels to the right of U-Net's points."""
    for (name, points), photo in zip(answers.items(), (hopper, astronaut), strict=True):
        path = tmp_path / "faces" / f"{name}.png"
        path.parent.mkdir(parents=True)
        Image.fromarray(photo).save(path)
        writers.write_pts(path.with_suffix(".pts"), points + (1 + SHIFT, 1))
    return tmp_path / "faces"


def expected(answers: dict[str, np.ndarray]) -> list[float]:
    return [100 * SHIFT / eye_distance(points, "ibug-68") for points in answers.values()]


def test_the_error_is_the_distance_to_the_labels(folder, answers):
    report = evaluate(engine(), labels.read(folder), ["unet", "simplenet"], "unet")
    unet, simplenet = report.results
    errors = expected(answers)
    assert unet.figures["errors"] == pytest.approx(errors, abs=0.01)
    assert unet.figures["nme"] == pytest.approx(np.mean(errors), abs=0.01)
    assert unet.figures["fr10"] == 100 * np.mean(np.array(errors) > 10)
    assert unet.figures["auc10"] == pytest.approx(100 * np.mean(1 - np.array(errors) / 10), abs=0.1)
    assert [part["nme"] for part in unet.figures["by"].values()] == pytest.approx(errors, abs=0.01)
    assert list(unet.figures["by"]) == ["a", "b"]
    gap = np.array(simplenet.figures["errors"]) - unet.figures["errors"]
    difference = simplenet.figures["difference"]
    assert difference["mean"] == pytest.approx(gap.mean(), abs=0.01)
    assert difference["better"] == 100 * (gap < 0).mean()
    assert simplenet.figures["worst"][0]["error"] == max(simplenet.figures["errors"])
    assert not report.not_found and not report.bad


def test_models_of_fewer_points_are_compared_on_those(folder):
    report = evaluate(engine(), labels.read(folder), ["keypoint-resnet", "mediapipe"])
    assert report.reference == "mediapipe-ridge"
    by_name = {result.name: result for result in report.results}
    assert list(by_name) == ["keypoint-resnet", "mediapipe-index", "mediapipe-ridge"]
    assert by_name["keypoint-resnet"].points == 15
    assert by_name["mediapipe-index"].points == 68
    assert by_name["keypoint-resnet"].figures["difference"]["points"] == 15
    assert by_name["mediapipe-index"].figures["difference"]["points"] == 68
    assert "difference" not in by_name["mediapipe-ridge"].figures


def test_kaggles_labels_measure_68_points_as_15(folder, answers):
    scheme = markups.get("kaggle-15")
    data = {"images": [], "categories": [{"id": 1, "keypoints": list(scheme.names)}]}
    data["annotations"] = []
    for number, (name, points) in enumerate(answers.items()):
        fifteen = markups.convert(points + (SHIFT, 0), "ibug-68", "kaggle-15")
        rows = np.column_stack([fifteen, np.full(15, 2)]).ravel().tolist()
        data["images"].append({"id": number, "file_name": f"{name}.png"})
        data["annotations"].append({"image_id": number, "category_id": 1, "keypoints": rows})
    path = folder.parent / "labels.json"
    path.write_text(json.dumps(data))
    report = evaluate(engine(), labels.read(folder, path), ["unet"])
    (unet,) = report.results
    assert (unet.scheme, unet.points) == ("kaggle-15", 15)
    assert unet.figures["errors"] == pytest.approx(expected(answers), abs=0.01)


def test_a_face_that_is_not_found_counts_as_a_failure(folder, answers):
    label = folder / "a/hopper.pts"
    writers.write_pts(label, answers["a/hopper"] * 0.3)  # in a corner without a face
    report = evaluate(engine(), labels.read(folder), ["unet"])
    assert report.not_found == ["a/hopper.png"]
    figures = report.results[0].figures
    assert (figures["lost"], figures["faces"]) == (50.0, 2)
    assert figures["fr8"] >= 50 and figures["errors"][0] is None


def test_bad_photos_and_labels_are_named_and_the_others_count(folder, answers, capsys):
    points = answers["a/hopper"]
    (folder / "broken.png").write_text("no picture")
    writers.write_pts(folder / "broken.pts", points)
    blind = points.copy()
    blind[36] = np.nan
    for name, other in (("far", points + 5000), ("blind", blind)):
        (folder / f"{name}.png").write_bytes((folder / "a/hopper.png").read_bytes())
        writers.write_pts(folder / f"{name}.pts", other)
    assert main(["evaluate", str(folder), "--models", "unet"]) == 1
    output = capsys.readouterr()
    assert "2 labelled faces (ibug-68) in 2 photos" in output.out
    assert "broken.png: This file is not a picture" in output.err
    assert re.search(
        r"far.png: Its point 1, at .* lies outside the picture of 512 × 600", output.err
    )
    assert "blind.png: It has no label for one of the outer eye corners." in output.err
    for name in ("a/hopper", "b/astronaut"):
        (folder / f"{name}.pts").unlink()
    with pytest.raises(TruthError, match="No labelled face can be measured"):
        evaluate(engine(), labels.read(folder), ["unet"])


def test_an_unknown_model_or_reference_is_named(folder, capsys):
    assert main(["evaluate", str(folder), "--models", "unte"]) == 1
    assert "Unknown model unte" in capsys.readouterr().err
    assert main(["evaluate", str(folder), "--models", "unet", "--reference", "resnet18"]) == 1
    assert capsys.readouterr().err == "The reference resnet18 is none of unet.\n"


def test_the_shell_writes_json_and_a_page_that_asks_nobody(folder, tmp_path, capsys):
    (folder / "c.png").write_bytes((folder / "a/hopper.png").read_bytes())
    (folder / "<b>.png").write_text("no picture")
    writers.write_pts(folder / "<b>.pts", np.ones((68, 2)))
    outputs = tmp_path / "out.json", tmp_path / "out.html"
    words = ["--json", str(outputs[0]), "--html", str(outputs[1]), "--models", "unet,mediapipe"]
    assert main(["evaluate", str(folder), *words]) == 1  # for the broken picture
    data = json.loads(outputs[0].read_text())
    assert list(data["models"]) == ["unet", "mediapipe-index", "mediapipe-ridge"]
    assert data["models"]["unet"]["points"] == 68
    assert (data["faces"], data["unlabelled"], data["reference"]) == (2, 1, "mediapipe-ridge")
    text = capsys.readouterr().out
    assert f"{data['models']['unet']['nme']:.2f} %" in text
    assert "Pictures without a label, which are left out: 1." in text
    page = outputs[1].read_text()
    assert f"{data['models']['unet']['nme']:.2f} %" in page
    # Nothing that a browser would fetch: the script of the charts is inside.
    assert not re.findall(r"<(?:script|img|iframe|link)[^>]*(?:src|href)=[\"']?https?:", page)
    assert not re.findall(r"@import|url\(https?:", page.partition("<body>")[0])
    assert "&lt;b&gt;.png" in page and "<b>.png" not in page


def test_no_output_overwrites_a_label(folder, capsys):
    label = folder / "a/hopper.pts"
    before = label.read_bytes()
    assert main(["evaluate", str(folder), "--json", str(label)]) == 1
    assert "would overwrite the input" in capsys.readouterr().err
    assert label.read_bytes() == before
