"""Scenarios that were drawn: npm bullmq and ours agree on them too."""

from __future__ import annotations

import json
import os

import pytest

from tests.bullworks.compat.comparison import Comparison
from tests.bullworks.compat.random_scenarios import is_meant, scenario

# More, and others: COMPAT_SEEDS=1000-1500.
FIRST, LAST = (int(number) for number in os.environ.get("COMPAT_SEEDS", "0-80").split("-"))


@pytest.mark.parametrize("seed", range(FIRST, LAST))
async def test_answers_and_redis_are_the_same(comparison: Comparison, seed: int) -> None:
    steps = scenario(seed)
    found = await comparison.differences(steps)
    unexpected = {path: both for path, both in found.items() if not is_meant(path, both)}
    assert unexpected == {}, "\n".join(json.dumps(step) for step in steps)


def test_a_seed_always_draws_the_same() -> None:
    assert scenario(1) == scenario(1) != scenario(2)
