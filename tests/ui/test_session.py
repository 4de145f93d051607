"""The last photos that a session keeps."""

import numpy as np
import pytest

from kpdemo.media.images import Photo
from kpdemo.structures import Comparison
from kpdemo.ui.session import BYTES_KEPT, FRAME, PHOTOS_KEPT, PhotoResult


def result(path: str, rows: int = 8, look: str = "") -> PhotoResult:
    pixels = np.broadcast_to(np.uint8(0), (rows, 1000, 3))
    comparison = Comparison(width=1000, height=rows, faces=[], timings={}, unavailable={})
    return PhotoResult(path, Photo(pixels, 1000, rows, 1.0), comparison, look=look)


def session(*results: PhotoResult) -> PhotoResult:
    last = None
    for each in results:
        last = each.after(last)
    assert last is not None
    return last


def paths(last: PhotoResult) -> list[str]:
    return [each.path for each in (last, *last.earlier)]


def test_the_last_five_photos_are_kept_the_last_one_first():
    last = session(*(result(f"{k}.jpg") for k in range(7)))
    assert paths(last) == ["6.jpg", "5.jpg", "4.jpg", "3.jpg", "2.jpg"]
    assert PHOTOS_KEPT == 5
    assert not any(each.earlier for each in last.earlier)


def test_going_back_keeps_all_and_their_order_of_coming():
    last = session(result("a.jpg"), result("b.jpg"), result("c.jpg"))
    first = next(each for each in last.earlier if each.path == "a.jpg")
    back = last.back_to(first.number)
    assert back is not None and paths(back) == ["a.jpg", "c.jpg", "b.jpg"]
    ordered = sorted((back, *back.earlier), key=lambda each: each.number)
    assert [each.path for each in ordered] == ["a.jpg", "b.jpg", "c.jpg"]
    assert paths(result("d.jpg").after(back)) == ["d.jpg", "a.jpg", "c.jpg", "b.jpg"]
    assert last.back_to(99) is None


@pytest.mark.parametrize(
    ("again", "kept"),
    [
        (result("a.jpg"), ["a.jpg", "b.jpg"]),
        (result("elsewhere.jpg", look="An example."), ["elsewhere.jpg", "b.jpg", "a.jpg"]),
    ],
)
def test_a_photo_that_comes_again_is_kept_once(again, kept):
    assert paths(session(result("a.jpg"), result("b.jpg"), again)) == kept


def test_an_example_is_the_same_by_what_to_look_at_and_frames_are_never_the_same():
    examples = session(result("", look="Look."), result("b.jpg"), result("x.jpg", look="Look."))
    assert paths(examples) == ["x.jpg", "b.jpg"]
    assert paths(session(result(FRAME), result(FRAME))) == [FRAME, FRAME]


def test_large_photos_are_forgotten_earlier():
    rows = BYTES_KEPT // 3 // 1000 // 3
    last = session(*(result(f"{k}.jpg", rows) for k in range(4)))
    assert paths(last) == ["3.jpg", "2.jpg", "1.jpg"]
    assert paths(result("huge.jpg", 3 * rows + 3).after(last)) == ["huge.jpg"]
