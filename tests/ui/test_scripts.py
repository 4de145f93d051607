"""The page's scripts, as a browser gets them."""

import re

import pytest
from starlette.applications import Starlette
from starlette.testclient import TestClient

from kpdemo.ui.shared import scripts


@pytest.fixture(scope="module")
def client() -> TestClient:
    return TestClient(Starlette(routes=[scripts.ROUTE]))


def test_script_is_a_module_kept_by_caches(client: TestClient) -> None:
    response = client.get(f"/{scripts.address('compare/panels.js')}")
    assert response.status_code == 200
    assert response.headers["content-type"].startswith("text/javascript")
    assert "immutable" in response.headers["cache-control"]
    assert "export default function mount" in response.text


def test_imports_of_all_scripts_are_served(client: TestClient) -> None:
    todo, visited = [f"/{scripts.address('compare/panels.js')}"], set()
    while todo:
        address = todo.pop()
        visited.add(address.rsplit("/", 1)[-1])
        response = client.get(address)
        assert response.status_code == 200
        imports = re.findall(r'from "(.+?)"', response.text)
        todo += [str(response.url.join(name)) for name in imports]
    assert {"common.js", "drawing.js", "pointers.js", "settings.js", "slide.js"} <= visited


@pytest.mark.parametrize(
    "name", ["page.py", "compare/panels.html", "shared/../page.py", "..%2f..%2fREADME.md", "x.js"]
)
def test_only_scripts_are_served(client: TestClient, name: str) -> None:
    folder = scripts.address("compare/panels.js").removesuffix("compare/panels.js")
    assert client.get(f"/{folder}{name}").status_code == 404


def test_another_version_is_not_served(client: TestClient) -> None:
    name = "compare/panels.js"
    assert client.get(f"/scripts/{'0' * 16}/{name}").status_code == 404


def test_address_names_no_unknown_script() -> None:
    with pytest.raises(KeyError):
        scripts.address("compare/none.js")


def test_preloads_are_the_scripts_of_a_folder(client: TestClient) -> None:
    addresses = re.findall(r'<link rel="modulepreload" href="(.+?)">', scripts.preloads("compare"))
    assert scripts.address("compare/panels.js") in addresses
    assert scripts.address("live/live.js") not in addresses
    assert all(client.get(f"/{address}").status_code == 200 for address in addresses)
