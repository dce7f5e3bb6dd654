"""Acquire, release, extend: one holder at a time, and nobody takes away another's lock."""

from __future__ import annotations

import asyncio
import logging
import os
import socket
from datetime import timedelta
from typing import Any

import pytest

from bullworks.locks import (
    DistributedLockService,
    InvalidLockError,
    LockLostError,
    LocksClosedError,
    LockTakenError,
)
from bullworks.locks.keys import LockKeys
from tests.bullworks.waiting import BUSY_S, eventually

pytestmark = pytest.mark.usefixtures("redis_server")


async def lost(lock: Any) -> None:
    await asyncio.wait_for(lock.lost.wait(), 5)


async def test_only_one_of_two_gets_it_and_the_other_gets_none(
    locks: DistributedLockService, others: DistributedLockService, name: str
) -> None:
    lock = await locks.acquire(name, 60_000)
    assert lock is not None
    assert lock.is_held
    assert await others.acquire(name, 60_000) is None
    assert await locks.acquire(name, 60_000) is None, "not reentrant"
    assert await lock.release() is True
    assert not lock.is_held
    assert await others.acquire(name, 60_000) is not None


async def test_the_documents_example_works_word_for_word(
    locks: DistributedLockService, others: DistributedLockService, name: str
) -> None:
    async def sync_data(service: DistributedLockService) -> str:
        lock = await service.acquire(name, 60_000)
        if lock is None:
            return "another instance is already syncing"
        try:
            return await sync_data(others) if service is locks else "synced"
        finally:
            assert await service.release(name) is True

    assert await sync_data(locks) == "another instance is already syncing"
    assert await sync_data(others) == "synced"
    assert not await locks.is_locked(name)


async def test_a_fence_grows_with_every_acquisition(
    locks: DistributedLockService, others: DistributedLockService, name: str
) -> None:
    fences = []
    for service in (locks, others) * 5:
        async with service.hold(name, 60_000) as lock:
            fences.append(lock.fence)
    assert fences == sorted(set(fences))


async def test_a_fence_grows_also_after_redis_forgot_the_last_one(
    locks: DistributedLockService, name: str, keys: LockKeys, look: Any
) -> None:
    async with locks.hold(name, 60_000) as lock:
        before = lock.fence
    look.delete(keys.fence)
    async with locks.hold(name, 60_000) as lock:
        assert lock.fence > before


async def test_a_fence_grows_also_while_the_clock_of_redis_is_behind(
    locks: DistributedLockService, name: str, keys: LockKeys, look: Any
) -> None:
    ahead = 2**52
    look.set(keys.fence, ahead)
    async with locks.hold(name, 60_000) as lock:
        assert lock.fence == ahead + 1


