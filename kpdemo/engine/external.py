"""Models of the user's own: a repository of the Hub, a folder, or an ONNX file."""

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import torch

from kpdemo.models import checkpoint, external_onnx, hub
from kpdemo.models.model_folder import CheckpointError
from kpdemo.models.predict import NetPredictor
from kpdemo.models.predictor import Predictor

# NAME/MODEL or NAME/MODEL@REVISION.
_REPOSITORY = re.compile(r"([\w.-]+/[\w.-]+)(?:@(\S+))?")


def is_source(word: str) -> bool:
    """Whether a word names a folder, a file or a repository, rather than a model of this copy."""
    return _is_place(word) or is_onnx(word) or _REPOSITORY.fullmatch(word) is not None


def is_onnx(word: str) -> bool:
    """Whether a word names an ONNX file."""
    return word.lower().endswith(".onnx")


def is_repository(word: str) -> bool:
    """Whether a word can only be a repository: `NAME/kpdemo-MODEL`, and no such folder here."""
    match = _REPOSITORY.fullmatch(word)
    return bool(match and f"/{hub.PREFIX}" in match[1]) and not _is_place(word)


def load(
    source: str, device: torch.device, announce: Callable[[str], object] | None = None
) -> Predictor:
    """The model of a source, which is its name.

    What lies here under that name goes before the Hub. `announce`, if given, gets a sentence
    before anything is downloaded. Raises CheckpointError with a sentence for what is missing,
    damaged, too large, or does not fit.
    """
    if is_onnx(source):
        return external_onnx.load(Path(source).expanduser(), source)
    if _is_place(source):
        model = checkpoint.load(Path(source).expanduser())
    else:
        match = _REPOSITORY.fullmatch(source)
        if match is None:
            raise CheckpointError(f"{source} is no model folder and no repository of the Hub.")

        def tell(size: int) -> None:
            if announce is not None:
                announce(f"{source}: downloading {size / 1e6:.1f} MB from the Hugging Face Hub.")

        model = checkpoint.load_pulled(hub.fetch(match[1], match[2], tell))
    model.net.to(device)
    return NetPredictor(replace(model, name=source))


def _is_place(word: str) -> bool:
    """Whether a word names something on this machine, there or not."""
    return word.startswith((".", "/", "~")) or Path(word).is_dir()
