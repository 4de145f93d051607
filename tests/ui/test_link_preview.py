"""What a link to the page tells other programs, also behind a proxy."""

import re

import pytest
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.responses import HTMLResponse
from starlette.routing import Route
from starlette.testclient import TestClient

from kpdemo.ui import link_preview

PAGE = """<!doctype html><html><head>
<meta charset="utf-8" />
<meta property="og:title" content="Gradio" />
<meta
	property="og:image"
	content="https://example.org/header.jpg"
/>
<meta name="twitter:image" content="https://example.org/header.jpg" />
</head><body>Grüße</body></html>"""


@pytest.fixture
def client() -> TestClient:
    def page(_):
        return HTMLResponse(PAGE)

    routes = [Route("/", page), Route("/other", page)]
    return TestClient(Starlette(routes=routes, middleware=[Middleware(link_preview.LinkPreview)]))


def image(text: str) -> list[str]:
    return re.findall(r'property="og:image"\s+content="(.*?)"', text)


def test_the_page_describes_itself_and_all_else_stays_as_it_is(client):
    text = client.get("/").text
    assert "Gradio" not in text and "example.org" not in text
    assert '<meta charset="utf-8" />' in text and "<body>Grüße</body>" in text
    assert image(text) == ["http://testserver/preview.webp"]
    assert client.get("/other").text == PAGE


def test_addresses_are_those_of_the_proxy(client):
    forwarded = {"x-forwarded-proto": "https", "x-forwarded-host": 'kp.example"><b>'}
    text = client.get("/", headers=forwarded).text
    assert image(text) == ["https://kp.example&quot;&gt;&lt;b&gt;/preview.webp"]
