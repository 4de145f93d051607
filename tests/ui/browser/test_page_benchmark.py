"""The page's benchmark on the real page; times are not tested, only that there are some."""

import pytest

pytest.importorskip("playwright.sync_api", reason="Playwright is not installed")

from kpdemo.benchmark import page as page_benchmark


def test_all_that_a_visitor_waits_for_takes_some_time(browser, address, hopper_path):
    assert all(0 < seconds < 60 for seconds in page_benchmark._visit(browser, address))
    assert all(0 < seconds < 60 for seconds in page_benchmark._examples(browser, address))
    times = page_benchmark._switches(browser, address, hopper_path)
    layers = ["points", "contours", "vectors", "expected", "numbers", "boxes"]
    assert list(times) == [*layers, "reference", "mode", "chip"]
    assert all(0 < time < 60_000 for time in times.values())
    assert 0 < page_benchmark._heatmap_point(browser, address) < 60_000
    degraded = page_benchmark._degrade(browser, address, hopper_path)
    assert list(degraded) == ["turn", "blur", "darkness", "cover", "size", "quality"]
    assert all(0 < time < 60_000 for time in degraded.values())
    dragged = page_benchmark._drag(browser, address, hopper_path)
    assert 0 < dragged["errors"] <= dragged["painted"] < 60_000
