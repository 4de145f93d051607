"""Files that a user names: inputs that would hang, outputs that would destroy something."""

import os
import socket
import stat
from pathlib import Path

import pytest

from kpdemo.system import files
from kpdemo.system.files import OutputError, SpecialFileError, check_outputs, open_regular


@pytest.fixture
def photo(tmp_path) -> Path:
    path = tmp_path / "photos" / "me.png"
    path.parent.mkdir()
    path.write_bytes(b"pixels")
    return path


def special_files(folder: Path) -> dict[str, Path]:
    """One special file of each kind, and links to two of them, by what they are."""
    os.mkfifo(folder / "pipe.png")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind(str(folder / "socket.png"))
    (folder / "device.png").symlink_to("/dev/zero")
    (folder / "link.png").symlink_to("pipe.png")
    return {
        "a pipe": folder / "pipe.png",
        "a socket": folder / "socket.png",
        "a device": folder / "device.png",
        "pipe": folder / "link.png",
    }


def test_a_special_file_is_named_and_never_waited_for(tmp_path):
    for kind, path in special_files(tmp_path).items():
        with pytest.raises(SpecialFileError, match=kind):
            open_regular(path)
        with pytest.raises(OutputError, match=f"cannot be written.*{kind}"):
            check_outputs([path])
    with pytest.raises(IsADirectoryError):
        open_regular(tmp_path)
    read, write = os.pipe()
    with os.fdopen(write, "wb"), pytest.raises(SpecialFileError, match="a pipe"):
        open_regular(f"/dev/fd/{read}")  # as a shell hands over <(…)
    os.close(read)


def test_a_regular_file_is_read_through_a_link_too(photo, tmp_path):
    (tmp_path / "link").symlink_to(photo)
    with open_regular(tmp_path / "link") as file:
        assert file.read() == b"pixels"


@pytest.mark.parametrize("way", ["same", "dotted", "around", "relative", "link", "hard", "folder"])
def test_an_output_is_never_an_input_under_any_name(photo, tmp_path, monkeypatch, way):
    monkeypatch.chdir(tmp_path)
    (tmp_path / "link").symlink_to(photo)
    (tmp_path / "hard").hardlink_to(photo)
    (tmp_path / "folder").symlink_to(photo.parent)
    output = {
        "same": photo,
        "dotted": Path(f"{photo.parent}/./me.png"),
        "around": photo.parent / ".." / "photos" / "me.png",
        "relative": Path("photos/me.png"),
        "link": Path("link"),
        "hard": Path("hard"),
        "folder": Path("folder/me.png"),
    }[way]
    with pytest.raises(OutputError, match="would overwrite the input"):
        check_outputs([tmp_path / "fine.json", output], [tmp_path / "gone.png", photo])
    check_outputs([tmp_path / "fine.json"], [photo])


def test_two_outputs_are_two_files(tmp_path):
    (tmp_path / "here").symlink_to(tmp_path)
    (tmp_path / "new").symlink_to("a.csv")
    for other in ("a.csv", "./a.csv", "here/a.csv", "new", "A.CSV"):
        with pytest.raises(OutputError, match="are one file"):
            check_outputs([tmp_path / "a.csv", tmp_path / other])
    with pytest.raises(OutputError, match="are one file"):
        check_outputs([tmp_path / "é", tmp_path / "e\u0301"])
    with pytest.raises(OutputError, match="are one file"):
        check_outputs([files.STDOUT, files.STDOUT])
    check_outputs([tmp_path / "a.csv", tmp_path / "b.csv", files.STDOUT])
    assert {path.name for path in tmp_path.iterdir()} == {"here", "new"}


@pytest.mark.parametrize(
    ("output", "reason"),
    [
        ("photos", "Is a directory"),
        ("gone/out.csv", "there is no folder"),
        ("photos/me.png/out.csv", "there is no folder"),
        ("loop", "symbolic links"),
        ("x" * 300, "name too long"),
        ("null\0byte", "null byte"),
    ],
)
def test_an_output_that_cannot_be_written_is_said_before_the_work(photo, tmp_path, output, reason):
    (tmp_path / "loop").symlink_to("loop")
    with pytest.raises(OutputError, match=f"(?i)cannot be written.*{reason}") as error:
        check_outputs([tmp_path / output])
    assert len(str(error.value).splitlines()) == 1


@pytest.mark.skipif(not Path("/proc/self").exists(), reason="needs a folder that takes no files")
def test_a_folder_that_takes_no_file_is_said_before_the_work():
    # Root may write to any other folder.
    with pytest.raises(OutputError, match="cannot be written"):
        check_outputs([Path("/proc/self/out.csv")])


def test_a_file_is_replaced_whole_or_not_at_all(photo, tmp_path):
    def fail(file):
        file.write(b"half")
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        files.replace(photo, fail)
    assert photo.read_bytes() == b"pixels"
    assert list(photo.parent.iterdir()) == [photo]


def test_a_written_file_keeps_its_link_and_its_mode(photo, tmp_path):
    link = tmp_path / "link"
    link.symlink_to(photo)
    photo.chmod(0o640)
    files.write(link, b"new")
    assert link.is_symlink() and photo.read_bytes() == b"new"
    assert stat.S_IMODE(photo.stat().st_mode) == 0o640
    assert list(photo.parent.iterdir()) == [photo]


def test_a_new_file_may_be_read_by_others_as_usual(tmp_path):
    (tmp_path / "usual").touch()
    files.write(tmp_path / "new", b"")
    assert (tmp_path / "new").stat().st_mode == (tmp_path / "usual").stat().st_mode


def test_standard_output_is_written_under_each_of_its_names(capfdbinary):
    files.write(files.STDOUT, b"one")
    files.write(Path("/dev/stdout"), b"two")
    assert capfdbinary.readouterr().out == b"onetwo"
