"""Short videos through the whole chain: frames in, an annotated video and a table out."""

import csv
import io
import struct
from collections.abc import Callable, Sequence
from pathlib import Path

import cv2
import numpy as np
import pytest

from kpdemo.engine.engine import engine
from kpdemo.media import video
from kpdemo.media.video import Clip, VideoError

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
    return [np.full((height, width, 3), 40 + k % 200, np.uint8) for k in range(count)]


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
    # MediaPipe's mesh is read as iBUG's in two ways, and as Kaggle's.
    assert len(rows) == 8 * (68 + 478 + 68 + 68 + 15)
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


def transform(path: Path, a: int, b: int, c: int, d: int) -> Path:
    """Give an MP4 a matrix in 16.16 fixed point, by which players show its pixels."""
    data = bytearray(path.read_bytes())
    struct.pack_into(">9i", data, data.index(b"tkhd") + 44, a, b, 0, c, d, 0, 0, 0, 1 << 30)
    path.write_bytes(data)
    return path


@pytest.mark.parametrize("name", ["clip", "IMG_1.MOV", "12:30.mp4", "100%d.mp4", "ünï ✓.bin"])
def test_the_bytes_of_a_file_count_and_not_its_name(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "clip.mp4", plain(3)).rename(name)
    assert len(moments(Path(name))) == 3


def test_sound_alone_is_refused_in_one_sentence(tmp_path):
    """An MP4 whose only track is marked as sound."""
    source = write(tmp_path / "clip.mp4", plain(3))
    source.write_bytes(source.read_bytes().replace(b"vide", b"soun").replace(b"vmhd", b"smhd"))
    with pytest.raises(VideoError, match="only sound"):
        Clip(source)


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


def retime(source: Path, target: Path, milliseconds: Sequence[int]) -> Path:
    """The first frames of a VP8 video, each at its time; the header names 1000 frames a second."""
    packets = cv2.VideoCapture(str(source), cv2.CAP_FFMPEG, [cv2.CAP_PROP_FORMAT, -1])
    size = [int(packets.get(p)) for p in (cv2.CAP_PROP_FRAME_WIDTH, cv2.CAP_PROP_FRAME_HEIGHT)]
    out = cv2.VideoWriter(
        str(target),
        cv2.CAP_FFMPEG,
        cv2.VideoWriter_fourcc(*"VP80"),
        1000,
        size,
        [cv2.VIDEOWRITER_PROP_RAW_VIDEO, 1],
    )
    for time in milliseconds:
        out.set(cv2.VIDEOWRITER_PROP_PTS, time)
        out.write(packets.read()[1])
    out.release()
    return target


def moments(path: Path) -> list[tuple[int, float, int]]:
    """Number, milliseconds and slot of each frame that a clip gives."""
    with Clip(path) as clip:
        return [(frame.number, round(1000 * frame.seconds), frame.slot) for frame in clip]


EVEN = [(k, 100 * k, k) for k in range(6)]


@pytest.mark.parametrize("suffix", [".webm", ".mkv"])
def test_a_clip_cut_from_a_recording_is_as_long_as_its_frames(tmp_path, suffix):
    whole = write(tmp_path / "whole.webm", plain(6), codec="VP80")
    late = retime(whole, tmp_path / f"late{suffix}", [31_000 + 100 * k for k in range(6)])
    with Clip(late) as clip:
        assert (clip.rate, clip.slots) == (pytest.approx(10), 6)
    assert moments(late) == EVEN


def test_a_clip_of_an_edit_list_is_as_long_as_the_edit(tmp_path):
    whole = write(tmp_path / "whole.mp4", plain(300))
    data = bytearray(whole.read_bytes())
    scale = struct.unpack_from(">I", data, data.index(b"mdhd") + 16)[0]
    struct.pack_into(">2I", data, data.index(b"elst") + 12, 600, 20 * scale)
    (tmp_path / "edit.mp4").write_bytes(data)
    assert moments(tmp_path / "edit.mp4") == EVEN
    with pytest.raises(VideoError, match="30 s, and 20 s is the limit"):
        Clip(whole)


