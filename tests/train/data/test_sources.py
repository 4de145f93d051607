"""The readers, on tiny data sets in the official layouts."""

import csv
import io
import re
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from helpers import writers
from PIL import Image

from kpdemo.keypoints import tables
from train import recipe
from train.__main__ import main
from train.data.dataset import Faces
from train.data.sources import SOURCES, DataError, LabelledFace, kaggle, load, root, split
from train.evaluation.evaluate import readable

WRITERS = {
    "300w": writers.write_300w,
    "300w-common": writers.write_300w,
    "300w-partial": writers.write_300w_partial,
    "imm": writers.write_imm,
    "imm-validation": writers.write_imm,
    "bioid": writers.write_bioid,
    "ytf": writers.write_ytf,
    "kaggle": writers.write_kaggle,
}
FOLDERS = {name: name.removesuffix("-common").removesuffix("-validation") for name in SOURCES}


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("KPDEMO_DATA", str(tmp_path))
    return tmp_path


def test_every_source_has_a_writer() -> None:
    assert set(WRITERS) == set(SOURCES)


@pytest.mark.parametrize("source", SOURCES)
def test_points_come_back_in_photo_coordinates(source: str, data: Path) -> None:
    drawn = WRITERS[source](data)
    faces = load(source)
    assert len({face.name for face in faces}) == len(faces) > 1
    for face in faces:
        assert face.keypoints.dtype == np.float32
        np.testing.assert_allclose(face.keypoints, drawn[face.name], atol=1e-4)


@pytest.mark.parametrize(
    ("source", "count"), [("300w", 6), ("300w-common", 4), ("imm", 2), ("imm-validation", 2)]
)
def test_parts_of_a_set_stay_apart(source: str, count: int, data: Path) -> None:
    WRITERS[source](data, 2)
    faces = load(source)
    assert len(faces) == count
    tests = [face for face in faces if "testset" in face.name]
    assert len(tests) == (4 if source == "300w-common" else 0)


@pytest.mark.parametrize("source", SOURCES)
def test_pixels_are_grey_or_colour_in_the_pictures_own_size(source: str, data: Path) -> None:
    WRITERS[source](data)
    face = load(source)[0]
    side = {"kaggle": (96, 96), "imm": (120, 160)}.get(FOLDERS[source], (160, 160))
    grey, colour = face.pixels(1), face.pixels(3)
    assert (grey.shape, colour.shape) == (side, (*side, 3))
    assert grey.dtype == colour.dtype == np.uint8
    assert grey.std() > 10
    np.testing.assert_allclose(colour.mean(2), grey, atol=2)


def test_colours_are_red_green_blue(tmp_path: Path) -> None:
    Image.new("RGB", (8, 8), (200, 100, 50)).save(tmp_path / "colour.png")
    face = LabelledFace("a", "a", "nose-1", np.zeros((1, 2)), tmp_path / "colour.png")
    assert face.pixels(3)[0, 0].tolist() == [200, 100, 50]


def test_labels_belong_to_the_stored_pixels_and_not_to_exif(tmp_path: Path) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    Image.new("L", (8, 4)).save(tmp_path / "turned.jpg", exif=exif)
    face = LabelledFace("a", "a", "nose-1", np.zeros((1, 2)), tmp_path / "turned.jpg")
    assert face.pixels(1).shape == (4, 8)


def test_300w_counts_from_one_and_bioid_from_zero(data: Path) -> None:
    writers.write_300w(data)
    writers.write_bioid(data)
    writers.write_pts(data / "300w/afw/1000_1.pts", np.tile([5.0, 7.0], (68, 1)))
    writers.write_pts(data / "bioid/points_20/bioid_0000.pts", np.tile([5.0, 7.0], (20, 1)))
    assert load("300w")[0].keypoints[3].tolist() == [4.0, 6.0]
    assert load("bioid")[0].keypoints[3].tolist() == [5.0, 7.0]


@pytest.mark.parametrize("columns", [7, 10])
def test_imm_fractions_run_over_the_outer_edges(columns: int, data: Path) -> None:
    writers.write_imm(data)
    fractions = np.tile([0.5, 0.5], (58, 1))
    fractions[1] = [0.0, 1.0]
    writers.write_asf(data / "imm/01-1m.asf", fractions, columns)
    points = load("imm")[0].keypoints
    # The middle of 160 × 120 pixels lies between pixels 79 and 80, and 59 and 60.
    np.testing.assert_allclose(points[0], [79.5, 59.5], atol=1e-4)
    np.testing.assert_allclose(points[1], [-0.5, 119.5], atol=1e-4)


