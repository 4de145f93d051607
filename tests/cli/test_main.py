"""The command line `python -m kpdemo`."""

import csv
import json
import os
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from kpdemo.__main__ import main
from kpdemo.engine import export
from kpdemo.zoo import WEIGHTS_DIR


@pytest.fixture
def place(tmp_path, hopper_path, astronaut_path, monkeypatch) -> Path:
    """The working directory: two portraits, one with a strange name, and a folder with one."""
    monkeypatch.chdir(tmp_path)
    shutil.copy(hopper_path, "a.jpg")
    shutil.copy(astronaut_path, "-b.png")
    Path("inner").mkdir()
    shutil.copy(hopper_path, "inner/c.jpg")
    return tmp_path


def usage_error(capsys, *arguments: str) -> str:
    with pytest.raises(SystemExit) as end:
        main(list(arguments))
    assert end.value.code == 2
    (sentence,) = capsys.readouterr().err.splitlines()
    return sentence


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


def test_a_pipe_as_the_photo_ends_in_one_sentence(tmp_path, capsys):
    os.mkfifo(tmp_path / "photo.jpg")
    assert main([str(tmp_path / "photo.jpg")]) == 1
    assert "This is a pipe" in capsys.readouterr().err


def test_no_face_says_what_to_try(tmp_path, capsys):
    path = tmp_path / "grey.png"
    Image.new("RGB", (200, 200), (128, 128, 128)).save(path)
    assert main([str(path), "--csv", str(tmp_path / "out.csv")]) == 0
    assert "No face found" in capsys.readouterr().out
    assert "No face found" in (tmp_path / "out.csv").read_text()


@pytest.mark.parametrize(
    "flags",
    [[], ["--png", "a.png"], ["--csv", "a.csv", "--jsonl", "a.jsonl"], ["--json", "a.json"]],
)
def test_a_folder_needs_one_output(tmp_path, capsys, flags):
    assert "name one output" in usage_error(capsys, str(tmp_path), *flags)


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        (["a.jpg", "--jsonl", "a.jsonl"], "use --json"),
        ([], "name a photo"),
        (["--models", "unet"], "name a photo"),
        (["a.jpg", "--models", ","], "needs the name of a model"),
        (["a.jpg", "--bom"], "--csv OUT.csv"),
        (["a.jpg", "--csv"], "expected one argument"),
        (["a.jpg", "--nosuch"], "--nosuch is no option"),
        (["-b.png"], "goes after --"),
        (["a.jpg", "inner/c.jpg", "--json", "out.json"], "name one output"),
        (["export"], "required"),
    ],
)
def test_bad_usage_ends_in_one_sentence(place, capsys, arguments, sentence):
    assert sentence in usage_error(capsys, *arguments)


@pytest.mark.parametrize("option", ["--png", "--json", "--csv"])
@pytest.mark.parametrize("name", ["a.jpg", "./inner/../a.jpg", "link.jpg", "hard.jpg"])
def test_no_output_overwrites_the_photo(place, capsys, option, name):
    Path("link.jpg").symlink_to("a.jpg")
    Path("hard.jpg").hardlink_to("a.jpg")
    before = Path("a.jpg").read_bytes()
    assert main(["a.jpg", option, name]) == 1
    (sentence,) = capsys.readouterr().err.splitlines()
    assert "would overwrite the input a.jpg" in sentence
    assert Path("a.jpg").read_bytes() == before


def test_no_output_overwrites_one_of_several_photos(place, capsys):
    before = Path("inner/c.jpg").read_bytes()
    for words in (["inner", "--csv"], ["a.jpg", "inner", "--jsonl"], ["*.jpg", "inner/*", "--csv"]):
        assert main([*words, "inner/c.jpg"]) == 1
        assert "would overwrite the input" in capsys.readouterr().err
    assert Path("inner/c.jpg").read_bytes() == before
    assert main(["inner", "--csv", "inner/new.PNG"]) == 1
    assert "would be one of the photos" in capsys.readouterr().err
    assert [path.name for path in Path("inner").iterdir()] == ["c.jpg"]


def test_an_exported_net_does_not_overwrite_weights(capsys):
    weights = WEIGHTS_DIR / "unet" / "config.json"
    before = weights.read_bytes()
    assert main(["export", "unet", "--onnx", str(weights)]) == 1
    assert "would overwrite the input" in capsys.readouterr().err
    assert weights.read_bytes() == before


def test_what_cannot_be_written_is_said_in_one_sentence(place, capsys):
    os.mkfifo("pipe")
    for output in ("inner", "gone/out", "pipe", "/dev/null"):
        assert main(["a.jpg", "--json", "fine.json", "--csv", output]) == 1
        (sentence,) = capsys.readouterr().err.splitlines()
        assert "cannot be written" in sentence
        assert not Path("fine.json").exists()


