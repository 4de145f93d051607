"""The archive's benchmark: what its audit notices, and the bars that the measured file keeps."""

import json

import pytest

from kpdemo.engine.batch import BatchResult
from kpdemo.engine.engine import compare
from kpdemo.zoo import WEIGHTS_DIR

pa = pytest.importorskip("pyarrow", reason="Ray is not installed (kpdemo[archive]).")
pytest.importorskip("ray", reason="Ray is not installed (kpdemo[archive]).")

from kpdemo.archive import rows  # noqa: E402
from kpdemo.benchmark import archive  # noqa: E402

MEASURED = WEIGHTS_DIR / "archive_benchmark.json"
MODELS = ["simplenet", "mediapipe"]


def test_the_audit_notices_what_is_missing_there_twice_wrong_and_unnamed(
    hopper_path, astronaut_path
):
    hopper, astronaut = (compare(path, MODELS) for path in (hopper_path, astronaut_path))
    results = [BatchResult(hopper), BatchResult(astronaut), BatchResult(None, "It is damaged.")]
    table = rows.table(pa.table({"path": ["a", "b", "bad"]}), results).to_pylist()
    assert archive.audit(table, {"a": hopper, "b": astronaut, "bad": None}) == (0, 0, 0, 0, 0.0)
    other = {"a": astronaut, "b": hopper, "c": hopper, "bad": None}
    found = archive.audit([*table, table[0]], other)
    assert (found.missing, found.twice, found.wrong, found.unnamed) == (1, 1, 3, 0)
    found = archive.audit(table, {"a": None, "b": astronaut, "bad": hopper})
    assert (found.missing, found.twice, found.wrong, found.unnamed) == (0, 0, 1, 1)


@pytest.mark.skipif(not MEASURED.exists(), reason="not measured yet")
def test_the_file_in_weights_keeps_the_bars():
    measured = json.loads(MEASURED.read_text())
    assert len(measured["killed_after"]) == archive.KILLS
    assert measured["damaged"] == measured["photos"] // archive.ONE_BAD_OF > 0
    assert [measured[name] for name in ("missing", "twice", "wrong", "unnamed")] == [0] * 4
    assert measured["archive_to_folder_ratio_once_started"] >= 0.9
