"""What the engine in the browser loads, from the page's own server."""

import gzip
import hashlib
from functools import cache
from pathlib import Path
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import FileResponse, Response
from starlette.routing import Route

from kpdemo.faces.mediapipe_task import BaselineUnavailable
from kpdemo.models import browser_assets, browser_files, browser_runtimes
from kpdemo.models.browser_files import BrowserUnavailable

_FOREVER = {"Cache-Control": "public, max-age=31536000, immutable"}
_TYPES = {
    ".js": "text/javascript",
    ".json": "application/json",
    ".mjs": "text/javascript",
    ".wasm": "application/wasm",
}
_OTHER = "application/octet-stream"


def settings() -> dict[str, str]:
    """For the page: `base`, where the engine's files are; or why they are `missing`, a sentence."""
    if not browser_runtimes.available():
        return {
            "missing": "In the browser they could run too, without any frame leaving your device, "
            f"once {browser_runtimes.COMMAND} has been run on the server."
        }
    try:
        return {"base": f"browser/{_site()[0]}/"}
    except (BaselineUnavailable, BrowserUnavailable) as error:
        return {"missing": str(error)}


@cache
def _site() -> tuple[str, dict[str, Path | bytes]]:
    """The files, and a digest that is part of every address, so that no cache mixes versions."""
    files = browser_assets.files()
    index = files[browser_files.SETTINGS]
    assert isinstance(index, bytes)
    return hashlib.sha256(index).hexdigest()[:16], files


def _serve(request: Request) -> Response:
    if not browser_runtimes.available():
        raise HTTPException(404)
    digest, files = _site()
    path = request.path_params["path"]
    if request.path_params["digest"] != digest or path not in files:
        raise HTTPException(404)
    content = files[path]
    kind = _TYPES.get(Path(path).suffix, _OTHER)
    options: dict[str, Any] = {"media_type": kind, "headers": dict(_FOREVER)}
    # Weights hardly shrink.
    if kind != _OTHER and "gzip" in request.headers.get("accept-encoding", ""):
        options["headers"] |= {"Content-Encoding": "gzip", "Vary": "Accept-Encoding"}
        return Response(_compressed(content), **options)
    if isinstance(content, bytes):
        return Response(content, **options)
    return FileResponse(content, **options)


@cache
def _compressed(content: Path | bytes) -> bytes:
    return gzip.compress(content if isinstance(content, bytes) else content.read_bytes(), 6)


ROUTE = Route("/browser/{digest}/{path:path}", _serve)
