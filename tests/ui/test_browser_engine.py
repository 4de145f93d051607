"""What the engine in the browser loads, as the page's server gives it out."""

import json

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from kpdemo.models import browser_runtimes
from kpdemo.ui.shared import browser_engine


@pytest.fixture
def client() -> TestClient:
    return TestClient(Starlette(routes=[browser_engine.ROUTE]))


@pytest.fixture
def base(with_runtimes) -> str:
    return f"/{browser_engine.settings()['base']}"


def test_every_file_is_served_whole_and_kept_by_caches(client: TestClient, base: str) -> None:
    index = client.get(f"{base}engine.json")
    assert index.headers["content-type"] == "application/json"
    files = json.loads(index.text)["files"]
    assert {f"runtimes/{file.path}" for file in browser_runtimes.FILES} <= set(files)
    for path, file in files.items():
        response = client.get(base + path)
        assert response.status_code == 200, path
        assert len(response.content) == file["bytes"], path
        assert "immutable" in response.headers["cache-control"]


@pytest.mark.parametrize(
    ("path", "kind", "compressed"),
    [
        ("runtimes/ort/ort-wasm-simd-threaded.wasm", "application/wasm", True),
        ("runtimes/vision/vision_bundle.mjs", "text/javascript; charset=utf-8", True),
        ("models/unet/model.safetensors", "application/octet-stream", False),
    ],
)
def test_types_and_compression(
    client: TestClient, base: str, path: str, kind: str, compressed: bool
) -> None:
    response = client.get(base + path, headers={"Accept-Encoding": "gzip"})
    assert response.headers["content-type"] == kind
    assert (response.headers.get("content-encoding") == "gzip") == compressed
    plain = client.get(base + path, headers={"Accept-Encoding": "identity"})
    assert "content-encoding" not in plain.headers
    assert plain.content == response.content


def test_nothing_else_is_served(client: TestClient, base: str) -> None:
    for path in ("", "none.wasm", "../engine.json", "..%2f..%2fREADME.md", "models/unet/README.md"):
        assert client.get(base + path).status_code == 404, path
    assert client.get(f"/browser/{'0' * 16}/engine.json").status_code == 404


def test_without_runtimes_the_page_says_how_to_get_them(client, tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    settings = browser_engine.settings()
    assert "base" not in settings
    assert "python -m kpdemo browser" in settings["missing"]
    assert client.get(f"/browser/{'0' * 16}/engine.json").status_code == 404
