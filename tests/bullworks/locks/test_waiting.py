"""Waiting for a lock: in the order of coming, told when the turn has come, and nothing left behind."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from bullworks.locks import DistributedLockService, Lock, LocksClosedError
from bullworks.locks.keys import NAMES, LockKeys
from tests.bullworks.locks.conftest import MakeService
from tests.bullworks.waiting import BUSY_S, eventually

pytestmark = pytest.mark.usefixtures("redis_server")

# Less than the second after which the first in line asks by itself.
SOON_S = 0.9


def commands_run(look: Any) -> int:
    stats = look.info("commandstats")
    return sum(int(stats.get(f"cmdstat_{name}", {"calls": 0})["calls"]) for name in ("evalsha", "eval"))


async def in_line(look: Any, keys: LockKeys, count: int) -> None:
    await eventually(lambda: look.zcard(keys.line) == count, what=f"{count} in line")


@pytest.mark.parametrize("where", ["same process", "another process"])
async def test_a_release_wakes_who_waits_at_once(
    locks: DistributedLockService, others: DistributedLockService, name: str, keys: LockKeys, look: Any, where: str
) -> None:
    waiter = locks if where == "same process" else others
    lock = await locks.acquire(name, 60_000)
    assert lock is not None
    waiting = asyncio.create_task(waiter.acquire(name, 60_000, wait=30_000))
    await in_line(look, keys, 1)
    await lock.release()
    got = await asyncio.wait_for(waiting, SOON_S)
    assert got is not None
    assert got.fence > lock.fence


async def test_the_lock_goes_round_in_the_order_of_coming(
    make_service: MakeService, name: str, keys: LockKeys, look: Any
) -> None:
    services = [make_service() for _ in range(3)]
    order: list[int] = []
    first = await services[0].acquire(name, 60_000)
    assert first is not None

    async def work(n: int) -> None:
        async with services[n % 3].hold(name, 60_000, wait=30_000):
            order.append(n)

    tasks = []
    for n in range(12):
        tasks.append(asyncio.create_task(work(n)))
        await in_line(look, keys, n + 1)
    await first.release()
    await asyncio.wait_for(asyncio.gather(*tasks), 5)
    assert order == list(range(12))
    assert not await services[0].is_locked(name)


async def test_who_does_not_wait_does_not_overtake_who_does(
    locks: DistributedLockService, others: DistributedLockService, name: str, keys: LockKeys, look: Any
) -> None:
    """Else a busy lock would never reach those who wait for it."""
    lock = await locks.acquire(name, 60_000)
    assert lock is not None
    waiting = asyncio.create_task(others.acquire(name, 60_000, wait=30_000))
    await in_line(look, keys, 1)
    releasing, barging = await asyncio.gather(lock.release(), locks.acquire(name, 60_000))
    assert (releasing, barging) == (True, None)
    assert await asyncio.wait_for(waiting, SOON_S) is not None


async def test_a_lock_that_runs_out_goes_to_the_first_in_line_soon(
    locks: DistributedLockService, others: DistributedLockService, name: str
) -> None:
    """Nobody releases it: its holder is dead."""
    loop = asyncio.get_running_loop()
    assert await locks.acquire(name, 200)
    started_s = loop.time()
    assert await others.acquire(name, 60_000, wait=10_000) is not None
    assert loop.time() - started_s < 0.2 + BUSY_S


async def test_waiting_ends_with_none_on_time_and_leaves_the_line(
    locks: DistributedLockService, others: DistributedLockService, name: str, keys: LockKeys, look: Any
) -> None:
    loop = asyncio.get_running_loop()
    assert await locks.acquire(name, 60_000)
    started_s = loop.time()
    assert await others.acquire(name, 60_000, wait=150) is None
    assert 0.14 < loop.time() - started_s < 0.15 + BUSY_S
    assert look.exists(keys.line, keys.seen) == 0


@pytest.mark.parametrize("way", ["cancelled", "asyncio.timeout", "wait_for"])
async def test_a_wait_that_is_given_up_leaves_nothing_behind(
    locks: DistributedLockService, others: DistributedLockService, name: str, keys: LockKeys, look: Any, way: str
) -> None:
    lock = await locks.acquire(name, 60_000)
    assert lock is not None

    async def wait() -> None:
        if way == "asyncio.timeout":
            async with asyncio.timeout(0.1):
                await others.acquire(name, 60_000, wait=30_000)
        elif way == "wait_for":
            await asyncio.wait_for(others.acquire(name, 60_000, wait=30_000), 0.1)
        else:
            await others.acquire(name, 60_000, wait=30_000)

    waiting = asyncio.create_task(wait())
    await in_line(look, keys, 1)
    if way == "cancelled":
        waiting.cancel()
    with pytest.raises(asyncio.CancelledError if way == "cancelled" else TimeoutError):
        await waiting
    assert look.exists(keys.line, keys.seen) == 0
    await lock.release()
    assert await locks.acquire(name, 60_000) is not None


async def test_cancelling_at_whatever_moment_leaves_no_lock_and_no_place_in_line(
    locks: DistributedLockService, others: DistributedLockService, name: str, keys: LockKeys, look: Any
) -> None:
    """Also just as the lock is granted."""
    assert await locks.release(name) is False  # connects
    for ticks in range(60):
        acquiring = asyncio.create_task((locks if ticks % 2 else others).acquire(name, 60_000, wait=30_000))
        for _ in range(ticks // 2):
            await asyncio.sleep(0)
        acquiring.cancel()
        results = await asyncio.gather(acquiring, return_exceptions=True)
        if isinstance(results[0], Lock):
            await results[0].release()
        assert look.exists(keys.lock, keys.line, keys.seen) == 0, ticks


async def test_who_is_called_and_leaves_passes_the_call_on(
    locks: DistributedLockService, others: DistributedLockService, name: str, keys: LockKeys, look: Any
) -> None:
    lock = await locks.acquire(name, 60_000)
    assert lock is not None
    first = asyncio.create_task(others.acquire(name, 60_000, wait=30_000))
    await in_line(look, keys, 1)
    second = asyncio.create_task(locks.acquire(name, 60_000, wait=30_000))
    await in_line(look, keys, 2)
    releasing = asyncio.create_task(lock.release())
    await eventually(lambda: not look.exists(keys.lock) or first.done())
    first.cancel()
    left = await asyncio.gather(first, releasing, return_exceptions=True)
    if isinstance(left[0], Lock):
        await left[0].release()
    assert await asyncio.wait_for(second, SOON_S) is not None


async def test_dead_waiters_are_passed_over(
    locks: DistributedLockService, others: DistributedLockService, name: str, keys: LockKeys, look: Any
) -> None:
    """Their process was killed: they are still in line, and ask no more. One script strikes off 100."""
    lock = await locks.acquire(name, 60_000)
    assert lock is not None
    dead = [f"dead{n}:token" for n in range(250)]
    look.zadd(keys.line, {token: n + 1 for n, token in enumerate(dead)})
    look.zadd(keys.seen, dict.fromkeys(dead, 1))
    waiting = asyncio.create_task(others.acquire(name, 60_000, wait=30_000))
    await in_line(look, keys, 1)
    await lock.release()
    assert await asyncio.wait_for(waiting, SOON_S) is not None
    assert look.exists(keys.line, keys.seen) == 0


async def test_who_dies_after_being_called_holds_the_others_up_for_two_seconds_at_most(
    locks: DistributedLockService, others: DistributedLockService, name: str, keys: LockKeys, look: Any
) -> None:
    loop = asyncio.get_running_loop()
    lock = await locks.acquire(name, 60_000)
    assert lock is not None
    look.zadd(keys.line, {"dead:token": 1})
    look.zadd(keys.seen, {"dead:token": 2**52})
    waiting = asyncio.create_task(others.acquire(name, 60_000, wait=30_000))
    await in_line(look, keys, 2)
    started_s = loop.time()
    await lock.release()
    assert look.lrange("bullworks:lock:told:dead", 0, -1) == ["dead:token"]
    assert await asyncio.wait_for(waiting, 2 + BUSY_S) is not None
    assert loop.time() - started_s > 1.5
    look.delete("bullworks:lock:told:dead")


async def test_a_call_that_is_lost_costs_a_moment_only(
    locks: DistributedLockService, name: str, keys: LockKeys, look: Any, redis_url: str
) -> None:
    async with DistributedLockService(connection=redis_url) as deaf:
        deaf._claims._calls._listening = asyncio.create_task(asyncio.sleep(0))
        lock = await locks.acquire(name, 60_000)
        assert lock is not None
        waiting = asyncio.create_task(deaf.acquire(name, 60_000, wait=30_000))
        await in_line(look, keys, 1)
        await lock.release()
        assert await asyncio.wait_for(waiting, 3 + BUSY_S) is not None


async def test_a_long_line_does_not_poll(make_service: MakeService, name: str, keys: LockKeys, look: Any) -> None:
    """200 waiters for 2 s: who is far behind asks every 10 s at most, to show that it lives."""
    services = [make_service() for _ in range(4)]
    lock = await services[0].acquire(name, 60_000)
    assert lock is not None
    tasks = [asyncio.create_task(services[n % 4].acquire(name, 60_000, wait=60_000)) for n in range(200)]
    await in_line(look, keys, 200)
    before = commands_run(look)
    await asyncio.sleep(2)
    # Each asks after 1 s + 0.1 s a place, so the first eleven or so; asking is two calls.
    assert commands_run(look) - before < 80
    assert look.zcard(keys.line) == 200
    for task in tasks:
        task.cancel()
    await asyncio.wait_for(asyncio.gather(*tasks, return_exceptions=True), 10)
    assert look.exists(keys.line, keys.seen) == 0


async def test_waiting_opens_one_more_connection_however_many_wait(
    locks: DistributedLockService, others: DistributedLockService, key_prefix: str, look: Any
) -> None:
    names = [f"{key_prefix}:{n}" for n in range(20)]
    held = [await locks.acquire(name, 60_000) for name in names]
    waiting = [asyncio.create_task(others.acquire(name, 60_000, wait=30_000)) for name in names]
    client = f"bullworks:locks:{others.instance}"
    await eventually(lambda: [c["name"] for c in look.client_list()].count(client) == 1)
    for lock in held:
        assert lock is not None
        await lock.release()
    assert all(await asyncio.wait_for(asyncio.gather(*waiting), 5))
    assert [c["name"] for c in look.client_list()].count(client) == 1


async def test_closing_the_service_ends_the_wait_and_leaves_the_line(
    locks: DistributedLockService, others: DistributedLockService, name: str, keys: LockKeys, look: Any
) -> None:
    assert await locks.acquire(name, 60_000)
    waiting = asyncio.create_task(others.acquire(name, 60_000, wait=30_000))
    await in_line(look, keys, 1)
    await others.close()
    with pytest.raises(LocksClosedError):
        await asyncio.wait_for(waiting, BUSY_S)
    assert look.exists(keys.line, keys.seen) == 0


async def test_a_wait_for_what_the_task_itself_holds_is_warned_of(
    locks: DistributedLockService, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    async with locks.hold(name, 60_000):
        assert await locks.acquire(name, 60_000, wait=30) is None
    assert any("not reentrant" in message for message in caplog.messages)


async def test_names_of_locks_that_ran_out_are_forgotten(locks: DistributedLockService, name: str, look: Any) -> None:
    lock = await locks.acquire(name, 30)
    assert lock is not None
    await asyncio.wait_for(lock.lost.wait(), 5)
    assert look.zscore(NAMES, name) is not None

    async def is_forgotten() -> bool:
        async with locks.hold(f"{name}-2", 1_000):
            return look.zscore(NAMES, name) is None

    await eventually(is_forgotten)
