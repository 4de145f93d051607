"""All that the engine in the browser loads, by its path below one folder."""

from pathlib import Path

from kpdemo.models import browser_files, browser_runtimes
from kpdemo.models.browser_files import Size
from kpdemo.models.browser_runtimes import RuntimesError
from kpdemo.models.model_folder import GRAPH
from kpdemo.zoo import DEFAULT_MODELS, WEIGHTS_DIR

_RUNTIMES = "runtimes"


def models() -> list[str]:
    """The nets that a browser can run: those that have a graph."""
    return [name for name in DEFAULT_MODELS if (WEIGHTS_DIR / name / GRAPH).exists()]


def files() -> dict[str, Path | bytes]:
    """Every file, or what is in it: runtimes, graphs, weights, MediaPipe's models and the index.

    Raises RuntimesError where the runtimes are not in the cache, BrowserUnavailable and
    BaselineUnavailable where a model that finds faces is missing.
    """
    if browser_runtimes.missing():
        raise RuntimesError(f"{browser_runtimes.report()} Run {browser_runtimes.COMMAND} first.")
    paths = {f"{_RUNTIMES}/{file.path}": file for file in browser_runtimes.FILES}
    sizes = {path: Size(file.bytes, file.sha256) for path, file in paths.items()}
    listed = browser_files.files({name: WEIGHTS_DIR / name for name in models()}, sizes)
    return listed | {path: browser_runtimes.folder() / file.path for path, file in paths.items()}
