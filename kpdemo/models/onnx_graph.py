"""A net as an ONNX graph without weights of its own, for the page: `model.onnx`.

Its initialisers are the tensors of `model.safetensors` beside it, as ONNX external data: the page
loads the very file that torch loads, and nothing is stored twice. New weights of the same net fit
the same graph. Unlike `kpdemo.models.onnx` it is
the net alone: flip test and calibration are up to the caller, who may do without them.
"""

import json
import logging
import struct
import warnings
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import Tensor, nn

from kpdemo.models import checkpoint
from kpdemo.models.model_folder import GRAPH, WEIGHTS
from kpdemo.models.onnx import NEEDED, OPSET, ExportError
from kpdemo.system import files

if TYPE_CHECKING:
    import onnx_ir as ir

_FLOATS = {"F16": "FLOAT16", "F32": "FLOAT"}
_HEADER = 8  # bytes of the length of a safetensors header


class _Scaled(nn.Module):
    """float32 pixels `(N, C, H, W)`, grey or RGB from 0 to 255 -> the net's own output."""

    def __init__(self, model: checkpoint.Model) -> None:
        super().__init__()
        self.net, self.size = model.net, model.config.input

    def forward(self, pixels: Tensor) -> tuple[Tensor, ...]:
        output = self.net(checkpoint.normalise(pixels, self.size))
        return tuple(part for part in output if part is not None)


def header(weights: Path) -> tuple[int, dict[str, dict[str, Any]]]:
    """Where the data of a safetensors file starts, and each tensor's `dtype`, `shape` and
    `data_offsets` from there."""
    with weights.open("rb") as file:
        (size,) = struct.unpack("<Q", file.read(_HEADER))
        tensors = json.loads(file.read(size))
    tensors.pop("__metadata__", None)
    return _HEADER + size, tensors


def write(folder: Path) -> Path:
    """Write the graph of a model folder into it, whole or not at all; returns its path.

    Raises ExportError, CheckpointError and OSError.
    """
    path, graph = folder / GRAPH, make(folder)
    files.replace(path, lambda file: file.write(graph))
    return path


@torch.inference_mode()
def make(folder: Path) -> bytes:
    """The graph of a model folder.

    Input `pixels`: float32 `(N, C, H, W)`, 0 to 255. Outputs: `keypoints` `(N, K, 2)` in crop
    coordinates and, for nets that have them, `heatmaps` `(N, K, h, w)`. Raises ExportError,
    CheckpointError and OSError.
    """
    needed = (*NEEDED, "onnx_ir")
    if missing := [name for name in needed if find_spec(name) is None]:
        raise ExportError(f"Export needs more packages: pip install {' '.join(missing)}.")
    import onnx_ir as ir

    model = checkpoint.load(folder)
    net, size = _Scaled(model).eval(), model.config.input
    example = torch.zeros(2, size.channels, size.height, size.width)
    with warnings.catch_warnings():
        # The exporter's warnings are for its own developers.
        warnings.simplefilter("ignore")
        logging.getLogger("torch.onnx").setLevel(logging.ERROR)
        program = torch.onnx.export(
            net,
            (example,),
            input_names=["pixels"],
            output_names=["keypoints", "heatmaps"][: len(net(example))],
            dynamic_shapes={"pixels": {0: torch.export.Dim("N")}},
            opset_version=OPSET,
            dynamo=True,
            verbose=False,
            optimize=False,  # so that every tensor keeps its name
        )
    if program is None:
        raise ExportError(f"{model.name} cannot be exported.")
    _refer(program.model, _stored(folder / WEIGHTS))
    program.model.metadata_props.clear()
    return ir.serde.serialize_model(program.model).SerializeToString(deterministic=True)


def _stored(weights: Path) -> dict[str, "ir.ExternalTensor"]:
    """Each float tensor of a safetensors file, as a reference to its bytes."""
    import onnx_ir as ir

    start, tensors = header(weights)
    return {
        name: ir.ExternalTensor(
            weights.name,
            start + tensor["data_offsets"][0],
            tensor["data_offsets"][1] - tensor["data_offsets"][0],
            ir.DataType[_FLOATS[tensor["dtype"]]],
            name=name,
            shape=ir.Shape(tensor["shape"]),
            base_dir=weights.parent,
        )
        for name, tensor in tensors.items()
        if tensor["dtype"] in _FLOATS
    }


def _refer(model: "ir.Model", tensors: Mapping[str, "ir.ExternalTensor"]) -> None:
    """Optimise the graph with the weights as unknowns, then let them be the file's.

    Those in half precision are cast where they are used; the runtime folds that as it loads them.
    """
    import onnx_ir as ir
    from onnxscript import optimizer

    graph, weights = model.graph, {}
    for name, value in list(graph.initializers.items()):
        stored = name.removeprefix("net.")
        if stored in tensors:
            del graph.initializers[name]
            value.const_value = None  # or the optimizer would fold it into other constants
            graph.inputs.append(value)
            weights[stored] = value
    optimizer.optimize(model)
    first = next(iter(graph))
    for name, value in weights.items():
        graph.inputs.remove(value)
        tensor, source = tensors[name], value
        if tensor.dtype != ir.DataType.FLOAT:
            source = ir.Value(name=name, shape=tensor.shape, type=ir.TensorType(tensor.dtype))
            cast = ir.node("Cast", [source], {"to": int(ir.DataType.FLOAT)}, name=f"{name}.cast")
            cast.outputs[0].name = f"{name}.float"
            cast.outputs[0].shape, cast.outputs[0].type = value.shape, value.type
            value.replace_all_uses_with(cast.outputs[0])
            graph.insert_before(first, cast)
        source.name, source.const_value = name, tensor
        graph.initializers.add(source)
    # Notes of the exporter, with paths of this machine.
    for node in ir.traversal.RecursiveGraphIterator(graph):
        node.metadata_props.clear()
        node.doc_string = None
        for output in node.outputs:
            output.metadata_props.clear()
    for value in (*graph.inputs, *graph.initializers.values()):
        value.metadata_props.clear()
