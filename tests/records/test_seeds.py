"""Figures over seeds: mean, deviation, and when two of them differ."""

import math

import numpy as np
import pytest

from kpdemo.records.seeds import Sample, comparison, difference


def test_a_sample_says_mean_deviation_and_how_many():
    sample = Sample.of([1.0, 2.0, 3.0, None, math.nan])
    assert (sample.mean, sample.deviation, len(sample.values)) == (2.0, 1.0, 3)
    assert sample.text(1) == "2.0 ± 1.0 % (n = 3)"
    assert Sample.of([1.234]).text(2) == "1.23 % (n = 1)"
    assert Sample.of([]).text() == "–"


def test_the_interval_of_a_difference_is_welchs():
    """By hand: equal variances of 1 and three seeds each have 4 degrees of freedom, t = 2.776."""
    low, high = difference(Sample.of([1.0, 2.0, 3.0]), Sample.of([6.0, 7.0, 8.0]))
    half = 2.77645 * math.sqrt(1 / 3 + 1 / 3)
    assert (low, high) == pytest.approx((5 - half, 5 + half), abs=1e-4)


@pytest.mark.parametrize(
    ("first", "second", "word"),
    [
        ([1.0, 2.0, 3.0], [6.0, 7.0, 8.0], "higher"),
        ([6.0, 7.0, 8.0], [1.0, 2.0, 3.0], "lower"),
        ([1.0, 2.0, 3.0], [2.0, 3.0, 4.0], "may be chance"),
        ([1.0], [6.0, 7.0, 8.0], "one seed says nothing"),
        ([2.0, 2.0], [3.0, 3.0], "higher"),
        (np.linspace(0, 1, 40), np.linspace(2, 3, 40), "higher"),
    ],
)
def test_a_verdict_needs_an_interval_without_zero(first, second, word):
    assert comparison(Sample.of(first), Sample.of(second)) == word
