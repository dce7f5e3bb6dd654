"""Jobs of flow producers and workers can be waited for, as a queue's can: each owner shares one reader for a queue."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from bullworks.bullmq import EventsClosedError, FlowProducer, Job, JobFailedError, Queue, UnrecoverableError, Worker
from tests.bullworks.bullmq.hand_worker import HandWorker
from tests.bullworks.waiting import eventually


async def readers(queue: Queue) -> int:
    """How many listen to the queue's events."""
    return len(await queue.get_queue_events())


async def test_the_jobs_of_a_flow_can_be_waited_for(queue: Queue) -> None:
    async def process(job: Job) -> Any:
        if job.name == "bad":
            raise UnrecoverableError("no such region")
        return job.name

    settings: dict[str, Any] = {"connection": queue.connection.endpoint, "prefix": queue.keys.prefix}
    async with (
        FlowProducer(**settings) as flows,
        Worker("q", process, **settings),
        Worker("other", process, **settings),
    ):
        children: Any = [
            {"name": "good", "queue_name": "other"},
            {"name": "bad", "queue_name": "q", "opts": {"ignore_dependency_on_failure": True}},
        ]
        tree = await flows.add({"name": "parent", "queue_name": "q", "children": children})
        good, bad = (child.job for child in tree.children)
        assert await tree.job.wait_until_finished(ttl=5_000) == "parent"
        assert await good.wait_until_finished(ttl=5_000) == "good"
        with pytest.raises(JobFailedError, match="no such region"):
            await bad.wait_until_finished(ttl=5_000)
        read = await flows.get_flow(tree.job.id, "q")
        assert read is not None
        assert await read.job.wait_until_finished(ttl=5_000) == "parent"
        assert await readers(queue) == 1
    await eventually(lambda: _none(queue))


async def _none(queue: Queue) -> bool:
    return await readers(queue) == 0


async def test_a_workers_listener_waits_for_its_jobs(queue: Queue) -> None:
    waited: list[Any] = []
    ends = asyncio.Event()

    async def process(job: Job) -> str:
        await ends.wait()
        return "done"

    async def on_active(job: Job) -> None:
        waited.append(await job.wait_until_finished(ttl=5_000))

    worker = Worker("q", process, connection=queue.connection.endpoint, prefix=queue.keys.prefix, concurrency=2)
    worker.on("active", on_active)
    async with worker:
        await queue.add("a")
        await queue.add("b")

        async def is_heard() -> bool:
            return await readers(queue) == 1

        await eventually(is_heard)
        ends.set()
        await eventually(lambda: waited == ["done", "done"])
    await eventually(lambda: _none(queue))


async def test_children_that_the_queue_has_read_can_be_waited_for(queue: Queue, hand: HandWorker) -> None:
    async with FlowProducer(connection=queue.connection, prefix=queue.keys.prefix) as flows:
        await flows.add(
            {
                "name": "p",
                "queue_name": "q",
                "opts": {"job_id": "p"},
                "children": [
                    {"name": "c", "queue_name": "q"},
                    {"name": "d", "queue_name": "other", "opts": {"job_id": "d"}},
                ],
            }
        )
    page = await queue.get_dependencies("p", "pending")
    by_name = {job.name: job for job in page.jobs}
    waits = [asyncio.create_task(job.wait_until_finished(ttl=5_000)) for job in by_name.values()]
    await hand.take()
    await hand.complete("v")
    async with Queue("other", connection=queue.connection, prefix=queue.keys.prefix) as other:
        other_hand = HandWorker(other)
        await other_hand.take()
        await other_hand.complete("v")
    assert await asyncio.gather(*waits) == ["v", "v"]


async def test_who_waits_is_told_that_the_flow_producer_was_closed(queue: Queue) -> None:
    flows = FlowProducer(connection=queue.connection, prefix=queue.keys.prefix)
    tree = await flows.add({"name": "alone", "queue_name": "q"})
    wait = asyncio.create_task(tree.job.wait_until_finished(ttl=5_000))

    async def is_heard() -> bool:
        return await readers(queue) == 1

    await eventually(is_heard)
    await flows.close()
    await flows.close()
    with pytest.raises(EventsClosedError):
        await wait
    with pytest.raises(EventsClosedError):
        await tree.job.wait_until_finished(ttl=5_000)


async def test_nobody_listens_before_somebody_waits(queue: Queue) -> None:
    async with FlowProducer(connection=queue.connection, prefix=queue.keys.prefix) as flows:
        await flows.add({"name": "alone", "queue_name": "q"})
        assert await readers(queue) == 0
