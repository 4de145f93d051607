"""A folder of photos into one file: the same answers as one by one, and what can go wrong."""

import csv
import json
import os
import shutil
import socket
import unicodedata
from pathlib import Path

import numpy as np
import pytest
from helpers.faces import compared_face
from PIL import Image

from kpdemo.__main__ import main
from kpdemo.engine import batch, export, folder
from kpdemo.engine.engine import compare, engine
from kpdemo.engine.export import CSV_COLUMNS
from kpdemo.engine.photos import FolderError, in_folder
from kpdemo.engine.resumable import OutputError, ResumableFile
from kpdemo.keypoints import markups
from kpdemo.structures import Comparison, Prediction
from kpdemo.zoo import BASELINE, DEFAULT_MODELS

MODELS = ["simplenet", BASELINE]


@pytest.fixture
def photos(tmp_path, hopper_path, astronaut_path) -> Path:
    """Two portraits, both beside each other, one without a face, a text, and what is no photo."""
    place = tmp_path / "photos"
    (place / "inner").mkdir(parents=True)
    shutil.copy(hopper_path, place / "b.jpg")
    shutil.copy(astronaut_path, place / "inner" / "a, or “ä”.png")
    with Image.open(hopper_path) as one, Image.open(astronaut_path) as other:
        both = Image.new("RGB", (1024, 600))
        both.paste(one, (0, 0))
        both.paste(other.convert("RGB"), (512, 0))
        both.save(place / "c.webp")
    Image.new("RGB", (200, 200), (128, 128, 128)).save(place / "grey.png")
    (place / "broken.jpg").write_text("not a picture")
    (place / "notes.txt").write_text("no photo")
    (place / ".hidden.jpg").write_text("no photo")
    return place


def run(photos: Path, out: Path, *models: str) -> int:
    flags = ["--models", *(models or MODELS)]
    return main([str(photos), f"--{out.suffix[1:]}", str(out), *flags])


def rows(out: Path) -> list[dict]:
    return list(csv.DictReader(out.open(encoding="utf-8", newline="")))


def places(out: Path) -> np.ndarray:
    return np.array([[float(row["x"] or -1), float(row["y"] or -1)] for row in rows(out)])


def lines(out: Path) -> dict[str, dict]:
    read = [json.loads(line) for line in out.read_text(encoding="utf-8").splitlines()]
    assert len({line["file"] for line in read}) == len(read)
    return {line["file"]: line for line in read}


def test_many_photos_get_the_answers_that_each_gets_alone(photos, hopper_path, astronaut_path):
    paths = [photos / "c.webp", photos / "broken.jpg", hopper_path, photos / "grey.png"]
    paths += [astronaut_path, photos / "c.webp"] * 3
    results = list(batch.compare_many(engine(), paths, batch.Predictors(engine(), None)))
    assert len(results) == len(paths)
    for path, result in zip(paths, results, strict=True):
        if path.name == "broken.jpg":
            assert result.comparison is None and result.error.endswith(".")
            continue
        comparison, alone = result.comparison, compare(path)
        assert (comparison.width, comparison.height) == (alone.width, alone.height)
        for face, expected in zip(comparison.faces, alone.faces, strict=True):
            assert (face.box, face.score, face.roll) == (
                expected.box,
                expected.score,
                expected.roll,
            )
            assert (
                list(face.predictions) == list(expected.predictions) == [*DEFAULT_MODELS, BASELINE]
            )
            for name, prediction in face.predictions.items():
                other = expected.predictions[name]
                # bf16 rounds by the shape of the batch.
                np.testing.assert_allclose(prediction.keypoints, other.keypoints, atol=0.5)
                if other.confidence is not None:
                    np.testing.assert_allclose(prediction.confidence, other.confidence, atol=0.05)
                assert prediction.converted.keys() == other.converted.keys()


