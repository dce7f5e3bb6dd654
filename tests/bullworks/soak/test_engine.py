"""The engine under random faults for SOAK_S seconds (default 300), if RUN_SOAK is set; prints its seed and figures.

Producers, workers, flows and job schedulers go on while processes are killed and frozen and Redis is restarted, killed
and frozen. Then everything must have ended, once but where a fault explains it, and nothing may have grown.
"""

from __future__ import annotations

import asyncio
import os
import random
import signal
import time
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from bullworks.bullmq import FlowProducer, JobSpec, Queue
from bullworks.redis import PipelinedConnection, RedisError
from tests.bullworks.cluster.watched import WatchedPair
from tests.bullworks.servers import RedisServer
from tests.bullworks.soak.soak_worker import TIMING, SoakWorker, Vitals
from tests.bullworks.waiting import eventually

SOAK_S = int(os.environ.get("SOAK_S", "300"))
PREFIX = "{soak}"
QUEUES = ("plain", "parents", "ticks")
JOBS_A_BATCH = 200
FLOWS_A_BATCH = 5
# 26 slots, and what three workers need besides.
MOST_TASKS = 26 + 3 * 8
# A run that a fault cut off is known to be cut off only when its lock is over and two checks have passed.
EXPLAINED_MS = TIMING["lock_duration"] + 2 * TIMING["stalled_interval"] + 5_000
pytestmark = [
    pytest.mark.skipif("RUN_SOAK" not in os.environ, reason="takes minutes: RUN_SOAK=1 runs it"),
    pytest.mark.timeout(SOAK_S + 300),
]


@dataclass
class Faults:
    """What was done, and when: spans in ms of the wall clock."""

    spans: list[tuple[float, float]] = field(default_factory=list)
    counts: dict[str, int] = field(default_factory=lambda: defaultdict(int))

    def explain(self, start_ms: float, end_ms: float) -> bool:
        """Whether one of them touches this time."""
        return any(begin - 1_000 <= end_ms and start_ms <= end + EXPLAINED_MS for begin, end in self.spans)


class Producer:
    """Adds jobs and flows with ids of its own, so that adding again after a lost answer is harmless."""

    def __init__(self, url: str, *, waits_for_replica: bool) -> None:
        self.queue: Queue[Any] = Queue("plain", connection=url, prefix=PREFIX)
        self.flows = FlowProducer(connection=url, prefix=PREFIX)
        self.jobs: set[str] = set()
        self.parents: set[str] = set()
        self._waits = waits_for_replica
        self._number = 0

    async def add(self) -> None:
        """One batch; tried again until Redis has it."""
        self._number += 1
        jobs = [JobSpec("job", {"n": n}, job_id=f"job-{self._number}-{n}") for n in range(JOBS_A_BATCH)]
        flows = [self._flow(f"{self._number}-{n}") for n in range(FLOWS_A_BATCH)]
        await self._insist(self.queue.connection, lambda: self.queue.add_bulk(jobs))
        self.jobs |= {str(spec.opts["job_id"]) for spec in jobs}
        for flow in flows:
            await self._insist(self.flows.connection, lambda flow=flow: self.flows.add(flow))
            self.parents.add(flow["opts"]["job_id"])
            self.jobs |= {child["opts"]["job_id"] for child in flow["children"]}

    def _flow(self, name: str) -> Any:
        children = [
            {"name": "child", "queue_name": "plain", "data": {}, "opts": {"job_id": f"child-{name}-{n}"}}
            for n in range(3)
        ]
        return {"name": "parent", "queue_name": "parents", "opts": {"job_id": f"parent-{name}"}, "children": children}

    async def _insist(self, connection: PipelinedConnection, step: Any) -> None:
        while True:
            generation = connection.generation
            try:
                async with asyncio.timeout(60):
                    await step()
                if not self._waits or await self._is_replicated(connection, generation):
                    return
            except RedisError:
                pass
            await asyncio.sleep(0.1)

    async def _is_replicated(self, connection: PipelinedConnection, generation: int) -> bool:
        """Whether a replica has what was written since; WAIT speaks only of what the same connection wrote."""
        replicas = await connection.execute("WAIT", 1, 2_000, key=self.queue.keys.base)
        return bool(replicas) and connection.generation == generation

    async def close(self) -> None:
        await self.flows.close()
        await self.queue.close()