@pytest.mark.parametrize("milliseconds", [31_000.0, 0.0, 1.0, None])
def test_a_wrong_length_in_the_header_changes_nothing(tmp_path, milliseconds):
    source = write(tmp_path / "clip.webm", plain(6), codec="VP80")
    data = bytearray(source.read_bytes())
    at = data.index(b"\x44\x89\x88")
    # Recordings of browsers have no length at all: an empty element in its place.
    data[at : at + 11] = (
        b"\xec\x89" + bytes(9)
        if milliseconds is None
        else b"\x44\x89\x88" + struct.pack(">d", milliseconds)
    )
    source.write_bytes(data)
    assert moments(source) == EVEN
    with Clip(source) as clip:
        assert clip.slots == 6


def test_a_header_that_claims_less_does_not_let_a_long_video_in(tmp_path):
    source = write(tmp_path / "long.webm", plain(210), codec="VP80")
    data = bytearray(source.read_bytes())
    struct.pack_into(">d", data, data.index(b"\x44\x89\x88") + 3, 5000)
    source.write_bytes(data)
    with pytest.raises(VideoError, match="21 s, and 20 s is the limit"):
        Clip(source)


def test_the_film_keeps_a_pause_of_the_video(hopper, tmp_path):
    even = write(tmp_path / "even.webm", pan(hopper, 6), codec="VP80")
    times = [500, 600, 700, 1700, 1800, 1900]
    source, film = retime(even, tmp_path / "pause.webm", times), tmp_path / "film.webm"
    table = io.StringIO()
    with Clip(source) as clip:
        assert (clip.rate, clip.slots) == (pytest.approx(10), 15)
        steps = list(video.annotate(engine(), clip, TITLES, film, table))
    assert [frame.seconds for frame, _ in steps] == pytest.approx([0, 0.1, 0.2, 1.2, 1.3, 1.4])
    assert len(read(film)) == 15
    table.seek(0)
    seconds = {float(row["seconds"]) for row in csv.DictReader(table)}
    assert sorted(seconds) == [0, 0.1, 0.2, 1.2, 1.3, 1.4]


def test_a_recording_of_a_browser_has_the_rate_of_its_frames(tmp_path):
    even = write(tmp_path / "even.webm", plain(60), codec="VP80")
    source = retime(even, tmp_path / "browser.webm", [round(k * 1000 / 30) for k in range(60)])
    assert cv2.VideoCapture(str(source)).get(cv2.CAP_PROP_FPS) == 1000
    with Clip(source) as clip:
        assert clip.rate == pytest.approx(30, abs=0.05)
        assert [frame.slot for frame in clip] == list(range(60))


def test_one_frame_in_two_seconds_keeps_its_time(tmp_path):
    source = write(tmp_path / "slides.mkv", plain(4), rate=0.5, codec="MJPG")
    assert [time for _, time, _ in moments(source)] == [0, 2000, 4000, 6000]


