"""Ground truth in the browser: Node reads files, and finds whose face it is, as Python does."""

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers.faces import compared_face

from kpdemo import ui
from kpdemo.engine import export
from kpdemo.keypoints import annotations
from kpdemo.keypoints.annotations import TruthError
from kpdemo.media.images import Photo
from kpdemo.structures import ComparedFace, Comparison, Prediction
from kpdemo.ui.compare import ground_truth
from kpdemo.ui.session import PhotoResult
from kpdemo.ui.shared import catalogue
from kpdemo.zoo import DEFAULT_MODELS

SCRIPTS = Path(__file__).with_name("scripts")
WIDTH, HEIGHT = 400, 300


def test_files_and_faces_are_pythons(tmp_path: Path) -> None:
    node = shutil.which("node")
    if node is None:
        pytest.skip("Node.js is not installed: no unit tests of the page's scripts.")
    for room in ("compare", "shared"):
        shutil.copytree(Path(ui.__file__).with_name(room), tmp_path / room)
    shutil.copy(SCRIPTS / "truth.test.js", tmp_path)
    (tmp_path / "package.json").write_text('{"type": "module"}')
    cases = {
        "files": [file_case(*case) for case in files()],
        "results": [result_case(*case) for case in results()],
        "catalogue": catalogue.value(DEFAULT_MODELS),
    }
    (tmp_path / "cases.json").write_text(export.to_json(cases, decimals=6))
    command = [node, "--test", "truth.test.js"]
    run = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True)
    assert run.returncode == 0, run.stdout[-6000:] + run.stderr[-2000:]
    assert f"pass {len(cases['files']) + len(cases['results'])}" in run.stdout


def points(seed: int, low: float = 50, high: float = 150, count: int = 68) -> np.ndarray:
    return np.random.default_rng(seed).uniform(low, high, (count, 2)).astype(np.float32)


def compared(*faces: ComparedFace) -> Comparison:
    return Comparison(WIDTH, HEIGHT, list(faces), {"total": 1.0}, {})


def exported(*faces: ComparedFace) -> str:
    return export.to_json(compared(*faces).to_dict())


def face(x: float, **predictions: Prediction) -> ComparedFace:
    return compared_face((x, 40, x + 120, 160), predictions)


def prediction(keypoints: np.ndarray, markup: str = "ibug-68") -> Prediction:
    return Prediction(markup, keypoints, None, 1.0)


def files() -> list[tuple[str, str, str]]:
    """Titles, names and texts, of good files and of every kind of bad ones."""
    pts = export.to_pts(points(1))
    lines = pts.splitlines()

    def with_lines(*new: str, at: int = 3) -> str:
        return "\n".join([*lines[:at], *new, *lines[at + len(new) :]])

    flagged = " ".join(f"{x} {y} {k % 3}" for k, (x, y) in enumerate(points(2).tolist()))
    rows = [f"0 4 {x} {y} {k} 0 0" for k, (x, y) in enumerate([(0.1, 0.25), (-1, -1)] * 29)]
    ours = exported(
        face(40, unet=prediction(points(3)), nose=prediction(points(4, count=1), "nose-1"))
    )
    data = json.loads(ours)
    models = data["faces"][0]["models"]
    unknown = {**models["unet"], "keypoints": [None, [0, 0], [None, 60], *points(5).tolist()[3:]]}

    def with_faces(*faces: dict[str, Any]) -> str:
        return json.dumps({**data, "faces": [{"models": each} for each in faces]})

    return [
        ("pts", "face.PTS", pts),
        ("codes for unknown", "a.pts", with_lines("-1 -1", "0 0", "nan nan", "60 None", "- ?")),
        ("edges are places", "a.pts", with_lines("-1 60", "60 0", "-20.5 -3")),
        ("flags", "a.pts", "n_points: 68\n{" + flagged + "}"),
        ("no braces", "a.pts", pts.replace("}", "")),
        ("another count", "a.pts", pts.replace("n_points: 68", "n_points: 5")),
        ("a point too few", "a.pts", "\n".join([*lines[:3], *lines[4:]])),
        ("a huge number", "a.pts", with_lines("1e39 5")),
        ("another photo", "a.pts", with_lines("501.25 20", at=9)),
        ("all unknown", "a.pts", "{" + "0 0 " * 68 + "}"),
        ("asf", "01-1m.asf", "\n".join(["# a comment of seven words in it", *rows])),
        ("an asf of another count", "a.asf", "\n".join(rows[1:])),
        ("json", "kpdemo.json", ours),
        ("unknown points of json", "a.json", with_faces({"unet": unknown})),
        ("two faces of json", "a.json", with_faces(models, {"unet": unknown})),
        ("two markups", "a.json", with_faces({"a": models["unet"]}, {"a": models["nose"]})),
        ("no points", "a.json", with_faces({"a": {"markup": "nose-1", "keypoints": [[0, 0]]}})),
        ("a markup that is none", "a.json", with_faces({"a": {"markup": "x", "keypoints": []}})),
        ("other points", "a.json", with_faces({"a": {**models["unet"], "markup": "nose-1"}})),
        ("another size", "a.json", json.dumps({**data, "photo": {"width": 5, "height": 4}})),
        ("no json", "a.json", "{"),
        ("a list", "a.json", "[]"),
        ("another kind", "a.txt", pts),
        ("no kind", "pts", pts),
        ("too large", "a.pts", " " * annotations.MAX_CHARACTERS),
    ]


