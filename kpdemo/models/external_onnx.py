"""Keypoint nets of other programs: an ONNX file, and a small JSON file of its name beside it.

The net takes float pictures `(N, C, H, W)` of one face each and gives the coordinates of K points,
`(N, K, 2)` or `(N, 2K)`. The JSON says which, for example:

    {
      "markup": "ibug-68",
      "input": {"height": 224, "width": 224, "channels": 3,
                "mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225]},
      "crop": {"reference": "keypoint-box", "scale": 1.25},
      "coordinates": "crop"
    }

`mean` and `std` scale pixels of 0 to 1. `crop` is the square around all keypoints
("keypoint-box"), Kaggle's ("kaggle") or the whole picture ("imm-picture"), times `scale`.
`coordinates` run from -1 to 1 ("crop") or from 0 to 1 ("unit") between the crop's outer edges, or
are pixels of the input, whose centres are whole numbers ("pixels").
"""

import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np

from kpdemo.keypoints import markups
from kpdemo.media.images import Photo
from kpdemo.models import crop_rules
from kpdemo.models.config import ConfigError, Framing, Input, ModelConfig, from_dict
from kpdemo.models.face_crops import FaceCrops, crop_faces
from kpdemo.models.model_folder import CheckpointError
from kpdemo.structures import Face, Prediction
from kpdemo.system import files, json_file
from kpdemo.system.json_file import JsonError

MAX_BYTES = 500_000_000
COORDINATES = ("crop", "unit", "pixels")
_BATCH = 8  # faces, where the net takes any number


@dataclass(frozen=True)
class Picture:
    """A net's input: size in pixels, 1 (grey) or 3 (RGB) channels, and how it is scaled."""

    height: int
    width: int
    channels: int = 3
    mean: tuple[float, ...] = (0.0,)
    std: tuple[float, ...] = (1.0,)

    def __post_init__(self) -> None:
        Input(self.height, self.width, self.channels)
        if not {len(self.mean), len(self.std)} <= {1, self.channels} or min(self.std) <= 0:
            raise ConfigError(
                "mean and std have one number, or one for each channel; those of std are above 0."
            )


@dataclass(frozen=True)
class OnnxConfig:
    """What the JSON file says, see above."""

    markup: str
    input: Picture
    crop: Framing = field(default_factory=Framing)
    coordinates: str = "crop"

    def __post_init__(self) -> None:
        try:
            markups.get(self.markup)
        except ValueError as error:
            raise ConfigError(str(error)) from None
        if self.coordinates not in COORDINATES:
            raise ConfigError(f"coordinates are one of {', '.join(COORDINATES)}.")
        crop_rules.fitted(self.crop)


class OnnxPredictor:
    """A net in ONNX Runtime as a `Predictor`, on the processor; it has no confidence."""

    device = "cpu"

    def __init__(self, name: str, config: OnnxConfig, session: Any) -> None:
        self.name = name
        self.markup = config.markup
        self._config = config
        self._session = session
        size = config.input
        self._crop = ModelConfig(
            "onnx", config.markup, Input(size.height, size.width, size.channels), config.crop
        )
        (self._input,) = (each.name for each in session.get_inputs())
        fixed = session.get_inputs()[0].shape[0]
        self._batch = fixed if isinstance(fixed, int) else _BATCH
        self._any_number = not isinstance(fixed, int)

    def prepare(self, photo: Photo, faces: Sequence[Face]) -> FaceCrops:
        """The faces' crops, see `Predictor.prepare`."""
        return crop_faces(self._crop, photo, faces)

    def predict(self, prepared: Sequence[FaceCrops]) -> list[list[Prediction | None]]:
        """Keypoints of all faces."""
        started = time.perf_counter()
        keypoints = iter(self.keypoints(np.concatenate([crops.pixels for crops in prepared])))
        count = sum(len(crops.crops) for crops in prepared)
        each = 1000 * (time.perf_counter() - started) / count
        return [
            [
                Prediction(
                    self.markup,
                    crops.photo.to_original(crop.to_photo(next(keypoints))),
                    None,
                    each,
                    crop_milliseconds=crops.milliseconds / len(crops.crops),
                )
                for crop in crops.crops
            ]
            for crops in prepared
        ]

    def keypoints(self, crops: np.ndarray) -> np.ndarray:
        """Crops `(F, H, W[, C])` uint8 -> keypoints `(F, K, 2)` in crop coordinates."""
        size = self._config.input
        pixels = crops.reshape(len(crops), size.height, size.width, size.channels)
        mean, std = np.array(size.mean, np.float32), np.array(size.std, np.float32)
        scaled = (pixels.astype(np.float32) / 255 - mean) / std
        pictures = np.ascontiguousarray(scaled.transpose(0, 3, 1, 2))
        points = np.concatenate(
            [self._run(pictures[k : k + self._batch]) for k in range(0, len(crops), self._batch)]
        )
        if self._config.coordinates == "unit":
            return 2 * points - 1
        if self._config.coordinates == "pixels":
            return (2 * points + 1) / (size.width, size.height) - 1
        return points

    def try_once(self) -> np.ndarray:
        """Keypoints `(1, K, 2)` on a black crop."""
        size = self._config.input
        return self.keypoints(np.zeros((1, size.height, size.width, size.channels), np.uint8))

    def _run(self, pictures: np.ndarray) -> np.ndarray:
        count = len(pictures)
        if not self._any_number:
            missing = self._batch - count
            pictures = np.pad(pictures, [(0, missing), (0, 0), (0, 0), (0, 0)])
        first, *_ = self._session.run(None, {self._input: pictures})
        return np.asarray(first, np.float64).reshape(len(pictures), -1, 2)[:count]


