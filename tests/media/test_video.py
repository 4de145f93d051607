"""Reading short videos: their frames at their times, and a sentence for what cannot be read."""

import struct
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import pytest
from helpers import videos

from kpdemo.media import video
from kpdemo.media.video import Clip, VideoError


@pytest.mark.parametrize("name", ["clip", "IMG_1.MOV", "12:30.mp4", "100%d.mp4", "ünï ✓.bin"])
def test_the_bytes_of_a_file_count_and_not_its_name(tmp_path, monkeypatch, name):
    monkeypatch.chdir(tmp_path)
    videos.write(tmp_path / "clip.mp4", videos.plain(3)).rename(name)
    assert len(moments(Path(name))) == 3


def test_sound_alone_is_refused_in_one_sentence(tmp_path):
    """An MP4 whose only track is marked as sound."""
    source = videos.write(tmp_path / "clip.mp4", videos.plain(3))
    source.write_bytes(source.read_bytes().replace(b"vide", b"soun").replace(b"vmhd", b"smhd"))
    with pytest.raises(VideoError, match="only sound"):
        Clip(source)


@pytest.mark.parametrize(
    ("rate", "count", "kept", "numbers"),
    [(25, 5, 25, [0, 1, 2, 3, 4]), (60, 6, 30, [0, 2, 4]), (50, 6, 25, [0, 2, 4])],
)
def test_more_than_thirty_frames_a_second_are_thinned_evenly(tmp_path, rate, count, kept, numbers):
    source = videos.write(tmp_path / "fast.webm", videos.plain(count), rate, "VP80")
    with Clip(source) as clip:
        assert clip.rate == pytest.approx(kept)
        frames = list(clip)
    assert [frame.number for frame in frames] == numbers
    assert [frame.slot for frame in frames] == list(range(len(numbers)))


@pytest.mark.parametrize(
    ("rate", "every", "kept", "numbers"),
    [(10, 2, 5, [0, 2, 4, 6]), (10, 3, 10 / 3, [0, 3, 6]), (60, 2, 15, [0, 4])],
)
def test_a_part_of_the_frames_is_taken_at_even_times(tmp_path, rate, every, kept, numbers):
    source = videos.write(tmp_path / "clip.webm", videos.plain(8), rate, "VP80")
    with Clip(source, every) as clip:
        assert clip.rate == pytest.approx(kept, abs=0.001)
        assert clip.slots == len(numbers)
        frames = list(clip)
    assert [frame.number for frame in frames] == numbers
    assert [frame.slot for frame in frames] == list(range(len(numbers)))


def text(folder: Path) -> Path:
    (folder / "text.mp4").write_text("no video at all\n" * 20)
    return folder / "text.mp4"


def playlist(folder: Path) -> Path:
    videos.write(folder / "other.webm", videos.plain(3), codec="VP80")
    (folder / "list.mp4").write_text("#EXTM3U\n#EXTINF:1,\nother.webm\n#EXT-X-ENDLIST\n")
    return folder / "list.mp4"


def empty(folder: Path) -> Path:
    (folder / "empty.mp4").touch()
    return folder / "empty.mp4"


def missing(folder: Path) -> Path:
    return folder / "gone.mp4"


