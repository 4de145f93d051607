"""A visitor's zip of labelled pictures: what is unpacked, and what is refused."""

import io
import struct
import zipfile
from pathlib import Path

import pytest
from PIL import Image

from kpdemo.evaluation import zip_upload
from kpdemo.keypoints.annotations import TruthError
from kpdemo.media import images


def picture() -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", (32, 32)).save(buffer, "PNG")
    return buffer.getvalue()


def zipped(path: Path, files: dict[str, bytes]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for name, content in files.items():
            file.writestr(name, content)
    return path


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "in").mkdir()
    return tmp_path / "in"


def test_pictures_and_labels_are_unpacked_and_nothing_else(tmp_path, folder) -> None:
    names = ["set/a.png", "set/a.pts", "set/run.sh", "__MACOSX/set/._a.png", "set/.b.png"]
    archive = zipped(tmp_path / "faces.zip", dict.fromkeys(names, picture()))
    assert zip_upload.unpack(archive, folder) is None
    files = {path.relative_to(folder).as_posix() for path in folder.rglob("*") if path.is_file()}
    assert files == {"set/a.png", "set/a.pts"}
    assert (folder / "set/a.png").read_bytes() == picture()


@pytest.mark.parametrize("labels", ["set/coco.json", "labels.csv"])
def test_one_file_of_labels_is_named(tmp_path, folder, labels) -> None:
    archive = zipped(tmp_path / "faces.zip", {"set/a.png": picture(), labels: b"{}"})
    assert zip_upload.unpack(archive, folder) == folder / labels


@pytest.mark.parametrize(
    "name", ["../a.png", "set/../../a.png", "/a.png", "C:/a.png", "..\\a.png", "set\\..\\..\\a.png"]
)
def test_no_name_leads_outside(tmp_path, folder, name) -> None:
    archive = zipped(tmp_path / "faces.zip", {"b.png": picture(), "b.pts": b"", name: picture()})
    try:
        zip_upload.unpack(archive, folder)
    except TruthError as error:
        assert "lead outside" in str(error)
    outside = {path.relative_to(tmp_path).parts[0] for path in tmp_path.rglob("*.png")}
    assert outside <= {"in"}


def test_a_link_is_only_a_file(tmp_path, folder) -> None:
    secret = tmp_path / "secret.png"
    secret.write_bytes(picture())
    archive = tmp_path / "faces.zip"
    with zipfile.ZipFile(archive, "w") as file:
        link = zipfile.ZipInfo("a.png")
        link.create_system, link.external_attr = 3, 0o120777 << 16
        file.writestr(link, str(secret))
        file.writestr("a.pts", b"")
    zip_upload.unpack(archive, folder)
    assert not (folder / "a.png").is_symlink()
    assert (folder / "a.png").read_text() == str(secret)


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({"a.pts": b""}, "There is no picture in the zip"),
        ({"a.png": picture()}, "There are no labels in the zip"),
        ({"a.png": picture(), "a.json": b"", "b.csv": b""}, "a.json and b.csv; leave one"),
        ({"a.png": picture(), "a/b.png": picture(), "c.png": picture()}, "3 pictures"),
        ({f"{k}.txt": b"" for k in range(9)}, "more than 8 files"),
    ],
)
def test_what_it_does_not_take_is_one_sentence(tmp_path, folder, monkeypatch, files, words):
    monkeypatch.setattr(zip_upload, "MAX_PHOTOS", 2)
    monkeypatch.setattr(zip_upload, "_MAX_ENTRIES", 8)
    with pytest.raises(TruthError, match=words) as error:
        zip_upload.unpack(zipped(tmp_path / "faces.zip", files), folder)
    assert str(error.value).endswith(".") and "\n" not in str(error.value)


@pytest.mark.parametrize("content", [b"", b"not a zip", b"PK\x03\x04" + bytes(40)])
def test_what_is_no_zip_is_refused(tmp_path, folder, content) -> None:
    path = tmp_path / "faces.zip"
    path.write_bytes(content)
    with pytest.raises(TruthError, match="no zip file, or it is damaged"):
        zip_upload.unpack(path, folder)


def test_a_damaged_file_inside_is_refused(tmp_path, folder) -> None:
    path = tmp_path / "faces.zip"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_STORED) as file:
        file.writestr("a.png", picture())
        file.writestr("a.pts", b"version: 1")
    path.write_bytes(path.read_bytes().replace(b"version: 1", b"version: 2"))
    with pytest.raises(TruthError, match="damaged"):
        zip_upload.unpack(path, folder)


def test_an_encrypted_zip_is_named(tmp_path, folder) -> None:
    path = zipped(tmp_path / "faces.zip", {"a.png": picture(), "a.pts": b""})
    data = bytearray(path.read_bytes())
    for mark, offset in ((b"PK\x03\x04", 6), (b"PK\x01\x02", 8)):
        at = data.find(mark)
        while at >= 0:
            (flags,) = struct.unpack_from("<H", data, at + offset)
            struct.pack_into("<H", data, at + offset, flags | 1)
            at = data.find(mark, at + 1)
    path.write_bytes(data)
    with pytest.raises(TruthError, match="encrypted"):
        zip_upload.unpack(path, folder)


@pytest.mark.parametrize(("limit", "of"), [("MAX_BYTES", zip_upload), ("MAX_BYTES", images)])
def test_what_unpacks_to_more_than_it_may_is_stopped(
    tmp_path, folder, monkeypatch, limit, of
) -> None:
    archive = zipped(tmp_path / "faces.zip", {"a.png": picture(), "b.csv": bytes(9_000_000)})
    assert archive.stat().st_size < 100_000
    monkeypatch.setattr(of, limit, 3_000_000)
    with pytest.raises(TruthError, match="unpacks to more than"):
        zip_upload.unpack(archive, folder)
    assert sum(path.stat().st_size for path in folder.rglob("*.*")) < 4_000_000


def test_a_zip_that_is_gone_is_named(tmp_path, folder) -> None:
    with pytest.raises(TruthError, match="no longer there"):
        zip_upload.unpack(tmp_path / "gone.zip", folder)
