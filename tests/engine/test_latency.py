"""Medians of what models took on the last photos."""

from kpdemo.engine.latency import RECENT, Latency


def test_a_slow_photo_does_not_count_and_old_ones_are_forgotten() -> None:
    latency = Latency()
    assert latency.median("unet", "cpu") is None
    for took in (10.0, 500.0, 12.0):
        latency.add("unet", "cpu", took)
    assert latency.median("unet", "cpu") == 12.0
    for _ in range(RECENT):
        latency.add("unet", "cpu", 30.0)
    assert latency.median("unet", "cpu") == 30.0


def test_devices_and_models_are_apart() -> None:
    latency = Latency()
    latency.add("unet", "cpu", 20.0)
    latency.add("unet", "zerogpu", 2.0)
    assert latency.median("unet", "cpu") == 20.0
    assert latency.median("unet", "zerogpu") == 2.0
    assert latency.median("resnet18", "cpu") is None