def test_a_table_of_a_folder(photos, tmp_path, capsys):
    out = tmp_path / "out.csv"
    assert run(photos, out) == 1  # because of broken.jpg
    said = capsys.readouterr()
    assert "3 photos" not in said.out and "4 photos with 4 faces (1 without)" in said.out
    assert "1 could not be used" in said.err and "broken.jpg: This file is not" in said.err
    table = rows(out)
    files = list(dict.fromkeys(row["file"] for row in table))
    assert files == ["b.jpg", "c.webp", "grey.png", "inner/a, or “ä”.png"]
    both = [row for row in table if row["file"] == "c.webp"]
    assert {(row["face"], row["model"]) for row in both} == {
        (face, model) for face in "01" for model in MODELS
    }
    first = next(row for row in both if row["model"] == "simplenet")
    assert first["name"] == markups.get("ibug-68").names[0]
    assert float(first["x"]) > 0
    nothing = [row for row in table if row["file"] == "grey.png"]
    assert [row["model"] for row in nothing] == MODELS
    assert not any(row["face"] or row["x"] or row["name"] for row in nothing)
    assert all(row["note"].startswith("No face found.") for row in nothing)


@pytest.mark.parametrize("kind", ["csv", "jsonl"])
def test_an_interrupted_run_goes_on_and_a_finished_one_stays(photos, tmp_path, capsys, kind):
    out = tmp_path / f"out.{kind}"
    assert run(photos, out) == 1  # because of broken.jpg
    whole = out.read_bytes()
    before = places(out) if kind == "csv" else None
    capsys.readouterr()
    # Cut in the middle of the second photo's answers.
    at = whole.index(b"c.webp") + 2000
    out.write_bytes(whole[:at])
    assert run(photos, out) == 1  # because of broken.jpg
    assert "3 photos with" in capsys.readouterr().out
    read = [row["file"] for row in rows(out)] if kind == "csv" else list(lines(out))
    again = out.read_bytes()
    assert list(dict.fromkeys(read)) == ["b.jpg", "c.webp", "grey.png", "inner/a, or “ä”.png"]
    assert again[: whole.index(b"c.webp") - 20] == whole[: whole.index(b"c.webp") - 20]
    assert run(photos, out) == 1  # because of broken.jpg
    if kind == "csv":
        # The last photo is looked at again, for nothing says where it ends.
        np.testing.assert_allclose(places(out), before, atol=0.5)
    else:
        assert out.read_bytes() == again


def test_lines_hold_the_whole_result(photos, tmp_path):
    out = tmp_path / "out.jsonl"
    assert run(photos, out) == 1  # because of broken.jpg
    read = lines(out)
    assert read["grey.png"]["faces"] == [] and read["grey.png"]["models"] == MODELS
    face = read["b.jpg"]["faces"][0]
    assert len(face["models"][BASELINE]["keypoints"]) == 478
    assert {"load", "detect", "simplenet", "total"} <= read["b.jpg"]["timings"].keys()


@pytest.mark.parametrize("kind", ["csv", "jsonl"])
def test_wherever_a_file_is_cut_off_only_whole_photos_count(tmp_path, kind):
    out = tmp_path / f"out.{kind}"
    nose = {"markup": "nose-1", "keypoints": [[1.5, 2.0]]}
    faces = [{"models": dict.fromkeys(MODELS, nose)}] * 2
    photos = ["people/a.jpg", "people/b, or “b”.jpg", "people/bb.jpg"]
    ends = []
    with ResumableFile(out, kind, MODELS, photos) as file:
        for name in photos:
            file.add(name, {"faces": faces})
            ends.append(out.stat().st_size)
    whole = out.read_bytes()
    for cut in range(len(whole)):
        out.write_bytes(whole[:cut])
        with ResumableFile(out, kind, MODELS, photos) as file:
            missing = [name for name in photos if name not in file.done]
            assert file.done <= {name for name, end in zip(photos, ends, strict=True) if cut >= end}
            for name in missing:
                file.add(name, {"faces": faces})
        assert out.read_bytes() == whole


