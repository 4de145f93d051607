"""Models that visitors of the page add for themselves: kept in memory alone, and only for them.

A repository of the Hub is looked up first, so that its size can be shown before it is fetched. It
is read as anybody can read it: never with the token of whoever runs the page.
"""

import re
import shutil
import tempfile
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import torch
from huggingface_hub import HfApi, hf_hub_download
from huggingface_hub.utils import validate_repo_id

from kpdemo import zoo
from kpdemo.models import checkpoint, external_onnx, hub
from kpdemo.models.hub_errors import HubError, reason
from kpdemo.models.model_folder import CheckpointError
from kpdemo.models.predict import NetPredictor, predict
from kpdemo.models.predictor import Predictor

MAX_BYTES = 100_000_000
SLOWEST = 2.0  # seconds for a face: longer ones would hold up all other visitors
_NAME = re.compile(rf"[\w.-]+/{hub.PREFIX}[\w.-]+")
_HOW = f"Name a repository as NAME/{hub.PREFIX}MODEL, or with @REVISION after it."


@dataclass(frozen=True)
class Offer:
    """A repository of the Hub at a commit, and the `bytes` of the files that would be fetched."""

    repository: str
    commit: str
    bytes: int

    def __str__(self) -> str:
        return f"{self.repository} at {self.commit[:7]}, {self.bytes / 1e6:.1f} MB"


def look_up(source: str) -> Offer:
    """What `download` would fetch for `NAME/kpdemo-MODEL` or `NAME/kpdemo-MODEL@REVISION`.

    Raises HubError for what is missing, too large, or no such name.
    """
    repo, _, revision = source.strip().partition("@")
    if not _NAME.fullmatch(repo):
        raise HubError(_HOW)
    try:
        validate_repo_id(repo)
        info = HfApi().model_info(
            repo,
            revision=revision or hub.MAIN,
            timeout=hub.TIMEOUT,
            files_metadata=True,
            token=False,
        )
    except Exception as error:
        raise HubError(f"{repo} cannot be looked up: {reason(error)}.") from error
    sizes = {file.rfilename: file.size or 0 for file in info.siblings or []}
    missing = [name for name in hub.FILES if name not in sizes]
    if missing:
        raise HubError(f"{repo} is no model of this kind: it has no {' and no '.join(missing)}.")
    size = sum(sizes[name] for name in hub.FILES)
    if size > MAX_BYTES:
        raise HubError(f"{repo} is {size / 1e6:,.0f} MB; the page takes {_limit()}.")
    return Offer(repo, str(info.sha), size)


def download(offer: Offer, device: torch.device) -> Predictor:
    """The model of a repository, which stays nowhere on disk.

    Raises CheckpointError for one that cannot be fetched, is damaged, or does not fit.
    """
    with tempfile.TemporaryDirectory(prefix="kpdemo-own-") as scratch:
        try:
            for name in hub.FILES:
                hf_hub_download(
                    offer.repository,
                    name,
                    revision=offer.commit,
                    etag_timeout=hub.TIMEOUT,
                    local_dir=scratch,
                    token=False,
                )
        except Exception as error:
            raise HubError(f"{offer.repository} cannot be fetched: {reason(error)}.") from error
        try:
            model = checkpoint.load(scratch)
        except CheckpointError as error:
            raise _refusal(offer.repository, error, scratch) from error
    model.net.to(device)
    model = replace(model, name=zoo.secret_name(offer.repository))
    crop = np.zeros((1, *model.config.input.shape), np.uint8)
    _check_time(offer.repository, lambda: predict(model, crop))
    return NetPredictor(model)


def from_onnx(net: Path, config: Path) -> Predictor:
    """The model in two uploaded files (`kpdemo.models.external_onnx`); raises CheckpointError."""
    if net.stat().st_size > MAX_BYTES:
        raise CheckpointError(f"{net.name} is too large; the page takes {_limit()}.")
    with tempfile.TemporaryDirectory(prefix="kpdemo-own-") as scratch:
        place = Path(scratch) / net.name
        shutil.copyfile(net, place)
        shutil.copyfile(config, place.with_suffix(".json"))
        try:
            predictor = external_onnx.load(place, zoo.secret_name(net.name))
        except CheckpointError as error:
            raise _refusal(net.name, error, scratch) from error
    _check_time(net.name, predictor.try_once)
    return predictor


def _check_time(name: str, predict: Callable[[], object]) -> None:
    predict()  # the first time takes longer
    started = time.perf_counter()
    predict()
    seconds = time.perf_counter() - started
    if seconds > SLOWEST:
        raise CheckpointError(
            f"{name} needs {seconds:.0f} s for one face, too long for a page that others use too; "
            "compare it with the command line."
        )


def _refusal(name: str, error: CheckpointError, scratch: str) -> CheckpointError:
    """The error for files that cannot be used, without the place where they were for a moment."""
    why = str(error).replace(f"{scratch}/", "").replace(Path(scratch).name, name)
    return CheckpointError(why if why.startswith(name) else f"{name} is refused: {why}")


def _limit() -> str:
    return f"models of up to {MAX_BYTES // 1_000_000} MB"
