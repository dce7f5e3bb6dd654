"""How many finished jobs are kept, as a user says it, as it lies in Redis, and as a script gets it."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bullworks.bullmq import InvalidOptionError, Retention

OPTION = "remove_on_complete"
bounds = st.none() | st.integers(0, 10**9)


@pytest.mark.parametrize(
    ("said", "kept", "wire", "script"),
    [
        (True, Retention(count=0), True, "0"),
        (False, Retention(), False, ""),
        (100, Retention(count=100), 100, "100"),
        ({"age": 60}, Retention(age_s=60), {"age": 60}, "/60/"),
        ({"age": 60, "count": 5}, Retention(5, 60), {"age": 60, "count": 5}, "5/60/"),
        ({"age": 60, "count": 5, "limit": 10}, Retention(5, 60, 10), {"age": 60, "count": 5, "limit": 10}, "5/60/10"),
    ],
)
def test_each_form_means_what_it_means_in_bullmq(said: object, kept: Retention, wire: object, script: str) -> None:
    retention = Retention.of(said, OPTION)
    assert retention == kept
    assert retention.to_wire() == wire
    assert type(retention.to_wire()) is type(wire)
    assert retention.to_script() == script


@given(bounds, bounds, st.none() | st.integers(1, 1000))
def test_what_lies_in_redis_reads_back_as_the_same(count: int | None, age_s: int | None, limit: int | None) -> None:
    retention = Retention(count, age_s, limit)
    back = Retention.of(retention.to_wire(), OPTION)
    assert (back.count, back.age_s) == (count, age_s)
    assert age_s is None or back.limit == limit


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        (-1, "remove_on_complete: .* -1"),
        ("all", "remove_on_complete: .*'all'"),
        (1.5, "remove_on_complete: "),
        ({"age": -1}, "remove_on_complete.age: .* -1"),
        ({"count": "5"}, "remove_on_complete.count: "),
        ({"cont": 5}, "remove_on_complete.cont: .*did you mean remove_on_complete.count"),
    ],
)
def test_nonsense_is_refused_by_name(wrong: object, message: str) -> None:
    with pytest.raises(InvalidOptionError, match=message):
        Retention.of(wrong, OPTION)
