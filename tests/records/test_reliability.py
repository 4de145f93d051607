"""The reliability diagram: what is read from the models' metrics, and what it shows."""

import json
from pathlib import Path

import pytest

from kpdemo.records import reliability
from kpdemo.records.reliability import KEY, Reliability
from kpdemo.ui.leaderboard.reliability import figure

BINS = {"faces": 7, "expected": [1.0, 2.5], "measured": [1.1, 2.0], "rank_correlation": 0.4}


def write(folder: Path, name: str, metrics: object) -> None:
    (folder / name).mkdir()
    (folder / name / "metrics.json").write_text(json.dumps(metrics))


def test_models_with_bins_are_read_in_order_and_others_left_out(tmp_path: Path) -> None:
    write(tmp_path, "unet", {"300w-common": {KEY: BINS}})
    write(tmp_path, "resnet18", {"300w-common": {"compare": {}}})
    write(tmp_path, "damaged", {"300w-common": {KEY: BINS | {"measured": [1.0]}}})
    write(tmp_path, "list", [1])
    names = ["missing", "list", "damaged", "resnet18", "unet"]
    assert reliability.read(names, tmp_path) == [
        Reliability("unet", "300w-common", 7, [1.0, 2.5], [1.1, 2.0], 0.4)
    ]


def test_the_diagram_has_a_line_a_model_and_the_diagonal() -> None:
    model = Reliability("unet", "300w-common", 554, [1.0, 2.5], [1.1, 2.0], 0.4)
    chart, words = figure([model])
    diagonal, line = chart.data
    assert list(diagonal.x) == list(diagonal.y)
    assert (list(line.x), list(line.y), line.name) == ([1.0, 2.5], [1.1, 2.0], "U-Net")
    assert "554 detected test faces" in words
    assert "U-Net 0.40 (least 1.0 % expected, 1.1 % measured" in words


def test_without_any_model_the_caption_says_so() -> None:
    chart, words = figure([])
    assert not chart.data and "No model of this board" in words


def test_the_default_nets_ship_with_theirs() -> None:
    names = ["simplenet", "resnet18", "unet", "keypoint-resnet"]
    measured = reliability.read(names)
    assert [each.name for each in measured] == names
    assert all(len(each.expected) == 10 and each.faces > 500 for each in measured)
    assert all(each.expected == pytest.approx(sorted(each.expected)) for each in measured)
