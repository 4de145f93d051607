"""Push models to the Hugging Face Hub, for the app and other programs to pull."""

from collections.abc import Iterable
from pathlib import Path

import httpx2
from huggingface_hub import HfApi, set_client_factory
from huggingface_hub.utils._http import default_client_factory

from kpdemo.models import checkpoint, hub, model_folder, onnx_graph, pins
from kpdemo.models.hub_errors import HubError, reason
from train.publish import model_card

TIMEOUT = 60.0  # seconds


def push(
    folder: Path,
    namespace: str,
    private: bool = False,
    branch: str = hub.MAIN,
    space: str | None = None,
) -> tuple[str, pins.Pin, bool]:
    """Push a model folder to `NAMESPACE/kpdemo-MODEL`, in one commit, and pin it.

    The card links the page at `space`, `NAME/SPACE`.

    Returns the repository, its pin, and whether there is a new commit: identical files are not
    pushed again. The card is generated anew, with the figures of `metrics.json` and the
    repository's name, and so is the browser's graph where the folder has one. Raises
    CheckpointError for a folder that is incomplete or cannot be loaded, ExportError where the graph
    cannot be made, and HubError for a Hub that cannot be reached or refuses the push.
    """
    folder = folder.resolve()
    repo = hub.repository(namespace, folder.name)
    checkpoint.load(folder)
    names = (model_folder.CONFIG, model_folder.WEIGHTS, model_folder.HISTORY, model_folder.METRICS)
    files = {model_folder.CARD: str(model_card.make(folder, namespace, space)).encode()}
    files |= {name: (folder / name).read_bytes() for name in names}
    if (folder / model_folder.GRAPH).exists():
        files[model_folder.GRAPH] = onnx_graph.make(folder)
    limit_timeout()
    commit, new = hub.upload(repo, files, private, branch)
    pin = pins.Pin(commit, hub.sha256(files[model_folder.WEIGHTS]))
    pins.write(repo, pin)
    return repo, pin, new


def collect(title: str, namespace: str, models: Iterable[str], space: str | None = None) -> str:
    """Put repositories into the namespace's Collection of that title, which is made if need be;
    returns its address. Raises HubError."""
    limit_timeout()
    api = HfApi()
    try:
        collection = api.create_collection(title, namespace=namespace, exists_ok=True)
        for repo in models:
            api.add_collection_item(collection.slug, repo, "model", exists_ok=True)
        if space:
            api.add_collection_item(collection.slug, space, "space", exists_ok=True)
    except Exception as error:
        raise HubError(f"{title!r} cannot be collected: {reason(error)}.") from error
    return collection.url


def limit_timeout() -> None:
    """Give the Hub's client a timeout; by default, it waits for ever on a server that is gone.

    As a factory, because the client is recreated when it could not connect.
    """

    def client() -> httpx2.Client:
        result = default_client_factory()
        result.timeout = TIMEOUT
        return result

    set_client_factory(client)
