"""Short videos through the whole chain: frames in, an annotated video and a table out."""

import csv
import io
from pathlib import Path

import cv2
import numpy as np
import pytest
from helpers import videos

from kpdemo.engine.annotated_video import CSV_COLUMNS, annotate
from kpdemo.engine.engine import engine
from kpdemo.media import video_writer
from kpdemo.media.video import Clip, VideoError

TITLES = {"simplenet": "SimpleNet", "mediapipe": "MediaPipe"}


@pytest.fixture(scope="module")
def panned(hopper, tmp_path_factory) -> tuple[Path, list[dict[str, str]], list]:
    """The annotated film of eight frames, the rows of the table, and what was yielded."""
    folder = tmp_path_factory.mktemp("video")
    source, film = (
        videos.write(folder / "pan.mp4", videos.pan(hopper, 8)),
        folder / f"film{video_writer.SUFFIX}",
    )
    table = io.StringIO()
    with Clip(source) as clip:
        steps = list(annotate(engine(), clip, TITLES, film, table))
    table.seek(0)
    return film, list(csv.DictReader(table)), steps


def test_the_film_has_every_frame_with_both_panels(panned):
    film, _, steps = panned
    assert [step.source.number for step in steps] == list(range(8))
    frames = videos.read(film)
    assert len(frames) == 8
    height, width = frames[0].shape[:2]
    assert width > 2 * videos.WIDTH and height > videos.HEIGHT
    assert cv2.VideoCapture(str(film)).get(cv2.CAP_PROP_FPS) == pytest.approx(10)
    left, right = (
        frames[0][-videos.HEIGHT :, : videos.WIDTH],
        frames[0][-videos.HEIGHT :, -videos.WIDTH :],
    )
    # The same picture, with other points on it.
    assert np.median(np.abs(left.astype(int) - right)) < 4
    assert np.abs(left.astype(int) - right).max() > 60


def test_the_table_has_a_row_a_frame_face_model_and_point(panned):
    _, rows, steps = panned
    assert tuple(rows[0]) == CSV_COLUMNS
    assert all(len(step.compared.raw.faces) == 1 for step in steps)
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
    assert x[1] - x[0] == pytest.approx(7 * videos.STEP, abs=videos.STEP)


def test_large_frames_are_compared_small_and_told_in_their_own_pixels(hopper, tmp_path):
    large = cv2.resize(videos.pan(hopper, 1)[0], None, fx=4, fy=4)
    source = videos.write(tmp_path / "large.avi", [large], codec="MJPG")
    table = io.StringIO()
    with Clip(source) as clip:
        (step,) = annotate(engine(), clip, TITLES, tmp_path / "film.webm", table)
    frame, comparison = step.source, step.compared.raw
    assert max(frame.photo.pixels.shape) < 4 * videos.WIDTH
    assert (comparison.width, comparison.height) == (4 * videos.WIDTH, 4 * videos.HEIGHT)
    x0, _, x1, _ = comparison.faces[0].box
    assert 4 * 40 < x0 < x1 < 4 * 296 and x1 - x0 > 4 * 50
    table.seek(0)
    xs = [float(row["x"]) for row in csv.DictReader(table)]
    assert x0 < np.mean(xs) < x1


def test_stopping_in_the_middle_lets_go_of_the_files(hopper, tmp_path):
    source, film = videos.write(tmp_path / "pan.mp4", videos.pan(hopper, 3)), tmp_path / "film.webm"
    with Clip(source) as clip:
        steps = annotate(engine(), clip, TITLES, film, io.StringIO())
        next(steps)
        steps.close()
    assert len(videos.read(film)) == 1  # closed in good order


def test_a_video_without_a_face_says_so_at_the_end(tmp_path):
    source = videos.write(tmp_path / "sky.mp4", videos.plain(2, 160, 120))
    with Clip(source) as clip, pytest.raises(VideoError, match="No face found in the whole video"):
        list(annotate(engine(), clip, TITLES, tmp_path / "film.webm", io.StringIO()))


def test_the_film_keeps_a_pause_of_the_video(hopper, tmp_path):
    even = videos.write(tmp_path / "even.webm", videos.pan(hopper, 6), codec="VP80")
    times = [500, 600, 700, 1700, 1800, 1900]
    source, film = videos.retime(even, tmp_path / "pause.webm", times), tmp_path / "film.webm"
    table = io.StringIO()
    with Clip(source) as clip:
        assert (clip.rate, clip.slots) == (pytest.approx(10), 15)
        steps = list(annotate(engine(), clip, TITLES, film, table))
    assert [step.source.seconds for step in steps] == pytest.approx([0, 0.1, 0.2, 1.2, 1.3, 1.4])
    assert len(videos.read(film)) == 15
    table.seek(0)
    seconds = {float(row["seconds"]) for row in csv.DictReader(table)}
    assert sorted(seconds) == [0, 0.1, 0.2, 1.2, 1.3, 1.4]


