"""The engine in the browser beside Python's, on the same photos, in a page with nothing else."""

import shutil
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers.site import StaticHost, serve_folder
from helpers.visitor import PATIENCE
from PIL import Image

from kpdemo import compare, ui
from kpdemo.benchmark import page as page_benchmark
from kpdemo.models import browser_assets
from kpdemo.models.device import has_bf16, pick
from kpdemo.models.expressions import Expressions
from kpdemo.structures import NO_FACE, ComparedFace
from kpdemo.zoo import BASELINE, DEFAULT_MODELS

sync_api = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
Page = sync_api.Page

MODELS = [*DEFAULT_MODELS, BASELINE]
# Python computes in bf16 where the processor has it, the browser always in float32.
IN_BF16 = has_bf16(pick())
POINTS = ("keypoints", "ibug-68", "ibug-68-fitted", "kaggle-15-fitted")
# The size that distances are meant for.
WIDTH, HEIGHT = 640, 480

WEBGPU = (
    "--enable-unsafe-webgpu",
    "--use-webgpu-adapter=swiftshader",
    "--enable-features=Vulkan",
)
INDEX = '<!doctype html><title>engine</title><link rel="icon" href="data:,">'
OPEN = """async (options) => {
  window.engineModule = await import("/engine/engine.js");
  window.states = [];
  const progress = (state) => states.push(state);
  window.engine = await engineModule.open({ base: "/base", backend: "wasm", progress, ...options });
  return { backend: engine.backend, models: engine.models, unavailable: engine.unavailable };
}"""
# How a photo is looked at: "compare" or "follow".
LOOK = """async ([photo, how, options]) => {
  const file = await (await fetch(photo)).blob();
  return engine[how](await engineModule.picture(file), options);
}"""


