"""Locks in memory are the engine's: what is done with them leaves the same behind on the real server."""

import asyncio
from collections.abc import AsyncIterator

import pytest

from bullworks.locks import DistributedLockService, Holder, LocksClosedError, LockTakenError
from bullworks.locks.keys import LockKeys
from bullworks.locks.lock_scripts import Refused
from bullworks.testing import MemoryLocks, eventually


@pytest.fixture(params=["memory", "redis"])
async def locks(request: pytest.FixtureRequest, redis_url: str) -> AsyncIterator[DistributedLockService]:
    if request.param == "memory":
        async with MemoryLocks() as in_memory:
            yield in_memory
    else:
        async with DistributedLockService(connection=redis_url) as in_redis:
            yield in_redis


async def test_one_at_a_time_holds_a_lock(locks: DistributedLockService, key_prefix: str) -> None:
    lock = await locks.acquire(key_prefix, 60_000)
    assert lock is not None
    assert await locks.acquire(key_prefix, 60_000) is None
    with pytest.raises(LockTakenError):
        async with locks.hold(key_prefix, 60_000):
            raise AssertionError("two hold it")
    view = await locks.get_lock(key_prefix)
    assert view is not None
    assert (view.name, view.fence, view.waiting, view.holder.instance) == (key_prefix, lock.fence, 0, locks.instance)
    assert 0 < view.time_left_ms <= 60_000
    assert key_prefix in [view.name for view in await locks.get_locks()]
    assert await locks.is_locked(key_prefix)
    assert await lock.release()
    assert not await lock.release()
    assert not await locks.is_locked(key_prefix)
    assert await locks.get_lock(key_prefix) is None


async def test_fences_grow(locks: DistributedLockService, key_prefix: str) -> None:
    fences = []
    for _ in range(3):
        async with locks.hold(key_prefix, 60_000) as lock:
            fences.append(lock.fence)
    assert fences == sorted(set(fences))


async def test_a_lock_runs_out_and_another_takes_it(locks: DistributedLockService, key_prefix: str) -> None:
    lock = await locks.acquire(key_prefix, 20)
    assert lock is not None
    await asyncio.wait_for(lock.lost.wait(), 5)
    other = await eventually(lambda: locks.acquire(key_prefix, 60_000))
    assert other.fence > lock.fence
    assert not await lock.release()
    assert not await lock.extend(60_000)
    assert other.is_held
    await other.release()


async def test_a_lock_is_extended_while_it_is_held(locks: DistributedLockService, key_prefix: str) -> None:
    lock = await locks.acquire(key_prefix, 1_000)
    assert lock is not None
    assert await lock.extend(60_000)
    view = await locks.get_lock(key_prefix)
    assert view is not None
    assert 1_000 < view.time_left_ms <= 60_000
    await lock.release()
    kept = await locks.acquire(key_prefix, 300, auto_extend=True)
    assert kept is not None
    first_ms = kept.deadline_s
    await eventually(lambda: kept.deadline_s > first_ms)
    assert kept.is_held
    await kept.release()


async def test_who_waits_gets_it_in_the_order_of_coming(locks: DistributedLockService, key_prefix: str) -> None:
    order: list[str] = []

    async def work(name: str) -> None:
        async with locks.hold(key_prefix, 60_000, wait=10_000):
            order.append(name)

    first = await locks.acquire(key_prefix, 60_000)
    assert first is not None
    waiting = []
    for number, name in enumerate("abc"):
        waiting.append(asyncio.create_task(work(name)))
        await eventually(lambda number=number: _waits(locks, key_prefix, number + 1))
    assert await locks.acquire(key_prefix, 60_000) is None
    await first.release()
    await asyncio.wait_for(asyncio.gather(*waiting), 10)
    assert order == ["a", "b", "c"]


async def test_who_gives_up_leaves_the_line(locks: DistributedLockService, key_prefix: str) -> None:
    first = await locks.acquire(key_prefix, 60_000)
    assert first is not None
    impatient = asyncio.create_task(locks.acquire(key_prefix, 60_000, wait=10_000))
    await eventually(lambda: _waits(locks, key_prefix, 1))
    patient = asyncio.create_task(locks.acquire(key_prefix, 60_000, wait=10_000))
    await eventually(lambda: _waits(locks, key_prefix, 2))
    impatient.cancel()
    await eventually(lambda: _waits(locks, key_prefix, 1))
    assert await locks.acquire(key_prefix, 60_000, wait=1) is None
    await first.release()
    lock = await asyncio.wait_for(patient, 10)
    assert lock is not None
    await lock.release()


async def test_a_waiting_lock_that_runs_out_goes_to_who_waits(locks: DistributedLockService, key_prefix: str) -> None:
    assert await locks.acquire(key_prefix, 50) is not None
    lock = await asyncio.wait_for(locks.acquire(key_prefix, 60_000, wait=10_000), 10)
    assert lock is not None
    await lock.release()


async def test_a_closed_service_gives_no_locks(locks: DistributedLockService, key_prefix: str) -> None:
    first = await locks.acquire(key_prefix, 60_000)
    waiting = asyncio.create_task(locks.acquire(key_prefix, 60_000, wait=10_000))
    await eventually(lambda: _waits(locks, key_prefix, 1))
    await locks.close()
    with pytest.raises(LocksClosedError):
        await waiting
    with pytest.raises(LocksClosedError):
        await locks.acquire(key_prefix, 60_000)
    assert first is not None


async def test_asking_again_with_the_same_token_is_harmless(locks: DistributedLockService, key_prefix: str) -> None:
    keys, holder, scripts = LockKeys(key_prefix), Holder.here(locks.instance), locks._scripts
    first = await scripts.acquire(keys, "mine", 1_000, holder, waits=False, came_us=0)
    again = await scripts.acquire(keys, "mine", 60_000, holder, waits=False, came_us=0)
    assert first == again
    view = await scripts.read(keys)
    assert view is not None
    assert view.time_left_ms > 1_000
    refused = await scripts.acquire(keys, "another's", 1_000, holder, waits=False, came_us=0)
    assert isinstance(refused, Refused)
    assert not await scripts.extend(keys, "another's", 1_000)
    assert await scripts.release(keys, "another's") == (False, "")
    assert await scripts.release(keys, "mine") == (True, "")


async def _waits(locks: DistributedLockService, name: str, count: int) -> bool:
    view = await locks.get_lock(name)
    return view is not None and view.waiting == count
