"""ZeroGPU: Spaces whose GPU is available only inside decorated functions, in a forked process.

MediaPipe does not survive a fork, and GPU time is counted by the second. So only nets predict
there, on copies of their own, and all of them in one call a photo.
https://huggingface.co/docs/hub/spaces-zerogpu
"""

import copy
import logging
import math
import os
import sys
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace

import torch

from kpdemo.engine import stages
from kpdemo.engine.stages import PreparedPhoto
from kpdemo.engine.store import Store
from kpdemo.models.device import pick
from kpdemo.models.model_folder import CheckpointError
from kpdemo.models.predict import NetPredictor

# Seconds to move the nets and warm up, and for each face and net; both generous.
_WARM_UP, _EACH = 5.0, 0.05

log = logging.getLogger(__name__)


def is_available() -> bool:
    """Whether this is ZeroGPU, and `spaces` was imported (before torch: see `kpdemo.runtime`)."""
    switch = os.environ.get("SPACES_ZERO_GPU", "").lower()
    return "spaces" in sys.modules and switch in ("1", "t", "true")


class ZeroGpuNets:
    """Copies of nets for the GPU that ZeroGPU provides during a call."""

    def __init__(self, nets: Mapping[str, NetPredictor]) -> None:
        self._nets = nets

        def predict_all(prepared: PreparedPhoto) -> PreparedPhoto:
            # OpenMP's threads do not exist in a forked process.
            torch.set_num_threads(1)
            for name in prepared.inputs:
                stages.predict(nets[name], [prepared])
            return prepared

        self._on_gpu = sys.modules["spaces"].GPU(duration=seconds)(predict_all)

    def predict(self, prepared: PreparedPhoto) -> None:
        """Add the predictions of all nets on a photo in one call; without a GPU do nothing."""
        inputs = {name: value for name, value in prepared.inputs.items() if name in self._nets}
        if not inputs:
            return
        try:
            done = self._on_gpu(replace(prepared, inputs=inputs))
        except Exception as error:
            # No GPU is free, or the visitor's quota is used up: the nets run on the CPU instead.
            log.warning("ZeroGPU: %s", error)
            return
        prepared.predictions |= done.predictions
        prepared.timings |= done.timings
        prepared.devices |= dict.fromkeys(done.devices, "zerogpu")
        prepared.failures = done.failures


def load(store: Store) -> ZeroGpuNets:
    """All nets of a store, for the GPU.

    A forked process has only what existed before the fork, so all nets are loaded now; damaged ones
    are left out. To be called before the page is launched, when ZeroGPU packs models for the GPU.
    """
    device = pick()
    nets: dict[str, NetPredictor] = {}
    for name in store.names:
        with suppress(CheckpointError):
            model = store.model(name)
            nets[name] = NetPredictor(replace(model, net=copy.deepcopy(model.net).to(device)))
    return ZeroGpuNets(nets)


def seconds(prepared: PreparedPhoto) -> int:
    """The duration to request of the GPU: the shorter, the sooner a request is served."""
    return math.ceil(_WARM_UP + _EACH * len(prepared.faces) * len(prepared.inputs))
