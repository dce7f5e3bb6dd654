"""Buckets of durations, and percentiles that are read from them."""

from __future__ import annotations

import statistics

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bullworks.workers.history.buckets import LAST_BUCKET, Histogram, bucket_of, end_ms, percentiles_ms

DURATIONS = st.one_of(st.integers(0, 10**9), st.floats(0, 10**9))


@given(DURATIONS)
def test_each_duration_lies_in_its_bucket(duration_ms: float) -> None:
    bucket = bucket_of(duration_ms)
    assert 0 <= bucket <= LAST_BUCKET
    if bucket < LAST_BUCKET:
        assert duration_ms <= end_ms(bucket) * (1 + 1e-12)
    if bucket > 0:
        assert duration_ms > end_ms(bucket - 1) * (1 - 1e-12)


@pytest.mark.parametrize("exponent", range(-4, 27))
def test_each_power_of_two_ends_a_bucket(exponent: int) -> None:
    assert end_ms(bucket_of(2.0**exponent)) == 2.0**exponent
    assert bucket_of(2.0**exponent * 1.001) == bucket_of(2.0**exponent) + 1


def test_clocks_that_disagree_count_as_no_wait() -> None:
    histogram = Histogram()
    histogram.add(-5_000)
    assert (histogram.counts, histogram.sum_us) == ({0: 1}, 0)


@given(st.lists(st.integers(0, 10**8), min_size=1, max_size=200), st.sampled_from([50.0, 90.0, 99.0]))
def test_a_percentile_is_at_most_a_bucket_off(durations: list[int], percentile: float) -> None:
    histogram = Histogram()
    for duration_ms in durations:
        histogram.add(duration_ms)
    exact = sorted(durations)[max(0, -(-len(durations) * percentile // 100).__floor__() - 1)]
    (read,) = percentiles_ms(histogram.counts, [percentile]).values()
    assert read <= end_ms(bucket_of(exact)) * 1.001
    assert read >= (end_ms(bucket_of(exact) - 1) if bucket_of(exact) else 0) * 0.999
    assert histogram.count == len(durations)
    assert histogram.sum_us == sum(durations) * 1000


def test_percentiles_of_even_durations_are_near_the_true_ones() -> None:
    durations = range(1, 10_001)
    histogram = Histogram()
    for duration_ms in durations:
        histogram.add(duration_ms)
    read = percentiles_ms(histogram.counts, [50, 95, 99])
    exact = statistics.quantiles(durations, n=100)
    assert read == pytest.approx({50: exact[49], 95: exact[94], 99: exact[98]}, rel=0.1)
    assert read[50] < read[95] < read[99]


def test_nothing_has_no_percentiles_but_zero() -> None:
    assert percentiles_ms({}, [50, 99]) == {50: 0, 99: 0}
