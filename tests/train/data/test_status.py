"""`python -m train data`: the report, and downloads from a real server on this machine."""

import io
import tarfile
import threading
import zipfile
from collections.abc import Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

import pytest
from helpers import writers

from train.data import status
from train.data.sources import DataError
from train.data.sources import download as downloads
from train.data.sources.catalog import CATALOG
from train.data.sources.download import Archive, fetch

WRITERS = {
    "300w": writers.write_300w,
    "imm": writers.write_imm,
    "bioid": writers.write_bioid,
    "ytf": writers.write_ytf,
}


class Server(ThreadingHTTPServer):
    """Serves `files` by name; those named in `cut` break off half way, in `stall` never come."""

    def __init__(self) -> None:
        super().__init__(("127.0.0.1", 0), Handler)
        self.files: dict[str, bytes] = {}
        self.cut: set[str] = set()
        self.stall: set[str] = set()
        self.over = threading.Event()
        self.asked: list[str] = []

    def address(self, name: str) -> str:
        return f"http://127.0.0.1:{self.server_port}/{name}"


class Handler(BaseHTTPRequestHandler):
    server: Server

    def do_GET(self) -> None:
        name = self.path.removeprefix("/")
        self.server.asked.append(name)
        if name in self.server.stall:
            self.server.over.wait()
            return
        if name not in self.server.files:
            self.send_error(404)
            return
        body = self.server.files[name]
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body[: len(body) // 2] if name in self.server.cut else body)

    def log_message(self, format: str, *args: object) -> None:
        """Keep the tests' output clean."""


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[Server]:
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with Server() as running:
        thread = threading.Thread(target=running.serve_forever, args=(0.01,))
        thread.start()
        yield running
        running.over.set()
        running.shutdown()
        thread.join()


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return tmp_path / "data"


def zipped(files: dict[str, bytes]) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, content)
    return stream.getvalue()


def tarred(files: dict[str, bytes], link: str | None = None) -> bytes:
    stream = io.BytesIO()
    with tarfile.open(fileobj=stream, mode="w:gz") as archive:
        for name, content in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(content)
            archive.addfile(member, io.BytesIO(content))
        if link:
            member = tarfile.TarInfo("link")
            member.type, member.linkname = tarfile.SYMTYPE, link
            archive.addfile(member)
    return stream.getvalue()


def tree(folder: Path, below: str = "") -> dict[str, bytes]:
    return {
        f"{below}{path.relative_to(folder).as_posix()}": path.read_bytes()
        for path in sorted(folder.rglob("*"))
        if path.is_file()
    }


