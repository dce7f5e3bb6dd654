"""Groups beside unmodified npm bullmq: its workers serve them in turn, producers may name them, listeners hear all."""

from __future__ import annotations

from collections import Counter
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from bullworks.bullmq import JobSpec, Queue
from tests.bullworks.bullmq.keyspace import Keyspace
from tests.bullworks.compat.fleet import Fleet
from tests.bullworks.compat.line_process import LineProcess
from tests.bullworks.compat.node import Node
from tests.bullworks.waiting import eventually


@pytest.fixture
async def fleet(node: Node, redis_url: str, key_prefix: str, tmp_path: Path) -> AsyncIterator[Fleet]:
    async with Fleet(LineProcess(node, "fleet.mjs", tmp_path / "fleet.log"), redis_url, key_prefix) as fleet:
        yield fleet


async def groups_in_order(queue: Queue) -> str:
    """The first letter of each job's group, in the order in which they began."""
    keyspace = Keyspace(queue)
    began = [event["jobId"] for event in await keyspace.events("active")]
    return "".join([(await keyspace.hash(job_id))["gid"][0] for job_id in began])


async def test_a_node_worker_serves_groups_in_turn(fleet: Fleet) -> None:
    queue = await fleet.queue("tenants")
    many = [JobSpec("p", {"n": n}, group={"id": "A"}) for n in range(60)]
    few = [JobSpec("p", {"n": n}, group={"id": group}) for group in "BC" for n in range(4)]
    heavy = [JobSpec("p", {"n": n}, group={"id": "D", "weight": 2}) for n in range(8)]
    await queue.add_bulk(many + few + heavy)
    await fleet.node("work", name="node", queue="tenants", concurrency=1)
    await fleet.until_ended("tenants", 76)
    assert await groups_in_order(queue) == "ABCDD" * 4 + "A" * 56
    assert await fleet.runs_by_side() == {"node": 76}
    assert await queue.tidy_groups() == 76
    assert [key for key in await Keyspace(queue).keys() if key.startswith("bw:")] == []


async def test_a_node_producer_may_name_a_group(fleet: Fleet) -> None:
    """As BullMQ's own paid edition does; our workers put such a job in its turn."""
    queue = await fleet.queue("tenants")
    asked = [("A", {})] * 30 + [("B", {})] * 3 + [("C", {"weight": 2})] * 6
    jobs = [
        {"name": "n", "data": {"n": n}, "opts": {"group": {"id": group, **more}}}
        for n, (group, more) in enumerate(asked)
    ]
    await fleet.node("add", queue="tenants", jobs=jobs)
    assert [job.group for job in await queue.get_waiting(0, 1)] == ["A", "A"]
    await fleet.work("tenants", name="python", concurrency=1)
    await fleet.until_ended("tenants", 39)
    assert await groups_in_order(queue) == "ABCC" * 3 + "A" * 27
    assert [key for key in await Keyspace(queue).keys() if key.startswith("bw:")] == []


async def test_a_mixed_fleet_runs_each_job_once_and_all_hear_of_it(fleet: Fleet) -> None:
    """Given limits that our workers keep, retries, delays, and producers of both sides."""
    queue = await fleet.queue("tenants")
    await fleet.listen("tenants", "completed")
    await queue.set_group_limits(concurrency=2)
    await queue.set_group_limits("g1", ordered=True)
    await queue.set_group_limits("g2", rate={"max": 10, "duration": 100})
    for side in ("a", "b"):
        await fleet.work("tenants", name=f"python-{side}", concurrency=5)
        await fleet.node("work", name=f"node-{side}", queue="tenants", concurrency=3)
    ours = [
        JobSpec("p", {"n": n, "failures": n % 9 == 0}, job_id=f"p{n}", group={"id": f"g{n % 5}"}, attempts=2)
        for n in range(200)
    ]
    theirs = [
        {"name": "n", "data": {"n": n}, "opts": {"jobId": f"n{n}", "delay": n % 50, "group": {"id": f"g{n % 5}"}}}
        for n in range(100)
    ]
    await queue.add_bulk(ours[:100])
    await fleet.node("add", queue="tenants", jobs=theirs)
    await queue.add_bulk(ours[100:])

    async def all_ended() -> bool:
        await queue.promote_jobs()  # as time would: nobody brings a parked job back when Node ends the one before it
        return await queue.get_completed_count() == 300

    await eventually(all_ended, what="300 jobs to complete")
    runs = await fleet.runs()
    assert runs == {f"tenants:p{n}": 1 + (n % 9 == 0) for n in range(200)} | {f"tenants:n{n}": 1 for n in range(100)}
    assert (await fleet.runs_by_side()).keys() == {"node", "python"}
    assert len(fleet.heard["completed"]) == 300
    assert Counter(fleet.heard["completed"]) == Counter(await fleet.node("heard", event="completed"))
