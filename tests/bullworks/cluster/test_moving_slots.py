"""A queue's slot moves from node to node under its workers, as `redis-cli --cluster reshard` moves it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from bullworks.bullmq import Job, Queue, QueueEvents, Worker
from tests.bullworks.cluster.cluster_nodes import ClusterNodes
from tests.bullworks.cluster.group import client_of
from tests.bullworks.cluster.slot_move import SlotMove
from tests.bullworks.reliability.history import add_many, check_ended, completed
from tests.bullworks.waiting import eventually


@pytest.fixture
async def queue(cluster_nodes: ClusterNodes, prefix: str) -> AsyncIterator[Queue[Any]]:
    """An empty queue."""
    async with Queue("q", connection=cluster_nodes.url, prefix=prefix) as queue:
        yield queue


async def test_a_queue_moves_under_its_worker_and_no_job_is_lost_or_run_twice(
    cluster_nodes: ClusterNodes, queue: Queue[Any], prefix: str
) -> None:
    """While its keys are on two nodes it halts; a script that saw half of them would lose the other half."""
    ids = await add_many(queue, 400)
    runs: list[str] = []
    heard: set[str] = set()

    async def process(job: Job[Any, Any]) -> str:
        runs.append(job.id)
        await asyncio.sleep(0.005)
        return "done"

    move = SlotMove(cluster_nodes, prefix)
    moved, asked = move.refusals("MOVED"), move.refusals("ASK")
    worker: Worker[Any, Any] = Worker("q", process, connection=cluster_nodes.url, prefix=prefix, concurrency=4)
    async with worker, QueueEvents("q", connection=cluster_nodes.url, prefix=prefix, last_event_id="0") as events:
        events.on("completed", lambda args: heard.add(args["job_id"]))
        await eventually(lambda: len(runs) > 50)
        move.begin()
        assert move.move_keys(20) == 20
        adding = asyncio.create_task(queue.add("job", {}, job_id="late"))
        # Its hash may be here or there.
        assert (await asyncio.gather(*(queue.get_job(job_id) for job_id in ids[-30:])))[0] is not None
        await eventually(lambda: move.refusals("ASK") >= asked + 3)
        assert not adding.done()
        while move.move_keys():
            pass
        # All is there, though the slot is not yet: what an ASK says is done.
        assert (await asyncio.wait_for(adding, 5)).id == "late"
        move.end()
        await eventually(lambda: len(heard) == len(ids) + 1, within_s=10, what=f"{len(heard)} heard")
    assert move.refusals("MOVED") > moved
    assert move.refusals("ASK") > asked
    assert sorted(runs) == sorted([*ids, "late"])
    with client_of(move.target) as look:
        check_ended(look, queue, [*ids, "late"])


async def test_a_slot_that_has_moved_is_found_again_by_all_that_idle(
    cluster_nodes: ClusterNodes, queue: Queue[Any], prefix: str, caplog: pytest.LogCaptureFixture
) -> None:
    """In silence: nothing has gone wrong."""
    done: list[str] = []
    heard: list[str] = []
    errors: list[Any] = []

    async def process(job: Job[Any, Any]) -> None:
        done.append(job.id)

    events = QueueEvents("q", connection=cluster_nodes.url, prefix=prefix)
    events.on("completed", lambda args: heard.append(args["job_id"]))
    events.on("error", errors.append)
    async with Worker("q", process, connection=cluster_nodes.url, prefix=prefix), events:
        first = await queue.add("job", {})
        await eventually(lambda: done == [first.id])
        move = SlotMove(cluster_nodes, prefix)
        move.begin()
        while move.move_keys():
            pass
        move.end()
        second = await queue.add("job", {})
        await eventually(lambda: done == heard == [first.id, second.id])
    with client_of(move.target) as look:
        assert completed(look, queue) == 2
    assert not errors
    assert not [record.getMessage() for record in caplog.records if record.levelname != "INFO"]