@pytest.mark.parametrize(
    "arguments",
    [
        ["--models", "simplenet", "a.jpg"],
        ["--models", "simplenet", "--", "a.jpg"],
        ["--models=simplenet", "a.jpg"],
        ["compare", "a.jpg", "--models", "simplenet"],
        ["--json", "out.json", "--models", "simplenet", "./a.jpg", "--csv", "out.csv"],
    ],
)
def test_options_may_come_in_any_order(place, arguments):
    at = arguments.index("--") if "--" in arguments else len(arguments)
    extra = [] if "--json" in arguments else ["--json", "out.json"]
    assert main([*arguments[:at], *extra, *arguments[at:]]) == 0
    result = json.loads(Path("out.json").read_text())
    assert [list(face["models"]) for face in result["faces"]] == [["simplenet"]]


@pytest.mark.parametrize(
    "arguments",
    [
        ["a.jpg", "--models", "simplenet", "mediapipe"],
        ["a.jpg", "--models", "simplenet,mediapipe"],
        ["--models", "simplenet", "mediapipe", "a.jpg"],
        ["--models", "simplenet,mediapipe", "a.jpg"],
        ["--models", "simplenet", "a.jpg", "--models", "mediapipe"],
    ],
)
def test_models_may_be_named_in_each_way(place, arguments):
    assert main([*arguments, "--json", "out.json"]) == 0
    result = json.loads(Path("out.json").read_text())
    assert list(result["faces"][0]["models"]) == ["simplenet", "mediapipe"]


def test_an_unknown_model_is_named(place, capsys):
    for words in (["--models", "unte", "a.jpg"], ["a.jpg", "--models", "unet", "unte"]):
        assert main(words) == 1
        assert "Unknown model unte" in capsys.readouterr().err


def test_files_folders_and_patterns_go_into_one_table(place, capsys):
    words = ["--models", "simplenet", "*.jpg", "inner", "--csv", "out.csv", "--", "-b.png", "a.jpg"]
    assert main(words) == 0
    with Path("out.csv").open(newline="") as file:
        names = list(dict.fromkeys(row["file"] for row in csv.DictReader(file)))
    assert names == ["a.jpg", "inner/c.jpg", "./-b.png"]
    assert "3 photos with 3 faces" in capsys.readouterr().out
    assert main(words) == 0
    assert "2 were there before" in capsys.readouterr().out


def test_without_an_output_each_photo_is_reported(place, capsys):
    Path("broken.jpg").write_text("not a picture")
    words = ["--models", "simplenet", "a.jpg", "gone.jpg", "broken.jpg", "inner/*.jpg"]
    assert main(words) == 1
    output = capsys.readouterr()
    lines = output.out.splitlines()
    assert [line for line in lines if not line.startswith(" ")] == ["a.jpg", "inner/c.jpg"]
    assert output.out.count("68 points") == 2
    assert "2 could not be used" in output.err
    assert (
        "gone.jpg: There is no file or folder of this name" in output.err
        and "broken.jpg: This" in output.err
    )


def test_a_pattern_that_matches_nothing_is_one_sentence(place, capsys):
    assert main(["*.webp"]) == 1
    assert capsys.readouterr().err == "*.webp: There is no file or folder that matches this.\n"


def test_a_name_with_the_letters_of_a_pattern_is_a_name(place, capsys):
    Path("a.jpg").rename("a[1].jpg")
    assert main(["a[1].jpg", "--models", "simplenet", "--json", "out.json"]) == 0


@pytest.mark.parametrize("out", ["-", "/dev/stdout"])
def test_standard_output_holds_the_result_alone(place, capfd, out):
    assert main(["a.jpg", "--models", "simplenet", "--json", out]) == 0
    output = capfd.readouterr()
    assert len(json.loads(output.out)["faces"]) == 1
    assert "simplenet" in output.err
    assert main(["inner", "a.jpg", "--models", "simplenet", "--csv", out]) == 0
    output = capfd.readouterr()
    rows = list(csv.DictReader(output.out.splitlines()))
    assert {row["file"] for row in rows} == {"inner/c.jpg", "a.jpg"}
    assert "2 photos" in output.err


def test_spreadsheets_get_a_byte_order_mark_on_request(place):
    Path("alone.csv").touch()
    for words in (["a.jpg", "--csv", "alone.csv"], ["inner", "--csv", "many.csv"]):
        assert main([*words, "--models", "simplenet", "--bom"]) == 0
        data = Path(words[-1]).read_bytes()
        assert data.startswith(export.BOM + b"file,face") and data.count(export.BOM) == 1
    # A table that has one is resumed with or without.
    shutil.copy("a.jpg", "inner/d.jpg")
    for flag in (["--bom"], []):
        assert main(["inner", "--csv", "many.csv", "--models", "simplenet", *flag]) == 0
        data = Path("many.csv").read_bytes()
        assert data.startswith(export.BOM) and data.count(export.BOM) == 1
        assert b"d.jpg" in data


def test_an_archive_without_ray_ends_in_one_sentence(monkeypatch, capsys):
    monkeypatch.setitem(sys.modules, "ray", None)
    assert main(["archive", "photos", "out"]) == 1
    (sentence,) = capsys.readouterr().err.splitlines()
    assert "pip install 'kpdemo[archive]'" in sentence


def test_an_archives_options_are_checked(capsys):
    assert "4:2 is no MIN:MAX" in usage_error(capsys, "archive", "a", "b", "--workers", "4:2")
    assert "at least 1" in usage_error(capsys, "archive", "a", "b", "--batch", "0")
