"""What is made of the grants that a run with limits notes."""

from __future__ import annotations

from benchmarks.limits import Plan, fullest_period, used_part

TEN_IN_100_MS = Plan("", ((10, 100),))
# Ten at the begin of each 200 ms, so half of what is allowed; us and cost.
GRANTS = [(burst * 200_000 + number, 1) for burst in range(20) for number in range(10)]


def test_the_fullest_period_has_both_of_its_ends() -> None:
    assert fullest_period(GRANTS, 100) == 10
    assert fullest_period(GRANTS, 200) == 11


def test_the_part_that_is_used_does_not_depend_on_where_the_last_burst_ends() -> None:
    for grants in (GRANTS, GRANTS[:-10], GRANTS[5:-5]):
        assert abs(used_part(grants, TEN_IN_100_MS) - 0.5) < 0.02
