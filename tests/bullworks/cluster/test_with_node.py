"""Node's bullmq and ours on one cluster, and under one master with sentinels: each runs what the other adds."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from bullworks.bullmq import FlowProducer, Job, JobSpec, Queue, Worker
from tests.bullworks.cluster.cluster_nodes import ClusterNodes
from tests.bullworks.cluster.group import PASSWORD, ServerGroup, client_of
from tests.bullworks.cluster.watched import SERVICE, WATCH_PASSWORD, WatchedPair
from tests.bullworks.compat.line_process import LineProcess
from tests.bullworks.compat.node import Node
from tests.bullworks.reliability.history import check_ended
from tests.bullworks.servers import HOST
from tests.bullworks.waiting import eventually

COUNT = 60


@pytest.fixture
async def node_side(group: ServerGroup, node: Node, prefix: str, tmp_path: Path) -> AsyncIterator[LineProcess]:
    """Node, connected with ioredis' own client for such a group."""
    process = LineProcess(node, "fleet.mjs", tmp_path / "fleet.log")
    await process.ask({"do": "connect", "prefix": prefix, **_as_ioredis_has_it(group)})
    yield process
    process.close()


def _as_ioredis_has_it(group: ServerGroup) -> dict[str, Any]:
    if isinstance(group, ClusterNodes):
        return {"nodes": [{"host": HOST, "port": node.port} for node in group.nodes], "password": PASSWORD}
    assert isinstance(group, WatchedPair)
    places = [{"host": HOST, "port": sentinel.port} for sentinel in group.sentinels]
    login = {"password": PASSWORD, "sentinelPassword": WATCH_PASSWORD}
    return {"sentinels": {"sentinels": places, "name": SERVICE, **login}}


async def test_each_runs_what_the_other_adds(group: ServerGroup, node_side: LineProcess, prefix: str) -> None:
    """Both work on one queue at once; and each alone on one that the other fills."""
    theirs = [{"name": "n", "data": {"n": n}, "opts": {"jobId": f"n{n}"}} for n in range(COUNT)]
    ours = [JobSpec("p", {"n": n}, job_id=f"p{n}") for n in range(COUNT)]
    ids = [f"{side}{n}" for side in "np" for n in range(COUNT)]

    async def process(job: Job[Any, Any]) -> int:
        return int(job.data["n"])

    queues = {name: Queue(name, connection=group.url, prefix=prefix) for name in ("mixed", "node", "python")}
    workers = [Worker(name, process, connection=group.url, prefix=prefix) for name in ("mixed", "python")]
    try:
        for name in ("mixed", "node"):
            await node_side.ask({"do": "work", "name": f"node-{name}", "queue": name, "concurrency": 3})
        for worker in workers:
            await worker.start()
        for name, queue in queues.items():
            await node_side.ask({"do": "add", "queue": name, "jobs": theirs})
            await queue.add_bulk(ours)
        for name, queue in queues.items():
            await eventually(lambda queue=queue: _has_ended(queue, len(ids)), what=name)
            with client_of(group.primary(prefix)) as look:
                check_ended(look, queue, ids)
        names = {client.worker_name for client in await queues["node"].get_workers()}
        assert names == {"node-node"}
    finally:
        for part in (*workers, *queues.values()):
            await part.close()


async def test_a_flow_of_ours_has_children_that_node_runs(
    group: ServerGroup, node_side: LineProcess, prefix: str
) -> None:
    async def add_up(job: Job[Any, Any]) -> int:
        return sum((await job.get_children_values()).values())

    await node_side.ask({"do": "work", "name": "node-parts", "queue": "parts", "concurrency": 3})
    async with (
        Queue("sums", connection=group.url, prefix=prefix) as queue,
        FlowProducer(connection=group.url, prefix=prefix) as flows,
        Worker("sums", add_up, connection=group.url, prefix=prefix),
    ):
        children: Any = [{"name": "part", "queue_name": "parts", "data": {"n": n}} for n in (1, 2, 3)]
        node = await flows.add({"name": "sum", "queue_name": "sums", "children": children})
        await eventually(lambda: _has_ended(queue, 1))
        job = await queue.get_job(node.job.id)
        assert job is not None
        assert job.returnvalue == 6


async def _has_ended(queue: Queue[Any], count: int) -> bool:
    return await queue.get_job_count_by_types("completed", "failed") == count
