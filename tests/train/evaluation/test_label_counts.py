"""`python -m train completeness`: counts of labels that are there."""

import json
from pathlib import Path

import numpy as np
import pytest
from helpers import pseudo_labels, writers

from train import recipe
from train.data.sources import DataError
from train.evaluation import label_counts


def test_labels_are_counted_by_keypoint_and_by_row():
    labelled = np.zeros((4, 15), bool)
    labelled[0] = True
    labelled[1:3, 10] = True
    counts = label_counts.counts(labelled)
    assert counts["rows"] == 4
    assert counts["rows_by_keypoint"]["nose_tip"] == 3
    assert counts["rows_by_keypoint"]["left_eye_center"] == 1
    assert counts["rows_by_points_known"] == {"0": 1, "1": 2, "15": 1}


def test_recipes_count_the_gaps_that_they_train_with(tmp_path: Path, monkeypatch):
    for write in (
        writers.write_300w,
        writers.write_300w_partial,
        writers.write_bioid,
        writers.write_ytf,
        writers.write_kaggle,
    ):
        write(tmp_path)
    monkeypatch.setenv("KPDEMO_DATA", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    pseudo_labels.write(recipe.load("keypoint-resnet-start"))
    label_counts.write(tmp_path)
    found = json.loads((tmp_path / "completeness.json").read_text())
    counts = found["recipes"]["kaggle-cnn"]
    # Filled gaps would be no gaps: what is counted is what training had before it filled them.
    assert 0 < counts["rows_by_points_known"].get("15", 0) < counts["rows"]
    assert set(found["recipes"]) >= {"kaggle-cnn", "kaggle-resnet", "keypoint-resnet-start"}
    assert sum(found["kaggle"]["rows_by_points_known"].values()) == found["kaggle"]["rows"]


def test_without_kaggles_table_one_sentence_says_so(tmp_path: Path, monkeypatch):
    monkeypatch.setenv("KPDEMO_DATA", str(tmp_path))
    with pytest.raises(DataError, match="Kaggle"):
        label_counts.write(tmp_path)
    assert not (tmp_path / "completeness.json").exists()
