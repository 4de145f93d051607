"""The engine in the browser, in a page of Chromium that has nothing else on it."""

from base64 import b64encode
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import numpy as np

from kpdemo.structures import ComparedFace, Comparison, Face, Prediction
from kpdemo.ui.shared import browser_engine, scripts

if TYPE_CHECKING:  # the app itself needs no Playwright
    from playwright.sync_api import Browser, Page

_OPEN = """async (base) => {
  const { open, picture, size } = await import(location.href);
  const engine = await open({ base, backend: "wasm" });
  const { files } = await size({ base, backend: "wasm" });
  const sizes = performance.getEntriesByType("resource")
    .filter(({ name }) => name.startsWith(base)).map(({ encodedBodySize }) => encodedBodySize);
  window.look = async (url, faces) => {
    const photo = await picture(await (await fetch(url)).blob());
    const started = performance.now();
    const result = await engine.compare(photo, { faces });
    return { result, milliseconds: performance.now() - started };
  };
  const transferred = sizes.reduce((sum, size) => sum + size, 0);
  return { unavailable: Object.values(engine.unavailable), files, transferred };
}"""


class BrowserEngine:
    """It compares photos by WebAssembly; `files` are the bytes of all that it loaded, by path, and
    `transferred` those that the server sent, compressed."""

    def __init__(self, page: "Page", base: str) -> None:
        self._page = page
        opened = page.evaluate(_OPEN, base)
        if opened["unavailable"]:
            raise RuntimeError(" ".join(opened["unavailable"]))
        self.files: dict[str, int] = opened["files"]
        self.transferred: int = opened["transferred"]

    def compare(self, photo: bytes, faces: Sequence[Face] | None = None) -> Comparison:
        """The comparison of a picture's file; its faces are searched for unless they are given."""
        return comparison(self._look(photo, faces)["result"])

    def milliseconds(self, photo: bytes) -> float:
        """How long a comparison takes, from the decoded picture to the result."""
        return self._look(photo, None)["milliseconds"]

    def _look(self, photo: bytes, faces: Sequence[Face] | None) -> dict[str, Any]:
        url = f"data:;base64,{b64encode(photo).decode()}"
        given = None
        if faces:
            given = [vars(face) | {"keypoints": face.keypoints.tolist()} for face in faces]
        return self._page.evaluate("([url, faces]) => look(url, faces ?? undefined)", [url, given])


@contextmanager
def opened(browser: "Browser", url: str) -> Iterator[BrowserEngine]:
    """The engine with all models, from the page's server at `url`.

    Raises RuntimeError, with the reason, where the server lacks a file or a model cannot be used.
    """
    settings = browser_engine.settings()
    if "base" not in settings:
        raise RuntimeError(settings["missing"])
    page = browser.new_page()
    try:
        page.goto(url + scripts.address("engine/engine.js"))  # a page that is this script's text
        yield BrowserEngine(page, url + settings["base"])
    finally:
        page.close()


def comparison(data: Mapping[str, Any]) -> Comparison:
    """What `Comparison.to_dict()` gives, read again; its faces have no points of the detector."""
    return Comparison(
        **data["photo"],
        faces=[_face(face) for face in data["faces"]],
        **{name: data[name] for name in ("timings", "unavailable", "faces_left_out", "devices")},
    )


def _face(data: Mapping[str, Any]) -> ComparedFace:
    detection = Face(tuple(data["box"]), data["score"], np.empty((0, 2)), data["roll"])
    predictions = {name: _prediction(prediction) for name, prediction in data["models"].items()}
    return ComparedFace(detection, predictions, data["missing"])


def _prediction(data: Mapping[str, Any]) -> Prediction:
    values = {name: np.array(value) for name, value in data.items() if isinstance(value, list)}
    return Prediction(
        markup=data["markup"],
        keypoints=values.pop("keypoints"),
        confidence=values.pop("confidence", None),
        expected_error=values.pop("expected_error", None),
        milliseconds=data["milliseconds"],
        converted=values,
    )