def test_a_cut_tail_leaves_what_is_readable(tmp_path):
    for name, codec in (("whole.webm", "VP80"), ("whole.avi", "MJPG")):
        rng = np.random.default_rng(0)
        frames = [rng.integers(0, 255, (48, 64, 3), np.uint8) for _ in range(10)]
        source = write(tmp_path / name, frames, codec=codec)
        data = source.read_bytes()
        source.write_bytes(data[: len(data) * 2 // 3])
        found = moments(source)
        assert 4 <= len(found) <= 8
        assert found == [(k, 100 * k, k) for k in range(len(found))]


def test_frames_after_a_damaged_part_are_read(tmp_path):
    rng = np.random.default_rng(0)
    frames = [rng.integers(0, 255, (48, 64, 3), np.uint8) for _ in range(20)]
    source = write(tmp_path / "hole.mp4", frames)
    data = bytearray(source.read_bytes())
    middle = len(data) // 2
    data[middle : middle + 3000] = bytes(3000)
    source.write_bytes(data)
    found = moments(source)
    assert found[0] == (0, 0, 0) and found[-1] == (19, 1900, 19)
    assert all(time == 100 * number for number, time, _ in found)


def stretched_webm(folder: Path) -> Path:
    """Stored as 64 x 48, to be shown as 128 x 48."""
    source = write(folder / "wide.webm", square_on_grey(), codec="VP80")
    data = source.read_bytes()
    language, size = b"\x9c\x81\x00\x22\xb5\x9c\x83und", b"\xe0\x86\xb0\x81\x40\xba\x81\x30"
    assert language in data and size in data
    data = data.replace(language, b"\xec\x84" + bytes(4))
    data = data.replace(size, b"\xe0\x8a" + size[2:] + b"\x54\xb0\x81\x80")
    source.write_bytes(data)
    return source


def stretched_mp4(folder: Path) -> Path:
    return transform(write(folder / "wide.mp4", square_on_grey()), 131072, 0, 0, 65536)


def square_on_grey() -> list[np.ndarray]:
    """What is 16 x 32 in the file: a square once the pixels are twice as wide as high."""
    frame = np.full((48, 64, 3), 60, np.uint8)
    frame[8:40, 16:32] = 250
    return [frame]


@pytest.mark.parametrize("make", [stretched_webm, stretched_mp4])
def test_pixels_that_are_not_square_are_made_square(tmp_path, make: Callable[[Path], Path]):
    with Clip(make(tmp_path)) as clip:
        (frame,) = clip
    assert (frame.photo.width, frame.photo.height) == (128, 48)
    bright = np.argwhere(frame.photo.pixels.mean(2) > 155)
    (top, left), (bottom, right) = bright.min(0), bright.max(0)
    assert bottom - top == pytest.approx(31, abs=1) and right - left == pytest.approx(31, abs=1)
    assert left == pytest.approx(32, abs=1)


def test_the_table_of_stretched_pixels_is_in_square_ones(hopper, tmp_path):
    square = pan(hopper, 1)[0]
    narrow = cv2.resize(square, (WIDTH // 2, HEIGHT), interpolation=cv2.INTER_AREA)
    tables = []
    for name, frame, wide in (("square", square, 1), ("narrow", narrow, 2)):
        source = transform(write(tmp_path / f"{name}.mp4", [frame]), wide << 16, 0, 0, 65536)
        film, table = tmp_path / f"{name}.webm", io.StringIO()
        with Clip(source) as clip:
            list(video.annotate(engine(), clip, TITLES, film, table))
        table.seek(0)
        rows = csv.DictReader(table)
        points = [(float(row["x"]), float(row["y"])) for row in rows if row["model"] == "mediapipe"]
        tables.append((np.array(points), read(film)[0].shape))
    (points, shape), (stretched, stretched_shape) = tables
    assert np.abs(points - stretched).mean() < 3
    assert shape == stretched_shape


@pytest.mark.parametrize(
    ("turn", "matrix"),
    [
        (0, (65536, 0, 0, 65536)),
        (3, (0, 65536, -65536, 0)),
        (2, (-65536, 0, 0, -65536)),
        (1, (0, -65536, 65536, 0)),
    ],
)
def test_every_turn_of_a_phone_is_undone(tmp_path, turn, matrix):
    stored = np.zeros((48, 64, 3), np.uint8)
    stored[:24, :32], stored[:24, 32:], stored[24:, :32] = 250, 150, 80
    source = transform(write(tmp_path / "phone.mp4", [stored]), *matrix)
    with Clip(source) as clip:
        (frame,) = clip
    assert frame.photo.pixels.shape == np.rot90(stored, turn).shape
    assert np.abs(frame.photo.pixels.astype(int) - np.rot90(stored, turn)).mean() < 12


def test_a_face_number_in_the_table_is_a_persons(hopper, tmp_path):
    """One comes nearer while the other goes away: the bigger face is another one then."""
    portrait = hopper[0:512]
    frames = []
    for k in range(6):
        frame = np.full((300, 600, 3), 120, np.uint8)
        for left, side in ((0, 280 - 24 * k), (310, 150 + 24 * k)):
            frame[:side, left : left + side] = cv2.resize(portrait, (side, side))
        frames.append(frame)
    source, table = write(tmp_path / "two.mp4", frames), io.StringIO()
    with Clip(source) as clip:
        list(video.annotate(engine(), clip, TITLES, tmp_path / "film.webm", table))
    table.seek(0)
    sides = {(row["face"], float(row["x"]) < 300) for row in csv.DictReader(table)}
    assert sides == {("0", True), ("1", False)}
