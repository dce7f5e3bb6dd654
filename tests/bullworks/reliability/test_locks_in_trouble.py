"""A lock while the way to Redis breaks: a lost reply does no harm, and nobody believes in what is gone."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest
import redis

from bullworks.locks import DistributedLockService, LocksClosedError, LockUnreachableError
from bullworks.locks.keys import NAMES, LockKeys, notification_list
from bullworks.locks.lock_scripts import ACQUIRE, EXTEND, RELEASE
from bullworks.redis.connecting import connection_to
from bullworks.redis.endpoint import Endpoint
from bullworks.redis.errors import ConnectError
from bullworks.redis.server_error import ServerError
from tests.bullworks.reliability.proxy import FaultProxy, runs
from tests.bullworks.reliability.test_refusing_servers import MINIMAL_ACL
from tests.bullworks.servers import RedisServer
from tests.bullworks.waiting import BUSY_S, eventually

KEYS = LockKeys("sync-data")


@pytest.fixture(autouse=True)
def known_scripts(look: redis.Redis) -> None:
    """Redis knows the scripts already: a first EVALSHA would only be answered by NOSCRIPT."""
    for script in (ACQUIRE, EXTEND, RELEASE):
        look.script_load(script.source.decode())


@pytest.fixture
async def locks(proxy: FaultProxy) -> AsyncIterator[DistributedLockService]:
    """Reaches Redis through the proxy."""
    async with DistributedLockService(connection=proxy.url) as service:
        yield service


@pytest.fixture
async def others(own_server: RedisServer) -> AsyncIterator[DistributedLockService]:
    """Reaches Redis past the proxy."""
    async with DistributedLockService(connection=own_server.url) as service:
        yield service


@pytest.mark.parametrize("wait", [None, 5_000])
async def test_an_acquire_whose_reply_was_lost_is_granted_once(
    locks: DistributedLockService, proxy: FaultProxy, look: redis.Redis, wait: int | None
) -> None:
    proxy.lose_reply(runs(ACQUIRE.sha), times=2)
    lock = await locks.acquire("sync-data", 60_000, wait=wait)
    assert lock is not None
    assert len(proxy.lost) == 2
    assert look.hget(KEYS.lock, "fence") == str(lock.fence).encode()
    assert look.get(KEYS.fence) == str(lock.fence).encode(), "no fence was spent on the repetition"
    assert await locks.release("sync-data") is True


async def test_a_release_whose_reply_was_lost_leaves_the_lock_free(
    locks: DistributedLockService, others: DistributedLockService, proxy: FaultProxy
) -> None:
    lock = await locks.acquire("sync-data", 60_000)
    assert lock is not None
    proxy.lose_reply(runs(RELEASE.sha))
    await lock.release()
    assert len(proxy.lost) == 1
    assert not await others.is_locked("sync-data")


async def test_a_late_repetition_of_a_release_harms_nobody(
    locks: DistributedLockService, others: DistributedLockService, proxy: FaultProxy, look: redis.Redis
) -> None:
    """The first was done, its reply lost; meanwhile somebody else acquires."""
    lock = await locks.acquire("sync-data", 60_000)
    assert lock is not None
    theirs = asyncio.create_task(others.acquire("sync-data", 60_000, wait=10_000))
    await eventually(lambda: look.zcard(KEYS.line) == 1)
    proxy.lose_reply(runs(RELEASE.sha), times=3)
    await lock.release()
    got = await asyncio.wait_for(theirs, 5)
    assert got is not None
    assert await got.extend(60_000) is True


async def test_an_extension_whose_reply_was_lost_is_repeated_in_time(
    locks: DistributedLockService, proxy: FaultProxy
) -> None:
    lock = await locks.acquire("sync-data", 2_000)
    assert lock is not None
    proxy.lose_reply(runs(EXTEND.sha))
    assert await lock.extend(60_000) is True
    assert lock.time_left_ms > 50_000


async def test_an_extension_to_less_is_believed_although_no_reply_comes(
    locks: DistributedLockService, proxy: FaultProxy
) -> None:
    """Redis may have shortened it."""
    lock = await locks.acquire("sync-data", 60_000)
    assert lock is not None
    proxy.black_hole()
    extending = asyncio.create_task(lock.extend(200))
    await asyncio.wait_for(lock.lost.wait(), 0.2 + BUSY_S)
    proxy.heal()
    assert await asyncio.wait_for(extending, 5) is False


async def test_an_extension_that_is_granted_after_the_deadline_is_taken_back(
    locks: DistributedLockService, others: DistributedLockService, proxy: FaultProxy
) -> None:
    """Else everybody would wait for a lock in which nobody believes."""
    lock = await locks.acquire("sync-data", 400)
    assert lock is not None
    proxy.delay_s = 0.25  # it arrives in time, and its answer does not
    assert await asyncio.wait_for(lock.extend(60_000), 5) is False
    proxy.delay_s = 0.0
    assert await others.acquire("sync-data", 1_000, wait=3_000) is not None


async def test_a_lock_is_held_through_a_restart_of_redis(
    locks: DistributedLockService, others: DistributedLockService, own_server: RedisServer
) -> None:
    """Redis keeps it in its append-only file; the extension is tried until it comes through."""
    assert await others.is_locked("sync-data") is False
    async with locks.hold("sync-data", 3_000, auto_extend=True) as lock:
        own_server.kill()
        await asyncio.to_thread(own_server.start)
        assert await others.acquire("sync-data", 1_000, wait=3_500) is None
        assert lock.is_held
    assert await others.acquire("sync-data", 1_000) is not None


async def test_who_waits_gets_the_lock_also_when_redis_restarted_meanwhile(
    locks: DistributedLockService, others: DistributedLockService, own_server: RedisServer, look: redis.Redis
) -> None:
    lock = await others.acquire("sync-data", 30_000)
    assert lock is not None
    waiting = asyncio.create_task(locks.acquire("sync-data", 1_000, wait=15_000))
    await eventually(lambda: look.zcard(KEYS.line) == 1)
    own_server.kill()
    await asyncio.to_thread(own_server.start)
    assert await lock.release() is True
    assert await asyncio.wait_for(waiting, 10) is not None


async def test_redis_that_does_not_answer_is_an_error_in_time_and_no_lock_is_left(
    locks: DistributedLockService, proxy: FaultProxy, look: redis.Redis
) -> None:
    assert await locks.is_locked("sync-data") is False
    proxy.black_hole()
    with pytest.raises(LockUnreachableError, match=r"'sync-data': no answer from Redis at redis://127"):
        await locks.acquire("sync-data", 60_000, wait=300)
    proxy.heal()
    # What was sent into the black hole is done now, and taken back.
    await eventually(lambda: not locks._claims._tasks)
    assert look.exists(KEYS.lock, KEYS.line, KEYS.seen) == 0


async def test_a_network_slower_than_the_ttl_gives_no_lock(
    locks: DistributedLockService, proxy: FaultProxy, look: redis.Redis
) -> None:
    """It has run out before we hear that it was granted."""
    assert await locks.is_locked("sync-data") is False
    proxy.delay_s = 0.05
    with pytest.raises(LockUnreachableError, match="no answer from Redis"):
        await locks.acquire("sync-data", 50)
    proxy.delay_s = 0.0
    await eventually(lambda: look.exists(KEYS.lock) == 0)


async def test_a_release_without_redis_ends_with_false_and_the_lock_runs_out(
    locks: DistributedLockService, others: DistributedLockService, proxy: FaultProxy, caplog: pytest.LogCaptureFixture
) -> None:
    lock = await locks.acquire("sync-data", 600)
    assert lock is not None
    proxy.black_hole()
    assert await asyncio.wait_for(lock.release(), BUSY_S) is False
    assert any("unreachable" in message for message in caplog.messages)
    assert await others.acquire("sync-data", 1_000, wait=3_000) is not None


async def test_a_server_that_is_not_there_is_told_at_once(own_server: RedisServer) -> None:
    own_server.stop()
    async with DistributedLockService(connection=own_server.url) as locks:
        with pytest.raises(ConnectError, match="refused"):
            await locks.acquire("sync-data", 1_000)


async def test_the_documented_permissions_are_enough_for_all_that_a_lock_does(
    own_server: RedisServer, look: redis.Redis
) -> None:
    rules = MINIMAL_ACL.format(prefix="bull").split()
    look.acl_setuser("worker", enabled=True, passwords=["+pass"], reset=True)
    look.execute_command("ACL", "SETUSER", "worker", *rules)
    url = own_server.url.replace("redis://", "redis://worker:pass@")
    async with DistributedLockService(connection=url) as one, DistributedLockService(connection=url) as other:
        lock = await one.acquire("sync-data", 60_000)
        assert lock is not None
        waiting = asyncio.create_task(other.acquire("sync-data", 60_000, wait=30_000))
        await eventually(lambda: look.zcard(KEYS.line) == 1)
        assert await lock.extend(60_000)
        assert [view.name for view in await one.get_locks()] == ["sync-data"]
        assert await one.is_locked("sync-data")
        await lock.release()
        assert await asyncio.wait_for(waiting, BUSY_S) is not None


async def test_a_claim_under_way_when_the_service_closes_fails_and_leaves_no_lock(
    proxy: FaultProxy, look: redis.Redis
) -> None:
    """As at the end of an application, whose connection outlives the lock service."""
    connection = connection_to(Endpoint.of(proxy.url))
    locks = DistributedLockService(connection=connection)
    assert await locks.is_locked("sync-data") is False
    proxy.delay_s = 0.1
    claims = [asyncio.create_task(locks.acquire("sync-data", 60_000, wait=wait)) for wait in (None, 30_000)]
    await eventually(lambda: len(locks._claims._claiming) == 2 and connection._pending)
    await locks.close()
    results = await asyncio.wait_for(asyncio.gather(*claims, return_exceptions=True), 5)
    assert [type(result) for result in results] == [LocksClosedError, LocksClosedError]
    assert str(results[0]) == "lock 'sync-data' cannot be acquired: the DistributedLockService is closed"
    assert look.exists(KEYS.lock, KEYS.line, KEYS.seen) == 0
    await connection.close()


async def test_a_replica_that_is_promoted_gives_the_lock(locks: DistributedLockService, look: redis.Redis) -> None:
    """READONLY passes: it is asked again."""
    look.execute_command("REPLICAOF", "127.0.0.1", "1")
    acquiring = asyncio.create_task(locks.acquire("sync-data", 1_000))
    await eventually(lambda: look.info("stats")["total_error_replies"] >= 2)
    look.execute_command("REPLICAOF", "NO", "ONE")
    assert await asyncio.wait_for(acquiring, 5) is not None


async def test_a_lock_that_may_not_be_extended_any_more_is_warned_of_and_lost(
    locks: DistributedLockService, look: redis.Redis, caplog: pytest.LogCaptureFixture
) -> None:
    lock = await locks.acquire("sync-data", 600, auto_extend=True)
    assert lock is not None
    look.execute_command("ACL", "SETUSER", "default", "-evalsha")
    try:
        await asyncio.wait_for(lock.lost.wait(), 5)
        with pytest.raises(ServerError, match="NOPERM"):
            await locks.acquire("other", 1_000)
    finally:
        look.execute_command("ACL", "SETUSER", "default", "+evalsha")
    assert any("could not be extended" in message and "NOPERM" in message for message in caplog.messages)


async def test_a_list_of_names_that_is_broken_keeps_nobody_from_a_lock(
    locks: DistributedLockService, look: redis.Redis
) -> None:
    look.set(NAMES, "something else")
    lock = await locks.acquire("sync-data", 1_000)
    assert lock is not None
    assert await lock.extend(2_000)


async def test_a_waiting_process_that_cannot_be_told_asks_by_itself(
    locks: DistributedLockService, others: DistributedLockService, look: redis.Redis
) -> None:
    lock = await locks.acquire("sync-data", 60_000)
    assert lock is not None
    look.set(notification_list(others.instance), "something else")
    waiting = asyncio.create_task(others.acquire("sync-data", 1_000, wait=10_000))
    await eventually(lambda: look.zcard(KEYS.line) == 1)
    assert await lock.release() is True
    assert await asyncio.wait_for(waiting, 3 + BUSY_S) is not None
