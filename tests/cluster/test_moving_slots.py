"""A queue's slot moves from node to node under its workers, as `redis-cli --cluster reshard` moves it."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Any

import pytest

from app.bullmq import Job, Queue, QueueEvents, Worker
from app.redis import Endpoint
from app.redis.connecting import connection_to
from app.redis.hash_slot import slot_of
from tests.cluster.cluster_nodes import ClusterNode, ClusterNodes
from tests.cluster.group import PASSWORD, client_of, role_of
from tests.reliability.history import add_many, check_ended, completed
from tests.servers import HOST
from tests.waiting import eventually


class SlotMove:
    """The steps of one move, so that a test can stop in between."""

    def __init__(self, nodes: ClusterNodes, prefix: str) -> None:
        self._nodes = nodes
        self.slot = slot_of(prefix)
        self.source = nodes.primary(prefix)
        self.target = nodes.other_primary(prefix)

    def begin(self) -> None:
        """From here on the source answers ASK for keys that it does not have."""
        self._set_slot(self.target, "IMPORTING", self._nodes.id_of(self.source))
        self._set_slot(self.source, "MIGRATING", self._nodes.id_of(self.target))

    def move_keys(self, count: int = 10_000) -> int:
        """Move so many; how many there were."""
        keys = self._nodes.run(self.source, "CLUSTER", "GETKEYSINSLOT", self.slot, count)
        if keys:
            place = (HOST, self.target.port, "", 0, 5_000, "AUTH", PASSWORD)
            self._nodes.run(self.source, "MIGRATE", *place, "KEYS", *keys)
        return len(keys)

    def end(self) -> None:
        """From here on the source answers MOVED."""
        for node in (self.target, self.source, *self._nodes.nodes):
            if role_of(node).get("role") == "master":
                self._set_slot(node, "NODE", self._nodes.id_of(self.target))

    def refusals(self, code: str) -> int:
        """How often the source has answered so."""
        with client_of(self.source) as client:
            stats = client.info("errorstats").get(f"errorstat_{code}", {"count": 0})
        return int(stats["count"])

    def _set_slot(self, node: ClusterNode, *how: str) -> None:
        self._nodes.run(node, "CLUSTER", "SETSLOT", self.slot, *how)


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
    cluster_nodes: ClusterNodes, queue: Queue[Any], prefix: str
) -> None:
    done: list[str] = []

    async def process(job: Job[Any, Any]) -> None:
        done.append(job.id)

    async with Worker("q", process, connection=cluster_nodes.url, prefix=prefix):
        first = await queue.add("job", {})
        await eventually(lambda: done == [first.id])
        move = SlotMove(cluster_nodes, prefix)
        move.begin()
        while move.move_keys():
            pass
        move.end()
        second = await queue.add("job", {})
        await eventually(lambda: done == [first.id, second.id], within_s=5)
    with client_of(move.target) as look:
        assert completed(look, queue) == 2


async def test_one_connection_for_all_keys_learns_where_a_slot_has_gone(
    cluster_nodes: ClusterNodes, prefix: str
) -> None:
    connection = connection_to(Endpoint.of(cluster_nodes.url))
    others = [f"{prefix[:-1]}-{n}}}" for n in range(20)]
    try:
        for key in (prefix, *others):
            await connection.execute("SET", key, key)
        move = SlotMove(cluster_nodes, prefix)
        move.begin()
        while move.move_keys():
            pass
        move.end()
        assert [await connection.execute("GET", key) for key in (prefix, *others)] == [
            key.encode() for key in (prefix, *others)
        ]
        assert await connection.execute("TIME", key=prefix)
        with pytest.raises(ValueError, match="key="):
            await connection.execute("TIME")
    finally:
        await connection.close()