def test_faces_of_one_photo_or_person_share_a_group(data: Path) -> None:
    writers.write_300w(data, 4)
    writers.write_ytf(data, 4)
    groups = {face.name: face.group for face in (*load("300w"), *load("ytf"))}
    assert groups["afw/1000_1"] == groups["afw/1000_2"] != groups["afw/1001_1"]
    assert groups["helen/trainset/2000_1"] != groups["helen/trainset/2001_1"]
    assert groups["lfpw/trainset/image_0001"] != groups["lfpw/trainset/image_0002"]
    assert groups["ytf/training/Training_PersonA_01"] == groups["ytf/training/Training_PersonA_11"]
    assert groups["ytf/training/Training_PersonA_01"] != groups["ytf/training/Training_PersonB_01"]


def test_imm_persons_and_bioid_runs_are_groups(data: Path) -> None:
    writers.write_imm(data)
    writers.write_bioid(data)
    for suffix in (".asf", ".jpg"):
        shutil.copy(data / f"imm/01-1m{suffix}", data / f"imm/01-2m{suffix}")
    persons = {face.name: face.group for face in load("imm")}
    assert persons["imm/01-1m"] == persons["imm/01-2m"] != persons["imm/02-1m"]
    runs = {face.name: face.group for face in load("bioid")}
    assert runs["bioid/BioID_0000"] == runs["bioid/BioID_0025"] != runs["bioid/BioID_0050"]


def test_person_of_both_parts_of_ytf_is_one_group(data: Path) -> None:
    writers.write_ytf(data)
    for part in ("training", "test"):
        table = data / "ytf" / f"{part}_frames_keypoints.csv"
        table.write_text(table.read_text().replace(f"{part.title()}_Person", "Person"))
        for picture in (data / "ytf" / part).iterdir():
            picture.rename(picture.with_name(picture.name.removeprefix(f"{part.title()}_")))
    assert {face.group for face in load("ytf")} == {"ytf/PersonA", "ytf/PersonB"}


def _many(count: int) -> list[LabelledFace]:
    return [
        LabelledFace(f"{k}", f"set/{k // 3}", "nose-1", np.zeros((1, 2)), Path("none"))
        for k in range(count)
    ]


def test_split_is_by_group_and_reproducible() -> None:
    faces = _many(90)
    training, held_out = split(faces, 0.2, seed=1)
    assert {face.group for face in training}.isdisjoint(face.group for face in held_out)
    assert len(training) + len(held_out) == 90
    assert 18 <= len(held_out) <= 20
    again = split(list(reversed(faces)), 0.2, seed=1)[1]
    assert {face.name for face in again} == {face.name for face in held_out}
    other = split(faces, 0.2, seed=2)[1]
    assert {face.name for face in other} != {face.name for face in held_out}


def test_split_puts_a_face_on_the_same_side_whatever_else_is_there() -> None:
    """A run that starts from another must not validate on what that one was trained on."""
    faces = _many(90)
    others = [
        LabelledFace(f"other{k}", f"other/{k}", "nose-1", np.zeros((1, 2)), Path("none"))
        for k in range(50)
    ]
    alone = {face.name for face in split(faces, 0.2, seed=1)[1]}
    mixed = {face.name for face in split(others + faces, 0.2, seed=1)[1]}
    assert alone == {name for name in mixed if not name.startswith("other")}
    assert len(mixed) == len(alone) + 10
    # Of two shares, the smaller one's faces are among the bigger one's.
    assert {face.name for face in split(faces, 0.1, seed=1)[1]} < alone


@pytest.mark.parametrize("source", SOURCES)
def test_missing_folder_is_named_with_the_command_that_helps(source: str, data: Path) -> None:
    with pytest.raises(DataError) as caught:
        load(source)
    assert str(data / FOLDERS[source]) in str(caught.value)
    assert "python -m train data" in str(caught.value)


def test_missing_part_of_300w_is_named(data: Path) -> None:
    writers.write_300w(data)
    shutil.rmtree(data / "300w/helen/trainset")
    with pytest.raises(DataError, match="helen/trainset"):
        load("300w")
    assert load("300w-common")