@pytest.mark.parametrize("kind", ["csv", "jsonl"])
def test_photos_of_another_folder_stay_in_the_file(tmp_path, kind):
    out = tmp_path / f"out.{kind}"
    for name in ("a.jpg", "b.jpg", "c.jpg"):
        with ResumableFile(out, kind, ["unet"], [name]) as file:
            file.add(name, {"faces": []})
    read = [row["file"] for row in rows(out)] if kind == "csv" else list(lines(out))
    assert read == ["a.jpg", "b.jpg", "c.jpg"]


@pytest.mark.parametrize("kind", ["csv", "jsonl"])
def test_other_models_and_other_files_are_refused(photos, tmp_path, capsys, kind):
    out = tmp_path / f"out.{kind}"
    shutil.rmtree(photos / "inner")
    assert run(photos, out) == 1  # because of broken.jpg
    before = out.read_bytes()
    capsys.readouterr()
    assert run(photos, out, "simplenet") == 1
    error = capsys.readouterr().err
    assert "holds answers of mediapipe, simplenet, and simplenet were asked for" in error
    assert len(error.splitlines()) == 1
    assert out.read_bytes() == before
    out.write_text("what,is,this\n1,2,3\n")
    assert run(photos, out) == 1
    assert "did not write" in capsys.readouterr().err
    assert out.read_text() == "what,is,this\n1,2,3\n"
    out.write_text("a line that does not end")
    assert run(photos, out) == 1
    assert "did not write" in capsys.readouterr().err
    assert out.read_text() == "a line that does not end"


def test_two_runs_do_not_write_the_same_file(tmp_path):
    pytest.importorskip("fcntl", reason="files are not locked here")
    out = tmp_path / "out.csv"
    with ResumableFile(out, "csv", ["unet"], ()), pytest.raises(OutputError, match="another run"):
        ResumableFile(out, "csv", ["unet"], ())
    with ResumableFile(out, "csv", ["unet"], ()) as free:
        assert not free.done


def test_a_header_that_was_cut_off_is_a_new_file(tmp_path):
    out = tmp_path / "out.csv"
    for start in ("", "file,fa", "file,face,model,markup,index,name,x,y,confidence\n"):
        out.write_text(start)
        with ResumableFile(out, "csv", ["unet"], ()) as file:
            file.add("a.jpg", {"faces": []})
        assert len(rows(out)) == 1
        assert rows(out)[0]["file"] == "a.jpg"


@pytest.mark.parametrize("kind", ["csv", "jsonl"])
def test_a_full_disk_loses_nothing_that_was_there(tmp_path, kind):
    resource = pytest.importorskip("resource")
    out = tmp_path / f"out.{kind}"
    soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
    with ResumableFile(out, kind, ["unet"], ()) as file:
        file.add("a.jpg", {"faces": []})
        before = out.read_bytes()
        # The kernel cuts the write off where the file would grow beyond this.
        resource.setrlimit(resource.RLIMIT_FSIZE, (len(before) + 5, hard))
        try:
            with pytest.raises(OutputError, match="it holds 1 photos, and the same command"):
                file.add("b.jpg", {"faces": []})
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        assert out.read_bytes() == before
        file.add("b.jpg", {"faces": []})
    with ResumableFile(out, kind, ["unet"], ()) as file:
        assert "a.jpg" in file.done


def test_nothing_to_work_on_ends_in_one_sentence(tmp_path, capsys):
    place = tmp_path / "empty"
    place.mkdir()
    out = tmp_path / "out.csv"
    assert run(place, out) == 1
    assert "There is no photo in it" in capsys.readouterr().err
    (place / "broken.jpg").write_text("not a picture")
    assert run(place, out) == 1
    assert "broken.jpg: This file is not a picture" in capsys.readouterr().err
    for wrong, message in [
        (tmp_path / "gone" / "out.csv", "No such file"),
        (tmp_path / "folder.csv", "Is a directory"),
    ]:
        (tmp_path / "folder.csv").mkdir(exist_ok=True)
        assert run(place, wrong) == 1
        error = capsys.readouterr().err
        assert message in error and "cannot be written" in error
        assert len(error.splitlines()) == 1
    assert run(place, out, "nosuchnet") == 1
    assert "Unknown model nosuchnet" in capsys.readouterr().err


