"""Redis goes away, or the way to it breaks, while jobs run: nothing is lost, nothing falsely failed."""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
import redis

from bullworks.bullmq import Job, Queue, Worker
from tests.bullworks.reliability.history import add_many, check_ended, completed, fields, is_blocked, places
from tests.bullworks.reliability.ledger import Ledger
from tests.bullworks.reliability.proxy import FaultProxy
from tests.bullworks.servers import RedisServer
from tests.bullworks.waiting import eventually

Process = Callable[[Job[Any, Any]], Awaitable[str]]


def _handler(ledger: Ledger, run_s: float = 0.0) -> Process:
    async def process(job: Job[Any, Any]) -> str:
        ledger.note("start", job.id)
        if run_s:
            await asyncio.sleep(run_s)
        return "done"

    return process


@pytest.mark.parametrize("way", ["stopped", "killed"])
async def test_a_worker_goes_on_by_itself_when_redis_is_back(
    way: str,
    queue: Queue[Any],
    own_server: RedisServer,
    key_prefix: str,
    ledger: Ledger,
    caplog: pytest.LogCaptureFixture,
) -> None:
    """In mid-drain; the worker's process lives on, and the log is not flooded.

    A killed Redis has written its append-only file to the kernel before it answered: only a power cut loses it.
    """
    ids = await add_many(queue, 1_000)
    worker: Worker[Any, Any] = Worker(
        "q", _handler(ledger, 0.02), connection=own_server.url, prefix=key_prefix, concurrency=20
    )
    with caplog.at_level(logging.WARNING):
        async with worker:
            await eventually(lambda: len(ledger.ids("start")) >= 200)
            own_server.stop() if way == "stopped" else own_server.kill()
            await asyncio.to_thread(own_server.start)
            with own_server.client() as look:
                before = completed(look, queue)
                await eventually(lambda: completed(look, queue) > before + 20, within_s=10)
                await eventually(lambda: completed(look, queue) == len(ids), within_s=15, what=str(places(look, queue)))
            assert worker.is_running
    with own_server.client() as look:
        check_ended(look, queue, ids)
    assert len(caplog.records) < 60, [record.getMessage() for record in caplog.records][:80]