@pytest.mark.parametrize("source", ["300w", "imm", "bioid", "ytf"])
def test_empty_folder_is_named(source: str, data: Path) -> None:
    for folder in ("afw", ""):
        (data / FOLDERS[source] / folder).mkdir(parents=True, exist_ok=True)
    with pytest.raises(DataError) as caught:
        load(source)
    assert str(data / FOLDERS[source]) in str(caught.value)


def test_unknown_source_lists_the_known() -> None:
    with pytest.raises(DataError, match=r"'celeba'.*300w, 300w-common, imm"):
        load("celeba")


def test_root_is_what_the_environment_says(data: Path) -> None:
    assert root() == data


@pytest.mark.parametrize(
    ("source", "label"),
    [
        ("300w", "300w/lfpw/trainset/image_0002.pts"),
        ("bioid", "bioid/points_20/bioid_0025.pts"),
        ("imm", "imm/02-1m.asf"),
    ],
)
class TestLabelFiles:
    """What goes wrong with a label file beside a picture is told with the file's name."""

    def broken(self, source: str, label: Path) -> str:
        with pytest.raises(DataError) as caught:
            load(source)
        assert label.name in str(caught.value)
        return str(caught.value)

    def test_wrong_number_of_points(self, source: str, label: str, data: Path) -> None:
        WRITERS[source](data)
        if label.endswith(".asf"):
            writers.write_asf(data / label, np.full((57, 2), 0.5), columns=7)
        else:
            writers.write_pts(data / label, np.ones((57, 2)))
        assert "has 57 points where" in self.broken(source, data / label)

    def test_broken_number(self, source: str, label: str, data: Path) -> None:
        WRITERS[source](data)
        path = data / label
        lines = path.read_text().splitlines()
        row = next(k for k, line in enumerate(lines) if "." in line and line[0].isdigit())
        lines[row] = lines[row].replace(".", "x")
        path.write_text("\n".join(lines))
        assert "broken coordinate" in self.broken(source, path)

    def test_label_that_is_another_file(self, source: str, label: str, data: Path) -> None:
        WRITERS[source](data)
        (data / label).write_bytes(bytes(range(256)))
        self.broken(source, data / label)

    def test_missing_picture(self, source: str, label: str, data: Path) -> None:
        WRITERS[source](data)
        stem = Path(label).stem.lower()
        for path in (data / FOLDERS[source]).rglob("*"):
            if path.stem.lower() == stem and path.suffix != Path(label).suffix:
                path.unlink()
        assert "1 of " in self.broken(source, data / label)

    def test_folders_and_letter_case_do_not_matter(
        self, source: str, label: str, data: Path
    ) -> None:
        drawn = WRITERS[source](data)
        before = len(load(source))
        path = data / label
        (path.parent / "deeper").mkdir()
        path.rename(path.parent / "deeper" / f"{path.stem.upper()}{path.suffix.upper()}")
        faces = load(source)
        assert len(faces) == before
        moved = next(face for face in faces if face.name.lower().endswith(path.stem[-5:].lower()))
        expected = {name.lower(): points for name, points in drawn.items()}[moved.name.lower()]
        np.testing.assert_allclose(moved.keypoints, expected, atol=1e-4)

    def test_leftovers_of_macos_archives_are_passed_over(
        self, source: str, label: str, data: Path
    ) -> None:
        WRITERS[source](data)
        before = len(load(source))
        (data / label).with_name(f"._{Path(label).name}").write_bytes(b"\0\5\26\7")
        assert len(load(source)) == before


def test_ytf_may_keep_the_archives_folder(data: Path) -> None:
    drawn = writers.write_ytf(data)
    (data / "ytf").rename(data / "moved")
    (data / "ytf").mkdir()
    (data / "moved").rename(data / "ytf" / "data")
    faces = load("ytf")
    assert len(faces) == len(drawn)
    assert faces[0].pixels(1).shape == (160, 160)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (lambda row: row[:-2], "has 67 points where 68 belong"),
        (lambda row: [row[0], "left", *row[2:]], "broken coordinate"),
        (lambda row: [row[0], "inf", *row[2:]], "row 2 .* no finite number in column 0"),
        (lambda row: ["Nobody_00.jpg", *row[1:]], "lacks the picture Nobody_00.jpg"),
    ],
)
def test_broken_rows_of_ytf(change: Callable[[list], list], sentence: str, data: Path) -> None:
    writers.write_ytf(data)
    _change_row(data / "ytf/training_frames_keypoints.csv", 2, change)
    with pytest.raises(DataError, match=sentence):
        load("ytf")