async def test_the_lock_runs_out_by_itself_and_says_so(
    locks: DistributedLockService, others: DistributedLockService, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    lock = await locks.acquire(name, 100)
    assert lock is not None
    assert 0 < lock.time_left_ms <= 100
    await lost(lock)
    assert (lock.is_held, lock.time_left_ms) == (False, 0)
    assert "lost" in repr(lock)
    with pytest.raises(LockLostError, match=f"{name}.*fence {lock.fence}"):
        lock.ensure_held()
    assert await others.acquire(name, 60_000, wait=1_000) is not None
    assert any("is lost" in message for message in caplog.messages)


async def test_the_lock_is_believed_lost_before_redis_lets_it_go(
    locks: DistributedLockService, name: str, keys: LockKeys, look: Any
) -> None:
    """For a moment nobody believes in it, rather than two."""
    loop = asyncio.get_running_loop()
    asked_s = loop.time()
    lock = await locks.acquire(name, 10_000)
    assert lock is not None
    # The key lives at least so long: it was read after the clock was. The best of some tries, since reading takes time.
    lives_until_s = max(loop.time() + look.pttl(keys.lock) / 1000 for _ in range(50))
    assert asked_s + 10 - 0.02 < lock.deadline_s < lives_until_s


async def test_releasing_leaves_a_lock_that_someone_else_took_over(
    locks: DistributedLockService, others: DistributedLockService, name: str
) -> None:
    """Our lease ran out and another process acquired: releasing must not delete theirs."""
    mine = await locks.acquire(name, 50)
    assert mine is not None
    await lost(mine)
    theirs = await others.acquire(name, 60_000, wait=1_000)
    assert theirs is not None
    assert await locks.release(name) is False
    assert await mine.release() is False
    assert await theirs.extend(60_000) is True


async def test_extending_holds_it_longer_or_shorter_from_now(
    locks: DistributedLockService, name: str, keys: LockKeys, look: Any
) -> None:
    lock = await locks.acquire(name, 1_000)
    assert lock is not None
    assert await locks.extend(lock, timedelta(minutes=1)) is True
    assert 50_000 < lock.time_left_ms < look.pttl(keys.lock) <= 60_000
    assert await lock.extend(200) is True
    assert lock.time_left_ms <= 200
    await lost(lock)
    assert await lock.extend(1_000) is False


async def test_extending_a_lock_that_is_somebody_elses_by_now_says_so_and_changes_nothing(
    locks: DistributedLockService, name: str, keys: LockKeys, look: Any
) -> None:
    lock = await locks.acquire(name, 60_000)
    assert lock is not None
    look.hset(keys.lock, "token", "other:token")
    look.pexpire(keys.lock, 10_000)
    assert await lock.extend(60_000) is False
    assert lock.lost.is_set()
    assert look.pttl(keys.lock) <= 10_000


async def test_auto_extension_outlives_the_ttl(
    locks: DistributedLockService, others: DistributedLockService, name: str
) -> None:
    async with locks.hold(name, 600, auto_extend=True) as lock:
        assert await others.acquire(name, 600, wait=1_500) is None
        assert lock.is_held
    assert await others.acquire(name, 600) is not None


async def test_auto_extension_ends_at_the_longest_hold(
    locks: DistributedLockService, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    loop = asyncio.get_running_loop()
    started_s = loop.time()
    lock = await locks.acquire(name, 600, auto_extend=True, max_hold=1_200)
    assert lock is not None
    await lost(lock)
    assert 1.1 < loop.time() - started_s < 1.2 + BUSY_S
    assert any("max_hold" in message for message in caplog.messages)


async def test_auto_extension_stops_with_the_release(
    locks: DistributedLockService, others: DistributedLockService, name: str
) -> None:
    lock = await locks.acquire(name, 150, auto_extend=True)
    assert lock is not None
    assert lock.extending is not None
    await lock.release()
    await eventually(lock.extending.done)
    assert not await others.is_locked(name)


async def test_auto_extension_notices_that_the_lock_is_gone(
    locks: DistributedLockService, name: str, keys: LockKeys, look: Any
) -> None:
    lock = await locks.acquire(name, 600, auto_extend=True)
    assert lock is not None
    look.delete(keys.lock)
    await lost(lock)
    assert not look.exists(keys.lock)


async def test_hold_releases_when_the_body_raises(locks: DistributedLockService, name: str) -> None:
    with pytest.raises(ZeroDivisionError):
        async with locks.hold(name, 60_000):
            raise ZeroDivisionError
    assert not await locks.is_locked(name)


async def test_hold_raises_where_the_lock_is_taken(
    locks: DistributedLockService, others: DistributedLockService, name: str
) -> None:
    async with locks.hold(name, 60_000):
        with pytest.raises(LockTakenError, match="held elsewhere; "):
            async with others.hold(name, 60_000):
                pass
        with pytest.raises(LockTakenError, match="after waiting for 30 ms"):
            async with others.hold(name, 60_000, wait=timedelta(milliseconds=30)):
                pass


async def test_a_lock_is_its_own_context_manager(locks: DistributedLockService, name: str) -> None:
    lock = await locks.acquire(name, 60_000)
    assert lock is not None
    async with lock as same:
        assert same is lock
        assert await locks.is_locked(name)
    assert not await locks.is_locked(name)
    assert await lock.release() is False, "it is released once"


@pytest.mark.parametrize("ttl", [0, -1, None, "60s", True, 1.5, 24 * 60 * 60 * 1000 + 1, timedelta(days=2)])
async def test_a_ttl_is_required_positive_and_bounded(locks: DistributedLockService, name: str, ttl: Any) -> None:
    with pytest.raises(InvalidLockError, match="ttl must be"):
        await locks.acquire(name, ttl)
    lock = await locks.acquire(name, 1_000)
    assert lock is not None
    with pytest.raises(InvalidLockError, match="ttl must be"):
        await locks.extend(lock, ttl)


@pytest.mark.parametrize("bad", ["", "a{b", "}", "a\nb", "x" * 201, None, b"bytes"])
async def test_a_name_that_cannot_be_a_key_is_refused(locks: DistributedLockService, bad: Any) -> None:
    for use in (locks.acquire(bad, 1_000), locks.is_locked(bad), locks.get_lock(bad)):
        with pytest.raises(InvalidLockError, match="a lock's name is"):
            await use


async def test_max_hold_without_auto_extension_is_a_mistake(locks: DistributedLockService, name: str) -> None:
    with pytest.raises(InvalidLockError, match="give both, or neither"):
        await locks.acquire(name, 1_000, max_hold=5_000)


async def test_a_key_of_another_type_is_named(
    locks: DistributedLockService, name: str, keys: LockKeys, look: Any
) -> None:
    look.set(keys.lock, "somebody's")
    with pytest.raises(InvalidLockError, match=f"bullworks:lock:{{{name}}}"):
        await locks.acquire(name, 1_000)
    look.delete(keys.lock)


async def test_who_holds_what_can_be_listed(
    locks: DistributedLockService, others: DistributedLockService, key_prefix: str
) -> None:
    names = [f"{key_prefix}:{n}" for n in range(3)]
    held = [await locks.acquire(name, 60_000) for name in names]
    assert held[1] is not None
    await held[1].release()
    found = [view for view in await others.get_locks() if view.name.startswith(key_prefix)]
    assert [view.name for view in found] == [names[0], names[2]]
    view = found[0]
    assert (view.holder.host, view.holder.pid) == (socket.gethostname(), os.getpid())
    assert view.holder.instance == locks.instance
    assert held[0] is not None
    assert view.fence == held[0].fence
    assert 50_000 < view.time_left_ms <= 60_000
    assert (view.waiting, await others.get_lock(names[1])) == (0, None)


async def test_a_lock_that_is_extended_for_longer_than_its_first_ttl_stays_listed(
    locks: DistributedLockService, others: DistributedLockService, name: str, look: Any
) -> None:
    first = await locks.acquire(name, 100)
    assert first is not None
    assert await first.extend(60_000)
    second = await locks.acquire(f"{name}-2", 200)
    assert second is not None
    await lost(second)
    await eventually(lambda: not look.exists(LockKeys(f"{name}-2").lock))
    await locks.acquire(f"{name}-3", 60_000)
    listed = {view.name for view in await others.get_locks()}
    assert {name, f"{name}-3"} <= listed
    assert f"{name}-2" not in listed


async def test_nothing_of_a_lock_but_its_last_fence_stays_in_redis(
    locks: DistributedLockService, name: str, keys: LockKeys, look: Any
) -> None:
    async with locks.hold(name, 60_000):
        pass
    assert look.keys(f"{keys.lock}*") == [keys.fence]
    assert look.ttl(keys.fence) > 6 * 24 * 3600


async def test_a_closed_service_gives_no_lock_and_leaves_held_ones_to_run_out(
    locks: DistributedLockService, others: DistributedLockService, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    """Whoever works under the lock may not have ended."""
    lock = await locks.acquire(name, 700, auto_extend=True)
    assert lock is not None
    await locks.close()
    await locks.close()
    assert any("is still held at the end" in message for message in caplog.messages)
    assert await others.is_locked(name)
    with pytest.raises(LocksClosedError):
        await locks.acquire(name, 1_000)
    await lost(lock)
    assert await others.acquire(name, 1_000, wait=1_000) is not None


async def test_a_held_lock_is_logged_without_its_token(
    locks: DistributedLockService, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    async with locks.hold(name, 60_000) as lock:
        assert lock.token not in caplog.text + repr(lock) + repr(locks)
