"""Put models on the Hugging Face Hub, as the app and other programs pull them."""

from pathlib import Path

import httpx2
from huggingface_hub import set_client_factory
from huggingface_hub.utils._http import default_client_factory

from kpdemo.models import hub, model_folder
from kpdemo.models import model as checkpoint
from train.publish import model_card

SILENCE = 60.0  # seconds


def push(
    folder: Path, namespace: str, private: bool = False, branch: str = hub.MAIN
) -> tuple[str, hub.Pin, bool]:
    """Push a model folder to `NAMESPACE/kpdemo-MODEL`, in one commit, and pin it.

    Returns the repository, its pin, and whether there is a new commit: what is there already is
    not pushed again. The card is made anew, so that its figures are those of `metrics.json`, with
    the repository's name in it. Raises CheckpointError for a folder that is not complete or cannot
    be loaded, and HubError for a Hub that cannot be had or does not want it.
    """
    folder = folder.resolve()
    repo = hub.repository(namespace, folder.name)
    checkpoint.load(folder)
    names = (model_folder.CONFIG, model_folder.WEIGHTS, model_folder.HISTORY, model_folder.METRICS)
    files = {model_folder.CARD: str(model_card.make(folder, namespace)).encode()}
    files |= {name: (folder / name).read_bytes() for name in names}
    limit_silence()
    commit, new = hub.upload(repo, files, private, branch)
    pin = hub.Pin(commit, hub.sha256(files[model_folder.WEIGHTS]))
    hub.write_pin(repo, pin)
    return repo, pin, new


def limit_silence() -> None:
    """Let the Hub's client, which alone waits for ever on a server that has gone, give up.

    As a factory, because the client is made anew when it could not connect.
    """

    def client() -> httpx2.Client:
        made = default_client_factory()
        made.timeout = SILENCE
        return made

    set_client_factory(client)
