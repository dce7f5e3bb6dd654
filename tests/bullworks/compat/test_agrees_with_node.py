"""Each scenario runs with npm bullmq and with ours: answers, and all that is left in Redis, must be the same."""

from __future__ import annotations

import pytest

from tests.bullworks.compat.comparison import Comparison
from tests.bullworks.compat.player import Step
from tests.bullworks.compat.scenarios import (
    adding,
    bulk,
    deduplicating,
    each_state,
    failing_children,
    families,
    family,
    flowing,
    handlers,
    limiting,
    listing,
    looking,
    moments,
    ownership,
    paging,
    pausing,
    refusing,
    schedules,
    scheduling,
    settings,
    taking,
    tidying,
    trying_again,
    turns,
    values,
    working,
)

SCENARIOS: dict[str, list[Step]] = {
    f"{module.__name__.rpartition('.')[2]}: {name}": steps
    for module in (
        adding,
        bulk,
        deduplicating,
        each_state,
        failing_children,
        families,
        family,
        flowing,
        handlers,
        limiting,
        listing,
        looking,
        moments,
        ownership,
        paging,
        pausing,
        schedules,
        scheduling,
        settings,
        taking,
        tidying,
        trying_again,
        turns,
        values,
        working,
    )
    for name, steps in module.SCENARIOS.items()
}
# Node counts an id even for a job that it then refuses; ours are refused before Redis hears of them.
_COUNTED = "bull:q:id"


@pytest.mark.parametrize("scenario", SCENARIOS)
async def test_answers_and_redis_are_the_same(comparison: Comparison, scenario: str) -> None:
    assert await comparison.differences(SCENARIOS[scenario]) == {}


@pytest.mark.parametrize("scenario", refusing.SCENARIOS)
async def test_what_node_refuses_we_refuse(comparison: Comparison, scenario: str) -> None:
    steps = refusing.SCENARIOS[scenario]
    theirs, ours = await comparison.in_node(steps), await comparison.in_python(steps)
    assert theirs.answers[-1].keys() == ours.answers[-1].keys() == {"error"}
    assert {path: both for path, both in theirs.differences(ours).items() if not path.startswith(_COUNTED)} == {}
