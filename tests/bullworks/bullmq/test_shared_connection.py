"""What is made with one URL on one event loop shares a connection."""

from __future__ import annotations

import asyncio
import gc
import weakref

import pytest

from bullworks.bullmq import FlowProducer, Queue
from bullworks.locks import DistributedLockService
from bullworks.redis import ConnectionLostError


async def test_a_thousand_queues_share_one(redis_url: str, key_prefix: str) -> None:
    queues = [Queue(f"q{number}", connection=redis_url, prefix=key_prefix) for number in range(1_000)]
    flows, locks = FlowProducer(connection=redis_url), DistributedLockService(connection=redis_url)
    await asyncio.gather(*(queue.add("job") for queue in queues))
    assert {queue.connection for queue in queues} == {flows.connection}
    async with locks.hold("one", 1_000):
        assert len({id(queue.connection) for queue in queues}) == 1
    for closed in (*queues, flows, locks):
        await closed.close()


async def test_one_that_is_closed_takes_nothing_more_and_the_others_go_on(redis_url: str, key_prefix: str) -> None:
    first, second = (Queue(name, connection=redis_url, prefix=key_prefix) for name in ("first", "second"))
    job = await first.add("job")
    await first.close()
    await first.close()
    with pytest.raises(ConnectionLostError, match="it was closed"):
        await first.add("job")
    with pytest.raises(ConnectionLostError, match="it was closed"):
        await job.get_state()
    await second.add("job")
    shared = second.connection
    await second.close()
    assert not shared.is_connected
    third = Queue("third", connection=redis_url, prefix=key_prefix)
    await third.add("job")
    await third.close()


async def test_the_users_own_connection_stays_open(redis_url: str, key_prefix: str) -> None:
    async with Queue("first", connection=redis_url, prefix=key_prefix) as first:
        second = Queue("second", connection=first.connection, prefix=key_prefix)
        await second.close()
        await first.add("job")


def test_made_outside_of_a_loop_each_has_its_own(redis_url: str, key_prefix: str) -> None:
    queues = [Queue(name, connection=redis_url, prefix=key_prefix) for name in ("first", "second")]

    async def use(queue: Queue) -> None:
        await queue.add("job")
        await queue.close()

    for queue in queues:
        asyncio.run(use(queue))


def test_what_nobody_closed_keeps_no_event_loop(redis_url: str, key_prefix: str) -> None:
    async def use() -> weakref.ref[asyncio.AbstractEventLoop]:
        queue = Queue("first", connection=redis_url, prefix=key_prefix)
        await queue.add("job")
        await queue.connection.close()  # the socket, but not the queue
        return weakref.ref(asyncio.get_running_loop())

    ended = asyncio.run(use())
    gc.collect()
    assert ended() is None