@pytest.mark.parametrize("harm", ["truncated", "empty", "text", "missing"])
def test_damaged_picture_is_named_skipped_and_counted(harm: str, data: Path) -> None:
    writers.write_300w(data)
    faces = load("300w")
    picture = faces[1].picture
    if harm == "missing":
        picture.unlink()
    else:
        whole = picture.read_bytes()
        picture.write_bytes(
            {"truncated": whole[: len(whole) // 2], "empty": b"", "text": b"no picture"}[harm]
        )
    with pytest.raises(DataError, match=picture.name):
        faces[1].pixels(1)
    kept = Faces(faces, recipe.load("unet"), augment=False)
    assert len(kept) == len(faces) - 1
    assert faces[1] not in kept.sources
    assert len(kept.damaged) == 1
    assert str(picture) in kept.damaged[0]


def test_damaged_imm_picture_stops_no_other(data: Path) -> None:
    writers.write_imm(data)
    (data / "imm/02-1m.jpg").write_bytes(b"no picture")
    faces = {face.name: face for face in load("imm")}
    assert np.isfinite(faces["imm/01-1m"].keypoints).all()
    with pytest.raises(DataError, match=r"02-1m\.jpg is damaged"):
        faces["imm/02-1m"].pixels(1)


class TestKaggle:
    def test_missing_labels_are_nan_and_others_numbers(self, data: Path) -> None:
        writers.write_kaggle(data)
        known = [np.isfinite(face.keypoints).all(1).sum() for face in load("kaggle")[:3]]
        assert known == [15, 4, 11]

    def test_pixels_come_row_by_row(self, data: Path) -> None:
        writers.write_kaggle(data)
        pixels = np.arange(96 * 96).reshape(96, 96) % 251
        _change_row(
            data / "kaggle/training.csv",
            1,
            lambda row: [*row[:-1], " ".join(map(str, pixels.ravel()))],
        )
        assert (load("kaggle")[0].pixels(1) == pixels).all()
        assert (load("kaggle")[0].pixels(3)[..., 2] == pixels).all()

    @pytest.mark.parametrize(
        ("change", "sentence"),
        [
            (lambda row: [*row[:-1], "1 2 3"], "row 2 has 3 pixels, not 9216"),
            (lambda row: [*row[:-1], "1 x"], "row 2 has a broken pixel"),
            (lambda row: [*row[:-1], "256"], "row 2 has a broken pixel"),
            (lambda row: ["left", *row[1:]], "row 2 has a broken coordinate"),
            (lambda row: row[:5], "row 2 has 0 pixels"),
        ],
    )
    def test_broken_rows(self, change: Callable[[list], list], sentence: str, data: Path) -> None:
        writers.write_kaggle(data)
        _change_row(data / "kaggle/training.csv", 2, change)
        with pytest.raises(DataError, match=sentence):
            load("kaggle")

    def test_table_of_something_else(self, data: Path) -> None:
        writers.write_kaggle(data)
        (data / "kaggle/training.csv").write_text("a,b\n1,2\n")
        with pytest.raises(DataError, match="no column left_eye_center_x"):
            load("kaggle")

    def test_missing_table_is_named(self, data: Path) -> None:
        writers.write_kaggle(data)
        (data / "kaggle/test.csv").unlink()
        with pytest.raises(DataError, match=r"test\.csv is missing.*python -m train data"):
            kaggle.test_pictures(data)

    def test_pattern_of_missing_labels(self, data: Path) -> None:
        drawn = writers.write_kaggle(data)
        known = kaggle.missing_pattern(data)
        assert known.dtype == bool
        expected = [np.isfinite(points).all(1) for points in drawn.values()]
        np.testing.assert_array_equal(known, expected)

    def test_pattern_needs_no_pictures(self, data: Path) -> None:
        writers.write_kaggle(data)
        expected = kaggle.missing_pattern(data)
        table = data / "kaggle/training.csv"
        with table.open(newline="") as file:
            rows = [row[:-1] for row in csv.reader(file)]
        table.unlink()
        _write_rows(data / "kaggle/training_labels_only.csv", rows)
        np.testing.assert_array_equal(kaggle.missing_pattern(data), expected)

    def test_submission_holds_what_the_lookup_table_asks_for(self, data: Path) -> None:
        writers.write_kaggle(data, 2)
        lookup = data / "kaggle/IdLookupTable.csv"
        _write_rows(
            lookup,
            [
                ["RowId", "ImageId", "FeatureName", "Location"],
                ["1", "2", "nose_tip_y", ""],
                ["2", "1", "left_eye_center_x", ""],
                ["3", "1", "mouth_center_bottom_lip_y", ""],
            ],
        )
        first, second = np.arange(30.0).reshape(15, 2), np.arange(30.0).reshape(15, 2) + 40
        first[14, 1] = 120.0
        path = data / "submission.csv"
        assert kaggle.write_submission(lookup, {1: first, 2: second}, path) == 3
        # Point 10 is the nose tip: its y is the 22nd number; a picture is 96 pixels high.
        assert path.read_text().split() == ["RowId,Location", "1,61.0000", "2,0.0000", "3,96.0000"]

    def test_submission_from_the_test_pictures(
        self, data: Path, capsys: pytest.CaptureFixture[str]
    ) -> None:
        writers.write_kaggle(data, 3)
        pictures = kaggle.test_pictures(data)
        assert list(pictures) == [1, 2, 3]
        assert pictures[1].shape == (96, 96)
        lookup, path = data / "kaggle/IdLookupTable.csv", data / "new/submission.csv"
        assert main(["submit", "kaggle-cnn", str(path)]) == 0
        assert len(path.read_text().split()) == len(lookup.read_text().split())
        assert main(["submit", "kaggle-cnn", str(path / "in-a-file.csv")]) == 1
        assert f"{path} could not be read or written" in capsys.readouterr().err
        before = lookup.read_text()
        assert main(["submit", "kaggle-cnn", str(lookup)]) == 1
        assert "would overwrite the input" in capsys.readouterr().err
        assert lookup.read_text() == before

    @pytest.mark.parametrize(
        ("row", "sentence"),
        [
            (["1", "1", "left_ear_x", ""], "'left_ear_x' is not a coordinate"),
            (["1", "7", "nose_tip_x", ""], "picture 7, which has no prediction"),
            (["1", "one", "nose_tip_x", ""], "'one' is no number of a picture"),
        ],
    )
    def test_lookup_table_that_cannot_be_answered(
        self, row: list[str], sentence: str, data: Path
    ) -> None:
        writers.write_kaggle(data, 1)
        lookup, path = data / "kaggle/IdLookupTable.csv", data / "submission.csv"
        _change_row(lookup, 1, lambda _: row)
        with pytest.raises(DataError, match=sentence):
            kaggle.write_submission(lookup, {1: np.ones((15, 2))}, path)
        assert not path.exists()


def test_written_faces_are_worth_training_on(data: Path) -> None:
    writers.write_300w(data, 3)
    faces = load("300w")
    for face in faces:
        assert len({tuple(point) for point in face.keypoints.round(3)}) == 68
        assert face.keypoints.min() > 0
        assert face.keypoints.max() < writers.SIDE - 1
    assert not np.allclose(faces[0].keypoints, faces[1].keypoints, atol=1)
    tiny = replace(recipe.load("unet"), name="tiny")
    cut = Faces(faces, tiny, augment=False)
    assert cut.keypoints.isfinite().all()
    assert (cut.keypoints.abs() < 1).all()


SAVED_AGAIN = {
    "byte-order mark": lambda rows: _text(rows).encode("utf-8-sig"),
    "UTF-16": lambda rows: _text(rows, "\t").encode("utf-16"),
    "UTF-16 without a mark": lambda rows: _text(rows).encode("utf-16-le"),
    "semicolons and decimal commas": lambda rows: _text(_decimal_commas(rows), ";").encode(),
    "quoted decimal commas": lambda rows: _text(_decimal_commas(rows)).encode(),
    "tabs": lambda rows: _text(rows, "\t").encode(),
    "Excel's hint": lambda rows: b"sep=;\r\n" + _text(rows, ";").encode(),
    "quoted": lambda rows: _text(rows, quoting=csv.QUOTE_ALL).encode(),
    "unix": lambda rows: _text(rows).replace("\r\n", "\n").encode(),
    "old Mac": lambda rows: _text(rows).replace("\r\n", "\r").encode(),
    "no last line end": lambda rows: _text(rows).rstrip().encode(),
    "empty columns": lambda rows: _text([[*row, "", ""] for row in rows]).encode(),
    "empty rows": lambda rows: _text([*rows, [], [""] * len(rows[0]), []]).encode(),
    "other order": lambda rows: _text([row[::-1] for row in rows]).encode(),
    "spaces": lambda rows: _text([[f" {cell} " for cell in row] for row in rows]).encode(),
    "another column": lambda rows: _text([[f"row {k}", *r] for k, r in enumerate(rows)]).encode(),
}


@pytest.mark.parametrize("again", SAVED_AGAIN.values(), ids=SAVED_AGAIN)
@pytest.mark.parametrize("source", ["kaggle", "ytf"])
def test_a_table_that_was_saved_again_says_the_same(
    source: str, again: Callable[[list[list[str]]], bytes], data: Path
) -> None:
    drawn = WRITERS[source](data)
    for table in (data / source).glob("*.csv"):
        with table.open(newline="") as file:
            rows = list(csv.reader(file))
        table.write_bytes(again(rows))
    faces = load(source)
    assert len(faces) == len(drawn)
    for face in faces:
        np.testing.assert_allclose(face.keypoints, drawn[face.name], atol=1e-3)
        assert face.pixels(1).std() > 10
    if source == "kaggle":
        pictures = kaggle.test_pictures(data)
        answers = dict.fromkeys(pictures, np.full((15, 2), 7.0))
        lookup, path = data / "kaggle/IdLookupTable.csv", data / "submission.csv"
        assert kaggle.write_submission(lookup, answers, path) == len(path.read_text().split()) - 1
        assert path.read_text().split()[1] == "1,7.0000"


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        (
            lambda row: ["1e9", *row[1:]],
            "row 2 .*outside .*96 × 96.* 1e9 in column left",
        ),
        (lambda row: ["1e99", *row[1:]], "row 2 .*outside .*1e99 in column left_eye_center_x"),
        (lambda row: ["-30", *row[1:]], "row 2 .*outside .*-30 in column left_eye_center_x"),
        (lambda row: [row[0], "inf", *row[2:]], "row 2 .*no finite number in column left_eye_cent"),
        (lambda row: [row[0], "Jan 66", *row[2:]], "row 2 .*broken .*Jan 66 in column left_eye_"),
        (lambda row: [row[0], "#VALUE!", *row[2:]], "row 2 .*broken .*in column left_eye_center_y"),
        (lambda row: [row[0], "6\x006", *row[2:]], "row 2 .*broken"),
        (lambda row: [*row[:-1], row[-1] + " 100" * 40_000], "row 2 is broken: field larger"),
        (lambda row: [*row[:-1], ("100 " * 9216)[: tables.CELL]], "row 2 has 8192 .* has cut"),
        (lambda row: ["66", "03", *row], "row 2 has 33 cells, and the heading 31 columns"),
    ],
)
def test_broken_cells_are_named_with_file_row_and_column(
    change: Callable[[list], list], sentence: str, data: Path
) -> None:
    writers.write_kaggle(data)
    _change_row(data / "kaggle/training.csv", 2, change)
    with pytest.raises(DataError, match=rf"training\.csv: {sentence}") as caught:
        load("kaggle")
    assert len(str(caught.value)) < 400


