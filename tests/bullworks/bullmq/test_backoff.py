"""Delays between attempts, held to BullMQ's formulas."""

from __future__ import annotations

from datetime import timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bullworks.bullmq import Backoff, InvalidOptionError
from bullworks.bullmq.durations import LONGEST_MS

bases = st.integers(0, LONGEST_MS)
attempts = st.integers(1, 10_000)
parts = st.floats(0, 1)


def test_exponential_doubles_after_each_failure() -> None:
    backoff = Backoff.exponential(1000)
    assert [backoff.delay_after_ms(made, 0.5) for made in (1, 2, 3, 4, 5)] == [1000, 2000, 4000, 8000, 16000]


def test_fixed_is_the_same_after_each_failure() -> None:
    assert {Backoff.fixed(750).delay_after_ms(made, 0.5) for made in (1, 2, 30)} == {750}


def test_jitter_makes_that_part_of_the_delay_random() -> None:
    backoff = Backoff.fixed(1000, jitter=0.25)
    assert [backoff.delay_after_ms(1, part) for part in (0, 0.5, 1)] == [750, 875, 1000]


def test_full_jitter_may_wait_not_at_all() -> None:
    assert Backoff.exponential(1000, jitter=1).delay_after_ms(3, 0) == 0


@given(bases, attempts, parts, st.floats(0, 1))
def test_no_delay_is_negative_or_beyond_what_a_score_can_hold(
    base_ms: int, made: int, part: float, jitter: float
) -> None:
    for backoff in (Backoff.fixed(base_ms, jitter=jitter), Backoff.exponential(base_ms, jitter=jitter)):
        assert 0 <= backoff.delay_after_ms(made, part) <= LONGEST_MS


@given(bases, attempts)
def test_without_jitter_chance_plays_no_part(base_ms: int, made: int) -> None:
    backoff = Backoff.exponential(base_ms)
    assert backoff.delay_after_ms(made, 0) == backoff.delay_after_ms(made, 1)


@given(st.integers(1, 2**20), st.integers(1, 20))
def test_exponential_is_twice_what_it_was_before(base_ms: int, made: int) -> None:
    backoff = Backoff.exponential(base_ms)
    assert backoff.delay_after_ms(made + 1, 0) == 2 * backoff.delay_after_ms(made, 0)


@given(bases, attempts, st.floats(0, 1), parts)
def test_jitter_keeps_within_its_part(base_ms: int, made: int, jitter: float, part: float) -> None:
    whole = Backoff.fixed(base_ms).delay_after_ms(made, part)
    jittered = Backoff.fixed(base_ms, jitter=jitter).delay_after_ms(made, part)
    assert whole * (1 - jitter) - 1 <= jittered <= whole


@pytest.mark.parametrize(
    ("given_value", "expected"),
    [
        (500, Backoff("fixed", 500)),
        (timedelta(seconds=2), Backoff("fixed", 2000)),
        ({"type": "exponential", "delay": 1000}, Backoff("exponential", 1000)),
        ({"type": "exponential", "delay": timedelta(minutes=1), "jitter": 0.5}, Backoff("exponential", 60_000, 0.5)),
        ({"type": "mine"}, Backoff("mine", 0)),
        (Backoff.fixed(1), Backoff("fixed", 1)),
    ],
)
def test_every_way_to_say_it_is_understood(given_value: object, expected: Backoff) -> None:
    assert Backoff.of(given_value) == expected


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (-1, "backoff: .* -1"),
        (True, "backoff: "),
        ("1000", "backoff: "),
        (float("nan"), "backoff: "),
        (1.5, "backoff: "),
        ({"delay": 1}, "backoff.type: "),
        ({"type": "", "delay": 1}, "backoff.type: "),
        ({"type": "fixed", "delay": -5}, r"backoff\.delay: .* -5"),
        ({"type": "fixed", "jitter": 1.5}, "backoff.jitter: .* 1.5"),
        ({"type": "fixed", "jitter": True}, "backoff.jitter: "),
        ({"type": "fixed", "jitter": float("nan")}, "backoff.jitter: "),
        ({"typ": "fixed"}, "backoff.typ: .*did you mean backoff.type"),
    ],
)
def test_nonsense_is_refused_by_name(wrong: object, message: str) -> None:
    with pytest.raises(InvalidOptionError, match=message):
        Backoff.of(wrong)


def test_a_type_of_ones_own_is_custom_and_the_built_in_ones_are_not() -> None:
    assert [Backoff(kind).is_custom for kind in ("fixed", "exponential", "mine")] == [False, False, True]