@pytest.fixture
def chance() -> random.Random:
    seed = int(os.environ.get("SOAK_SEED", time.time_ns() % 1_000_000))
    print(f"seed {seed}")  # noqa: T201 - to repeat it
    return random.Random(seed)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[RedisServer]:
    """A server that has written down what it acknowledges."""
    folder = tmp_path / "redis"
    folder.mkdir()
    with RedisServer(folder, options=["--appendonly", "yes", "--appendfsync", "always"]) as server:
        yield server


@pytest.fixture
def fleet(tmp_path: Path) -> Iterator[list[SoakWorker]]:
    workers: list[SoakWorker] = []
    yield workers
    for worker in workers:
        worker.process.send_signal(signal.SIGCONT) if worker.process.poll() is None else None
        worker.kill()


async def test_nothing_is_lost_or_grows_under_faults(
    server: RedisServer, fleet: list[SoakWorker], chance: random.Random, tmp_path: Path
) -> None:
    """The first worker is never killed: it lives through everything else, and must hold no more at the end."""
    faults, producer = Faults(), Producer(server.url, waits_for_replica=False)
    await _schedule(server.url)
    fleet += [SoakWorker(server.url, PREFIX, tmp_path) for _ in range(3)]
    steady = fleet[0]
    for _ in range(20):  # until every slot has been used once
        await producer.add()
    await _all_ended(producer, steady)
    before, keys_before = steady.vitals(), server.run("DBSIZE")
    end_s = time.monotonic() + SOAK_S
    while time.monotonic() < end_s:
        adding = asyncio.create_task(producer.add())
        await _one_fault(chance, faults, server, fleet, tmp_path)
        await adding
        await asyncio.sleep(chance.uniform(0, 2))
    await _all_ended(producer, steady)
    await _check(server.url, producer, faults, fleet, before, steady.vitals())
    assert server.run("DBSIZE") <= keys_before + 50, "keys are left over"
    assert steady.log_bytes < 5_000_000, "the log was flooded"
    assert all(worker.stop(30) == 0 for worker in fleet)
    await eventually(lambda: _clients(server) <= 3, within_s=30, what="connections to be closed")


async def test_nothing_is_lost_through_failovers(
    fleet: list[SoakWorker], chance: random.Random, tmp_path: Path
) -> None:
    """Primaries that Sentinel watches are killed or frozen, one after the other; what was added was replicated first.

    Nothing can be replicated until the pair is whole again, so what is added meanwhile waits for that.
    """
    with WatchedPair(tmp_path) as pair:
        faults, producer = Faults(), Producer(pair.url, waits_for_replica=True)
        fleet += [SoakWorker(pair.url, PREFIX, tmp_path) for _ in range(2)]
        await eventually(lambda: all(worker.has_started for worker in fleet), within_s=30)
        end_s = time.monotonic() + SOAK_S / 4
        while time.monotonic() < end_s:
            await producer.add()
            old = await asyncio.to_thread(pair.primary, PREFIX)
            began_ms = time.time() * 1000
            adding = asyncio.create_task(producer.add())
            what = chance.choice(["kill", "freeze"])
            old.kill() if what == "kill" else old.freeze()
            await asyncio.to_thread(pair.primary, PREFIX)
            await asyncio.sleep(chance.uniform(0, 2))
            await asyncio.to_thread(pair.heal)
            await adding
            faults.spans.append((began_ms, time.time() * 1000))
            faults.counts[f"failover after a {what}"] += 1
        await _all_ended(producer, fleet[0])
        vitals = fleet[0].vitals()
        await _check(pair.url, producer, faults, fleet, vitals, vitals)


async def _schedule(url: str) -> None:
    async with Queue("ticks", connection=url, prefix=PREFIX) as ticks:
        await ticks.upsert_job_scheduler("tick", {"every": 500}, {"opts": {"remove_on_complete": 20}})
    for name in ("plain", "parents"):
        async with Queue(name, connection=url, prefix=PREFIX) as queue:
            await queue.trim_events(100)


