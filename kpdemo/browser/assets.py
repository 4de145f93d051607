"""All that the engine in the browser loads, by its path below one folder."""

from functools import cache
from pathlib import Path

from kpdemo.browser import runtimes
from kpdemo.browser.runtimes import RuntimesError
from kpdemo.models import browser_files
from kpdemo.zoo import DEFAULT_MODELS, WEIGHTS_DIR

INDEX = "engine.json"  # what there is, with sizes and sha256
_RUNTIMES = "runtimes"


def models() -> list[str]:
    """The nets that a browser can run."""
    return [name for name in DEFAULT_MODELS if (WEIGHTS_DIR / name / "model.onnx").exists()]


@cache
def _files() -> dict[str, Path | bytes]:
    folders = {name: WEIGHTS_DIR / name for name in models()}
    pinned = {
        f"{_RUNTIMES}/{file.path}": (file.bytes, file.sha256) for file in runtimes.FILES
    }
    return browser_files.files(folders, runtimes=pinned)


def files() -> dict[str, Path | bytes]:
    """Every file, or what is in it: runtimes, graphs, weights, MediaPipe's models and the index.

    Raises RuntimesError where the runtimes are not in the cache.
    """
    if runtimes.missing():
        raise RuntimesError(f"{runtimes.report()} Run {runtimes.COMMAND} first.")
    place = runtimes.folder()
    return _files() | {f"{_RUNTIMES}/{file.path}": place / file.path for file in runtimes.FILES}
