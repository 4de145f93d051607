import numpy as np
import pytest

from kpdemo.keypoints.one_euro import OneEuro

RATE = 30


def filtered(values: np.ndarray, **settings: float) -> np.ndarray:
    """One point in one dimension, `RATE` times a second: `(T,)` -> `(T,)`."""
    one_euro = OneEuro(**({"min_cutoff": 1.0, "beta": 0.0} | settings))
    return np.array([one_euro(np.array([[v]]), k / RATE)[0, 0] for k, v in enumerate(values)])


def test_what_rests_stays_exactly():
    assert (filtered(np.full(50, 3.7), beta=5.0) == 3.7).all()


def test_without_beta_it_is_a_low_pass_filter_of_first_order():
    # 1 - (1 - a)^n after n steps, with a = 2 pi f / rate / (1 + 2 pi f / rate).
    share = 2 * np.pi / RATE / (1 + 2 * np.pi / RATE)
    steps = filtered(np.concatenate([[0.0], np.ones(20)]))
    assert steps == pytest.approx(1 - (1 - share) ** np.arange(21))


def test_noise_is_reduced_as_theory_says():
    noise = np.random.default_rng(0).normal(0, 1, 20_000)
    share = 2 * np.pi / RATE / (1 + 2 * np.pi / RATE)
    reduced = np.std(filtered(noise)[100:])
    assert reduced == pytest.approx(np.sqrt(share / (2 - share)), rel=0.05)  # 0.31


@pytest.mark.parametrize(("speed", "beta"), [(1.0, 0.0), (1.0, 2.0), (5.0, 2.0)])
def test_a_steady_movement_lags_by_its_speed_over_the_cutoff(speed, beta):
    ramp = speed * np.arange(300) / RATE
    lag = (ramp - filtered(ramp, beta=beta))[-1]
    assert lag == pytest.approx(speed / (2 * np.pi * (1 + beta * speed)), rel=1e-3)


def test_points_are_filtered_each_by_its_own_speed():
    one_euro = OneEuro(1.0, 10.0)
    for k in range(60):
        points = np.array([[0.0, 0.0], [k / RATE, 0.0]])
        last = one_euro(points, k / RATE)
    assert (last[0] == 0).all()
    assert points[1, 0] - last[1, 0] == pytest.approx(1 / (2 * np.pi * 11), rel=0.02)


def test_the_unit_of_speeds_changes_nothing_but_the_cutoff():
    ramp = np.arange(100) / RATE
    small, large = OneEuro(1.0, 10.0), OneEuro(1.0, 10.0)
    for k, value in enumerate(ramp):
        one = small(np.array([[value]]), k / RATE)
        hundred = large(np.array([[100 * value]]), k / RATE, unit=100.0)
    assert hundred == pytest.approx(100 * one)


def test_a_time_that_is_not_later_starts_again():
    one_euro = OneEuro(1.0, 0.0)
    one_euro(np.array([[0.0]]), 5.0)
    assert one_euro(np.array([[9.0]]), 5.0) == 9.0
    assert one_euro(np.array([[4.0]]), 1.0) == 4.0
    assert 4.0 < one_euro(np.array([[5.0]]), 1.1)[0, 0] < 5.0
