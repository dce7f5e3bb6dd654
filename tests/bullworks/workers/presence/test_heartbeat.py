"""Heartbeats of workers, on the real server."""

from __future__ import annotations

import asyncio
import os
import socket
from typing import Any

import pytest

from bullworks.bullmq import Job, Queue, Worker
from bullworks.workers.presence import HeartbeatSender, WorkerRecord, scripts
from bullworks.workers.presence.keys import PresenceKeys
from bullworks.workers.presence.scripts import LIVES_MS, beat
from tests.bullworks.waiting import eventually
from tests.bullworks.workers.presence.conftest import Who


def worker_of(queue: Queue[Any], process: Any, **options: Any) -> Worker:
    endpoint = queue.connection.endpoint
    return Worker("email", process, connection=endpoint, prefix=queue.keys.prefix, **options)


async def nothing(job: Job) -> None:
    del job


async def test_a_heartbeat_says_who_works_where_and_on_how_much(queue: Queue[Any], who: Who) -> None:
    going, may_end = asyncio.Event(), asyncio.Event()

    async def wait(job: Job) -> None:
        del job
        going.set()
        await may_end.wait()

    worker = worker_of(queue, wait, name="one", concurrency=3, lock_duration=5_000)
    heartbeats = HeartbeatSender()
    heartbeats.follow(worker, queue)
    async with worker:
        await queue.add("x", {})
        async with asyncio.timeout(10):
            await going.wait()
        await heartbeats.beat()
        (record,) = (await who()).workers
        may_end.set()
    assert record.id == worker.id
    assert (record.name, record.concurrency, record.held, record.lock_ms) == ("one", 3, 1, 5_000)
    assert (record.host, record.pid, record.is_paused) == (socket.gethostname(), os.getpid(), False)
    assert record.version
    assert record.python
    assert record.started_at_ms > 0
    assert 0 <= record.age_ms < 10_000


async def test_workers_are_told_of_from_the_start_until_the_end(queue: Queue[Any], who: Who) -> None:
    heartbeats = HeartbeatSender(beat_s=60)
    async with worker_of(queue, nothing) as one, worker_of(queue, nothing) as other:
        heartbeats.follow(one, queue)
        heartbeats.follow(other, queue)
        heartbeats.start()
        heartbeats.start()

        async def both() -> bool:
            return {record.id for record in (await who()).workers} == {one.id, other.id}

        await eventually(both)
        await heartbeats.close()
        await heartbeats.close()
    assert (await who()).total == 0
    await HeartbeatSender().close()


async def test_a_worker_that_does_not_run_is_not_told_of(queue: Queue[Any], who: Who) -> None:
    heartbeats = HeartbeatSender()
    heartbeats.follow(worker_of(queue, nothing), queue)
    await heartbeats.beat()
    assert (await who()).total == 0


async def test_what_a_killed_process_said_expires(queue: Queue[Any], keys: PresenceKeys, who: Who) -> None:
    await beat(queue.connection, keys, [WorkerRecord(id="killed")])
    for key in (keys.workers, keys.seen):
        assert 0 < await queue.connection.execute("PTTL", key) <= LIVES_MS
    await queue.connection.execute("ZINCRBY", keys.seen, -LIVES_MS, "killed")
    assert (await who()).total == 0
    await beat(queue.connection, keys, [WorkerRecord(id="alive")])
    assert await queue.connection.execute("HKEYS", keys.workers) == [b"alive"]


async def test_a_queue_has_so_many_workers_and_no_more(
    queue: Queue[Any], keys: PresenceKeys, who: Who, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(scripts, "MOST_WORKERS", 5)
    for number in range(8):
        await beat(queue.connection, keys, [WorkerRecord(id=f"w{number}")])
        await queue.connection.execute("ZINCRBY", keys.seen, number - 100, f"w{number}")
    present = await who(2)
    assert present.total == 5
    assert [record.id for record in present.workers] == ["w7", "w6"]
    assert await queue.connection.execute("HLEN", keys.workers) == 5


async def test_a_record_that_cannot_be_read_is_a_worker_all_the_same(
    queue: Queue[Any], keys: PresenceKeys, who: Who
) -> None:
    await beat(queue.connection, keys, [WorkerRecord(id="odd"), WorkerRecord(id="other")])
    await queue.connection.execute("HSET", keys.workers, "odd", "{", "other", '{"pid":"x","host":"here","held":true}')
    records = {record.id: record for record in (await who()).workers}
    assert (records["odd"].host, records["other"].host) == ("", "here")
    assert (records["other"].pid, records["other"].held) == (0, 0)


async def test_a_redis_that_refuses_or_is_away_is_said_once_and_does_no_harm(
    queue: Queue[Any], keys: PresenceKeys, who: Who, caplog: pytest.LogCaptureFixture
) -> None:
    def said() -> int:
        return sum(record.name == "bullworks.workers.presence.heartbeat" for record in caplog.records)

    heartbeats = HeartbeatSender(beat_s=0.01)
    async with worker_of(queue, nothing) as worker:
        heartbeats.follow(worker, queue)
        await queue.connection.execute("SET", keys.workers, "no hash")
        heartbeats.start()
        await eventually(lambda: said() == 1)
        await heartbeats.beat()
        assert said() == 1
        await queue.connection.execute("DEL", keys.workers)

        async def is_there() -> bool:
            return (await who()).total == 1

        await eventually(is_there)
        queue.connection.drop("for the test")
        await heartbeats.beat()  # nothing is sent that would be old once there is a connection
        await queue.connection.connect()
        await eventually(is_there)
        await heartbeats.close()
        assert said() == 1
