"""Export a model as one ONNX file, for ONNX Runtime and other programs.

The file takes a crop of a photo and gives the app's keypoints. It includes the scaling of the
pixels, and the flip test and the calibration where the model has them. Detecting the face and
cropping it as the config says are not included.
"""

import copy
import dataclasses
import json
import logging
import tempfile
import warnings
from importlib.util import find_spec
from pathlib import Path

import torch
from torch import Tensor, nn

from kpdemo.keypoints import markups
from kpdemo.models.checkpoint import Model, normalise
from kpdemo.models.predict import average, calibrated, halves

NEEDED = ("onnx", "onnxscript")
OPSET = 18


class ExportError(ValueError):
    """A model that cannot be exported; the message is one sentence that says why."""


class PredictionModule(nn.Module):
    """`kpdemo.models.predict` as a net: crops in, the app's keypoints out.

    Takes float32 `(N, C, H, W)`, RGB or grey, 0 to 255, and returns keypoints `(N, K, 2)` in crop
    coordinates and, for nets that have them, heatmaps `(N, K, h, w)`.
    """

    def __init__(self, model: Model) -> None:
        super().__init__()
        self.net = copy.deepcopy(model.net).cpu()
        self.config = model.config
        self.calibration: Tensor | None
        self.register_buffer("calibration", model.calibration)

    def forward(self, pixels: Tensor) -> tuple[Tensor, ...]:
        if self.config.flip_test:
            both = torch.cat([pixels, pixels.flip(-1)])
            output = self.net(normalise(both, self.config.input))
            keypoints, heatmaps = average(*halves(output, self.config.markup))
        else:
            keypoints, heatmaps = self.net(normalise(pixels, self.config.input))
        if self.calibration is not None:
            keypoints = calibrated(keypoints, self.calibration)
        return (keypoints,) if heatmaps is None else (keypoints, heatmaps)


def export(model: Model, path: Path) -> str:
    """Write the model to `path`, whole or not at all; returns a sentence on its content.

    The input `pixels` and the outputs `keypoints` and, where there are any, `heatmaps` are those of
    `PredictionModule`, for any batch size N. The file's metadata has "config" (the
    `config.json`), "keypoint_names" and "description". Raises ExportError and OSError.
    """
    if missing := [name for name in NEEDED if find_spec(name) is None]:
        raise ExportError(f"Export needs more packages: pip install {' '.join(missing)}.")
    if not path.resolve().parent.is_dir():
        raise ExportError(f"{path} cannot be written: there is no folder {path.parent}.")
    size = model.config.input
    wrapper = PredictionModule(model).eval()
    example = torch.zeros(2, size.channels, size.height, size.width)
    with warnings.catch_warnings(), torch.inference_mode():
        # The exporter's warnings are for its own developers.
        warnings.simplefilter("ignore")
        logging.getLogger("torch.onnx").setLevel(logging.ERROR)
        outputs = ["keypoints", "heatmaps"][: len(wrapper(example))]
        try:
            program = torch.onnx.export(
                wrapper,
                (example,),
                input_names=["pixels"],
                output_names=outputs,
                dynamic_shapes={"pixels": {0: torch.export.Dim("N")}},
                opset_version=OPSET,
                dynamo=True,
                verbose=False,
            )
        except torch.onnx.OnnxExporterError as error:
            reason = str(error).strip().splitlines()[0]
            raise ExportError(f"{model.name} cannot be exported: {reason}") from error
    shape = None if program is None else program.model.graph.inputs[0].shape
    if program is None or shape is None or isinstance(shape[0], int):
        # The exporter falls back to a fixed batch size without notice.
        raise ExportError(f"{model.name} cannot be exported for any batch size.")
    points = markups.get(model.config.markup).names
    program.model.metadata_props.update(
        {
            "name": model.name,
            "description": _description(model),
            "config": json.dumps(dataclasses.asdict(model.config)),
            "keypoint_names": json.dumps(points),
        }
    )
    with tempfile.TemporaryDirectory(dir=path.resolve().parent) as scratch:
        part = Path(scratch) / "model.onnx"
        program.save(part, external_data=False)
        part.chmod(0o644)
        part.replace(path)
    return (
        f"{path}: {model.name}, pixels (N, {size.channels}, {size.height}, {size.width}) float32 "
        f"from 0 to 255 -> {' and '.join(outputs)} of {len(points)} points in crop coordinates."
    )


def _description(model: Model) -> str:
    colours = "grey" if model.config.input.channels == 1 else "RGB"
    steps = "scaling of the pixels"
    if model.config.flip_test:
        steps += ", the average with the mirror image"
    if model.calibration is not None:
        steps += ", the calibration"
    return (
        f"Facial keypoints ({model.config.markup}) of a crop around one face. Input: {colours} "
        "pixels from 0 to 255. Keypoints: x, y from -1 to 1 between the crop's outer edges. "
        f"Inside: {steps}. Not inside: detecting the face and cropping it as config.framing says."
    )
