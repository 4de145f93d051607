"""Graphs without weights of their own: they read those that torch reads."""

import shutil

import numpy as np
import pytest
import torch

from kpdemo import zoo
from kpdemo.models import checkpoint, onnx, onnx_graph
from kpdemo.models.checkpoint import normalise
from kpdemo.models.model_folder import GRAPH, WEIGHTS
from kpdemo.zoo import DEFAULT_MODELS
from train.__main__ import main


@pytest.mark.parametrize("name", DEFAULT_MODELS)
def test_graph_names_the_tensors_of_the_weights(name):
    package = pytest.importorskip("onnx", reason="Graphs are read with it")
    folder = zoo.WEIGHTS_DIR / name
    graph = package.load(folder / GRAPH, load_external_data=False).graph
    start, tensors = onnx_graph.header(folder / WEIGHTS)
    types = {package.TensorProto.FLOAT16: "F16", package.TensorProto.FLOAT: "F32"}
    external = [t for t in graph.initializer if t.external_data]
    assert len(external) > 10
    for tensor in external:
        place = {entry.key: entry.value for entry in tensor.external_data}
        stored = tensors[tensor.name]
        first, last = stored["data_offsets"]
        assert place["location"] == WEIGHTS
        assert (int(place["offset"]), int(place["length"])) == (start + first, last - first)
        assert (types[tensor.data_type], list(tensor.dims)) == (stored["dtype"], stored["shape"])


@pytest.mark.parametrize("name", DEFAULT_MODELS)
def test_graph_answers_as_the_net_does(name):
    runtime = pytest.importorskip("onnxruntime")
    folder = zoo.WEIGHTS_DIR / name
    session = runtime.InferenceSession(folder / GRAPH, providers=["CPUExecutionProvider"])
    model = checkpoint.load(folder)
    size = model.config.input
    noise = torch.Generator().manual_seed(0)
    pixels = torch.rand(3, size.channels, size.height, size.width, generator=noise) * 255
    for count in (1, 3):
        answers = session.run(None, {"pixels": pixels[:count].numpy()})
        with torch.inference_mode():
            output = model.net(normalise(pixels[:count], size))
        expected = [part.numpy() for part in output if part is not None]
        assert len(answers) == len(expected)
        for ours, theirs in zip(answers, expected, strict=True):
            np.testing.assert_allclose(ours, theirs, atol=1e-5)


def test_command_writes_the_graph_that_ships(tmp_path, capsys):
    for package in onnx.NEEDED:
        pytest.importorskip(package, reason="Export needs it")
    folder = tmp_path / "simplenet"
    shutil.copytree(zoo.WEIGHTS_DIR / "simplenet", folder)
    (folder / GRAPH).unlink()
    assert main(["graph", str(folder)]) == 0
    assert str(folder / GRAPH) in capsys.readouterr().out
    written = (folder / GRAPH).read_bytes()
    assert str(tmp_path).encode() not in written
    assert written == (zoo.WEIGHTS_DIR / "simplenet" / GRAPH).read_bytes()


def test_without_the_exporter_the_command_says_what_to_install(tmp_path, capsys, monkeypatch):
    monkeypatch.setattr(onnx_graph, "NEEDED", ("kpdemo_no_such_package",))
    assert main(["graph", "simplenet"]) == 1
    assert "pip install kpdemo_no_such_package" in capsys.readouterr().err
