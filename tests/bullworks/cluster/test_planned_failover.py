"""A primary is replaced while it lives, as before maintenance."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest

from bullworks.bullmq import FlowProducer, Job, Queue, Worker
from bullworks.redis import Endpoint
from bullworks.redis.connecting import connection_to
from tests.bullworks.cluster.cluster_nodes import ClusterNodes
from tests.bullworks.cluster.group import client_of, role_of
from tests.bullworks.cluster.watched import SERVICE, WatchedPair
from tests.bullworks.reliability.history import add_many, check_ended, completed
from tests.bullworks.servers import RedisServer
from tests.bullworks.waiting import eventually


class _Drain:
    """A worker that drains a queue, and how often each job has run."""

    def __init__(self, url: str, prefix: str) -> None:
        self.runs: Counter[str] = Counter()
        options: Any = {"lock_duration": 1_500, "stalled_interval": 500, "max_stalled_count": 9, "concurrency": 10}
        self.worker: Worker[Any, Any] = Worker("q", self._process, connection=url, prefix=prefix, **options)
        self.failures: list[Any] = []
        self.worker.on("failed", lambda _job, error: self.failures.append(error))

    async def _process(self, job: Job[Any, Any]) -> str:
        self.runs[job.id] += 1
        await asyncio.sleep(0.005)
        return "done"


@pytest.fixture
def nodes(cluster_nodes: ClusterNodes) -> Iterator[ClusterNodes]:
    """Whole again afterwards."""
    yield cluster_nodes
    cluster_nodes.heal()


@pytest.fixture
def pair(watched_pair: WatchedPair) -> Iterator[WatchedPair]:
    """Whole again afterwards."""
    yield watched_pair
    watched_pair.heal()


@pytest.fixture
async def connected(nodes: ClusterNodes) -> AsyncIterator[Any]:
    """One connection for all keys of the cluster."""
    connection = connection_to(Endpoint.of(nodes.url))
    yield connection
    await connection.close()


async def test_of_a_cluster_runs_every_job_exactly_once(nodes: ClusterNodes, prefix: str) -> None:
    """Redis hands the slots over without losing a write, so we may not either, nor do anything twice."""
    old = nodes.primary(prefix)
    (new,) = [node for node in nodes.nodes if role_of(node).get("master_port") == str(old.port)]
    drain = _Drain(nodes.url, prefix)
    async with Queue("q", connection=nodes.url, prefix=prefix) as queue, drain.worker:
        ids = await add_many(queue, 600)
        await eventually(lambda: len(drain.runs) > 100)
        nodes.run(new, "CLUSTER", "FAILOVER")
        await eventually(lambda: role_of(new).get("role") == "master")
        with client_of(new) as look:
            await eventually(lambda: completed(look, queue) == len(ids))
            check_ended(look, queue, ids)
    assert drain.runs == Counter(ids)
    assert not drain.failures


async def test_of_a_watched_master_loses_no_job(pair: WatchedPair, prefix: str) -> None:
    """A sentinel demotes the old master 10 s after it promoted the new one, and what was written there is lost.

    We leave it within about 1 s; what was done in between is done again.
    """
    old = pair.primary(prefix)
    drain = _Drain(pair.url, prefix)
    async with Queue("q", connection=pair.url, prefix=prefix) as queue, drain.worker:
        ids = await add_many(queue, 600)
        assert await queue.connection.execute("WAIT", 1, 2_000) == 1
        await eventually(lambda: len(drain.runs) > 100)
        pair.sentinels[0].ask("FAILOVER", SERVICE)
        new = await eventually(lambda: _successor(pair, old))
        with client_of(new) as look:
            await eventually(lambda: completed(look, queue) == len(ids), within_s=15)
            check_ended(look, queue, ids)
    assert set(drain.runs) == set(ids)
    assert not drain.failures


async def _successor(pair: WatchedPair, old: RedisServer) -> RedisServer | None:
    primary = await asyncio.to_thread(pair.primary, "")
    return None if primary is old else primary


async def test_queues_and_flows_of_several_tags_share_a_connection(
    nodes: ClusterNodes, connected: Any, key_prefix: str
) -> None:
    """Each goes its own way; a flow has to stay within one tag, several flows need not."""
    prefixes = [f"{{{key_prefix}-{n}}}" for n in range(6)]
    flows = FlowProducer(connection=connected, prefix=prefixes[0])
    trees = await flows.add_bulk(
        {
            "name": "p",
            "queue_name": "q",
            "prefix": prefix,
            "children": [{"name": "c", "queue_name": "q", "prefix": prefix}],
        }
        for prefix in prefixes
    )
    assert len({tree.job.id for tree in trees}) == len(prefixes)
    primaries = {nodes.primary(prefix).port for prefix in prefixes}
    assert len(primaries) > 1
    for prefix, tree in zip(prefixes, trees, strict=True):
        async with Queue("q", connection=connected, prefix=prefix) as queue:
            assert await queue.get_job_counts("waiting", "waiting-children") == {"waiting": 1, "waiting-children": 1}
            assert await tree.job.get_dependencies_count() is not None
            with client_of(nodes.primary(prefix)) as look:
                assert look.exists(queue.keys.of(tree.job.id))