def test_a_folder_that_cannot_be_read_is_named(tmp_path, hopper_path):
    # Root may read everything, so the folder is one that is gone between two looks.
    with pytest.raises(FolderError, match="cannot be read"):
        in_folder(tmp_path / "gone")


def test_a_model_that_breaks_takes_no_other_down_and_is_asked_again(photos, tmp_path):
    from kpdemo import Engine
    from kpdemo.zoo import WEIGHTS_DIR

    out, names = tmp_path / "out.csv", ["unet", "simplenet"]
    with Engine([WEIGHTS_DIR / name for name in names]) as own:
        head = own.store.models["unet"].net.head
        own.store.models["unet"].net.head = None
        (result,) = batch.compare_many(own, [photos / "b.jpg"], batch.Predictors(own, names))
        assert list(result.comparison.faces[0].predictions) == ["simplenet"]
        assert "unet failed" in result.comparison.unavailable["unet"]
        failed = folder.run(own, photos, out, "csv", names)
        assert "unet failed on this photo" in failed.bad["b.jpg"]
        assert [row["file"] for row in rows(out)] == ["grey.png"] * 2
        own.store.models["unet"].net.head = head
        again = folder.run(own, photos, out, "csv", names)
    assert again.photos == 4 and list(again.bad) == ["broken.jpg"]
    assert {row["file"] for row in rows(out) if row["x"]} >= {"b.jpg", "c.webp"}


def test_without_a_usable_model_there_is_no_file(photos, tmp_path):
    from kpdemo import Engine

    out = tmp_path / "out.csv"
    with (
        Engine([tmp_path / "simplenet"]) as own,
        pytest.raises(ValueError, match=r"no config\.json"),
    ):
        folder.run(own, photos, out, "csv", ["simplenet"])
    assert not out.exists()


def grey(path: Path, side: int = 64) -> None:
    Image.new("RGB", (side, side), (128, 128, 128)).save(path)


@pytest.mark.parametrize("kind", ["csv", "jsonl"])
def test_a_photo_that_changed_is_done_again(tmp_path, hopper_path, capsys, kind):
    place, out = tmp_path / "photos", tmp_path / f"out.{kind}"
    place.mkdir()
    for name in ("a.bmp", "b.bmp", "c.bmp"):
        with Image.open(hopper_path) as picture:
            picture.save(place / name)
    assert run(place, out, "simplenet") == 0

    def first_points() -> dict[str, float]:
        if kind == "csv":
            return {row["file"]: float(row["x"]) for row in reversed(rows(out)) if row["x"]}
        return {
            name: line["faces"][0]["models"]["simplenet"]["keypoints"][0][0]
            for name, line in lines(out).items()
        }

    before, status = first_points(), (place / "a.bmp").stat()
    # Neither its size nor its time tells that it is another one.
    with Image.open(hopper_path) as picture:
        moved = Image.new("RGB", picture.size)
        moved.paste(picture, (60, 0))
        moved.save(place / "a.bmp")
    os.utime(place / "a.bmp", ns=(status.st_atime_ns, status.st_mtime_ns))
    assert (place / "a.bmp").stat().st_size == status.st_size
    capsys.readouterr()
    assert run(place, out, "simplenet") == 0
    assert "1 photos had changed" in capsys.readouterr().out
    after = first_points()
    assert after["a.bmp"] - before["a.bmp"] == pytest.approx(60, abs=10)
    assert after["b.bmp"] == before["b.bmp"]
    if kind == "csv":
        assert len(rows(out)) == 3 * 68
    # A photo that is no longer one has no points either.
    (place / "b.bmp").write_text("not a picture")
    assert run(place, out, "simplenet") == 1
    assert "b.bmp" not in first_points()
    assert [path.name for path in tmp_path.iterdir()] in (
        ["photos", out.name],
        [out.name, "photos"],
    )