@pytest.mark.parametrize("missing", ["", "nan", "NaN", "NA", "#N/A", "-1", "0"])
def test_cells_that_mean_unknown(missing: str, data: Path) -> None:
    drawn = writers.write_kaggle(data)
    _change_row(data / "kaggle/training.csv", 1, lambda row: [missing, missing, *row[2:]])
    expected = drawn["kaggle/0"].copy()
    expected[0] = np.nan
    np.testing.assert_allclose(load("kaggle")[0].keypoints, expected, atol=1e-4)
    assert not kaggle.missing_pattern(data)[0, 0]


def test_labels_a_little_outside_the_picture_are_kept(data: Path) -> None:
    writers.write_kaggle(data)
    _change_row(data / "kaggle/training.csv", 1, lambda row: ["-3.5", "99.25", *row[2:]])
    assert load("kaggle")[0].keypoints[0].tolist() == [-3.5, 99.25]


def test_a_quotation_mark_that_nobody_closes_is_named(data: Path) -> None:
    writers.write_kaggle(data)
    table = data / "kaggle/training.csv"
    table.write_text(table.read_text().replace("\n", '\n"', 1))
    with pytest.raises(DataError, match=r"training\.csv: row 1 is broken"):
        load("kaggle")


@pytest.mark.parametrize("source", ["kaggle", "ytf"])
def test_a_table_without_rows_is_named(source: str, data: Path) -> None:
    WRITERS[source](data)
    for table in (data / source).glob("*.csv"):
        table.write_text(table.read_text().partition("\n")[0])
    with pytest.raises(DataError, match=r"\.csv has no rows"):
        load(source)


