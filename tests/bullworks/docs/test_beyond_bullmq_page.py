"""Every example of docs/beyond-bullmq.md runs, and does what the page says."""

from __future__ import annotations

from typing import Any

import pytest

from bullworks.bullmq import GroupLimits, GroupSize, JobSpec
from tests.bullworks.docs.checks import Checks
from tests.bullworks.docs.examples import examples_of
from tests.bullworks.docs.stage import Stage

PAGE = "docs/beyond-bullmq.md"
EXAMPLES = examples_of(PAGE)

checks = Checks()


def test_every_example_has_a_name_and_a_check() -> None:
    assert [f"line {example.line}" for example in EXAMPLES if example.name is None] == []
    assert sorted(str(example.name) for example in EXAMPLES) == sorted(checks.by_name)


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.name)
async def test_example(example: Any, redis_url: str, key_prefix: str) -> None:
    await checks.by_name[example.name](Stage(example, redis_url, key_prefix))


@checks("groups")
async def the_small_group_is_second(stage: Stage) -> None:
    async with stage.queue("imports") as queue:
        await stage.run(queue=queue)
        first, second, third = await queue.get_prioritized(0, 2)
        assert (first.group, second.group, third.group) == ("acme", "small", "gold")


@checks("group-limits")
async def the_limits_are_set(stage: Stage) -> None:
    async with stage.queue("imports") as queue:
        await stage.run(queue=queue)
        assert await queue.get_group_limits() == GroupLimits(concurrency=5, max_size=10_000)
        assert await queue.get_group_limits("acme") == GroupLimits(rate_max=100, rate_duration_ms=60_000, weight=2)
        assert (await queue.get_group_limits("ledger")).ordered
        assert not await queue.is_group_paused("acme")


@checks("looking-at-groups")
async def groups_are_shown(stage: Stage) -> None:
    said: list[str] = []
    async with stage.queue("imports") as queue:
        await queue.add_bulk([JobSpec("import", group={"id": "acme"}) for _ in range(3)])
        page = await stage.run(queue=queue, print=said.append)
        assert page.group == GroupSize("acme", 3)
        assert said == ["acme: 0 active, 3 waiting, 0 parked"]
        assert [job.id for job in page.next_jobs] == ["1", "2", "3"]