def test_the_table_of_stretched_pixels_is_in_square_ones(hopper, tmp_path):
    square = videos.pan(hopper, 1)[0]
    narrow = cv2.resize(square, (videos.WIDTH // 2, videos.HEIGHT), interpolation=cv2.INTER_AREA)
    tables = []
    for name, frame, wide in (("square", square, 1), ("narrow", narrow, 2)):
        source = videos.transform(
            videos.write(tmp_path / f"{name}.mp4", [frame]), wide << 16, 0, 0, 65536
        )
        film, table = tmp_path / f"{name}.webm", io.StringIO()
        with Clip(source) as clip:
            list(annotate(engine(), clip, TITLES, film, table))
        table.seek(0)
        rows = csv.DictReader(table)
        points = [(float(row["x"]), float(row["y"])) for row in rows if row["model"] == "mediapipe"]
        tables.append((np.array(points), videos.read(film)[0].shape))
    (points, shape), (stretched, stretched_shape) = tables
    assert np.abs(points - stretched).mean() < 3
    assert shape == stretched_shape


def test_a_face_number_in_the_table_is_a_persons(hopper, tmp_path):
    """One comes nearer while the other goes away: the bigger face is another one then."""
    portrait = hopper[0:512]
    frames = []
    for k in range(6):
        frame = np.full((300, 600, 3), 120, np.uint8)
        for left, side in ((0, 280 - 24 * k), (310, 150 + 24 * k)):
            frame[:side, left : left + side] = cv2.resize(portrait, (side, side))
        frames.append(frame)
    source, table = videos.write(tmp_path / "two.mp4", frames), io.StringIO()
    with Clip(source) as clip:
        list(annotate(engine(), clip, TITLES, tmp_path / "film.webm", table))
    table.seek(0)
    sides = {(row["face"], float(row["x"]) < 300) for row in csv.DictReader(table)}
    assert sides == {("0", True), ("1", False)}


def shaken(hopper: np.ndarray, count: int) -> list[np.ndarray]:
    """The portrait at rest, filmed by a noisy camera."""
    rng = np.random.default_rng(0)
    still = videos.pan(hopper, 1)[0].astype(float)
    noise = rng.normal(0, 10, (count, *still.shape))
    return list((still + noise).clip(0, 255).astype(np.uint8))


def test_steadied_points_jitter_less_and_stand_beside_the_models_own(hopper, tmp_path):
    source = videos.write(tmp_path / "noise.mp4", shaken(hopper, 20), rate=30)
    table = io.StringIO()
    with Clip(source) as clip:
        steps = list(annotate(engine(), clip, TITLES, tmp_path / "film.webm", table))
    assert steps[0].compared.jitter == {}
    for model in TITLES:
        raw, steady = np.mean([step.compared.jitter[model] for step in steps[1:]], axis=0)
        assert 0 < steady < raw / 2
    table.seek(0)
    rows = [row for row in csv.DictReader(table) if row["model"] == "simplenet"]
    raw, steady = (
        np.array([[float(row[x]), float(row[y])] for row in rows]).reshape(20, 68, 2)
        for x, y in (("x", "y"), ("steady_x", "steady_y"))
    )
    assert (raw[0] == steady[0]).all()
    assert np.abs(steady - raw).max() < 5
    later = slice(10, None)
    assert steady[later].std(0).mean() < 0.6 * raw[later].std(0).mean()


def test_steadying_can_be_switched_off(hopper, tmp_path):
    source = videos.write(tmp_path / "noise.mp4", shaken(hopper, 4), rate=30)
    pictures = {}
    for steady in (True, False):
        with Clip(source) as clip:
            film = tmp_path / f"{steady}.webm"
            steps = annotate(engine(), clip, TITLES, film, io.StringIO(), steady=steady)
            pictures[steady] = [step.picture for step in steps]
    assert (pictures[True][0] == pictures[False][0]).all()
    assert (pictures[True][3] != pictures[False][3]).any()


@pytest.mark.parametrize(("count", "columns"), [(1, 1), (2, 2), (3, 3), (4, 2), (5, 3)])
def test_panels_stand_in_rows_of_a_film_that_fits_a_screen(hopper, tmp_path, count, columns):
    titles = dict.fromkeys(
        ("simplenet", "mediapipe", "resnet18", "unet", "keypoint-resnet")[:count], "Title"
    )
    source = videos.write(tmp_path / "one.mp4", videos.pan(hopper, 1))
    with Clip(source) as clip:
        (step,) = annotate(engine(), clip, titles, tmp_path / "film.webm", io.StringIO())
    height, width = step.picture.shape[:2]
    assert width == columns * (videos.WIDTH + 4) - 4
    assert height > -(-count // columns) * videos.HEIGHT
    assert step.picture.shape == videos.read(tmp_path / "film.webm")[0].shape