def half(folder: Path) -> Path:
    whole = videos.write(folder / "whole.mp4", videos.plain(3)).read_bytes()
    (folder / "half.mp4").write_bytes(whole[: len(whole) // 2])
    return folder / "half.mp4"


def long(folder: Path) -> Path:
    return videos.write(folder / "long.avi", videos.plain(26), rate=1, codec="MJPG")


def heavy(folder: Path) -> Path:
    path = folder / "heavy.mp4"
    with path.open("wb") as file:
        file.truncate(video.MAX_BYTES + 1)
    return path


def tiny(folder: Path) -> Path:
    return videos.write(folder / "tiny.avi", videos.plain(2, 8, 8), codec="MJPG")


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


def moments(path: Path) -> list[tuple[int, float, int]]:
    """Number, milliseconds and slot of each frame that a clip gives."""
    with Clip(path) as clip:
        return [(frame.number, round(1000 * frame.seconds), frame.slot) for frame in clip]


EVEN = [(k, 100 * k, k) for k in range(6)]


@pytest.mark.parametrize("suffix", [".webm", ".mkv"])
def test_a_clip_cut_from_a_recording_is_as_long_as_its_frames(tmp_path, suffix):
    whole = videos.write(tmp_path / "whole.webm", videos.plain(6), codec="VP80")
    late = videos.retime(whole, tmp_path / f"late{suffix}", [31_000 + 100 * k for k in range(6)])
    with Clip(late) as clip:
        assert (clip.rate, clip.slots) == (pytest.approx(10), 6)
    assert moments(late) == EVEN


def test_a_clip_of_an_edit_list_is_as_long_as_the_edit(tmp_path):
    whole = videos.write(tmp_path / "whole.mp4", videos.plain(300))
    data = bytearray(whole.read_bytes())
    scale = struct.unpack_from(">I", data, data.index(b"mdhd") + 16)[0]
    struct.pack_into(">2I", data, data.index(b"elst") + 12, 600, 20 * scale)
    (tmp_path / "edit.mp4").write_bytes(data)
    assert moments(tmp_path / "edit.mp4") == EVEN
    with pytest.raises(VideoError, match="30 s, and 20 s is the limit"):
        Clip(whole)


@pytest.mark.parametrize("milliseconds", [31_000.0, 0.0, 1.0, None])
def test_a_wrong_length_in_the_header_changes_nothing(tmp_path, milliseconds):
    source = videos.write(tmp_path / "clip.webm", videos.plain(6), codec="VP80")
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
    source = videos.write(tmp_path / "long.webm", videos.plain(210), codec="VP80")
    data = bytearray(source.read_bytes())
    struct.pack_into(">d", data, data.index(b"\x44\x89\x88") + 3, 5000)
    source.write_bytes(data)
    with pytest.raises(VideoError, match="21 s, and 20 s is the limit"):
        Clip(source)


def test_a_recording_of_a_browser_has_the_rate_of_its_frames(tmp_path):
    even = videos.write(tmp_path / "even.webm", videos.plain(60), codec="VP80")
    source = videos.retime(
        even, tmp_path / "browser.webm", [round(k * 1000 / 30) for k in range(60)]
    )
    assert cv2.VideoCapture(str(source)).get(cv2.CAP_PROP_FPS) == 1000
    with Clip(source) as clip:
        assert clip.rate == pytest.approx(30, abs=0.05)
        assert [frame.slot for frame in clip] == list(range(60))


def test_one_frame_in_two_seconds_keeps_its_time(tmp_path):
    source = videos.write(tmp_path / "slides.mkv", videos.plain(4), rate=0.5, codec="MJPG")
    assert [time for _, time, _ in moments(source)] == [0, 2000, 4000, 6000]


def test_a_cut_tail_leaves_what_is_readable(tmp_path):
    for name, codec in (("whole.webm", "VP80"), ("whole.avi", "MJPG")):
        rng = np.random.default_rng(0)
        frames = [rng.integers(0, 255, (48, 64, 3), np.uint8) for _ in range(10)]
        source = videos.write(tmp_path / name, frames, codec=codec)
        data = source.read_bytes()
        source.write_bytes(data[: len(data) * 2 // 3])
        times = moments(source)
        assert 4 <= len(times) <= 8
        assert times == [(k, 100 * k, k) for k in range(len(times))]


def test_frames_after_a_damaged_part_are_read(tmp_path):
    rng = np.random.default_rng(0)
    frames = [rng.integers(0, 255, (48, 64, 3), np.uint8) for _ in range(20)]
    source = videos.write(tmp_path / "hole.mp4", frames)
    data = bytearray(source.read_bytes())
    middle = len(data) // 2
    data[middle : middle + 3000] = bytes(3000)
    source.write_bytes(data)
    times = moments(source)
    assert times[0] == (0, 0, 0) and times[-1] == (19, 1900, 19)
    assert all(time == 100 * number for number, time, _ in times)


def stretched_webm(folder: Path) -> Path:
    """Stored as 64 x 48, to be shown as 128 x 48."""
    source = videos.write(folder / "wide.webm", square_on_grey(), codec="VP80")
    data = source.read_bytes()
    language, size = b"\x9c\x81\x00\x22\xb5\x9c\x83und", b"\xe0\x86\xb0\x81\x40\xba\x81\x30"
    assert language in data and size in data
    data = data.replace(language, b"\xec\x84" + bytes(4))
    data = data.replace(size, b"\xe0\x8a" + size[2:] + b"\x54\xb0\x81\x80")
    source.write_bytes(data)
    return source


def stretched_mp4(folder: Path) -> Path:
    return videos.transform(
        videos.write(folder / "wide.mp4", square_on_grey()), 131072, 0, 0, 65536
    )


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
    source = videos.transform(videos.write(tmp_path / "phone.mp4", [stored]), *matrix)
    with Clip(source) as clip:
        (frame,) = clip
    assert frame.photo.pixels.shape == np.rot90(stored, turn).shape
    assert np.abs(frame.photo.pixels.astype(int) - np.rot90(stored, turn)).mean() < 12
