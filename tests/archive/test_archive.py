"""An archive: every photo once, as `compare` has it, whatever is read and whenever it is killed."""

import io
import os
import shutil
import subprocess
import sys
import tarfile
import time
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import numpy as np
import pytest

from kpdemo.engine.engine import compare
from kpdemo.media import images
from kpdemo.media.images import ImageError
from kpdemo.zoo import BASELINE

pa = pytest.importorskip("pyarrow", reason="Ray is not installed (kpdemo[archive]).")
ray = pytest.importorskip("ray", reason="Ray is not installed (kpdemo[archive]).")

import pyarrow.parquet as pq  # noqa: E402
from pyarrow.fs import LocalFileSystem, SubTreeFileSystem  # noqa: E402
from ray.data.checkpoint import CheckpointConfig  # noqa: E402

from kpdemo.archive import archive, places, sources  # noqa: E402
from kpdemo.archive.archive import Workers  # noqa: E402
from kpdemo.archive.places import Place  # noqa: E402

pytestmark = pytest.mark.slow

ROOT = Path(__file__).parents[2]
MODELS = ["simplenet", BASELINE]
PATIENCE = 300.0


@pytest.fixture
def photos(tmp_path, hopper_path, astronaut_path) -> Path:
    """Forty files, of which three are no photos."""
    place = tmp_path / "photos"
    (place / "inner").mkdir(parents=True)
    for number in range(18):
        shutil.copy(hopper_path, place / f"{number:02}.jpg")
        shutil.copy(astronaut_path, place / "inner" / f"{number:02} 100%20#?ä.png")
    shutil.copy(hopper_path, place / "é.jpg")
    (place / "text.jpg").write_text("not a picture")
    (place / "empty.png").touch()
    (place / "gone.jpg").symlink_to(place / "nowhere.jpg")
    return place


def processes_with(variable: str) -> list[Path]:
    """The processes that inherited a variable, as Ray's do from the program that starts it."""
    found = []
    for environment in Path("/proc").glob("[0-9]*/environ"):
        try:
            if variable.encode() in environment.read_bytes():
                found.append(environment.parent)
        except OSError:  # it has ended
            continue
    return found


def wait_until(state) -> None:
    deadline = time.monotonic() + PATIENCE
    while not state():
        assert time.monotonic() < deadline
        time.sleep(0.1)


def rows(out: Path) -> list[dict]:
    return pq.read_table(out / "photos").to_pylist()


@pytest.mark.skipif(sys.platform != "linux", reason="Ended processes are looked for in /proc.")
def test_a_killed_run_goes_on_and_has_every_photo_once(
    photos, tmp_path, hopper_path, astronaut_path
):
    out = tmp_path / "out"
    words = ["archive", photos, out, "--models", *MODELS, "--batch", "4", "--workers", "1"]
    mark = f"KPDEMO_TEST={tmp_path}"
    with subprocess.Popen(
        [sys.executable, "-m", "kpdemo", *words],
        cwd=ROOT,
        env=os.environ | dict([mark.split("=", 1)]),
    ) as killed:
        wait_until(lambda: any((out / "checkpoint").glob("*[0-9].parquet")))
        killed.kill()
    wait_until(lambda: not processes_with(mark))
    # The rest with the two stages of a machine with a GPU; without one, Ray only believes in it.
    summary = archive.run(str(photos), str(out), MODELS, Workers(1, 1, gpus=1), 4)
    assert 0 < summary.before < 40
    assert summary.before + summary.photos == 40

    by_name = {row["path"]: row for row in rows(out)}
    assert len(by_name) == len(rows(out)) == 40
    assert set(summary.bad) == {"text.jpg", "empty.png", "gone.jpg"}
    assert all(why.endswith(".") for why in summary.bad.values())
    expected = {".jpg": compare(hopper_path, MODELS), ".png": compare(astronaut_path, MODELS)}
    for name, row in by_name.items():
        if name in summary.bad:
            assert row["error"] == summary.bad[name] and not row["faces"]
            continue
        comparison = expected[name[-4:]]
        assert (row["width"], row["height"]) == (comparison.width, comparison.height)
        (face,), (alone,) = row["faces"], comparison.faces
        np.testing.assert_allclose(face["box"], alone.box, atol=0.01)
        assert {points["model"] for points in face["points"]} == set(MODELS)
        for points in face["points"]:
            answer = alone.predictions[points["model"]]
            own = points["markup"] == answer.markup
            there = answer.keypoints if own else answer.converted[points["markup"]]
            # bf16 rounds by the shape of the batch.
            np.testing.assert_allclose(np.transpose([points["x"], points["y"]]), there, atol=0.5)

    with pytest.raises(ValueError, match="holds answers of mediapipe, simplenet"):
        archive.run(str(photos), str(out), ["unet"], Workers(1, 1), 4)


