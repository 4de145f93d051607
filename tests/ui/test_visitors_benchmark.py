"""The benchmark of many visitors, on the real app; of times, only that there are some."""

import json
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from kpdemo.benchmark import visitors
from kpdemo.engine.engine import engine
from kpdemo.zoo import WEIGHTS_DIR

MEASURED = WEIGHTS_DIR / "visitors_benchmark.json"


def test_all_visitors_get_their_own_answers(address: str, tmp_path: Path) -> None:
    photos = visitors.write_photos(tmp_path / "photos", 3)
    # In a thread: other tests' Playwright keeps an event loop in this one.
    with ThreadPoolExecutor(1) as thread:
        visits = thread.submit(visitors.ask, address, photos, each=2).result()
    assert len(visits) == 6 and all(visit.seconds > 0 for visit in visits)
    first, other, _ = (engine().compare(photo).to_dict() for photo in photos)
    assert visits[0].answer and visits[1].answer
    assert visitors.same(visits[0].answer, first) and visitors.same(visits[1].answer, first)
    assert not visitors.same(visits[0].answer, other)


@pytest.mark.skipif(not MEASURED.exists(), reason="not measured yet")
def test_in_the_file_in_weights_nobody_was_refused() -> None:
    measured = json.loads(MEASURED.read_text())
    assert measured["clients"] == visitors.CROWD
    assert measured["refused"] == measured["wrong"] == 0
    assert measured["peak_memory_mib"] <= 2200