def publish(server: Server, name: str, source: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Serve a tiny data set in the archives of the official one, and point the catalog there."""
    WRITERS[name](source)
    if name == "300w":
        for part in ("afw", "helen", "lfpw"):
            server.files[f"{part}.zip"] = zipped(tree(source / "300w" / part))
    elif name == "imm":
        server.files["imm_face_db.tar.gz"] = tarred(tree(source / "imm"))
    elif name == "ytf":
        server.files["train-test-data.zip"] = zipped(tree(source / "ytf", "data/"))
    else:
        labels = tree(source / "bioid" / "points_20", "points_20/")
        pictures = {n: c for n, c in tree(source / "bioid").items() if n.endswith(".pgm")}
        server.files["bioid_pts.zip"] = zipped(labels)
        server.files["BioID-FaceDatabase-V1.2.zip"] = zipped({**pictures, "description.txt": b""})
    local = tuple(
        replace(archive, addresses=(server.address(archive.addresses[0].split("/")[-1]),))
        for archive in CATALOG[name].archives
    )
    monkeypatch.setitem(CATALOG, name, replace(CATALOG[name], archives=local))


@pytest.mark.parametrize(
    ("name", "counts"),
    [
        ("300w", "6 training faces, 4 test faces"),
        ("imm", "3 training faces, 3 validation faces"),
        ("bioid", "8 faces"),
        ("ytf", "8 faces"),
    ],
)
def test_download_makes_the_set_readable(
    name: str,
    counts: str,
    server: Server,
    root: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    publish(server, name, tmp_path / "source", monkeypatch)
    assert "there   nothing" in _block(root, name)
    assert f"--download {name}" in _block(root, name)
    assert counts in status.download(name, root)
    assert [path.name for path in root.iterdir()] == [CATALOG[name].folder]
    assert f"there   {counts}" in _block(root, name)
    assert "get it" not in _block(root, name)

    asked = len(server.asked)
    assert "already" in status.download(name, root)
    assert len(server.asked) == asked


def test_interrupted_set_goes_on_with_what_is_missing(
    server: Server, root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(server, "300w", tmp_path / "source", monkeypatch)
    server.cut.add("helen.zip")
    with pytest.raises(DataError, match=r"helen\.zip"):
        status.download("300w", root)
    assert [path.name for path in (root / "300w").iterdir()] == ["afw"]
    server.cut.clear()
    server.asked.clear()
    assert "6 training faces" in status.download("300w", root)
    assert server.asked == ["helen.zip", "lfpw.zip"]


def test_broken_set_that_is_there_is_left_alone(
    server: Server, root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(server, "imm", tmp_path / "source", monkeypatch)
    (root / "imm").mkdir(parents=True)
    (root / "imm" / "notes.txt").write_text("mine")
    with pytest.raises(DataError, match=r"move .* away"):
        status.download("imm", root)
    assert tree(root) == {"imm/notes.txt": b"mine"}
    assert server.asked == []


def test_download_that_does_not_hold_the_set_says_so(
    server: Server, root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(server, "imm", tmp_path / "source", monkeypatch)
    server.files["imm_face_db.tar.gz"] = tarred({"readme.txt": b"moved"})
    with pytest.raises(DataError, match=r"holds no \.asf file"):
        status.download("imm", root)


def test_kaggle_needs_an_account(root: Path) -> None:
    with pytest.raises(DataError) as caught:
        status.download("kaggle", root)
    sentence = str(caught.value)
    assert "account" in sentence
    assert "kaggle competitions download -c facial-keypoints-detection" in sentence
    assert str(root / "kaggle") in sentence


def test_unknown_set_lists_the_known(root: Path) -> None:
    with pytest.raises(DataError, match=r"'celeba'.*300w, imm, bioid, ytf, kaggle"):
        status.download("celeba", root)


def test_report_tells_each_set_its_terms_home_and_folder(root: Path) -> None:
    report = status.report(root)
    for data_set in CATALOG.values():
        for part in (data_set.title, data_set.what, data_set.terms, data_set.home):
            assert part in report
        assert str(root / data_set.folder) in report


def test_report_says_what_is_wrong(root: Path) -> None:
    writers.write_300w(root)
    (root / "300w/afw/1000_2.jpg").unlink()
    block = _block(root, "300w")
    assert "there   4 test faces" in block
    assert "1 of 2 label files" in block
    assert "1000_2.pts" in block
    assert "--download 300w" in block


def test_report_counts_label_rows_without_pictures(root: Path) -> None:
    writers.write_kaggle(root)
    assert "there   8 training faces, 8 test pictures, 8 label rows" in _block(root, "kaggle")
    table = root / "kaggle/training.csv"
    table.rename(table.with_name("training_labels_only.csv"))
    assert "there   8 test pictures, 8 label rows" in _block(root, "kaggle")
    assert "training.csv is missing" in _block(root, "kaggle")


GOOD = {"set/a.txt": b"a" * 5000, "set/deep/b.txt": b"b", "__MACOSX/._a.txt": b"x"}


@pytest.mark.parametrize("pack", [zipped, tarred])
def test_fetch_unpacks_without_wrapping_folders(pack, server: Server, root: Path) -> None:
    server.files["set"] = pack(GOOD)
    fetch(Archive("some/set", (server.address("set"),)), root)
    assert tree(root) == {"some/set/a.txt": b"a" * 5000, "some/set/deep/b.txt": b"b"}


def test_fetch_tries_mirrors_in_turn(server: Server, root: Path) -> None:
    server.files["broken.zip"] = b"<html>moved</html>"
    server.files["set.zip"] = zipped(GOOD)
    names = ("gone.zip", "broken.zip", "set.zip", "unused.zip")
    fetch(Archive("set", tuple(map(server.address, names))), root)
    assert (root / "set/deep/b.txt").read_bytes() == b"b"
    assert server.asked == ["gone.zip", "broken.zip", "set.zip"]


def _broken(kind: str, server: Server) -> str:
    """Publish an archive that must not be unpacked; returns what the sentence must hold."""
    whole = zipped({"a.txt": bytes(range(256)) * 40, "b.txt": b"b"})
    packed = tarred({"a.txt": b"a" * 100_000, "b.txt": bytes(range(256)) * 40})
    flipped = bytearray(whole)
    flipped[60] ^= 255
    bodies = {
        "truncated zip": (whole[: len(whole) // 2], "damaged or no archive"),
        "truncated tar": (packed[: len(packed) // 2], "damaged or no archive"),
        "damaged zip": (bytes(flipped), "damaged or no archive"),
        "web page": (b"<html>This page has moved.</html>", "damaged or no archive"),
        "nothing": (b"", "damaged or no archive"),
        "zip that escapes": (zipped({"b.txt": b"b", "../evil": b"!"}), "refused"),
        "zip that escapes deep": (zipped({"a/../../evil": b"!"}), "refused"),
        "zip with a root": (zipped({"/evil": b"!"}), "refused"),
        "tar that escapes": (tarred({"b.txt": b"b", "../evil": b"!"}), "refused"),
        "tar with a link": (tarred({"b.txt": b"b"}, link="../../evil"), "refused"),
        "cut off": (whole, "cannot be downloaded"),
        "stalled": (whole, "cannot be downloaded"),
    }
    if kind == "missing":
        return "answers 404"
    server.files["set"], sentence = bodies[kind]
    if kind == "cut off":
        server.cut.add("set")
    if kind == "stalled":
        server.stall.add("set")
    return sentence


@pytest.mark.parametrize(
    "kind",
    [
        "missing",
        "cut off",
        "stalled",
        "truncated zip",
        "truncated tar",
        "damaged zip",
        "web page",
        "nothing",
        "zip that escapes",
        "zip that escapes deep",
        "zip with a root",
        "tar that escapes",
        "tar with a link",
    ],
)
def test_what_cannot_be_had_leaves_nothing_and_says_what_to_do(
    kind: str, server: Server, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if kind == "stalled":
        monkeypatch.setattr(downloads, "TIMEOUT", 0.3)
    writers.write_pts(root / "mine.pts", [(1, 2)])
    before = tree(root.parent)
    sentence = _broken(kind, server)
    with pytest.raises(DataError) as caught:
        fetch(Archive("set", (server.address("set"),)), root)
    assert sentence in str(caught.value)
    assert server.address("set") in str(caught.value)
    assert str(root / "set") in str(caught.value)
    assert tree(root.parent) == before
    assert [path.name for path in root.iterdir()] == ["mine.pts"]


def test_server_that_is_not_there(server: Server, root: Path) -> None:
    address = "http://127.0.0.1:1/set.zip"
    with pytest.raises(DataError, match=r"127\.0\.0\.1:1/set\.zip cannot be downloaded"):
        fetch(Archive("set", (address,)), root)
    assert list(root.iterdir()) == []


def test_fetch_never_touches_a_folder_that_holds_something(server: Server, root: Path) -> None:
    server.files["set"] = zipped(GOOD)
    (root / "set").mkdir(parents=True)
    (root / "set/mine.txt").write_text("mine")
    with pytest.raises(DataError, match="move it away"):
        fetch(Archive("set", (server.address("set"),)), root)
    assert tree(root) == {"set/mine.txt": b"mine"}
    assert server.asked == []


def test_fetch_fills_an_empty_folder(server: Server, root: Path) -> None:
    server.files["set"] = zipped(GOOD)
    (root / "set").mkdir(parents=True)
    fetch(Archive("set", (server.address("set"),)), root)
    assert (root / "set/a.txt").exists()


def test_data_root_that_cannot_be_made(server: Server, root: Path) -> None:
    root.write_text("a file")
    with pytest.raises(DataError, match="could not be written"):
        fetch(Archive("set", (server.address("set"),)), root / "below")


def _block(root: Path, name: str) -> str:
    report = status.report(root)
    return next(block for block in report.split("\n\n") if block.startswith(f"{name}:"))
