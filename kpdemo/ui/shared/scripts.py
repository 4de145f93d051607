"""The page's scripts: ES modules that the browser gets from the page's own server."""

import hashlib
import json
from pathlib import Path

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

_UI = Path(__file__).parents[1]
_SCRIPTS = {file.relative_to(_UI).as_posix(): file.read_bytes() for file in _UI.rglob("*.js")}
# The digest is part of every address, so that no cache mixes two versions of the page.
_DIGEST = hashlib.sha256(repr(sorted(_SCRIPTS.items())).encode()).hexdigest()[:16]
_FOREVER = "public, max-age=31536000, immutable"
# Gradio runs this as the body of a function with these names as its arguments.
_LOADER = """// Events: %s
import(new URL(%s, document.baseURI))
  .then(({ default: mount }) => mount({ element, props, trigger, watch, server, upload }))
  .then(() => element.setAttribute("data-mounted", ""))
  .catch((error) => {
    console.error(error);
    const message = document.createElement("p");
    message.className = "kp-notice kp-error";
    message.setAttribute("role", "alert");
    message.textContent = "This part of the page could not be loaded; reload the page.";
    element.prepend(message);
  });"""


def address(name: str) -> str:
    """Where the page gets the script `name`, a path below `kpdemo/ui`; relative to the page.

    Raises KeyError if there is no such script.
    """
    _SCRIPTS[name]
    return f"scripts/{_DIGEST}/{name}"


def loader(name: str, *events: str) -> str:
    """The `js_on_load` of a component that calls the script's default export.

    That is a function of an object with `element`, `props`, `trigger`, `watch`, `server` and
    `upload`. The component's value may change before it is called. Once it is done, the element has
    the attribute `data-mounted`. `events` are those that the script triggers: Gradio knows the
    events whose names stand in this text in quotation marks.
    """
    return _LOADER % (json.dumps(events), json.dumps(address(name)))


def preloads(*folders: str) -> str:
    """HTML for a page's head that gets the scripts of these folders before they are asked for."""
    names = (name for name in sorted(_SCRIPTS) if name.split("/")[0] in folders)
    return "".join(f'<link rel="modulepreload" href="{address(name)}">' for name in names)


def _serve(request: Request) -> Response:
    if request.path_params["digest"] != _DIGEST or request.path_params["name"] not in _SCRIPTS:
        raise HTTPException(404)
    script = _SCRIPTS[request.path_params["name"]]
    return Response(script, media_type="text/javascript", headers={"Cache-Control": _FOREVER})


ROUTE = Route("/scripts/{digest}/{name:path}", _serve)
