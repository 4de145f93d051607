"""The page without a server, from `python -m http.server`: it computes everything itself."""

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from helpers.onnx_files import constant
from helpers.site import StaticHost, serve_folder
from helpers.visitor import PATIENCE, open_tab

from kpdemo import compare
from kpdemo.zoo import BASELINE, DEFAULT_MODELS

sync_api = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
expect = sync_api.expect
Page = sync_api.Page

MODELS = [*DEFAULT_MODELS, BASELINE]
WORKER = "/service_worker.js"  # the browser asks for it at each visit: is there another version?


@pytest.fixture(scope="session")
def site(runtimes_cache: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder that `python -m train space --static` writes."""
    from train.__main__ import main

    folder = tmp_path_factory.mktemp("static") / "site"
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(runtimes_cache))
        assert main(["space", "--static", str(folder)]) == 0
    return folder


@pytest.fixture
def host(site: Path, tmp_path: Path) -> Iterator[StaticHost]:
    with serve_folder(site, tmp_path / "requests") as host:
        yield host


@pytest.fixture
def visit(browser, host: StaticHost) -> Iterator:
    """`visit()` opens the page as a visitor who was never here; no request may leave the host."""
    contexts, elsewhere = [], []

    def note(request: "sync_api.Request") -> None:
        if not request.url.startswith((host.url, "data:", "blob:")):
            elsewhere.append(request.url)

    def visit(width: int = 1440, **more) -> Page:
        context = browser.new_context(viewport={"width": width, "height": 900}, **more)
        contexts.append(context)
        context.set_default_timeout(1000 * PATIENCE)
        expect.set_options(timeout=1000 * PATIENCE)
        context.on("request", note)
        page = context.new_page()
        open_page(page, host)
        return page

    yield visit
    for context in contexts:
        context.close()
    assert not elsewhere


def open_page(page: Page, host: StaticHost) -> None:
    page.goto(host.url)
    page.locator("html[data-ready]").wait_for()


def choose_models(page: Page, *names: str) -> None:
    for box in page.locator("#models input").all():
        box.set_checked(box.get_attribute("value") in names)


def drop_photo(page: Page, path: Path) -> None:
    page.locator("#photo input").set_input_files(path)


def until(page: Page, condition: str) -> None:
    """Wait for a condition; Playwright's way evaluates a text, which the page's policy forbids."""
    page.evaluate(
        f"""() => new Promise((done, fail) => {{
            const look = setInterval(() => {condition} && (clearInterval(look), done()), 50);
            setTimeout(fail, {1000 * PATIENCE});
        }})"""
    )


def compared(page: Page) -> None:
    """Wait until a photo has been compared in this browser, and its result is shown."""
    until(page, "window.kpdemo.result")
    page.locator("body:not(.kp-busy)").wait_for()


def result(page: Page) -> dict:
    return json.loads(page.evaluate("JSON.stringify(window.kpdemo.result)"))


def test_a_photo_is_compared_as_in_python(visit, host: StaticHost, hopper_path: Path) -> None:
    page = visit()
    # It opens with a result, can be used, and says what it would load, before any model is there.
    page.locator(".kp-panel").first.wait_for()
    expect(page.locator("#engine")).to_contain_text("MB once")
    assert not [path for path in host.requests() if path.endswith((".wasm", ".safetensors"))]
    assert page.evaluate("window.kpdemo.engine") is None
    drop_photo(page, hopper_path)
    compared(page)
    expect(page.locator(".kp-panel")).to_have_count(1 + len(MODELS))
    assert page.evaluate("window.kpdemo.engine") == "wasm"
    face, here = compare(hopper_path, MODELS).faces[0], result(page)["faces"][0]
    assert set(here["models"]) == set(MODELS)
    for name, answer in face.predictions.items():
        points = np.array(here["models"][name]["keypoints"])
        assert np.abs(points - answer.keypoints).max() < 0.5, name
        assert len(page.locator(f'.kp-panel[data-model="{name}"] .kp-points').all()) == 1
    with page.expect_download() as download:
        page.get_by_role("button", name="JSON", exact=True).click()
    assert download.value.suggested_filename == "grace_hopper-kpdemo.json"
    assert json.loads(Path(download.value.path()).read_text()) == result(page)


def test_points_are_edited_the_photo_degraded_and_several_sorted_without_the_host(
    visit, host: StaticHost, hopper_path: Path, astronaut_path: Path
) -> None:
    page = visit()
    choose_models(page, "simplenet", "keypoint-resnet")
    drop_photo(page, hopper_path)
    compared(page)
    loaded = len(host.requests())
    host.stop()
    page.get_by_text("Edit points").click()
    page.get_by_role("button", name="Start editing").click()
    page.keyboard.press("ArrowRight")
    moved = page.locator('#drag [data-key="point"]')
    expect(moved).to_have_count(2)
    expect(moved.first).to_have_text("0.25")
    page.get_by_role("button", name="Use as ground truth").click()
    expect(page.locator("#truth [role=status]")).to_contain_text("belongs to face 1.")
    expect(page.locator("#table thead")).to_contain_text("Error (pixels")
    page.get_by_text("Degrade this photo").click()
    expect(page.locator("#degrade tbody tr")).to_have_count(2)
    page.locator("#degrade [name=blur]").fill("10")
    drifts = page.locator("#degrade tbody td .kp-drift")
    expect(drifts.first).not_to_have_text("0.0 %")
    page.locator("#photo input").set_input_files([hopper_path, astronaut_path])
    expect(page.locator(".kp-sheet [role=status]")).to_have_text("2 photos compared")
    expect(page.locator(".kp-sheet li b")).to_have_count(2)
    assert len(host.requests()) == loaded


def test_a_visitors_own_net_is_compared_on_this_device(
    visit, host: StaticHost, tmp_path: Path, hopper_path: Path
) -> None:
    page = visit()
    points = np.random.default_rng(0).uniform(-0.9, 0.9, (15, 2))
    path = constant(tmp_path, points, batch=4).rename(tmp_path / "unet.onnx")
    config = (tmp_path / "mine.json").rename(path.with_suffix(".json"))
    box = page.locator("#own-onnx")
    page.get_by_text("Your own model").click()
    box.locator("input").set_input_files(path)
    expect(box.get_by_role("alert")).to_contain_text("Choose two files together")
    wrong = tmp_path / "wrong.json"
    wrong.write_text(json.dumps(json.loads(config.read_text()) | {"markup": "ibug-68"}))
    box.locator("input").set_input_files([path, wrong])
    expect(box.get_by_role("alert")).to_have_text(
        "The .onnx gives 30 numbers for a face, and ibug-68 has 136."
    )
    box.locator("input").set_input_files([path, config])
    expect(box.get_by_role("status")).to_have_text("unet (2) is among the models now.")
    choose_models(page, "own-1", "keypoint-resnet")
    drop_photo(page, hopper_path)
    compared(page)
    (face,) = compare(hopper_path, [str(path)]).faces
    own = result(page)["faces"][0]["models"]["own-1"]
    np.testing.assert_allclose(own["keypoints"], face.predictions[str(path)].keypoints, atol=0.5)
    expect(page.locator('.kp-panel[data-model="own-1"]')).to_contain_text("unet (2)")
    with page.expect_download() as download:
        page.get_by_role("button", name="JSON", exact=True).click()
    saved = json.loads(Path(download.value.path()).read_text())
    assert set(saved["faces"][0]["models"]) == {"unet (2)", "keypoint-resnet"}
    assert not [path for path in host.requests() if "unet.onnx" in path]


def test_second_visit_loads_nothing_and_a_third_needs_no_host(
    visit, host: StaticHost, astronaut_path: Path
) -> None:
    page = visit()
    choose_models(page, "keypoint-resnet", BASELINE)
    page.get_by_role("button", name="Grace Hopper").click()
    compared(page)
    before = len(host.requests())
    open_page(page, host)
    choose_models(page, "keypoint-resnet", BASELINE)
    page.get_by_role("button", name="Grace Hopper").click()
    compared(page)
    assert set(host.requests()[before:]) <= {WORKER}
    host.stop()
    open_page(page, host)
    choose_models(page, "keypoint-resnet", BASELINE)
    drop_photo(page, astronaut_path)
    compared(page)
    assert result(page)["photo"] == {"width": 512, "height": 512}
    assert result(page)["faces"]


def test_files_that_are_no_pictures_end_in_a_sentence(visit, tmp_path: Path) -> None:
    page = visit()
    damaged = tmp_path / "photo.jpg"
    damaged.write_bytes(b"\xff\xd8\xff\xe0 no photo")
    drop_photo(page, damaged)
    alert = page.locator("#notice [role=alert]")
    expect(alert).to_contain_text("This browser cannot read the file")
    choose_models(page)
    page.get_by_role("button", name="Grace Hopper").click()
    expect(alert).to_have_text("Choose at least one model.")
    assert page.evaluate("window.kpdemo.result") is None


def test_a_half_loaded_runtime_ends_in_a_sentence_and_the_next_try_works(visit) -> None:
    page = visit(service_workers="block")
    choose_models(page, BASELINE)
    wasm = "**/vision_wasm_module_internal.wasm"
    page.route(
        wasm, lambda route: route.fulfill(body=b"\0asm half", content_type="application/wasm")
    )
    page.get_by_role("button", name="Grace Hopper").click()
    alert = page.locator("#notice [role=alert]")
    expect(alert).to_contain_text("did not arrive whole")
    page.unroute(wasm)
    page.get_by_role("button", name="Grace Hopper").click()
    compared(page)
    expect(alert).to_have_count(0)


def test_neither_the_page_nor_its_workers_may_ask_another_host(visit, site: Path) -> None:
    spy = site / "scripts" / "spy.js"
    spy.write_text(
        "addEventListener('securitypolicyviolation', (e) => postMessage(e.effectiveDirective));\n"
        "fetch('http://192.0.2.1/').catch(() => {});\n"
    )
    try:
        page = visit()
        until(page, "navigator.serviceWorker.controller")
        from_worker = """() => new Promise((done) => {
            const worker = new Worker("scripts/spy.js", { type: "module" });
            worker.onmessage = ({ data }) => done(data);
        })"""
        assert page.evaluate(from_worker) == "connect-src"
        from_page = """() => new Promise((done) => {
            addEventListener("securitypolicyviolation", (e) => done(e.effectiveDirective));
            fetch("http://192.0.2.1/").catch(() => {});
        })"""
        assert page.evaluate(from_page) == "connect-src"
    finally:
        spy.unlink()


def test_live_follows_a_face_without_the_host_and_stops_when_hidden(
    visit, host: StaticHost
) -> None:
    page = visit(permissions=["camera"])
    choose_live(page, "keypoint-resnet", BASELINE)
    page.get_by_role("button", name="Start camera").click()
    rate = page.locator(".kp-live-rate")
    expect(rate).to_contain_text("frames a second")
    loaded = len(host.requests())
    host.stop()  # whatever comes from now on comes from this device
    canvas = page.locator(".kp-live-stage")
    expect(canvas).to_have_attribute("data-points", str(15 + 478))
    cells = page.locator('.kp-live-figures tr[data-model="keypoint-resnet"] td')
    expect(cells.first).not_to_have_text("–")
    expect(cells.nth(2)).not_to_have_text("–")  # jitter
    assert len(host.requests()) == loaded
    open_tab(page, "About")
    open_tab(page, "Live")
    expect(page.get_by_role("button", name="Start camera")).to_be_visible()
    expect(rate).to_have_text("")


def violations(page: Page) -> list[str]:
    """What axe-core finds serious or critical."""
    axe = pytest.importorskip("axe_playwright_python.sync_playwright", reason="no axe")
    return [
        violation["help"]
        for violation in axe.Axe().run(page).response["violations"]
        if violation["impact"] in ("serious", "critical")
    ]


def choose_live(page: Page, *names: str) -> None:
    open_tab(page, "Live")
    for box in page.locator("#live-models input").all():
        box.set_checked(box.get_attribute("value") in names)


@pytest.mark.parametrize("width", [390, 1440])
def test_every_tab_fits_and_has_its_content(visit, width: int) -> None:
    page = visit(width=width)
    for name in ("Live", "Leaderboard", "About", "Compare"):
        open_tab(page, name)
        panel = page.get_by_role("tabpanel")
        expect(panel).to_have_count(1)
        expect(panel).to_have_accessible_name(name)
        assert page.evaluate("document.documentElement.scrollWidth") == width
        for scheme in ("light", "dark"):
            page.emulate_media(color_scheme=scheme)
            assert not violations(page), (name, scheme)
    open_tab(page, "Leaderboard")
    expect(page.locator("#leaderboard tbody tr").first).to_contain_text("U-Net")
    open_tab(page, "About")
    expect(page.locator("#about")).to_contain_text("processed by this browser, on your own device")
    expect(page.locator("#about .kp-net")).to_have_count(len(DEFAULT_MODELS))
