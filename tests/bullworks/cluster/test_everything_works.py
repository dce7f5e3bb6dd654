"""What an ordinary server can, a cluster and a watched master can too."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from bullworks.bullmq import FlowProducer, Job, ProcessPool, Queue, QueueEvents, QueueEventsProducer, SyncQueue, Worker
from bullworks.redis import Endpoint
from tests.bullworks.cluster.group import ServerGroup, client_of
from tests.bullworks.waiting import eventually


@pytest.fixture
async def queue(group: ServerGroup, prefix: str) -> AsyncIterator[Queue[Any]]:
    """An empty queue."""
    async with Queue("q", connection=group.url, prefix=prefix) as queue:
        yield queue


async def _double(job: Job[Any, Any]) -> int:
    return int(job.data["n"]) * 2


async def test_jobs_are_added_processed_and_waited_for(queue: Queue[Any], group: ServerGroup, prefix: str) -> None:
    async with Worker("q", _double, connection=group.url, prefix=prefix, name="w1", concurrency=5):
        jobs = [await queue.add("double", {"n": n}) for n in range(20)]
        assert await asyncio.gather(*(job.wait_until_finished(ttl=5_000) for job in jobs)) == list(range(0, 40, 2))
        assert [client.worker_name for client in await queue.get_workers()] == ["w1"]
    assert (await queue.get_job_counts())["completed"] == 20


async def test_a_flow_runs_children_first_across_queues(queue: Queue[Any], group: ServerGroup, prefix: str) -> None:
    async def add_up(job: Job[Any, Any]) -> int:
        return sum((await job.get_children_values()).values())

    async with (
        FlowProducer(connection=group.url, prefix=prefix) as flows,
        Worker("q", add_up, connection=group.url, prefix=prefix),
        Worker("parts", _double, connection=group.url, prefix=prefix),
    ):
        children: Any = [{"name": "part", "queue_name": "parts", "data": {"n": n}} for n in (1, 2, 3)]
        node = await flows.add({"name": "sum", "queue_name": "q", "children": children})
        job = await eventually(lambda: _finished(queue, node.job.id))
        assert job.returnvalue == 12
        tree = await flows.get_flow(node.job.id, "q")
        assert tree is not None
        assert sorted(child.job.returnvalue for child in tree.children) == [2, 4, 6]


async def test_a_job_that_runs_is_cancelled(queue: Queue[Any], group: ServerGroup, prefix: str) -> None:
    async def sleep(job: Job[Any, Any]) -> None:
        await asyncio.sleep(30)

    async with Worker("q", sleep, connection=group.url, prefix=prefix) as worker:
        running, waiting = await queue.add("job", {}), await queue.add("job", {})
        await eventually(lambda: worker.active_jobs)
        found = await queue.cancel_many([running.id, waiting.id], "enough")
        assert found == {running.id: "requested", waiting.id: "cancelled"}
        await eventually(running.is_failed)
    await running.refresh()
    assert running.failed_reason == "cancelled: enough"


async def test_events_are_heard_and_published(queue: Queue[Any], group: ServerGroup, prefix: str) -> None:
    heard: list[str] = []
    async with (
        QueueEvents("q", connection=group.url, prefix=prefix) as events,
        QueueEventsProducer("q", connection=group.url, prefix=prefix) as producer,
    ):
        events.on("added", lambda args: heard.append(args["job_id"]))
        events.on_custom("painted", lambda args: heard.append(args["color"]))
        job = await queue.add("job", {"n": 1})
        await producer.publish_event({"event_name": "painted", "color": "red"})
        await eventually(lambda: heard == [job.id, "red"])


async def test_schedulers_make_jobs(queue: Queue[Any], group: ServerGroup, prefix: str) -> None:
    ran: list[str] = []

    async def note(job: Job[Any, Any]) -> None:
        ran.append(job.name)

    await queue.upsert_job_scheduler("often", {"every": 50, "limit": 3}, {"name": "tick"})
    async with Worker("q", note, connection=group.url, prefix=prefix):
        await eventually(lambda: ran == ["tick"] * 3)


async def test_locks_are_renewed_by_the_thread_that_has_a_connection_of_its_own(
    queue: Queue[Any], group: ServerGroup, prefix: str
) -> None:
    runs: list[str] = []
    renewed: list[Any] = []

    async def process(job: Job[Any, Any]) -> str:
        runs.append(job.id)
        await eventually(lambda: len(renewed) >= 3)
        return "done"

    worker: Worker[Any, Any] = Worker(
        "q", process, connection=group.url, prefix=prefix, lock_duration=600, stalled_interval=300
    )
    worker.on("locks_renewed", renewed.append)
    async with worker:
        job = await queue.add("long", {})
        await eventually(lambda: _finished(queue, job.id))
    assert runs == [job.id]


async def test_code_without_a_loop_adds_jobs(queue: Queue[Any], group: ServerGroup, prefix: str) -> None:
    def add() -> str:
        with SyncQueue("q", connection=group.url, prefix=prefix) as sync_queue:
            return sync_queue.add("job", {"n": 1}).id

    job_id = await asyncio.to_thread(add)
    assert await queue.get_job(job_id) is not None


async def test_handlers_in_processes_work(queue: Queue[Any], group: ServerGroup, prefix: str) -> None:
    pool = ProcessPool("tests.bullworks.cluster.handlers:double", size=1)
    async with Worker("q", pool, connection=group.url, prefix=prefix):
        job = await queue.add("double", {"n": 4})
        assert await job.wait_until_finished(ttl=10_000) == 8


async def test_an_ordinary_client_reaches_the_right_server(group: ServerGroup, prefix: str) -> None:
    endpoint = Endpoint.of(group.url)
    async with endpoint.client(key=prefix) as client:
        await client.set(f"{prefix}:async", 1)
    with await asyncio.to_thread(endpoint.sync_client, key=prefix) as blocking:
        blocking.set(f"{prefix}:sync", 1)
    with client_of(group.primary(prefix)) as look:
        assert look.exists(f"{prefix}:async", f"{prefix}:sync") == 2
    found: set[bytes] = set()
    for primary in await endpoint.primaries():
        async with primary.client() as client:
            found |= {key async for key in client.scan_iter(match=f"{prefix.replace('{', '?').replace('}', '?')}:*")}
    assert len(found) == 2


async def _finished(queue: Queue[Any], job_id: str) -> Job[Any, Any] | None:
    job = await queue.get_job(job_id)
    return job if job is not None and job.finished_on is not None else None
