"""Durations: whole milliseconds or a timedelta."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bullworks.bullmq.durations import LONGEST_MS, to_ms


@pytest.mark.parametrize(
    ("value", "expected_ms"),
    [
        (0, 0),
        (1500, 1500),
        (2.0, 2),
        (timedelta(seconds=1.5), 1500),
        (timedelta(microseconds=1400), 1),
        (timedelta(days=1), 86_400_000),
        (LONGEST_MS, LONGEST_MS),
    ],
)
def test_a_duration_is_whole_milliseconds(value: object, expected_ms: int) -> None:
    assert to_ms(value, "delay") == expected_ms


@pytest.mark.parametrize(
    "wrong", [-1, 1.5, True, "5", None, float("nan"), float("inf"), LONGEST_MS + 1, timedelta(seconds=-1)]
)
def test_anything_else_is_refused_and_named(wrong: object) -> None:
    with pytest.raises(ValueError, match="delay must be"):
        to_ms(wrong, "delay")


def test_the_least_allowed_may_be_above_zero() -> None:
    with pytest.raises(ValueError, match="timeout must be 1 "):
        to_ms(0, "timeout", least=1)
