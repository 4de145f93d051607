"""A trained model: loading it from a folder, by name or from the Hub, and saving it."""

import dataclasses
import tempfile
import textwrap
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import torch
from safetensors import SafetensorError
from safetensors.torch import load_file, save_file
from torch import Tensor, nn
from torch.nn.utils import convert_conv2d_weight_memory_format

from kpdemo import zoo
from kpdemo.keypoints import markups
from kpdemo.models import crop_rules, hub, model_folder, nets, onednn
from kpdemo.models.config import VERSION, ConfigError, Input, ModelConfig, from_dict, in_short
from kpdemo.models.device import precision
from kpdemo.models.hub_errors import HubError
from kpdemo.models.model_folder import CONFIG, WEIGHTS, CheckpointError

CALIBRATION = "calibration"  # beside the net's own tensors


@dataclass(frozen=True)
class Model:
    """A trained net with its config, ready to predict.

    `calibration` is None, or the float32 matrix `(2K + 1, 2K)` that `kpdemo.models.predict` adds.
    """

    name: str
    config: ModelConfig
    net: nets.KeypointNet
    calibration: Tensor | None = None

    @property
    def parameters(self) -> int:
        """The number of trainable parameters."""
        return sum(p.numel() for p in self.net.parameters())

    @property
    def device(self) -> torch.device:
        """The net's device."""
        return next(self.net.parameters()).device

    @property
    def inference_net(self) -> nn.Module:
        """The fastest form of the net on its device, for inference; `net` is for inspection.

        It has the weights that `net` had on first use.
        """
        return self._packed if onednn.helps(self.device) else self.net

    @cached_property
    def _packed(self) -> nn.Module:
        size = self.config.input
        # A crop and its mirror image.
        pair = torch.zeros(2, size.channels, size.height, size.width)
        pair = pair.contiguous(memory_format=torch.channels_last)
        return onednn.pack(self.net, pair, precision(self.device))

    @classmethod
    def from_pretrained(cls, source: str | Path, revision: str | None = None) -> "Model":
        """A model of the Hub, of a folder, or that ships: see `from_pretrained`."""
        return from_pretrained(source, revision)

    def save_pretrained(self, folder: str | Path) -> None:
        """Write `model.safetensors` and `config.json`, for `from_pretrained` to read."""
        save(Path(folder), self.net, self.config, self.calibration)

    def push_to_hub(self, repo: str, *, private: bool = False, branch: str = "main") -> str:
        """Put what `save_pretrained` writes in a repository, in one commit; returns the commit.

        Raises `HubError`.
        """
        with tempfile.TemporaryDirectory() as scratch:
            self.save_pretrained(scratch)
            files = {path.name: path.read_bytes() for path in Path(scratch).iterdir()}
        return hub.upload(repo, files, private, branch)[0]


def normalise(pictures: Tensor, size: Input) -> Tensor:
    """uint8 `(B, C, H, W)` -> the float picture that a net takes, channels last."""
    scaled = (pictures.float() / 255 - size.mean) / size.std
    return scaled.contiguous(memory_format=torch.channels_last)


def save(
    folder: Path, net: nn.Module, config: ModelConfig, calibration: Tensor | None = None
) -> None:
    """Write weights (matrices in half precision, the rest as it is) and config, atomically."""
    folder.mkdir(parents=True, exist_ok=True)
    tensors = {
        name: (value.half() if value.is_floating_point() and value.ndim > 1 else value).contiguous()
        for name, value in net.state_dict().items()
    }
    if calibration is not None:
        tensors[CALIBRATION] = calibration
    with tempfile.TemporaryDirectory(dir=folder) as scratch:
        save_file(tensors, Path(scratch) / WEIGHTS)
        # safetensors writes files that only their owner may read.
        (Path(scratch) / WEIGHTS).chmod(0o644)
        (Path(scratch) / WEIGHTS).replace(folder / WEIGHTS)
    model_folder.write_json(folder / CONFIG, dataclasses.asdict(config))