def file_case(title: str, name: str, text: str) -> dict[str, Any]:
    case = {"title": title, "name": name, "text": text}
    case |= {"photo": {"width": WIDTH, "height": HEIGHT}}
    try:
        sets = annotations.read(name, text, WIDTH, HEIGHT)
    except TruthError as error:
        return case | {"sentence": str(error)}
    return case | {
        "sets": {name: {"markup": m.markup, "faces": list(m.faces)} for name, m in sets.items()}
    }


def results() -> list[tuple[str, str, str, Comparison]]:
    """Titles, names and texts of ground truth, and the comparisons that it is for."""
    at = points(1, 60, 140)
    some = at.copy()
    some[:8] = -1
    blind = at.copy()
    blind[36] = -1
    two = compared(face(40, unet=prediction(at)), face(200, unet=prediction(at + [160, 0])))
    both = export.to_json(two.to_dict())
    edited = json.loads(both)
    edited["faces"][1]["models"]["simplenet"] = {
        **edited["faces"][1]["models"]["unet"],
        "keypoints": (at + [163, 4]).tolist(),
    }
    one = compared(face(40, unet=prediction(at + np.float32(2)), simplenet=prediction(at)))
    return [
        ("a face's points", "a.pts", export.to_pts(at + np.float32(3)), one),
        ("a model's own points", "a.pts", export.to_pts(at), one),
        ("gaps", "a.pts", export.to_pts(some), one),
        ("no eye corner", "a.pts", export.to_pts(blind), one),
        ("the points of two faces", "both.json", both, two),
        ("the edited set of two", "both.json", json.dumps(edited), two),
        ("one face of two", "a.pts", export.to_pts(at + np.float32([160, 1])), two),
        ("no face there", "a.pts", export.to_pts(points(1, 250, 290)), one),
    ]


def result_case(title: str, name: str, text: str, comparison: Comparison) -> dict[str, Any]:
    case = {"title": title, "name": name, "text": text, "result": comparison.to_dict()}
    pixels = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    result = PhotoResult("a.jpg", Photo(pixels, WIDTH, HEIGHT, 1), comparison)
    try:
        result = ground_truth.with_file(result, name, text)
    except TruthError as error:
        return case | {"sentence": str(error)}
    faces = [each and each.keypoints for each in result.references()]
    described = json.loads(ground_truth.value(result) or "")
    return case | {"faces": faces, "warning": ground_truth.warning(result)} | described