@pytest.mark.parametrize("kind", ["csv", "jsonl"])
def test_rows_of_a_deleted_photo_stay_and_it_is_said(tmp_path, capsys, kind):
    place, out = tmp_path / "photos", tmp_path / f"out.{kind}"
    place.mkdir()
    for name in ("a.png", "b.png"):
        grey(place / name)
    assert run(place, out, "simplenet") == 0
    (place / "a.png").unlink()
    capsys.readouterr()
    assert run(place, out, "simplenet") == 0
    assert f"1 photos in {out} are not, or no longer, among these" in capsys.readouterr().out
    assert "a.png" in out.read_text()


@pytest.mark.parametrize("kind", ["csv", "jsonl"])
def test_a_file_of_an_earlier_version_is_resumed(tmp_path, capsys, kind):
    place, out = tmp_path / "photos", tmp_path / f"out.{kind}"
    place.mkdir()
    for name in ("a.png", "b.png", "c.png"):
        grey(place / name)
    old = {
        "csv": "file,face,model,markup,index,name,x,y,confidence\n"
        "a.png,0,simplenet,nose-1,0,nose_base,1.5,2.0,\n"
        "a.png,0,mediapipe,,,,,,\nb.png,,simplenet,,,,,,\nb.png,,mediapipe,,,,,,\n"
        "gone.png,,simplenet,,,,,,\ngone.png,,mediapipe,,,,,,\n",
        "jsonl": '{"file": "a.png", "models": ["simplenet", "mediapipe"], "faces": []}\n'
        '{"file": "b.png", "models": ["simplenet", "mediapipe"], "faces": []}\n',
    }[kind]
    out.write_text(old)
    assert run(place, out) == 0
    assert "1 photos with 0 faces" in capsys.readouterr().out
    if kind == "csv":
        table = rows(out)
        assert tuple(table[0]) == CSV_COLUMNS
        assert [row["file"] for row in table][:3] == ["a.png", "a.png", "b.png"]
        assert (table[0]["x"], table[0]["digest"], table[-2]["file"]) == ("1.5", "", "c.png")
        assert table[-2]["digest"] and None not in table[-1] and None not in table[-1].values()
    else:
        assert out.read_text().startswith(old)
        assert lines(out)["c.png"]["digest"]


def test_a_table_that_a_spreadsheet_saved_again_is_resumed(tmp_path, capsys):
    place, out = tmp_path / "photos", tmp_path / "out.csv"
    place.mkdir()
    for name in ("a.png", "b.png"):
        grey(place / name)
    assert run(place, out) == 0
    out.write_bytes(export.BOM + out.read_bytes().replace(b"\n", b"\r\n"))
    for name in ("c.png", "a.png"):
        grey(place / name, 80)
    capsys.readouterr()
    assert run(place, out) == 0
    # The last photo is looked at again, for nothing says where it ends.
    assert "3 photos with 0 faces" in capsys.readouterr().out
    with out.open(encoding="utf-8-sig", newline="") as file:
        assert [row["file"] for row in csv.DictReader(file)][::2] == ["a.png", "b.png", "c.png"]


# Each beside one that it must not be taken for.
NAMES = [
    b"a\xff.png",
    rb"a\xff.png",
    rb"a\x5cxff.png",
    b"a\x01.png",
    rb"a\x01.png",
    "\u00e9.png".encode(),
    "e\u0301.png".encode(),
    "a\u2028.png".encode(),
    "a\u0085.png".encode(),
    b"=1+1.png",
    b"+1.png",
    b"-1.png",
    b"@x.png",
    b"\t=1.png",
    b"\r=1.png",
    b"1+1.png",
    b"'=1+1.png",
    b" =1+1.png",
    b'a,"b;.png',
]


