"""What the page computes of a result in the browser: Node's answers are those of Python."""

import json
import re
from collections.abc import Sequence
from html import unescape
from itertools import pairwise

import numpy as np
import pytest
from helpers.faces import compared_face

from kpdemo.engine import export
from kpdemo.keypoints import markups, steady
from kpdemo.keypoints.metrics import eye_distance
from kpdemo.keypoints.steady import FaceFilter
from kpdemo.structures import Comparison, Prediction
from kpdemo.ui.compare import messages
from kpdemo.ui.shared import catalogue
from kpdemo.zoo import BASELINE, DEFAULT_MODELS

MODELS = [*DEFAULT_MODELS, BASELINE]


def moving_face() -> list[np.ndarray]:
    """68 points of a face that moves, turns and grows, with jitter."""
    rng = np.random.default_rng(0)
    shape = rng.uniform(-40, 40, (68, 2)) @ (1, 1j)
    frames = []
    for at in range(30):
        z = (1 + 0.01 * at) * np.exp(0.2j * at) * shape + (100 + 3 * at) + 90j
        noise = rng.normal(0, 0.4, (68, 2))
        frames.append(np.stack([z.real, z.imag], -1) + noise)
    return frames


def test_points_are_steadied_as_in_python(run) -> None:
    frames = [np.round(points, 3) for points in moving_face()]
    seconds = [0.04 * at for at in range(len(frames))]
    there = run(
        """
        import { FaceFilter, jitter } from "./live/steady.js";
        const filter = new FaceFilter();
        const frames = input.frames.map((at, k) => filter.steady(at, 80, input.seconds[k]));
        const jitters = frames.slice(1).map((at, k) => jitter(frames[k], at, input.units[k]));
        console.log(JSON.stringify({ frames, jitters }));
        """,
        {
            "frames": frames,
            "seconds": seconds,
            "units": [1.0] * (len(frames) - 1),
        },
    )
    here = FaceFilter()
    steadied = [here(points, 80, time) for points, time in zip(frames, seconds, strict=True)]
    np.testing.assert_allclose(there["frames"], steadied, atol=1e-6)
    jitters = [
        steady.jitter(before, after, "ibug-68") * eye_distance(after, "ibug-68")
        for before, after in pairwise(steadied)
    ]
    np.testing.assert_allclose(there["jitters"], jitters, rtol=1e-6)


def predictions(models: Sequence[str]) -> dict[str, Prediction]:
    rng = np.random.default_rng(1)
    points = {name: rng.uniform(0, 400, (1000, 2)).round(3) for name in models}
    made = {}
    for name in models:
        scheme = {BASELINE: "mediapipe-478", "keypoint-resnet": "kaggle-15"}.get(name, "ibug-68")
        count = len(markups.get(scheme))
        made[name] = Prediction(
            scheme,
            points[name][:count],
            None if name == BASELINE else rng.uniform(0, 1, count).round(3),
            12.5,
            {"ibug-68": points[name][500:568], "ibug-68-fitted": points[name][600:668]}
            if name == BASELINE
            else {},
            expected_error=rng.uniform(1, 9, count).round(3) if name == "unet" else None,
        )
    return made


@pytest.fixture(scope="module")
def comparison() -> Comparison:
    faces = [
        compared_face((10, 10, 90, 90), predictions(MODELS)),
        compared_face((110, 10, 190, 90), predictions(MODELS[1:]), {MODELS[0]: "no face here"}),
    ]
    return Comparison(640, 480, faces, {"total": 1.0}, {"unet-x": "its file is damaged."}, 3)


def test_files_are_those_of_python(run, comparison: Comparison) -> None:
    result = comparison.to_dict()
    texts = run(
        """
        import { resultFile } from "./compare/result_files.js";
        const text = (kind, face) => resultFile(
          input.result, { kind, model: "simplenet", face }, input.models, "=a,b.jpg", input.markups,
        );
        const files = ["csv", "json", "pts"].map((kind) => text(kind, 0));
        console.log(JSON.stringify([...files, text("pts", 1)]));
        """,
        {
            "result": result,
            "models": MODELS,
            "markups": catalogue.value(MODELS)["markups"],
        },
    )
    csv, plain, pts, none = texts
    assert csv["text"] == export.to_csv(result, "=a,b.jpg")
    assert json.loads(plain["text"]) == json.loads(export.to_json(result))
    assert pts["name"] == "=a,b-simplenet-face-1.pts"
    assert pts["text"] == export.to_pts(result["faces"][0]["models"]["simplenet"]["keypoints"])
    assert none is None


def test_files_have_the_titles_of_a_visitors_own_models(run, comparison: Comparison) -> None:
    files = run(
        """
        import { resultFile } from "./compare/result_files.js";
        const files = ["csv", "json", "pts"].map((kind) => resultFile(
          input.result, { kind, model: "simplenet", face: 0 }, null, "a.jpg", input.markups,
          { simplenet: "someone/net" },
        ));
        console.log(JSON.stringify(files));
        """,
        {"result": comparison.to_dict(), "markups": catalogue.value(MODELS)["markups"]},
    )
    assert files[2]["name"] == "a-someone-net-face-1.pts"
    for file in files[:2]:
        assert "someone/net" in file["text"] and "simplenet" not in file["text"]


@pytest.mark.parametrize(
    ("host", "own"),
    [("localhost", True), ("127.0.0.1", True), ("[::1]", True), ("127.0.0.1.example.org", False)],
)
def test_a_page_knows_whether_it_is_on_its_visitors_machine(run, host: str, own: bool) -> None:
    body = """
        import { isOwnMachine } from "./shared/place.js";
        console.log(JSON.stringify(isOwnMachine(input)));
        """
    assert run(body, host) is own


def test_messages_are_those_of_python(run, comparison: Comparison) -> None:
    sentences = run(
        """
        import { resultMessages } from "./compare/result_messages.js";
        console.log(JSON.stringify(resultMessages(input.result, input.catalogue)));
        """,
        {"result": comparison.to_dict(), "catalogue": catalogue.value(MODELS)},
    )
    html = messages.of(comparison)
    assert sentences == [unescape(text) for text in re.findall("<p>(.*?)</p>", html)]