@pytest.mark.parametrize(
    ("source", "label"),
    [
        ("300w", "300w/lfpw/trainset/image_0002.pts"),
        ("bioid", "bioid/points_20/bioid_0025.pts"),
        ("imm", "imm/02-1m.asf"),
    ],
)
class TestUnknownPoints:
    def changed(self, source: str, path: Path, x: str, y: str) -> np.ndarray:
        """The points of a label file whose first point was replaced."""
        lines = path.read_text().splitlines()
        at = next(k for k, line in enumerate(lines) if "." in line and line[0].isdigit())
        cells = lines[at].split()
        cells = [*cells[:2], x, y, *cells[4:]] if source == "imm" else [x, y]
        path.write_text("\n".join([*lines[:at], " ".join(cells), *lines[at + 1 :]]))
        faces = {face.name.lower(): face for face in load(source)}
        return next(face for name, face in faces.items() if path.stem in name).keypoints

    @pytest.mark.parametrize("code", ["-1 -1", "0 0", "-1.0 -1.0", "nan nan", "nan 5", "-99 -99"])
    def test_codes_are_unknown(self, source: str, label: str, code: str, data: Path) -> None:
        WRITERS[source](data)
        points = self.changed(source, data / label, *code.split())
        assert np.isnan(points[0]).all()
        assert np.isfinite(points[1:]).all()

    def test_a_point_far_outside_is_named(self, source: str, label: str, data: Path) -> None:
        WRITERS[source](data)
        with pytest.raises(DataError, match=rf"{Path(label).name}: point 1, at .* outside"):
            self.changed(source, data / label, "9000", "0.5")


