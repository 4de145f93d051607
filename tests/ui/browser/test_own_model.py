"""An ONNX model of a visitor's own on the page: beside the others, and for nobody else."""

import re

import numpy as np
import pytest

sync_api = pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")
pytest.importorskip("onnxruntime")
from models import test_external_onnx as onnx_files  # noqa: E402

expect = sync_api.expect

MINE = re.compile(r"^mine\.onnx")


def test_an_onnx_model_stands_beside_the_others_for_its_visitor_alone(open_page, tmp_path) -> None:
    points = np.random.default_rng(0).uniform(-0.5, 0.5, (15, 2))
    net = onnx_files.constant(tmp_path, points)
    page = open_page()
    page.get_by_role("button", name="Your own model").click()
    upload = page.locator("#own-files input[type=file]")
    upload.set_input_files(net)
    expect(page.locator("#own-notice")).to_contain_text("Choose two files together")
    # Gradio breaks off an upload that begins before its box has been emptied.
    expect(page.locator("#own-files .file-preview")).to_have_count(0)
    upload.set_input_files([net, net.with_suffix(".json")])
    expect(page.get_by_role("figure", name=MINE)).to_contain_text("15 points")
    expect(page.get_by_label("mine.onnx (yours)")).to_be_checked()
    expect(page.locator("#own-notice")).to_contain_text("mine.onnx is among the models now.")
    page.get_by_label("mine.onnx (yours)").uncheck()
    expect(page.get_by_role("figure", name=MINE)).to_be_hidden()
    expect(open_page().get_by_label("mine.onnx (yours)")).to_have_count(0)
