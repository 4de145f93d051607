"""Short videos through the whole chain: frames in, an annotated video and a table out."""

import csv
import io
import struct
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest

from kpdemo import video
from kpdemo.compare import engine
from kpdemo.video import Clip, VideoError

TITLES = {"simplenet": "SimpleNet", "mediapipe": "MediaPipe"}
STEP = 6  # pixels that the portrait moves from frame to frame
WIDTH, HEIGHT = 400, 300


def write(path: Path, frames: list[np.ndarray], rate: float = 10, codec: str = "mp4v") -> Path:
    size = frames[0].shape[1::-1]
    out = cv2.VideoWriter(str(path), cv2.VideoWriter_fourcc(*codec), rate, size)
    for frame in frames:
        out.write(cv2.cvtColor(frame, cv2.COLOR_RGB2BGR))
    out.release()
    return path


def pan(hopper: np.ndarray, count: int) -> list[np.ndarray]:
    """The portrait on grey, `STEP` pixels farther right in every frame."""
    portrait = cv2.resize(hopper, (256, HEIGHT), interpolation=cv2.INTER_AREA)
    frames = []
    for k in range(count):
        frame = np.full((HEIGHT, WIDTH, 3), 120, np.uint8)
        frame[:, 40 + STEP * k : 296 + STEP * k] = portrait
        frames.append(frame)
    return frames


def plain(count: int, width: int = 64, height: int = 48) -> list[np.ndarray]:
    return [np.full((height, width, 3), 40 + k, np.uint8) for k in range(count)]


def read(path: Path) -> list[np.ndarray]:
    capture = cv2.VideoCapture(str(path))
    frames = []
    while (found := capture.read())[0]:
        frames.append(found[1])
    capture.release()
    return frames


@pytest.fixture(scope="module")
def panned(hopper, tmp_path_factory) -> tuple[Path, list[dict[str, str]], list]:
    """The annotated film of eight frames, the rows of the table, and what was yielded."""
    folder = tmp_path_factory.mktemp("video")
    source, film = write(folder / "pan.mp4", pan(hopper, 8)), folder / f"film{video.SUFFIX}"
    table = io.StringIO()
    with Clip(source) as clip:
        steps = list(video.annotate(engine(), clip, TITLES, film, table))
    table.seek(0)
    return film, list(csv.DictReader(table)), steps


def test_the_film_has_every_frame_with_both_panels(panned):
    film, _, steps = panned
    assert [frame.number for frame, _ in steps] == list(range(8))
    frames = read(film)
    assert len(frames) == 8
    height, width = frames[0].shape[:2]
    assert width > 2 * WIDTH and height > HEIGHT
    assert cv2.VideoCapture(str(film)).get(cv2.CAP_PROP_FPS) == pytest.approx(10)
    left, right = frames[0][-HEIGHT:, :WIDTH], frames[0][-HEIGHT:, -WIDTH:]
    # The same picture, with other points on it.
    assert np.median(np.abs(left.astype(int) - right)) < 4
    assert np.abs(left.astype(int) - right).max() > 60


def test_the_table_has_a_row_a_frame_face_model_and_point(panned):
    _, rows, steps = panned
    assert tuple(rows[0]) == video.CSV_COLUMNS
    assert all(len(comparison.faces) == 1 for _, comparison in steps)
    assert len(rows) == 8 * (68 + 478 + 68 + 68)  # MediaPipe's mesh is read as iBUG's in two ways
    assert sorted({(int(row["frame"]), float(row["seconds"])) for row in rows}) == [
        (k, pytest.approx(k / 10)) for k in range(8)
    ]


@pytest.mark.parametrize("model", TITLES)
def test_points_move_with_the_pan(panned, model):
    _, rows, _ = panned
    x = [
        np.mean([float(r["x"]) for r in rows if r["model"] == model and r["frame"] == str(k)])
        for k in (0, 7)
    ]
    assert x[1] - x[0] == pytest.approx(7 * STEP, abs=STEP)


def test_large_frames_are_compared_small_and_told_in_their_own_pixels(hopper, tmp_path):
    large = cv2.resize(pan(hopper, 1)[0], None, fx=4, fy=4)
    source = write(tmp_path / "large.avi", [large], codec="MJPG")
    table = io.StringIO()
    with Clip(source) as clip:
        ((frame, comparison),) = video.annotate(
            engine(), clip, TITLES, tmp_path / "film.webm", table
        )
    assert max(frame.photo.pixels.shape) < 4 * WIDTH
    assert (comparison.width, comparison.height) == (4 * WIDTH, 4 * HEIGHT)
    x0, _, x1, _ = comparison.faces[0].box
    assert 4 * 40 < x0 < x1 < 4 * 296 and x1 - x0 > 4 * 50
    table.seek(0)
    xs = [float(row["x"]) for row in csv.DictReader(table)]
    assert x0 < np.mean(xs) < x1


