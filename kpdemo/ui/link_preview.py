"""The page's head: what a link to it looks like elsewhere, and the scripts that it opens with.

Gradio's page describes Gradio, with a picture on another host; what it is given for the head comes
too late to load anything early.
"""

import re
from html import escape
from pathlib import Path

from starlette.datastructures import URL, Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import FileResponse
from starlette.routing import Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from kpdemo.ui.shared import scripts

TITLE = "kpdemo: facial keypoints, network by network"
DESCRIPTION = (
    "Drop in a photo of a face and see, side by side, where four neural networks and MediaPipe put "
    "its keypoints. Runs on the page’s own server; no photo is kept."
)
# The wheel has no pictures.
_PICTURE = Path(__file__).with_name("pictures") / "compare.webp"
_TAGS = re.compile(rb'<meta\s+(?:property="og:|name="(?:twitter:|description"))[^>]*>\s*')
_AFTER = b"<head>"


async def _serve(_: Request) -> FileResponse:
    return FileResponse(_PICTURE, headers={"Cache-Control": "public, max-age=86400"})


ROUTES = [Route("/preview.webp", _serve)] if _PICTURE.exists() else []


class LinkPreview:
    """Middleware that gives the page, and nothing else, the tags of its own."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        is_page = scope["type"] == "http" and scope["method"] == "GET" and scope["path"] == "/"
        await self._app(scope, receive, _Rewriter(scope, send) if is_page else send)


class _Rewriter:
    """Sends on what a page's answer consists of, with the tags replaced once it is whole."""

    def __init__(self, scope: Scope, send: Send) -> None:
        self._scope, self._send = scope, send
        self._start: Message | None = None
        self._body = b""

    async def __call__(self, message: Message) -> None:
        if message["type"] == "http.response.start" and _is_html(message):
            self._start = message
        elif self._start is None or message["type"] != "http.response.body":
            await self._send(message)
        else:
            self._body += message.get("body", b"")
            if not message.get("more_body"):
                body = replace(self._body, _address(self._scope))
                MutableHeaders(scope=self._start)["content-length"] = str(len(body))
                await self._send(self._start)
                await self._send({"type": "http.response.body", "body": body})


def replace(page: bytes, address: str) -> bytes:
    """HTML of the page at `address` with our tags instead of Gradio's."""
    tags = _tags(address) + scripts.preloads("compare", "shared")
    return _TAGS.sub(b"", page).replace(_AFTER, _AFTER + tags.encode(), 1)


def _tags(address: str) -> str:
    tags = [("name", "description", DESCRIPTION), ("property", "og:type", "website")]
    tags += [("property", "og:title", TITLE), ("property", "og:description", DESCRIPTION)]
    tags += [("property", "og:url", address)]
    if ROUTES:
        tags += [
            ("property", "og:image", f"{address}preview.webp"),
            ("property", "og:image:alt", "One photo, its keypoints by five models"),
            ("name", "twitter:card", "summary_large_image"),
        ]
    return "".join(f'<meta {key}="{name}" content="{escape(text)}">' for key, name, text in tags)


def _address(scope: Scope) -> str:
    """The page's address as its visitors write it, also behind a proxy that ends TLS."""
    address = URL(scope=scope)
    scheme = Headers(scope=scope).get("x-forwarded-proto", address.scheme).split(",")[0].strip()
    host = Headers(scope=scope).get("x-forwarded-host", address.netloc).split(",")[0].strip()
    return f"{scheme}://{host}/"


def _is_html(message: Message) -> bool:
    return Headers(raw=message["headers"]).get("content-type", "").startswith("text/html")