@pytest.mark.parametrize("kind", ["csv", "jsonl"])
def test_strange_names_stay_apart_and_no_formula_and_are_known_again(tmp_path, capsys, kind):
    place, out = tmp_path / "photos", tmp_path / f"out.{kind}"
    place.mkdir()
    for name in NAMES:
        grey(place / os.fsdecode(name))
    assert run(place, out, "simplenet") == 0
    names = [row["file"] for row in rows(out)] if kind == "csv" else list(lines(out))
    assert len(set(names)) == len(names) == len(NAMES)
    assert not any(name.startswith(("=", "+", "-", "@", "\t", "\r")) for name in names)
    assert not any(unicodedata.category(letter) == "Cc" for name in names for letter in name)
    capsys.readouterr()
    assert run(place, out, "simplenet") == 0
    done = 1 if kind == "csv" else 0
    assert f"{len(NAMES) - done} were there before" in capsys.readouterr().out


def test_special_files_among_the_photos_are_named(photos, tmp_path, capsys):
    out = tmp_path / "out.csv"
    os.mkfifo(photos / "pipe.jpg")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(photos / "socket.jpg"))
    for name, target in [("link", "pipe.jpg"), ("zero", "/dev/zero"), ("gone", "nothing")]:
        (photos / f"{name}.png").symlink_to(target)
    (photos / "folder.png").mkdir()
    assert run(photos, out) == 1
    errors = capsys.readouterr().err
    for name, reason in [
        ("pipe.jpg", "This is a pipe"),
        ("socket.jpg", "This is a socket"),
        ("link.png", "This is a pipe"),
        ("zero.png", "This is a device"),
        ("gone.png", "The file could not be opened"),
    ]:
        assert f"  {name}: {reason}" in errors
    assert {row["file"] for row in rows(out)} >= {"b.jpg", "grey.png"}


@pytest.mark.parametrize("name", ["b.jpg", "new.JPEG", "inner/new.heic"])
def test_a_table_is_never_one_of_the_photos(photos, tmp_path, name):
    before = (photos / "b.jpg").read_bytes()
    with pytest.raises(OutputError, match="photo"):
        folder.run(engine(), photos, photos / name, "csv", MODELS)
    assert (photos / "b.jpg").read_bytes() == before
    assert not any(photos.rglob("new*"))


def test_photos_of_one_name_in_two_folders_are_not_taken_for_each_other(tmp_path, capsys):
    out = tmp_path / "out.csv"
    for side, place in enumerate((tmp_path / "one", tmp_path / "two"), 1):
        place.mkdir()
        grey(place / "a.png", 64 * side)
        grey(place / "b.png", 64 * side)
    assert run(tmp_path / "one", out) == 0
    capsys.readouterr()
    assert run(tmp_path / "two", out) == 0
    assert "2 photos with 0 faces" in capsys.readouterr().out


@pytest.mark.parametrize("kind", ["csv", "jsonl"])
def test_faces_beyond_the_limit_and_missing_points_are_in_the_file(tmp_path, kind):
    out = tmp_path / f"out.{kind}"
    nose = Prediction("nose-1", np.array([[1.5, 2.0]]), None, 1.0)
    face = compared_face((0.0, 0.0, 9.0, 9.0), {"simplenet": nose}, {BASELINE: "why"})
    result = Comparison(99, 99, [face] * 50, {}, {}, 3).to_dict()
    for name in ("a.jpg", "b.jpg"):
        with ResumableFile(out, kind, MODELS, ()) as file:
            file.add(name, result, "12ab")
    with ResumableFile(out, kind, MODELS, ()) as file:
        assert file.digests == {"a.jpg": "12ab", "b.jpg": "12ab"}
    sentences = [
        "53 faces were found; only the 50 largest are compared.",
        "MediaPipe does not confirm 50 of the 50 faces (detector 90 %); their points may mean "
        "nothing.",
    ]
    if kind == "jsonl":
        line = lines(out)["b.jpg"]
        assert (line["notices"], line["faces_left_out"]) == (sentences, 3)
        assert line["faces"][49]["missing"] == {BASELINE: "why"}
    else:
        table = [row for row in rows(out) if row["file"] == "b.jpg"]
        assert [row["note"] for row in table if not row["model"]] == sentences
        notes = {row["face"]: row["note"] for row in table if row["model"] == BASELINE}
        assert notes == {str(number): "why" for number in range(50)}