@pytest.fixture(scope="module")
def photos(hopper: np.ndarray, astronaut: np.ndarray) -> dict[str, Image.Image]:
    """Portraits of up to 640x480 pixels: as they are, turned, small, and two together."""
    first, second = (fitted(Image.fromarray(pixels)) for pixels in (hopper, astronaut))
    both = Image.new("RGB", (first.width + second.width, HEIGHT), "grey")
    both.paste(first.resize((first.width // 2, first.height // 2)), (20, 100))
    both.paste(second.resize((second.width // 2, second.height // 2)), (first.width, 60))
    return {
        "hopper": first,
        "astronaut": second,
        "turned": second.rotate(25, resample=Image.Resampling.BICUBIC),
        "mirrored": first.transpose(Image.Transpose.FLIP_LEFT_RIGHT),
        "both": fitted(both),
    }


@pytest.fixture(scope="module")
def site(runtimes_cache: Path, photos: Mapping[str, Image.Image], tmp_path_factory) -> Path:
    """An empty page, the engine's scripts and files, and the photos."""
    folder = tmp_path_factory.mktemp("engine")
    (folder / "index.html").write_text(
        '<!doctype html><title>engine</title><link rel="icon" href="data:,">'
    )
    shutil.copytree(Path(ui.__file__).with_name("engine"), folder / "engine")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(runtimes_cache))
        files = browser_assets.files()
    for name, file in files.items():
        path = folder / "base" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(file, bytes):
            path.write_bytes(file)
        else:
            path.symlink_to(file)
    for name, photo in photos.items():
        photo.save(folder / f"{name}.png")
    Image.new("RGB", (WIDTH, HEIGHT), "grey").save(folder / "empty.png")
    return folder


@pytest.fixture(scope="module")
def host(site: Path, tmp_path_factory) -> Iterator[StaticHost]:
    with serve_folder(site, tmp_path_factory.mktemp("host") / "requests") as host:
        yield host


@pytest.fixture(scope="module")
def page(browser, host: StaticHost) -> Iterator[Page]:
    """A page with the engine opened by WebAssembly."""
    page = new_page(browser, host)
    opened = page.evaluate(OPEN, {})
    assert opened == {"backend": "wasm", "models": MODELS, "unavailable": {}}
    yield page
    page.close()


def new_page(browser: "sync_api.Browser", host: StaticHost) -> Page:
    page = browser.new_page()
    page.set_default_timeout(1000 * PATIENCE)
    page.goto(host.url)
    return page


def fitted(photo: Image.Image) -> Image.Image:
    photo.thumbnail((WIDTH, HEIGHT), Image.Resampling.LANCZOS)
    return photo


def look(page: Page, name: str, how: str = "compare", **options: Any) -> dict[str, Any]:
    return page.evaluate(LOOK, [f"/{name}.png", how, options])


def plain(face: ComparedFace) -> dict[str, Any]:
    """A face as the engine takes it."""
    keypoints = face.detection.keypoints.tolist()
    return {"box": face.box, "score": face.score, "roll": face.roll, "keypoints": keypoints}


def farthest(ours: Mapping[str, Any], theirs: Mapping[str, Any]) -> float:
    """The largest distance in pixels between two answers' points."""
    assert list(ours) == list(theirs)
    gaps = [np.subtract(ours[name], theirs[name]) for name in POINTS if name in ours]
    return max(float(np.linalg.norm(gap, axis=-1).max()) for gap in gaps)


def agree(ours: Mapping[str, Any], theirs: Mapping[str, Any], key: str, **limits: float) -> bool:
    """Whether two answers' values are close, of all points, or of most where Python is in bf16.

    A confidence is read around the nearest cell of a heatmap, and bf16 may change that cell.
    """
    close = np.isclose(ours[key], theirs[key], **({"rtol": 0, "atol": 0} | limits))
    return close.mean() >= (0.85 if IN_BF16 else 1.0)


@pytest.mark.parametrize("name", ["hopper", "astronaut", "turned", "mirrored", "both"])
def test_golden_points_on_the_same_face(page: Page, photos, name: str) -> None:
    expected = compare(photos[name], MODELS)
    assert expected.faces
    faces = [plain(face) for face in expected.faces]
    result = look(page, name, faces=faces)
    for ours, theirs in zip(result["faces"], expected.to_dict()["faces"], strict=True):
        assert list(ours) == list(theirs)
        assert {key: ours[key] for key in ("box", "score", "confirmed", "missing")} == {
            key: theirs[key] for key in ("box", "score", "confirmed", "missing")
        }
        for model in ours["models"]:
            answer, reference = ours["models"][model], theirs["models"][model]
            assert farthest(answer, reference) < (0.25 if IN_BF16 else 0.1), model
            if model != BASELINE:
                assert agree(answer, reference, "confidence", atol=0.02), model
                assert agree(answer, reference, "expected_error", rtol=0.03), model


@pytest.mark.parametrize("name", ["hopper", "turned", "both"])
def test_faces_are_those_of_the_server(page: Page, photos, name: str) -> None:
    """The search is the server's, but MediaPipe's own arithmetic differs a little."""
    expected = compare(photos[name], MODELS).to_dict()
    result = look(page, name)
    assert list(result) == list(expected)
    for key in ("photo", "faces_left_out", "notices", "unavailable"):
        assert result[key] == expected[key]
    assert list(result["devices"].items()) == [(model, "wasm") for model in MODELS]
    assert list(result["timings"]) == list(expected["timings"])
    for ours, theirs in zip(result["faces"], expected["faces"], strict=True):
        np.testing.assert_allclose(ours["box"], theirs["box"], atol=0.2)
        assert ours["roll"] == pytest.approx(theirs["roll"], abs=0.2)
        for model in MODELS:
            limit = 1.0 if model == BASELINE else 0.3
            assert farthest(ours["models"][model], theirs["models"][model]) < limit, model


def test_photo_without_a_face_says_so(page: Page) -> None:
    result = look(page, "empty")
    assert result["faces"] == [] and result["notices"] == [NO_FACE]


def test_faces_are_followed_in_one_pass(page: Page) -> None:
    whole = look(page, "hopper")["faces"][0]["models"]
    for _ in range(3):
        frame = look(page, "hopper", "follow")
    answers = frame["faces"][0]["models"]
    assert list(answers) == MODELS
    for model, answer in answers.items():
        gaps = np.subtract(answer["keypoints"], whole[model]["keypoints"])
        # In percent of the outer eye corners' distance one pass differs by less than its error.
        assert np.linalg.norm(gaps, axis=1).mean() < 4, model
        assert "expected_error" not in answer
    assert "confidence" in answers["unet"] and "confidence" not in answers["simplenet"]


@pytest.mark.parametrize("name", ["astronaut", "turned"])
def test_the_expression_is_that_of_the_server(page: Page, photos, name: str) -> None:
    pixels = np.asarray(photos[name].convert("RGB"))
    with Expressions() as expressions:
        expected = expressions.read(pixels, compare(photos[name], []).faces[0].detection)
    assert expected is not None
    ours = look(page, name, "follow", models=["simplenet"], expression=True)["expression"]
    assert list(ours) == list(expected._fields)
    shapes, angles = (list(values) for values in (expected[:3], expected[3:]))
    assert list(ours.values())[:3] == pytest.approx(shapes, abs=0.03)
    assert list(ours.values())[3:] == pytest.approx(angles, abs=1)


def test_frames_overlap_and_come_back_in_their_order(page: Page) -> None:
    """A frame without a face is done before the nets are with the frame before it."""
    assert look(page, "empty", "follow", models=["unet"], expression=True)["expression"] is None
    order = page.evaluate(
        """async () => {
          const bitmap = async (name) => engineModule.picture(await (await fetch(name)).blob());
          const names = ["/hopper.png", "/empty.png", "/hopper.png"];
          const frames = await Promise.all(names.map(bitmap));
          const order = [];
          const follow = async (frame, at) => {
            const { faces } = await engine.follow(frame, { models: ["unet"] });
            order.push([at, faces.length]);
          };
          await Promise.all(frames.map(follow));
          return order;
        }"""
    )
    assert order == [[0, 1], [1, 0], [2, 1]]


def test_answers_come_one_by_one_and_nothing_is_fetched(page: Page, host: StaticHost) -> None:
    before = host.requests()
    order = page.evaluate(
        """async () => {
          const order = [];
          const picture = new ImageData(64, 64);
          const faces = [{ box: [10, 10, 50, 50], score: 0.9, roll: 0,
            keypoints: [[22, 22], [38, 22], [30, 31], [30, 40], [13, 25], [47, 25]] }];
          const models = ["unet", "simplenet"];
          const answered = ({ faces }) => order.push(Object.keys(faces[0].models).join(" "));
          await Promise.all([
            engine.compare(picture, { faces, models, answered }),
            engine.compare(picture, { faces, models: ["resnet18"], answered }),
          ]);
          return order;
        }"""
    )
    assert order == ["unet", "unet simplenet", "resnet18"]
    assert host.requests() == before


def test_unknown_model_is_an_error(page: Page) -> None:
    message = page.evaluate(
        "engine.compare(new ImageData(64, 64), { models: ['unet', 'net'] }).catch((e) => e.message)"
    )
    assert message == f"Unknown model net; known are {', '.join(MODELS)}."


def test_size_is_known_before_anything_is_loaded(page: Page, host: StaticHost) -> None:
    sizes = page.evaluate("engineModule.size({ base: '/base', backend: 'wasm' })")
    states = page.evaluate("states")
    assert sizes["backend"] == "wasm"
    assert (
        states[-1]["loaded"]
        == states[-1]["total"]
        == sizes["bytes"]
        == sum(sizes["files"].values())
    )


def test_webgpu_has_the_same_points(page: Page, browser, host: StaticHost) -> None:
    """By the software adapter, which is slow: one small net."""
    flags = [flag for flag in page_benchmark.FLAGS if flag != "--disable-gpu"]
    chromium = browser.browser_type.launch(
        executable_path=page_benchmark.CHROMIUM, args=[*flags, *WEBGPU]
    )
    other = new_page(chromium, host)
    adapter = "navigator.gpu?.requestAdapter().then(Boolean)"
    if not other.evaluate(adapter):
        chromium.close()
        pytest.skip("This Chromium has no software adapter for WebGPU.")
    models = ["simplenet"]
    opened = other.evaluate(OPEN, {"backend": "webgpu", "models": models})
    assert opened == {"backend": "webgpu", "models": [*models, BASELINE], "unavailable": {}}
    result = look(other, "hopper", models=models)
    assert result["devices"] == {"simplenet": "webgpu"}
    expected = look(page, "hopper", models=models)
    ours, theirs = (r["faces"][0]["models"]["simplenet"] for r in (result, expected))
    assert farthest(ours, theirs) < 0.1
    # Which backend is the better one: not a software adapter's.
    assert other.evaluate("engineModule.size({ base: '/base' })")["backend"] == "wasm"
    chromium.close()


def test_damaged_model_takes_no_other_down(browser, host: StaticHost, site: Path) -> None:
    page = new_page(browser, host)
    weights = (site / "base/models/unet/model.safetensors").read_bytes()
    page.route("**/unet/model.safetensors", lambda route: route.fulfill(body=weights[::-1]))
    opened = page.evaluate(OPEN, {"models": ["simplenet", "unet", BASELINE]})
    assert opened["models"] == ["simplenet", BASELINE]
    assert list(opened["unavailable"]) == ["unet"]
    assert "did not arrive whole; reload the page." in opened["unavailable"]["unet"]
    result = look(page, "hopper", models=["simplenet", "unet"])
    assert list(result["faces"][0]["models"]) == ["simplenet"]
    assert result["unavailable"] == opened["unavailable"]
    page.close()


@pytest.mark.parametrize("lost", ["vision_wasm_module_internal.wasm", "engine.json"])
def test_without_its_runtime_it_ends_in_one_sentence(browser, host: StaticHost, lost: str) -> None:
    page = new_page(browser, host)
    page.route(f"**/{lost}", lambda route: route.abort())
    message = page.evaluate(f"({OPEN})({{}}).catch((error) => error.message)")
    assert message.endswith(".") and "\n" not in message and len(message) < 120
    page.close()