async def test_connections_killed_again_and_again_lose_nothing(
    queue: Queue[Any], own_server: RedisServer, key_prefix: str, ledger: Ledger, look: redis.Redis
) -> None:
    ids = await add_many(queue, 5_000)
    kills = 0
    failures: list[BaseException] = []
    worker: Worker[Any, Any] = Worker(
        "q", _handler(ledger, 0.01), connection=own_server.url, prefix=key_prefix, concurrency=50
    )
    worker.on("failed", lambda _job, error: failures.append(error))
    async with worker:
        deadline_s = time.monotonic() + 18
        while completed(look, queue) < len(ids) and time.monotonic() < deadline_s:
            kills += int(look.execute_command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes"))
            await asyncio.sleep(0.1)
        await eventually(lambda: completed(look, queue) == len(ids), within_s=10, what=str(kills))
    assert kills >= 10
    assert not failures
    check_ended(look, queue, ids)


async def test_cut_connections_lose_nothing(
    queue: Queue[Any], proxy: FaultProxy, key_prefix: str, ledger: Ledger, look: redis.Redis
) -> None:
    """Cut at whatever moment it is: commands half sent, replies half read."""
    ids = await add_many(queue, 1_000)
    async with Worker("q", _handler(ledger, 0.005), connection=proxy.url, prefix=key_prefix, concurrency=20):
        for _ in range(8):
            await asyncio.sleep(0.15)
            proxy.cut()
        await eventually(lambda: completed(look, queue) == len(ids), within_s=15)
    check_ended(look, queue, ids)


async def test_a_paused_redis_delays_jobs_and_fails_none(
    queue: Queue[Any], own_server: RedisServer, key_prefix: str, ledger: Ledger, look: redis.Redis
) -> None:
    """CLIENT PAUSE for 5 s is shorter than what counts as a dead connection."""
    ids = await add_many(queue, 200)
    async with Worker("q", _handler(ledger, 0.02), connection=own_server.url, prefix=key_prefix, concurrency=10):
        await eventually(lambda: completed(look, queue) >= 20)
        look.execute_command("CLIENT", "PAUSE", 5_000, "ALL")
        await asyncio.sleep(4.9)
        await eventually(lambda: len(ledger.ids("start")) == len(ids), within_s=20)
        await eventually(lambda: completed(look, queue) == len(ids), within_s=20)
    check_ended(look, queue, ids)


async def test_what_a_handler_reads_is_read_again_over_the_next_connection(
    queue: Queue[Any], proxy: FaultProxy, key_prefix: str, look: redis.Redis
) -> None:
    """In a soak, parents failed for good because the connection broke while they read what their children returned."""

    async def process(job: Job[Any, Any]) -> list[Any]:
        return [await job.get_children_values(), await job.logs(), str(await job.get_dependencies_count())]

    lost: set[bytes] = set()

    def is_first(command: list[bytes]) -> bool:
        name = command[0].upper()
        is_lost = name in {b"SMEMBERS", b"LRANGE", b"HLEN"} - lost
        lost.update({name} if is_lost else ())
        return is_lost

    proxy.lose_reply(is_first, times=3)
    async with Worker("q", process, connection=proxy.url, prefix=key_prefix):
        job = await queue.add("x", {})
        await eventually(lambda: completed(look, queue) == 1, what=str(places(look, queue)))
    assert len(lost) == 3
    assert fields(look, queue, job.id)["ats"] == "1"


async def test_a_black_hole_is_noticed_and_nothing_is_lost_in_it(
    queue: Queue[Any], proxy: FaultProxy, key_prefix: str, ledger: Ledger, look: redis.Redis
) -> None:
    """No reset, no reply: only the watchdog can tell. What was sent into the hole arrives late, and counts once."""
    ids = await add_many(queue, 300)
    async with Worker(
        "q",
        _handler(ledger, 0.02),
        connection=proxy.url,
        prefix=key_prefix,
        concurrency=10,
        reply_timeout=500,
        drain_delay=500,
        stalled_interval=1_000,
        lock_duration=2_000,
        max_stalled_count=5,
    ):
        await eventually(lambda: completed(look, queue) >= 30)
        connections = proxy.connections
        proxy.black_hole()
        await eventually(lambda: proxy.connections > connections)
        proxy.heal()
        await eventually(lambda: completed(look, queue) == len(ids), within_s=15, what=str(places(look, queue)))
    check_ended(look, queue, ids)


async def test_a_slow_network_is_no_fault(
    queue: Queue[Any], proxy: FaultProxy, key_prefix: str, ledger: Ledger, look: redis.Redis
) -> None:
    ids = await add_many(queue, 100)
    proxy.delay_s = 0.05
    async with Worker("q", _handler(ledger), connection=proxy.url, prefix=key_prefix, concurrency=20):
        await eventually(lambda: completed(look, queue) == len(ids), within_s=15)
    check_ended(look, queue, ids)
    assert set(ledger.count("start").values()) == {1}


async def test_a_waiting_worker_whose_connection_is_killed_takes_the_next_job(
    queue: Queue[Any], own_server: RedisServer, key_prefix: str, ledger: Ledger, look: redis.Redis
) -> None:
    async with Worker("q", _handler(ledger), connection=own_server.url, prefix=key_prefix):
        for n in range(3):
            await eventually(lambda: is_blocked(look))
            look.execute_command("CLIENT", "KILL", "TYPE", "normal", "SKIPME", "yes")
            job = await eventually(lambda: _added(queue))
            await eventually(lambda n=n: completed(look, queue) == n + 1)
            assert ledger.count("start")[job] == 1
    check_ended(look, queue, ledger.ids("start"))


async def _added(queue: Queue[Any]) -> str:
    """A job's id, added however often the producer's own connection has to be made anew."""
    from bullworks.redis import ConnectionLostError

    try:
        return (await queue.add("job", {})).id
    except ConnectionLostError:
        return ""
