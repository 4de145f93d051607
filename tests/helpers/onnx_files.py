"""A small ONNX file of another program, with its JSON file."""

import json
from pathlib import Path

import numpy as np
from onnx import TensorProto, helper, numpy_helper

CONFIG = {
    "markup": "kaggle-15",
    "input": {"height": 24, "width": 16, "channels": 3, "mean": [0.5, 0.4, 0.3], "std": [0.25]},
    "crop": {"reference": "keypoint-box", "scale": 1.2},
}


def constant(folder: Path, points: np.ndarray, batch: int | None = None, **changes: object) -> Path:
    """A net that gives these points for every face, moved by the mean of the first channel."""
    config = CONFIG | changes
    size = config["input"]
    shape = [batch or "N", size["channels"], size["height"], size["width"]]
    nodes = [
        helper.make_node("ReduceMean", ["pixels", "axes"], ["means"], keepdims=0),
        helper.make_node("Gather", ["means", "first"], ["mean"], axis=1),
        helper.make_node("Add", ["mean", "points"], ["moved"]),
    ]
    constants = {
        "axes": np.array([2, 3]),
        "first": np.array([0]),
        "points": points.astype(np.float32).reshape(1, -1),
    }
    graph = helper.make_graph(
        nodes,
        "constant",
        [helper.make_tensor_value_info("pixels", TensorProto.FLOAT, shape)],
        [helper.make_tensor_value_info("moved", TensorProto.FLOAT, [shape[0], points.size])],
        [numpy_helper.from_array(value, name) for name, value in constants.items()],
    )
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
    path = folder / "mine.onnx"
    path.write_bytes(model.SerializeToString())
    path.with_suffix(".json").write_text(json.dumps(config))
    return path
