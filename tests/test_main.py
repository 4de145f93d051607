"""The command line `python -m kpdemo`."""

import csv
import json

import numpy as np
import pytest
from PIL import Image

from kpdemo.__main__ import main


def test_writes_what_is_asked_for(hopper_path, tmp_path, capsys):
    outputs = [tmp_path / f"out.{kind}" for kind in ("json", "csv", "png")]
    flags = [word for path in outputs for word in (f"--{path.suffix[1:]}", str(path))]
    assert main([str(hopper_path), *flags, "--models", "unet", "mediapipe"]) == 0
    result = json.loads(outputs[0].read_text())
    assert list(result["faces"][0]["models"]) == ["unet", "mediapipe"]
    rows = list(csv.DictReader(outputs[1].open()))
    first = next(row for row in rows if row["model"] == "unet")
    point = result["faces"][0]["models"]["unet"]["keypoints"][0]
    assert [float(first["x"]), float(first["y"])] == point
    assert first["file"] == hopper_path.name
    with Image.open(outputs[2]) as sheet:
        assert not sheet.getexif()
        assert np.ptp(np.asarray(sheet)) > 200
    assert "unet" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("content", "message"), [(b"", "empty"), (b"plain text", "not"), (None, "could not be opened")]
)
def test_a_bad_file_ends_in_one_sentence(tmp_path, capsys, content, message):
    path = tmp_path / "photo.jpg"
    if content is not None:
        path.write_bytes(content)
    assert main([str(path)]) == 1
    error = capsys.readouterr().err
    assert len(error.splitlines()) == 1
    assert message.lower() in error.lower()


def test_no_face_says_what_to_try(tmp_path, capsys):
    path = tmp_path / "grey.png"
    Image.new("RGB", (200, 200), (128, 128, 128)).save(path)
    assert main([str(path)]) == 0
    assert "No face found" in capsys.readouterr().out


@pytest.mark.parametrize(
    "flags",
    [[], ["--png", "a.png"], ["--csv", "a.csv", "--jsonl", "a.jsonl"], ["--json", "a.json"]],
)
def test_a_folder_needs_one_output(tmp_path, capsys, flags):
    with pytest.raises(SystemExit):
        main([str(tmp_path), *flags])
    assert "name one output" in capsys.readouterr().err


def test_lines_of_json_are_for_folders(hopper_path, capsys):
    with pytest.raises(SystemExit):
        main([str(hopper_path), "--jsonl", "a.jsonl"])
    assert "use --json" in capsys.readouterr().err