def read_config(folder: Path) -> ModelConfig:
    """The folder's config; CheckpointError if it is missing, broken, from another version, or of a
    net that cannot be built."""
    path = folder / CONFIG
    data = model_folder.read_json(folder, CONFIG)
    if (version := data.get("version", VERSION)) != VERSION:
        raise CheckpointError(
            f"{path} has version {in_short(version)}; this program reads version {VERSION}."
        )
    try:
        config = from_dict(ModelConfig, data, str(path))
    except ConfigError as error:
        raise CheckpointError(str(error)) from error
    try:
        crop_rules.fitted(config.framing)
        with torch.device("meta"):  # without memory for its weights
            nets.build(config)
    except ConfigError as error:
        raise CheckpointError(f"{path}: {error}") from error
    expected, count = config.expected_error, len(markups.get(config.markup))
    if expected is not None and len(expected.levels) != count:
        raise CheckpointError(
            f"{path}: expected_error has {len(expected.levels)} levels for {count} keypoints."
        )
    return config


def load(folder: str | Path, name: str | None = None) -> Model:
    """The model in a folder, in evaluation mode on the CPU, named after the folder by default.

    Only safetensors are read, and every tensor must fit. Raises CheckpointError otherwise.
    """
    folder = Path(folder)
    name = name or folder.name
    config = read_config(folder)
    try:
        tensors = load_file(folder / WEIGHTS)
        # A copy, as the net's: what lies in the file would change with it.
        calibration = tensors.pop(CALIBRATION).clone() if CALIBRATION in tensors else None
        # Checked on the meta device first: the net may be far too large for the memory.
        with torch.device("meta"):
            nets.build(config).load_state_dict(tensors, assign=True)
        net = nets.build(config)
        net.load_state_dict(tensors)
    except FileNotFoundError:
        raise CheckpointError(f"{name} has no {WEIGHTS}.") from None
    except (SafetensorError, OSError) as error:
        raise CheckpointError(f"{folder / WEIGHTS} is damaged ({error}).") from error
    except RuntimeError as error:
        # PyTorch's message has a heading, then a line for every tensor that does not fit.
        reason = textwrap.shorten(" ".join(str(error).split("\n\t")[:2]), 300, placeholder=" …")
        raise CheckpointError(
            f"{name}: the weights do not fit the config ({reason.rstrip('. ')})."
        ) from error
    count = 2 * len(markups.get(config.markup))
    if calibration is not None and calibration.shape != (count + 1, count):
        raise CheckpointError(
            f"{name}: the calibration does not fit {count // 2} keypoints "
            f"(its shape is {tuple(calibration.shape)})."
        )
    convert_conv2d_weight_memory_format(net, torch.channels_last)
    return Model(name, config, net.eval(), calibration)


def from_pretrained(source: str | Path, revision: str | None = None) -> Model:
    """A model by repository (`NAME/kpdemo-unet`), by folder, or by its name in `weights/`.

    `revision` is a repository's branch, tag or commit; by default the pinned one, else `main`.
    Only safetensors are read, and every tensor must fit. Raises CheckpointError otherwise, and its
    child HubError for a repository that cannot be had.
    """
    source = str(source)
    shipped = {path.parent.name: path.parent for path in zoo.WEIGHTS_DIR.glob("*/config.json")}
    if revision is None:
        if (Path(source) / CONFIG).exists():
            return load(Path(source))
        if source in shipped:
            return load(shipped[source])
    if source.count("/") != 1 or source.startswith((".", "/", "~")):
        raise CheckpointError(
            f"{source!r} is neither a model folder nor a repository (NAME/{hub.PREFIX}MODEL) nor "
            f"one of the models that ship with this program ({', '.join(sorted(shipped))})."
        )
    return load_pulled(hub.fetch(source, revision))


def load_pulled(pulled: hub.PulledFiles) -> Model:
    """The model in fetched files; HubError if its weights do not fit its config."""
    try:
        return load(pulled.folder, hub.model_name(pulled.repository))
    except CheckpointError as error:
        raise refusal(pulled, error) from error


def refusal(pulled: hub.PulledFiles, why: CheckpointError) -> HubError:
    """The error for a repository whose files cannot be used."""
    return HubError(f"{pulled.repository} is refused: {why}")
