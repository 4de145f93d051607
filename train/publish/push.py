"""Push models to the Hugging Face Hub, for the app and other programs to pull."""

from pathlib import Path

import httpx2
from huggingface_hub import set_client_factory
from huggingface_hub.utils._http import default_client_factory

from kpdemo.models import checkpoint, hub, model_folder, onnx_graph, pins
from train.publish import model_card

TIMEOUT = 60.0  # seconds


def push(
    folder: Path, namespace: str, private: bool = False, branch: str = hub.MAIN
) -> tuple[str, pins.Pin, bool]:
    """Push a model folder to `NAMESPACE/kpdemo-MODEL`, in one commit, and pin it.

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
    files = {model_folder.CARD: str(model_card.make(folder, namespace)).encode()}
    files |= {name: (folder / name).read_bytes() for name in names}
    if (folder / model_folder.GRAPH).exists():
        files[model_folder.GRAPH] = onnx_graph.make(folder)
    limit_timeout()
    commit, new = hub.upload(repo, files, private, branch)
    pin = pins.Pin(commit, hub.sha256(files[model_folder.WEIGHTS]))
    pins.write(repo, pin)
    return repo, pin, new


def limit_timeout() -> None:
    """Give the Hub's client a timeout; by default, it waits for ever on a server that is gone.

    As a factory, because the client is recreated when it could not connect.
    """

    def client() -> httpx2.Client:
        result = default_client_factory()
        result.timeout = TIMEOUT
        return result

    set_client_factory(client)
