"""Every example of docs/beyond-bullmq.md runs, and does what the page says."""

from __future__ import annotations

import asyncio
import re
from typing import Any

import pytest

from bullworks.bullmq import GroupLimits, GroupSize, JobSpec, Worker
from tests.bullworks.docs.checks import Checks
from tests.bullworks.docs.examples import ROOT, examples_of
from tests.bullworks.docs.stage import Stage
from tests.bullworks.waiting import eventually

PAGE = "docs/beyond-bullmq.md"
EXAMPLES = examples_of(PAGE)

checks = Checks()


def test_every_example_has_a_name_and_a_check() -> None:
    assert [f"line {example.line}" for example in EXAMPLES if example.name is None] == []
    assert sorted(str(example.name) for example in EXAMPLES) == sorted(checks.by_name)


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda example: example.name)
async def test_example(example: Any, redis_url: str, key_prefix: str) -> None:
    await checks.by_name[example.name](Stage(example, redis_url, key_prefix))


def test_the_lines_for_npm_are_those_that_the_tests_against_npm_run() -> None:
    """tests/bullworks/compat/test_cancelling_with_node.py runs the script; queue and connection are the test's own."""
    page = (ROOT / PAGE).read_text()
    script = (ROOT / "tests/bullworks/node/cancel.mjs").read_text()
    (block,) = re.findall(r"<!-- lines: npm -->\n```js\n(.*?)```", page, re.DOTALL)
    first, second = block.splitlines()
    assert re.search(r"events = new QueueEvents\(", first)
    assert re.search(r"events = new QueueEvents\(", script)
    assert second in script


@checks("cancel")
async def a_job_that_waits_has_ended(stage: Stage) -> None:
    async with stage.queue("email") as queue:
        job = await queue.add("welcome-email", {})
        page = await stage.run(queue=queue, job_id=job.id)
        assert page.outcome == "cancelled"
        await job.refresh()
    assert job.failed_reason == "cancelled: the user left"


@checks("cancel-many")
async def those_that_wait_are_gone(stage: Stage) -> None:
    async with stage.queue("email") as queue:
        jobs = [await queue.add("welcome-email", {}) for _ in range(3)]
        page = await stage.run(queue=queue, job_ids=[*(job.id for job in jobs), "nobody"])
        assert page.Counter(page.outcomes.values()) == {"cancelled": 3, "missing": 1}
        assert await queue.get_job(jobs[0].id) is None


@checks("handler")
async def it_stops_between_two_rows(stage: Stage) -> None:
    copied: list[int] = []

    async def copy(row: int) -> None:
        copied.append(row)
        await asyncio.sleep(0)
        if row == 2:
            await queue.cancel(job.id, "the user left")
            await eventually(lambda: worker.active_jobs[0].signal.aborted)

    page = await stage.run(copy=copy)
    async with stage.queue("copies") as queue:
        job = await queue.add("copy", {"rows": [1, 2, 3]}, attempts=3)
        worker = Worker[Any, Any]("copies", page.process, connection=stage.redis_url, prefix=stage.prefix)
        async with worker:
            await eventually(job.is_failed)
        await job.refresh()
        assert (copied, job.failed_reason) == ([1, 2], "cancelled: the user left")
        assert await job.logs() == ["stopped after 2 rows: cancelled: the user left"]


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