async def _one_fault(
    chance: random.Random, faults: Faults, server: RedisServer, fleet: list[SoakWorker], folder: Path
) -> None:
    what = chance.choice(["kill a worker", "freeze a worker", "restart redis", "kill redis", "freeze redis"])
    pause_s = chance.uniform(0.1, 4.5)
    began_ms = time.time() * 1000
    victim = chance.randrange(1, len(fleet))
    match what:
        case "kill a worker":
            fleet[victim].kill()
            fleet[victim] = SoakWorker(server.url, PREFIX, folder)
        case "freeze a worker":
            fleet[victim].process.send_signal(signal.SIGSTOP)
            await asyncio.sleep(pause_s)  # the fault is the time itself
            fleet[victim].process.send_signal(signal.SIGCONT)
        case "freeze redis":
            server.freeze()
            await asyncio.sleep(pause_s)
            server.thaw()
        case _:
            await asyncio.to_thread(server.kill if what == "kill redis" else server.stop)
            await asyncio.sleep(pause_s)
            await asyncio.to_thread(server.start)
    faults.spans.append((began_ms, time.time() * 1000))
    faults.counts[what] += 1


def _runs(ledger: Path, what: str) -> dict[str, list[float]]:
    """When runs began, or ended, by job."""
    found: dict[str, list[float]] = defaultdict(list)
    for line in ledger.read_text().splitlines() if ledger.exists() else []:
        noted, at_ms, job_id = line.split(" ")
        if noted.split("-")[0] == what:
            found[job_id].append(float(at_ms))
    return found


async def _all_ended(producer: Producer, worker: SoakWorker) -> None:
    wanted = producer.jobs | producer.parents
    try:
        await eventually(lambda: not wanted - _runs(worker.ledger, "end").keys(), within_s=120)
    except AssertionError:
        missing = sorted(wanted - _runs(worker.ledger, "end").keys())
        found = [await _described(producer, job_id) for job_id in missing[:10]]
        raise AssertionError("\n".join([f"{len(missing)} jobs never ended", *found])) from None

    async def is_quiet() -> bool:
        counts = await producer.queue.get_job_counts("active", "waiting", "delayed")
        return not any(counts.values())

    await eventually(is_quiet, within_s=60, what="the queue to be empty")


async def _described(producer: Producer, job_id: str) -> str:
    name = "parents" if job_id in producer.parents else "plain"
    async with Queue(name, connection=producer.queue.connection, prefix=PREFIX) as queue:
        fields = await queue.connection.execute("HGETALL", queue.keys.of(job_id))
        return f"{name}:{job_id} is {await queue.get_job_state(job_id)}: {fields}"


async def _check(
    url: str, producer: Producer, faults: Faults, fleet: list[SoakWorker], before: Vitals, after: Vitals
) -> None:
    started, ended = _runs(fleet[0].ledger, "start"), _runs(fleet[0].ledger, "end")
    twice = {job_id for job_id, times in ended.items() if len(times) > 1}
    unexplained = {job_id for job_id in twice if not faults.explain(started[job_id][0], ended[job_id][-1])}
    failed = {}
    for name in QUEUES:
        async with Queue(name, connection=url, prefix=PREFIX) as queue:
            failed |= {f"{name}:{job.id}": job.failed_reason for job in await queue.get_failed()}
            await queue.clean(0, "completed")
            await queue.clean(0, "failed")
            await queue.trim_events(100)
    print(  # noqa: T201 - the figures are what a soak is for
        f"jobs {len(producer.jobs)}, flows {len(producer.parents)}, faults {dict(faults.counts)}, "
        f"lost {len((producer.jobs | producer.parents) - ended.keys())}, falsely failed {len(failed)}, "
        f"twice {len(twice)}, of these unexplained {len(unexplained)}; steady worker {before} -> {after}"
    )
    assert not failed
    assert not unexplained
    assert after.tasks <= MOST_TASKS
    assert after.descriptors <= before.descriptors + 3
    assert after.threads <= before.threads + 2
    assert after.rss_kb <= before.rss_kb * 1.3 + 10_000
    await producer.close()


def _clients(server: RedisServer) -> int:
    return len(server.run("CLIENT", "LIST").splitlines())