@pytest.fixture(scope="module")
def cluster():
    with archive.connected(Workers(1, 1)):
        yield


@pytest.fixture
def pictures(hopper_path, astronaut_path) -> dict[str, bytes]:
    return {"a.jpg": hopper_path.read_bytes(), "b.png": astronaut_path.read_bytes()}


@pytest.fixture
def address(tmp_path, pictures):
    """Where the pictures can be fetched, as from any web server."""
    place = tmp_path / "web"
    place.mkdir()
    for name, data in pictures.items():
        (place / name).write_bytes(data)
    handler = partial(SimpleHTTPRequestHandler, directory=place)
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def write_tar(path: Path, files: dict[str, bytes]) -> Path:
    with tarfile.open(path, "w") as tar:
        for name, data in files.items():
            member = tarfile.TarInfo(name)
            member.size = len(data)
            tar.addfile(member, io.BytesIO(data))
    return path


def read(place: Path, tmp_path: Path, column: str | None = None) -> dict[str, bytes]:
    out = tmp_path / "out"
    out.mkdir()
    source = sources.read(Place.of(str(place)), Place.of(str(out)), column)
    found = source.photos.take_all()
    assert len({row[source.id] for row in found}) == len(found)
    return {row["path"]: row["image"] for row in found}


def test_tars_are_read(cluster, tmp_path, pictures):
    place = tmp_path / "shards"
    place.mkdir()
    tar = write_tar(place / "0.tar", {**pictures, "b.txt": b"her name", "c.json": b"{}"})
    assert read(place, tmp_path) == {
        f"{tar}/a.jpg": pictures["a.jpg"],
        f"{tar}/b.png": pictures["b.png"],
        f"{tar}/c": None,
    }


def test_a_resumed_run_leaves_out_what_is_done_of_tars(cluster, tmp_path, pictures):
    tar = write_tar(tmp_path / "0.tar", pictures)
    source = sources.read(Place.of(str(tar)), Place.of(str(tmp_path)), None)
    done = ray.put(np.array([f"{tar}/a.jpg"], object))
    (block,) = source.photos.iter_batches(batch_format="pandas")
    left = source.filter(CheckpointConfig("path", str(tmp_path)), done).filter_rows_for_block(block)
    assert left["path"].to_pylist() == [f"{tar}/b.png"]


def test_pictures_in_parquet_are_read_as_data_sets_of_the_hub_have_them(
    cluster, tmp_path, pictures
):
    cells = [{"bytes": data, "path": name} for name, data in pictures.items()]
    pq.write_table(pa.table({"label": [0, 1], "image": cells}), tmp_path / "train.parquet")
    assert read(tmp_path / "train.parquet", tmp_path) == pictures


def test_addresses_in_parquet_are_fetched(cluster, tmp_path, pictures, address):
    names = [f"{address}/{name}" for name in (*pictures, "gone.jpg")]
    pq.write_table(pa.table({"url": names, "text": names}), tmp_path / "list.parquet")
    values = dict(zip(names, (*pictures.values(), None), strict=True))
    assert read(tmp_path / "list.parquet", tmp_path) == values
    with pytest.raises(ValueError, match="--column"):
        sources.read(Place.of(str(tmp_path / "list.parquet")), Place.of(str(tmp_path)), "none")


def test_photos_in_a_store_are_read_as_those_here(photos, hopper):
    # Anything that is not this machine's own file system stands for a bucket.
    store = Place(SubTreeFileSystem(str(photos.parent), LocalFileSystem()), "photos")
    paths = store.files(())
    assert set(paths) == set(Place.of(str(photos)).files(())) - {"gone.jpg"}
    loaded = images.load(places.photo(store.filesystem, paths["é.jpg"]))
    np.testing.assert_array_equal(loaded.pixels, hopper)
    with pytest.raises(ImageError, match="could not be opened"):
        images.load(places.photo(store.filesystem, "photos/nowhere.jpg"))


def test_a_place_without_photos_ends_in_one_sentence(tmp_path):
    out = tmp_path / "out"
    (tmp_path / "empty").mkdir()
    for source in ("empty", "none", "no-such://bucket"):
        with pytest.raises(ValueError, match=r"\.$"):
            Place.of(str(tmp_path / source) if source != "no-such://bucket" else source).files(())
    with pytest.raises(ValueError, match="lies among the photos"):
        archive.run(str(tmp_path), str(out), MODELS, Workers(1, 1), 4)