def load(path: Path, name: str) -> OnnxPredictor:
    """The net in an ONNX file with its JSON beside it, tried once.

    Raises CheckpointError where ONNX Runtime or a file is missing, damaged, or does not fit.
    """
    if find_spec("onnxruntime") is None:
        raise CheckpointError(f"{name} needs ONNX Runtime: pip install onnxruntime.")
    config = _read_config(path.with_suffix(".json"))
    predictor = OnnxPredictor(name, config, _session(path, config))
    count = len(markups.get(config.markup))
    try:
        points = predictor.try_once()
    except Exception as error:  # ONNX Runtime's errors have no common class
        raise CheckpointError(f"{path} cannot be run: {_line(error)}.") from error
    if points.shape != (1, count, 2):
        raise CheckpointError(
            f"{path} gives {points.size} numbers for a face, and {config.markup} has {2 * count}: "
            f"{count} points of x and y."
        )
    return predictor


def _read_config(path: Path) -> OnnxConfig:
    try:
        return from_dict(OnnxConfig, json_file.read(path), str(path))
    except FileNotFoundError:
        raise CheckpointError(
            f"{path} is missing; it says the net's markup, input and crop."
        ) from None
    except JsonError as error:
        raise CheckpointError(f"{path} {error}") from error
    except ConfigError as error:
        raise CheckpointError(str(error)) from error


def _session(path: Path, config: OnnxConfig) -> Any:
    """The file in ONNX Runtime; CheckpointError if it takes other pictures than the config says."""
    import onnxruntime

    options = onnxruntime.SessionOptions()
    # Without threads of its own: batches already run side by side, and processes may fork.
    options.intra_op_num_threads = options.inter_op_num_threads = 1
    options.log_severity_level = 4
    try:
        with files.open_regular(path) as file:
            data = file.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise CheckpointError(f"{path} cannot be read ({reason}).") from error
    if len(data) > MAX_BYTES:
        raise CheckpointError(f"{path} is larger than {MAX_BYTES // 1_000_000} MB.")
    try:
        # From its bytes, so that it cannot name other files.
        session = onnxruntime.InferenceSession(data, options, providers=["CPUExecutionProvider"])
    except Exception as error:
        raise CheckpointError(
            f"{path} cannot be used ({_line(error)}); export it as one file."
        ) from error
    inputs = session.get_inputs()
    size = config.input
    shape = (size.channels, size.height, size.width)
    fits = len(inputs) == 1 and inputs[0].type == "tensor(float)" and len(inputs[0].shape) == 4
    if not fits or any(
        isinstance(there, int) and there != here
        for there, here in zip(inputs[0].shape[1:], shape, strict=True)
    ):
        takes = ", ".join(f"{each.type} {each.shape}" for each in inputs)
        raise CheckpointError(
            f"{path} takes {takes}, and its JSON says tensor(float) (N, "
            f"{', '.join(map(str, shape))})."
        )
    return session


def _line(error: Exception) -> str:
    """An error of ONNX Runtime on one line, not long."""
    return " ".join(str(error).split())[:200].rstrip(". ")