def test_a_label_in_utf_16_is_read(data: Path) -> None:
    drawn = writers.write_300w(data)
    label = data / "300w/afw/1000_1.pts"
    label.write_text(label.read_text(), encoding="utf-16")
    np.testing.assert_allclose(load("300w")[0].keypoints, drawn["afw/1000_1"], atol=1e-4)


def test_faces_with_too_few_labels_are_left_out_with_a_sentence(data: Path) -> None:
    writers.write_300w(data)
    faces = load("300w")
    faces[1].keypoints[1:] = np.nan
    kept = Faces(faces, replace(recipe.load("unet"), name="tiny"), augment=False)
    assert len(kept) == len(faces) - 1
    assert kept.damaged == [f"{faces[1].name} has too few labels to crop the face."]
    faces[0].keypoints[36] = np.nan
    good, others = readable(faces)
    assert len(good) == len(faces) - 2
    assert others[0] == f"{faces[0].name} has no label for one of the outer eye corners."


def _text(rows: list[list[str]], separator: str = ",", quoting: int = csv.QUOTE_MINIMAL) -> str:
    out = io.StringIO()
    csv.writer(out, delimiter=separator, quoting=quoting).writerows(rows)
    return out.getvalue()


def _decimal_commas(rows: list[list[str]]) -> list[list[str]]:
    return [[re.sub(r"^(\d+)\.(\d+)$", r"\1,\2", cell) for cell in row] for row in rows]


def _write_rows(table: Path, rows: list[list[str]]) -> None:
    with table.open("w", newline="") as file:
        csv.writer(file).writerows(rows)


def _change_row(table: Path, number: int, change: Callable[[list], list]) -> None:
    with table.open(newline="") as file:
        rows = list(csv.reader(file))
    rows[number] = change(rows[number])
    _write_rows(table, rows)
