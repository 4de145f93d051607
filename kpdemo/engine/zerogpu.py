"""ZeroGPU: a Space whose GPU is there only inside decorated functions, in a forked process.

MediaPipe's tasks do not survive a fork, and GPUs are lent by the second, too short to make them
anew. So only nets are asked there, on copies of their own, and all of them in one call a photo.
https://huggingface.co/docs/hub/spaces-zerogpu
"""

import copy
import math
import os
import sys
from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import replace

import numpy as np
import torch

from kpdemo.models.device import pick
from kpdemo.models.model import CheckpointError, Model
from kpdemo.models.predict import Prediction, predict_each

Ask = Callable[[Mapping[str, np.ndarray]], list[Prediction | str]]

# To move the nets and warm up; then, generously, for a face and net.
_START, _EACH = 5.0, 0.05


def here() -> bool:
    """Whether this is ZeroGPU, and `spaces` was imported (before torch: `app.py` sees to that)."""
    switch = os.environ.get("SPACES_ZERO_GPU", "").lower()
    return "spaces" in sys.modules and switch in ("1", "t", "true")


def borrow(names: Iterable[str], load: Callable[[str], Model]) -> Ask:
    """`predict_each` of these models, on the GPU that is lent for a call.

    A forked process has only what was there before, so all are loaded at once; one that cannot be
    is left out, and missed when it is asked. To be called before the page is launched: that is when
    models are packed up for the GPU.
    """
    device = pick()
    lent: dict[str, Model] = {}
    for name in names:
        with suppress(CheckpointError):
            model = load(name)
            lent[name] = replace(model, net=copy.deepcopy(model.net).to(device))

    def ask(cuts: Mapping[str, np.ndarray]) -> list[Prediction | str]:
        # OpenMP's threads stayed behind in the process that was forked.
        torch.set_num_threads(1)
        return list(predict_each(lent, cuts))

    return sys.modules["spaces"].GPU(duration=seconds)(ask)


def seconds(cuts: Mapping[str, np.ndarray]) -> int:
    """For how long to ask for the GPU: the shorter, the sooner it is a visitor's turn."""
    return math.ceil(_START + _EACH * sum(len(pixels) for pixels in cuts.values()))