def turn_by_metadata(path: Path) -> Path:
    """Mark an MP4 to be shown a quarter turned, as phones do."""
    data = bytearray(path.read_bytes())
    at = data.index(b"tkhd") + 44
    data[at : at + 36] = struct.pack(">9i", 0, 65536, 0, -65536, 0, 0, 48 << 16, 0, 1 << 30)
    path.write_bytes(data)
    return path


def test_a_video_that_is_marked_as_turned_is_read_upright(tmp_path):
    frame = plain(1)[0]
    frame[:24] = 250  # the upper half, which a turn clockwise brings to the right
    source = turn_by_metadata(write(tmp_path / "phone.mp4", [frame]))
    with Clip(source) as clip:
        (found,) = clip
    pixels = found.photo.pixels
    assert pixels.shape[:2] == (64, 48)
    assert pixels[:, 36:].mean() > 200 > pixels[:, :12].mean()


@pytest.mark.parametrize(
    ("rate", "count", "kept", "numbers"),
    [(25, 5, 25, [0, 1, 2, 3, 4]), (60, 6, 30, [0, 2, 4]), (50, 6, 25, [0, 2, 4])],
)
def test_more_than_thirty_frames_a_second_are_thinned_evenly(tmp_path, rate, count, kept, numbers):
    source = write(tmp_path / "fast.webm", plain(count), rate, "VP80")
    with Clip(source) as clip:
        assert clip.rate == pytest.approx(kept)
        frames = list(clip)
    assert [frame.number for frame in frames] == numbers
    assert [frame.slot for frame in frames] == list(range(len(numbers)))


def test_stopping_in_the_middle_lets_go_of_the_files(hopper, tmp_path):
    source, film = write(tmp_path / "pan.mp4", pan(hopper, 3)), tmp_path / "film.webm"
    with Clip(source) as clip:
        steps = video.annotate(engine(), clip, TITLES, film, io.StringIO())
        next(steps)
        steps.close()
    assert len(read(film)) == 1  # closed in good order


def text(folder: Path) -> Path:
    (folder / "text.mp4").write_text("no video at all\n" * 20)
    return folder / "text.mp4"


def playlist(folder: Path) -> Path:
    write(folder / "other.webm", plain(3), codec="VP80")
    (folder / "list.mp4").write_text("#EXTM3U\n#EXTINF:1,\nother.webm\n#EXT-X-ENDLIST\n")
    return folder / "list.mp4"


def empty(folder: Path) -> Path:
    (folder / "empty.mp4").touch()
    return folder / "empty.mp4"


def missing(folder: Path) -> Path:
    return folder / "gone.mp4"


def half(folder: Path) -> Path:
    whole = write(folder / "whole.mp4", plain(3)).read_bytes()
    (folder / "half.mp4").write_bytes(whole[: len(whole) // 2])
    return folder / "half.mp4"


def long(folder: Path) -> Path:
    return write(folder / "long.avi", plain(26), rate=1, codec="MJPG")


def heavy(folder: Path) -> Path:
    path = folder / "heavy.mp4"
    with path.open("wb") as file:
        file.truncate(video.MAX_BYTES + 1)
    return path


def tiny(folder: Path) -> Path:
    return write(folder / "tiny.avi", plain(2, 8, 8), codec="MJPG")


@pytest.mark.parametrize(
    ("make", "part"),
    [
        (text, "not a video"),
        (playlist, "not a video"),
        (empty, "empty"),
        (missing, "choose it again"),
        (half, "damaged"),
        (long, "26 s, and 20 s is the limit"),
        (heavy, "larger than 50 MB"),
        (tiny, "too small"),
    ],
)
def test_a_bad_file_is_refused_in_one_sentence(tmp_path, make: Callable[[Path], Path], part):
    with pytest.raises(VideoError, match=part) as refused, Clip(make(tmp_path)) as clip:
        list(clip)
    assert "\n" not in str(refused.value) and str(refused.value).endswith(".")


def test_a_video_without_a_face_says_so_at_the_end(tmp_path):
    source = write(tmp_path / "sky.mp4", plain(2, 160, 120))
    with Clip(source) as clip, pytest.raises(VideoError, match="No face found in the whole video"):
        list(video.annotate(engine(), clip, TITLES, tmp_path / "film.webm", io.StringIO()))
